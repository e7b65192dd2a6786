/* SPDX-License-Identifier: Apache-2.0 */
/* nginx, started and stopped as an administrator would. */
#include "tests/support/nginx_backend.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/eventually.h"
#include "tests/support/port.h"
#include "tests/support/process.h"
#include "tests/support/text.h"

enum { WORKERS_MOST = 32 };

/* /usr/sbin is not in everybody's PATH. */
static const char *program(void)
{
    static const char *const places[] = {"/usr/sbin/nginx", "/usr/local/sbin/nginx",
                                         "/usr/bin/nginx"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

bool nginx_is_here(void)
{
    if (program() != NULL)
        return true;
    fprintf(stderr, "skipped: there is no nginx on this machine; ./dev setup test installs it\n");
    if (getenv("CI") != NULL)
        exit(EXIT_FAILURE);
    return false;
}

/* --- its config ---------------------------------------------------------------------------- */

static void add_head(struct text *config, const char *folder)
{
    if (geteuid() == 0) /* else its workers become somebody who may not read the folder */
        text_add_format(config, "user root root;\n");
    text_add_format(config,
                    "daemon off;\nworker_processes 2;\npid %s/nginx.pid;\n"
                    "error_log %s/error.log notice;\nevents { worker_connections 512; }\nhttp {\n",
                    folder, folder);
    static const char *const kept[] = {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        text_add_format(config, "%s_temp_path %s/%s;\n", kept[i], folder, kept[i]);
    text_add_format(config,
                    "log_format told '$request_method $request_uri $status body=$body_bytes_sent "
                    "link=$connection sni=$ssl_server_name reused=$ssl_session_reused "
                    "client=$ssl_client_s_dn';\naccess_log %s/requests.log told;\n"
                    "default_type text/plain;\n",
                    folder);
}

static void add_server(struct text *config, const struct nginx_backend *nginx)
{
    const struct nginx_plan *plan = &nginx->plan;
    text_add_format(config, "server {\nlisten 127.0.0.1:%u%s%s;\n", nginx->port,
                    plan->certificate != NULL ? " ssl" : "", plan->speaks_http2 ? " http2" : "");
    if (plan->certificate != NULL)
        text_add_format(config, "ssl_certificate %s;\nssl_certificate_key %s;\n", plan->certificate,
                        plan->certificate_key);
    if (plan->client_ca != NULL)
        text_add_format(config, "ssl_client_certificate %s;\nssl_verify_client on;\n",
                        plan->client_ca);
    text_add_format(config, "%s\nlocation / { return 200 \"%s\\n\"; }\n}\n}\n",
                    plan->server != NULL ? plan->server : "", plan->name);
}

static void write_config(const struct nginx_backend *nginx)
{
    struct text config = {0};
    add_head(&config, nginx->folder.path);
    add_server(&config, nginx);
    folder_write(&nginx->folder, "nginx.conf", config.bytes);
    text_done(&config);
}

/* --- its processes ------------------------------------------------------------------------- */

/* The master's children. */
static unsigned find_workers(const struct nginx_backend *nginx, pid_t *workers)
{
    char path[64];
    unsigned count = 0;
    int pid;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)nginx->pid, (int)nginx->pid);
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s cannot be read", path);
    while (count < WORKERS_MOST && fscanf(file, "%d", &pid) == 1)
        workers[count++] = pid;
    fclose(file);
    return count;
}

static void show_errors(const struct nginx_backend *nginx, const char *what)
{
    char *errors = folder_read(&nginx->folder, "error.log");
    char *said = folder_read(&nginx->folder, "said");
    fprintf(stderr, "nginx %s: %s%s\n", what, said, errors);
    free(errors);
    free(said);
}

static bool is_ready(const struct nginx_backend *nginx)
{
    if (!process_has_ended(nginx->pid))
        return port_takes_connections(nginx->port);
    show_errors(nginx, "did not start");
    ck_abort_msg("nginx did not start");
}

/* A test starts it anew while its clients are busy in threads, and a fork of a program whose
 * threads hold a sanitizer's locks may hang before it gets to exec; hence no fork of ours. setpriv:
 * it dies with the test. */
static pid_t spawn(const char *const *argv, const char *output_path)
{
    posix_spawn_file_actions_t files;
    pid_t pid = 0;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, output_path,
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    int failure =
        posix_spawnp(&pid, argv[0], &files, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&files);
    ck_assert_msg(failure == 0, "%s cannot be started: %s", argv[0], strerror(failure));
    return pid;
}

static void run(struct nginx_backend *nginx)
{
    write_config(nginx);
    const char *argv[] = {"setpriv",
                          "--pdeathsig=KILL",
                          program(),
                          "-e",
                          folder_file(&nginx->folder, "error.log"),
                          "-p",
                          nginx->folder.path,
                          "-c",
                          folder_file(&nginx->folder, "nginx.conf"),
                          NULL};
    nginx->pid = spawn(argv, folder_file(&nginx->folder, "said"));
    eventually(is_ready(nginx));
}

void nginx_start(struct nginx_backend *nginx, const struct nginx_plan *plan)
{
    *nginx = (struct nginx_backend){.plan = *plan, .port = port_reserve()};
    folder_make(&nginx->folder);
    ck_assert_int_eq(mkdir(folder_file(&nginx->folder, "files"), 0700), 0);
    run(nginx);
}

void nginx_restart(struct nginx_backend *nginx)
{
    ck_assert_int_eq(nginx->pid, 0);
    run(nginx);
}

static void end(struct nginx_backend *nginx, int signum)
{
    kill(nginx->pid, signum);
    int status = process_wait(nginx->pid);
    if (status != 0)
        show_errors(nginx, "did not end well");
    ck_assert_int_eq(status, 0);
    nginx->pid = 0;
}

void nginx_stop(struct nginx_backend *nginx)
{
    if (nginx->pid != 0)
        end(nginx, SIGTERM);
    folder_remove(&nginx->folder);
}

void nginx_quit(struct nginx_backend *nginx)
{
    end(nginx, SIGQUIT);
}

void nginx_kill(struct nginx_backend *nginx)
{
    pid_t workers[WORKERS_MOST];
    unsigned count = find_workers(nginx, workers);
    kill(nginx->pid, SIGKILL); /* first: it would start workers anew */
    ck_assert_int_eq(process_wait(nginx->pid), 128 + SIGKILL);
    for (unsigned i = 0; i < count; i++)
        kill(workers[i], SIGKILL);
    nginx->pid = 0;
    eventually(!port_takes_connections(nginx->port));
}

static bool has_only_new_workers(const struct nginx_backend *nginx, const pid_t *old,
                                 unsigned old_count)
{
    pid_t workers[WORKERS_MOST];
    unsigned count = find_workers(nginx, workers);
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; k < old_count; k++)
            if (workers[i] == old[k])
                return false;
    return count > 0;
}

void nginx_reload(struct nginx_backend *nginx, const struct nginx_plan *plan)
{
    pid_t old[WORKERS_MOST];
    unsigned count = find_workers(nginx, old);
    if (plan != NULL)
        nginx->plan = *plan;
    write_config(nginx);
    kill(nginx->pid, SIGHUP);
    eventually(has_only_new_workers(nginx, old, count));
}

/* --- what it was asked --------------------------------------------------------------------- */

unsigned nginx_requests(const struct nginx_backend *nginx, const char *with)
{
    unsigned count = 0;
    char *log = folder_read(&nginx->folder, "requests.log");
    char *rest = log;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n"))
        count += *line != '\0' && strstr(line, with) != NULL;
    free(log);
    return count;
}
