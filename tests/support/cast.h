/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificates of most stories, as files in the scene's folder:
 *   ca          a client CA, with clients alice and anna
 *   partner-ca  another one, with client bob
 *   server      www.example.com, *.example.com and 127.0.0.1, issued by ca
 *   renewed     the same names as server, from the same CA, another key
 * They share one story: whoever comes from ca may come in, bob may where the partner may.
 */
#ifndef LB_TESTS_CAST_H
#define LB_TESTS_CAST_H

#include "tests/support/peer.h"
#include "tests/support/scene.h"

void cast_write(struct scene *scene);

/* What a client of this scene wishes: WISH(&scene, .sni = "www.example.com", .who = "alice"). */
#define WISH(scene_, ...) (&(struct tls_wish){.folder = (scene_)->folder.path, __VA_ARGS__})

#endif
