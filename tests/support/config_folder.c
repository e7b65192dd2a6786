/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, files and messages for tests of whole configs. */
#include "tests/support/config_folder.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lb/commands/check.h"
#include "tests/support/certificates.h"
#include "tests/support/made_crl.h"

const char *config_folder_source(const char *name)
{
    static char path[512];
    const char *root = getenv("LB_SOURCE");
    snprintf(path, sizeof path, "%s/%s", root ? root : ".", name);
    return path;
}

char *config_folder_source_read(const char *name)
{
    FILE *file = fopen(config_folder_source(name), "r");
    ck_assert_msg(file, "%s is missing", name);
    char *text = NULL;
    size_t room = 0;
    ssize_t length = getdelim(&text, &room, '\0', file);
    fclose(file);
    if (length < 0)
        text[0] = '\0';
    return text;
}

enum { DAY_S = MADE_DAY_S };

// clang-format off
static const struct {
    const char *file;
    struct certificate_wish wish; /* its issuer is "ca" */
} servers[] = {
    {"server", {.name = "www.example.com"}},
    {"server-rsa", {.name = "www.example.com", .key = MADE_KEY_RSA_2048}},
    {"other", {.name = "other.example.com"}},
    {"weak", {.name = "weak.example.com", .key = MADE_KEY_RSA_1024}},
    {"late", {.name = "late.example.com", .from_s = -2 * DAY_S, .until_s = -DAY_S}},
    {"early", {.name = "early.example.com", .from_s = DAY_S, .until_s = 2 * DAY_S}},
    {"client", {.name = "alice", .usage = "clientAuth"}},
    {"intermediate", {.name = "Example Issuing CA", .ca = true}},
};
static const struct {
    const char *file;
    struct certificate_wish wish;
} roots[] = {
    {"partner", {.name = "Partner CA", .ca = true}},
    {"namesake", {.name = "www.example.com", .ca = true}},
    {"old-ca", {.name = "Old CA", .ca = true, .from_s = -2 * DAY_S, .until_s = -DAY_S}},
};
// clang-format on

static void write_wish(const char *certs, const char *file, const struct certificate_wish *wish)
{
    struct made *made = made_certificate(wish);
    made_write(made, certs, file);
    made_free(made);
}

static void write_certificates(const char *certs)
{
    struct made *ca = made_ca("Example CA");
    made_write(ca, certs, "ca");
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        struct certificate_wish wish = servers[i].wish;
        wish.issuer = ca;
        write_wish(certs, servers[i].file, &wish);
    }
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
        write_wish(certs, roots[i].file, &roots[i].wish);
    struct made *partner = made_ca("Partner of nobody");
    made_crl_write(&(struct crl_wish){.issuer = ca}, certs, "ca.crl", MADE_CRL_PEM);
    made_crl_write(&(struct crl_wish){.issuer = ca, .number = 2, .is_delta = true}, certs,
                   "delta.crl", MADE_CRL_DER);
    made_crl_write(&(struct crl_wish){.issuer = partner}, certs, "stranger.crl", MADE_CRL_DER);
    made_free(partner);
    made_free(ca);
}

void config_folder_make(struct folder *folder)
{
    folder_make(folder);
    ck_assert_int_eq(mkdir(folder_file(folder, "certs"), 0700), 0);
    write_certificates(folder_file(folder, "certs"));
    folder_write(folder, "refused.html", "<h1>$sentence</h1>\n<p>$advice</p>\n");
    folder_write(folder, "wrong.html", "<h1>$sentence</h1>\n<script>\n$(\"p\")\n</script>\n");
}

/* "/tmp/lb-test-x/certs/ca.crt" is shown as "certs/ca.crt". */
static void drop_folder(const struct folder *folder, char *text)
{
    char prefix[80];
    int length = snprintf(prefix, sizeof prefix, "%s/", folder->path);
    for (char *at = strstr(text, prefix); at; at = strstr(at, prefix))
        memmove(at, at + length, strlen(at + length) + 1);
}

struct config *config_folder_load(const struct folder *folder, const char *file,
                                  char **ret_messages)
{
    struct problems problems = {0};
    size_t length;
    FILE *out = open_memstream(ret_messages, &length);
    struct config *config = config_load(folder_file(folder, file), &problems);
    check_write_problems(&problems, out);
    if (config)
        fprintf(out, "fine: listeners %u, rules %u, pools %u\n", config->listener_count,
                config->rule_count, config->pool_count);
    ck_assert(!config == (problems.error_count > 0));
    fclose(out);
    drop_folder(folder, *ret_messages);
    problems_done(&problems);
    return config;
}

struct config *config_folder_load_text(const struct folder *folder, const char *text)
{
    char *messages;
    folder_write(folder, "text.ini", text);
    struct config *config = config_folder_load(folder, "text.ini", &messages);
    ck_assert_msg(config, "%s", messages);
    free(messages);
    return config;
}
