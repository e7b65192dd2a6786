/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One story's stage: a folder with certificates and an INI file, the real program running on it,
 * its logs.
 *
 *   struct scene scene;
 *   scene_begin(&scene);
 *   scene_set_port(&scene, "rs-1", stub.port);
 *   scene_start(&scene, "[listener web]\naddress = 127.0.0.1:@web\n… backend = rs-1
 * 127.0.0.1:@rs-1\n"); … peer_connect(&peer, scene_port(&scene, "web")) … scene_end(&scene);
 *
 * @NAME in the INI text is a port: the one that was set, or a reserved one that nobody listens on;
 * @@ is an @.
 */
#ifndef LB_TESTS_SCENE_H
#define LB_TESTS_SCENE_H

#include <stdbool.h>
#include <sys/types.h>

#include "tests/support/folder.h"
#include "tests/support/text.h"

enum { SCENE_PORTS_MOST = 32 };

struct scene {
    struct folder folder;
    pid_t pid; /* 0: not running */
    unsigned port_count;
    struct {
        char name[24];
        unsigned port;
    } ports[SCENE_PORTS_MOST];
};

void scene_begin(struct scene *scene);
/* Stop the program as scene_stop does, if it still runs, and remove the folder. */
void scene_end(struct scene *scene);

void scene_set_port(struct scene *scene, const char *name, unsigned port);
unsigned scene_port(struct scene *scene, const char *name);

/*
 * Write lb.ini and start the program; returns when it is ready. A text without [lb] gets one: two
 * workers, access.log in the folder, the log on stderr, which is kept in the folder's
 * lb.log.
 */
void scene_start(struct scene *scene, const char *ini);
/* Write lb.ini anew (with its ports, and without adding a [lb]), send SIGHUP and wait until the
 * program said how it went: true: reloaded. */
bool scene_reload(struct scene *scene, const char *ini);
/* The same, but by `lb check`: returns its exit status and what it says. */
int scene_check(struct scene *scene, const char *ini, struct text *said);
/* Write the INI text, with its ports, to a file of the folder. */
void scene_write_ini(struct scene *scene, const char *file, const char *ini);

/* SIGTERM. */
void scene_terminate(struct scene *scene);
/* Wait until it ended: with status 0, and without a sanitizer's report. */
void scene_await_end(struct scene *scene);
/* Both. */
void scene_stop(struct scene *scene);

/* The whole log so far; the caller frees it. */
char *scene_log(const struct scene *scene);
/* Does a line of the log have all of these words? Closed by NULL. */
bool scene_log_has(const struct scene *scene, ...) __attribute__((sentinel));
/* The whole access log so far; the caller frees it. */
char *scene_access_log(const struct scene *scene);
/* How many lines of the access log have this text? */
unsigned scene_access_lines(const struct scene *scene, const char *with);

#endif
