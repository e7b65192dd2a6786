/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the usual certificates. */
#include "tests/support/cast.h"

#include "tests/support/certificates.h"

static void write_client(const struct scene *scene, const struct made *ca, const char *name)
{
    struct made *client = made_client(ca, name);
    made_write(client, scene->folder.path, name);
    made_free(client);
}

void cast_write(struct scene *scene)
{
    struct made *ca = made_ca("Story CA");
    struct made *partner = made_ca("Partner CA");
    struct made *server = made_certificate(&(struct certificate_wish){
        .name = "www.example.com",
        .issuer = ca,
        .usage = "serverAuth",
        .names = "DNS:www.example.com,DNS:*.example.com,IP:127.0.0.1",
    });
    struct made *renewed = made_certificate(&(struct certificate_wish){
        .name = "renewed.example.com",
        .issuer = ca,
        .usage = "serverAuth",
        .names = "DNS:www.example.com,DNS:*.example.com,IP:127.0.0.1",
    });
    made_write(renewed, scene->folder.path, "renewed");
    made_free(renewed);
    made_write(ca, scene->folder.path, "ca");
    made_write(partner, scene->folder.path, "partner-ca");
    made_write(server, scene->folder.path, "server");
    write_client(scene, ca, "alice");
    write_client(scene, ca, "anna");
    write_client(scene, partner, "bob");
    made_free(ca);
    made_free(partner);
    made_free(server);
}
