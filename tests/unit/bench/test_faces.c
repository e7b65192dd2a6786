/* SPDX-License-Identifier: Apache-2.0 */
/* A fleet before a server: each connection shows a certificate of its own, and none twice. */
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/support/bench_tool.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"
#include "tests/support/process.h"
#include "tests/support/stub_tls.h"

struct stage {
    struct folder folder;
    struct made *ca;
    struct made *certificate;
    struct stub_backend server;
};

/* FOLDER/faces.crt and faces.key. */
static void sign_fleet(const struct folder *folder, const char *count)
{
    char *program = bench_tool("fleet");
    char command[512];
    snprintf(command, sizeof command, "'%s' ca.crt ca.key %s faces.key > faces.crt", program,
             count);
    process_shell(folder->path, command);
    free(program);
}

static void open_stage(struct stage *stage, const char *fleet_count)
{
    stage->ca = made_ca("Fleet CA");
    stage->certificate = made_server(stage->ca, "www.example.com");
    folder_make(&stage->folder);
    made_write(stage->ca, stage->folder.path, "ca");
    sign_fleet(&stage->folder, fleet_count);
    stub_tls_start(
        &stage->server, "server", NULL,
        &(struct stub_tls_plan){.certificate = stage->certificate, .client_ca = stage->ca});
}

static void close_stage(struct stage *stage)
{
    stub_stop(&stage->server);
    made_free(stage->certificate);
    made_free(stage->ca);
    folder_remove(&stage->folder);
}

/* Full handshakes over two connections at a time. */
static int run(const struct stage *stage, const char *count, const char *tls, struct text *said)
{
    char *program = bench_tool("load");
    char address[32];
    const char *argv[] = {program,
                          "--address",
                          address,
                          "--mode",
                          "full",
                          "--connections",
                          "2",
                          "--count",
                          count,
                          "--tls",
                          tls,
                          "--faces",
                          folder_file(&stage->folder, "faces.crt"),
                          "--key",
                          folder_file(&stage->folder, "faces.key"),
                          NULL};
    snprintf(address, sizeof address, "127.0.0.1:%u", stage->server.port);
    int status = process_run(argv, said);
    free(program);
    return status;
}

static unsigned count_words(const char *text, const char *words)
{
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, words)) != NULL; at++)
        count++;
    return count;
}

START_TEST(each_connection_shows_a_certificate_that_nobody_has_shown)
{
    static const char *const versions[] = {"1.2", "1.3"};
    for (unsigned i = 0; i < 2; i++) {
        struct stage stage;
        struct text said = {0};
        open_stage(&stage, "8");
        ck_assert_int_eq(run(&stage, "6", versions[i], &said), 0);
        ck_assert_uint_eq(atomic_load(&stage.server.tls->handshakes), 8);
        char *asked = stub_tls_asked(&stage.server);
        for (unsigned number = 0; number < 8; number++) {
            char name[64];
            snprintf(name, sizeof name, "fleet-%07u.plant.example.com\n", number);
            ck_assert_msg(count_words(asked, name) == 1, "%s%s", name, asked);
        }
        free(asked);
        text_done(&said);
        close_stage(&stage);
    }
}
END_TEST

START_TEST(more_connections_than_certificates_are_failures)
{
    struct stage stage;
    struct text said = {0};
    open_stage(&stage, "5");
    ck_assert_int_eq(run(&stage, "6", "1.3", &said), 1);
    ck_assert_uint_eq(atomic_load(&stage.server.tls->handshakes), 5);
    ck_assert_ptr_nonnull(strstr(said.bytes, "\"units\": 3,"));
    ck_assert_ptr_nonnull(strstr(said.bytes, "\"failures\": 3,"));
    ck_assert_ptr_nonnull(
        strstr(said.bytes, "showing a certificate: none is left that nobody has shown"));
    text_done(&said);
    close_stage(&stage);
}
END_TEST

START_TEST(a_file_without_certificates_shows_nobody)
{
    struct stage stage;
    struct text said = {0};
    open_stage(&stage, "1");
    folder_write(&stage.folder, "faces.crt", "no certificate\n");
    ck_assert_int_eq(run(&stage, "1", "1.3", &said), 2);
    ck_assert_ptr_nonnull(strstr(said.bytes, "load: there are no certificates to be read in "));
    ck_assert_uint_eq(atomic_load(&stage.server.tls->handshakes), 0);
    text_done(&said);
    close_stage(&stage);
}
END_TEST

START_TEST(nobody_else_may_read_the_key_of_a_fleet)
{
    struct folder folder;
    struct stat status;
    struct made *ca = made_ca("Fleet CA");
    folder_make(&folder);
    made_write(ca, folder.path, "ca");
    folder_write(&folder, "faces.key", "old");
    ck_assert_int_eq(chmod(folder_file(&folder, "faces.key"), 0666), 0);
    sign_fleet(&folder, "1");
    ck_assert_int_eq(stat(folder_file(&folder, "faces.key"), &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
    made_free(ca);
    folder_remove(&folder);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, each_connection_shows_a_certificate_that_nobody_has_shown);
    tcase_add_test(tcase, more_connections_than_certificates_are_failures);
    tcase_add_test(tcase, a_file_without_certificates_shows_nobody);
    tcase_add_test(tcase, nobody_else_may_read_the_key_of_a_fleet);
}

CHECK_MAIN("faces", add_tests)
