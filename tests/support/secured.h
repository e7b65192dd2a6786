/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listeners that a story calls plain (`protocol = http`) and that speak TLS all the same, because
 * the story runs over HTTP/2, which clients find over TLS only.
 */
#ifndef LB_TESTS_SECURED_H
#define LB_TESTS_SECURED_H

#include <stdbool.h>

#include "tests/support/folder.h"
#include "tests/support/text.h"

/* Where the environment wishes for HTTP/2: `protocol = http` of every [listener] becomes a
 * certificate, which is written to the folder, and the ports of the listener are remembered. Those
 * of the PROXY protocol stay, because a test says its header in plain bytes. */
void secured_turn(const struct folder *folder, struct text *ini);

/* Is it the port of such a listener? */
bool secured_has(unsigned port);

/* "http" or "https": how clients of a listener that a story calls plain have come. */
const char *secured_scheme(void);

#endif
