/* SPDX-License-Identifier: Apache-2.0 */
/* The stage of a story. */
#include "tests/support/scene.h"

#include <check.h>
#include <ctype.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/eventually.h"
#include "tests/support/port.h"
#include "tests/support/process.h"
#include "tests/support/secured.h"

void scene_begin(struct scene *scene)
{
    *scene = (struct scene){0};
    signal(SIGPIPE, SIG_IGN);
    folder_make(&scene->folder);
}

void scene_set_port(struct scene *scene, const char *name, unsigned port)
{
    unsigned at = 0;
    while (at < scene->port_count && strcmp(scene->ports[at].name, name) != 0)
        at++;
    ck_assert_uint_lt(at, SCENE_PORTS_MOST);
    snprintf(scene->ports[at].name, sizeof scene->ports[at].name, "%s", name);
    scene->ports[at].port = port;
    if (at == scene->port_count)
        scene->port_count++;
}

unsigned scene_port(struct scene *scene, const char *name)
{
    for (unsigned i = 0; i < scene->port_count; i++)
        if (strcmp(scene->ports[i].name, name) == 0)
            return scene->ports[i].port;
    unsigned port = port_reserve();
    scene_set_port(scene, name, port);
    return port;
}

static size_t name_length(const char *at)
{
    size_t length = 0;
    while (isalnum((unsigned char)at[length]) || at[length] == '-')
        length++;
    return length;
}

static void add_with_ports(struct scene *scene, struct text *into, const char *ini)
{
    for (const char *at = ini; *at != '\0';) {
        if (*at != '@') {
            text_add(into, at++, 1);
            continue;
        }
        if (at[1] == '@') {
            text_add(into, at, 1);
            at += 2;
            continue;
        }
        char name[24];
        size_t length = name_length(at + 1);
        snprintf(name, sizeof name, "%.*s", (int)length, at + 1);
        text_add_format(into, "%u", scene_port(scene, name));
        at += 1 + length;
    }
}

void scene_write_ini(struct scene *scene, const char *file, const char *ini)
{
    struct text text = {0};
    text_add(&text, "", 0);
    add_with_ports(scene, &text, ini);
    secured_turn(&scene->folder, &text);
    folder_write(&scene->folder, file, text.bytes);
    text_done(&text);
}

static void write_config(struct scene *scene, const char *ini)
{
    struct text text = {0};
    if (strstr(ini, "[lb]") == NULL)
        text_add_format(&text, "[lb]\nworkers = 2\naccess_log = access.log\n\n");
    text_add(&text, ini, strlen(ini));
    scene_write_ini(scene, "lb.ini", text.bytes);
    text_done(&text);
}

static bool has_line(const char *text, const char *const *words)
{
    for (const char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        unsigned found = 0;
        unsigned wanted = 0;
        for (; words[wanted] != NULL; wanted++)
            found += memmem(line, length, words[wanted], strlen(words[wanted])) != NULL;
        if (found == wanted)
            return true;
        line += length + (line[length] == '\n');
    }
    return false;
}

bool scene_log_has(const struct scene *scene, ...)
{
    const char *words[16] = {0};
    va_list list;
    va_start(list, scene);
    for (unsigned i = 0; i < 15; i++) {
        words[i] = va_arg(list, const char *);
        if (words[i] == NULL)
            break;
    }
    va_end(list);
    char *log = scene_log(scene);
    bool has = has_line(log, words);
    free(log);
    return has;
}

void scene_start(struct scene *scene, const char *ini)
{
    write_config(scene, ini);
    const char *argv[] = {process_lb(), "run", "-c", folder_file(&scene->folder, "lb.ini"), NULL};
    scene->pid = process_start(argv, folder_file(&scene->folder, "lb.log"));
    long long end_ms = eventually_now_ms() + EVENTUALLY_MS;
    while (!scene_log_has(scene, "lb.ready", NULL)) {
        char *log = scene_log(scene);
        ck_assert_msg(!process_has_ended(scene->pid), "lb ended instead of getting ready: %s", log);
        ck_assert_msg(eventually_now_ms() < end_ms, "lb does not get ready: %s", log);
        free(log);
        eventually_pause();
    }
}

static unsigned log_count(const struct scene *scene, const char *word)
{
    char *log = scene_log(scene);
    unsigned count = 0;
    for (const char *at = log; (at = strstr(at, word)) != NULL; at++)
        count++;
    free(log);
    return count;
}

bool scene_reload(struct scene *scene, const char *ini)
{
    unsigned good = log_count(scene, " lb.reloaded ");
    unsigned bad = log_count(scene, " lb.not-reloaded ");
    scene_write_ini(scene, "lb.ini", ini);
    ck_assert_int_eq(kill(scene->pid, SIGHUP), 0);
    eventually(log_count(scene, " lb.reloaded ") + log_count(scene, " lb.not-reloaded ") >
               good + bad);
    return log_count(scene, " lb.not-reloaded ") == bad;
}

int scene_check(struct scene *scene, const char *ini, struct text *said)
{
    write_config(scene, ini);
    const char *argv[] = {process_lb(), "check", "-c", folder_file(&scene->folder, "lb.ini"), NULL};
    return process_run(argv, said);
}

void scene_terminate(struct scene *scene)
{
    ck_assert_int_gt(scene->pid, 0);
    ck_assert_int_eq(kill(scene->pid, SIGTERM), 0);
}

void scene_await_end(struct scene *scene)
{
    int status = process_wait(scene->pid);
    scene->pid = 0;
    char *log = scene_log(scene);
    ck_assert_msg(status == 0, "lb ended with %d: %s", status, log);
    ck_assert_msg(strstr(log, "Sanitizer") == NULL && strstr(log, "runtime error:") == NULL, "%s",
                  log);
    free(log);
}

void scene_stop(struct scene *scene)
{
    scene_terminate(scene);
    scene_await_end(scene);
}

void scene_end(struct scene *scene)
{
    if (scene->pid != 0)
        scene_stop(scene);
    folder_remove(&scene->folder);
}

char *scene_log(const struct scene *scene)
{
    return folder_read(&scene->folder, "lb.log");
}

char *scene_access_log(const struct scene *scene)
{
    return folder_read(&scene->folder, "access.log");
}

unsigned scene_access_lines(const struct scene *scene, const char *with)
{
    char *log = scene_access_log(scene);
    unsigned count = 0;
    for (char *rest = log, *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n"))
        count += *line != '\0' && strstr(line, with) != NULL;
    free(log);
    return count;
}
