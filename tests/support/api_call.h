/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON API of a scene's running program, over its socket file: as curl --unix-socket does it.
 */
#ifndef LB_TESTS_API_CALL_H
#define LB_TESTS_API_CALL_H

#include <jansson.h>

#include "tests/support/scene.h"

/*
 * One call on a connection of its own; fails the test when no answer comes.
 *
 * body   taken; NULL: none
 * json   the answer, the caller's; NULL: it is dropped
 * returns the status
 */
unsigned api_call(const struct scene *scene, const char *method, const char *path, json_t *body,
                  json_t **json);

/* The same where lb may end at any moment: 0 (and *json NULL) unless the whole answer came. */
unsigned api_try(const struct scene *scene, const char *method, const char *path, json_t *body,
                 json_t **json);

/*
 * The same for what is no JSON: GET it; fails the test unless it is there.
 *
 * type    its Content-Type is copied there
 * returns the body; the caller frees it
 */
char *api_text(const struct scene *scene, const char *path, char *type, size_t room);

/* A PEM file of the scene's folder as JSON text. */
json_t *api_pem(const struct scene *scene, const char *file);

#endif
