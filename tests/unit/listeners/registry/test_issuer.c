/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in CA is made once and whole, for nobody but its owner. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "lb/base/certificate.h"
#include "tests/support/certificates.h"
#include "tests/unit/listeners/registry/issuer_stage.h"

static struct issuer_stage stage;
static const struct ca_wish plain;

static void begin(void)
{
    stage_begin(&stage);
}

static void end(void)
{
    stage_end(&stage);
}

static unsigned entries(void)
{
    unsigned count = 0;
    DIR *dir = opendir(stage.folder.path);
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    return count;
}

static void expect_make_refused(const struct ca_wish *wish, const char *words)
{
    X509 *ca = NULL;
    stage.err = (struct error){""};
    ck_assert_int_eq(issuer_make(&stage.place, wish, &ca, &stage.err), ISSUER_FAILED);
    ck_assert_ptr_null(ca);
    stage_expect(&stage.err, words);
}

static void expect_read_refused(const char *words)
{
    X509 *ca = NULL;
    stage.err = (struct error){""};
    ck_assert_int_eq(issuer_read(&stage.place, &ca, &stage.err), ISSUER_FAILED);
    ck_assert_ptr_null(ca);
    stage_expect(&stage.err, words);
}

static void expect_sign_refused(const char *words)
{
    X509_REQ *request = stage_plain_request();
    stage.err = (struct error){""};
    const struct issue_wish wish = {.days = 10};
    ck_assert_ptr_null(issue_sign(&stage.place, request, &wish, &stage.err));
    stage_expect(&stage.err, words);
    X509_REQ_free(request);
}

static void expect_signed(void)
{
    X509_REQ *request = stage_plain_request();
    const struct issue_wish wish = {.days = 10};
    X509 *certificate = issue_sign(&stage.place, request, &wish, &stage.err);
    ck_assert_msg(certificate != NULL, "%s", stage.err.text);
    X509_free(certificate);
    X509_REQ_free(request);
}

static void make_plain_ca(void)
{
    X509_free(stage_make_ca(&stage, &plain));
}

static void make_plain_ca_as(const struct ca_wish *wish)
{
    X509_free(stage_make_ca(&stage, wish));
}

static mode_t mode_of(const char *name)
{
    struct stat status;
    ck_assert_int_eq(stat(stage_file(&stage, name), &status), 0);
    return status.st_mode & 07777;
}

/* --- making -------------------------------------------------------------------------------- */

START_TEST(it_is_made_as_its_profile_says)
{
    bool is_critical = false;
    time_t now = time(NULL);
    X509 *ca = stage_make_ca(&stage, &plain);
    ck_assert_int_eq(X509_get_version(ca), X509_VERSION_3);
    ck_assert_str_eq(stage_extension(ca, NID_basic_constraints, &is_critical),
                     "CA:TRUE, pathlen:0");
    ck_assert(is_critical);
    ck_assert_str_eq(stage_extension(ca, NID_key_usage, &is_critical),
                     "Certificate Sign, CRL Sign");
    ck_assert(is_critical);
    ck_assert_uint_eq(strlen(stage_extension(ca, NID_subject_key_identifier, NULL)), 20 * 3 - 1);
    ck_assert_int_eq(X509_get_ext_count(ca), 3);
    ck_assert_int_eq(X509_check_ca(ca), 1);
    ck_assert_int_eq(X509_self_signed(ca, 1), 1);
    ck_assert_int_eq(X509_get_signature_nid(ca), NID_ecdsa_with_SHA256);
    time_t begin = certificate_time(X509_get0_notBefore(ca));
    ck_assert_int_gt(begin, now - ISSUER_BACKDATED_S - 60);
    ck_assert_int_lt(begin, now);
    time_t end = certificate_time(X509_get0_notAfter(ca));
    ck_assert_int_ge(end, now + (time_t)ISSUER_CA_DAYS * STAGE_DAY_S);
    ck_assert_int_lt(end, now + (time_t)ISSUER_CA_DAYS * STAGE_DAY_S + 59);
    X509_free(ca);
}
END_TEST

START_TEST(its_files_are_of_the_right_modes_whatever_the_umask)
{
    static const mode_t masks[] = {0, 022, 0777};
    mode_t before = umask(masks[_i]);
    X509 *ca = stage_make_ca(&stage, &plain);
    umask(before);
    X509_free(ca);
    ck_assert_int_eq((int)mode_of("ca.key"), 0600);
    ck_assert_int_eq((int)mode_of("ca.crt"), 0644);
    ck_assert_uint_eq(entries(), 2);
    char *key = folder_read(&stage.folder, "ca.key");
    ck_assert_int_eq(strncmp(key, "-----BEGIN PRIVATE KEY-----\n", 28), 0);
    free(key);
}
END_TEST

START_TEST(no_two_are_called_the_same)
{
    struct issuer_stage other;
    stage_begin(&other);
    X509 *one = stage_make_ca(&stage, &plain), *two = stage_make_ca(&other, &plain);
    ck_assert_ptr_nonnull(strstr(stage_name(X509_get_subject_name(one)), "/CN=lb client CA "));
    ck_assert_int_ne(X509_NAME_cmp(X509_get_subject_name(one), X509_get_subject_name(two)), 0);
    ck_assert_int_ne(ASN1_INTEGER_cmp(X509_get0_serialNumber(one), X509_get0_serialNumber(two)), 0);
    X509_free(one);
    X509_free(two);
    stage_end(&other);
}
END_TEST

START_TEST(of_every_kind_and_for_as_long_as_is_wished)
{
    const struct ca_wish wish = {
        .common_name = "Schlüssel & Söhne CA", .key = (enum key_kind)_i, .days = ISSUER_DAYS_MOST};
    enum key_kind kind = KEY_KIND_COUNT;
    X509 *ca = stage_make_ca(&stage, &wish);
    ck_assert(key_kind_of(X509_get0_pubkey(ca), &kind));
    ck_assert_int_eq(kind, (enum key_kind)_i);
    char name[64] = "";
    made_common_name(ca, name, sizeof name);
    ck_assert_str_eq(name, wish.common_name);
    ck_assert_int_gt(certificate_time(X509_get0_notAfter(ca)),
                     time(NULL) + (time_t)(ISSUER_DAYS_MOST - 1) * STAGE_DAY_S);
    ck_assert_int_eq(X509_self_signed(ca, 1), 1);
    expect_signed();
    X509_free(ca);
}
END_TEST

START_TEST(the_second_time_it_exists)
{
    X509 *first = stage_make_ca(&stage, &plain), *second = NULL, *read = NULL;
    ck_assert_int_eq(issuer_make(&stage.place, &plain, &second, &stage.err), ISSUER_EXISTS);
    ck_assert_int_eq(X509_cmp(first, second), 0);
    ck_assert_int_eq(issuer_read(&stage.place, &read, &stage.err), ISSUER_DONE);
    ck_assert_int_eq(X509_cmp(first, read), 0);
    X509_free(first);
    X509_free(second);
    X509_free(read);
}
END_TEST

START_TEST(where_none_is_that_is_said)
{
    X509 *ca = NULL;
    ck_assert_int_eq(issuer_read(&stage.place, &ca, &stage.err), ISSUER_MISSING);
    expect_sign_refused("there is no built-in CA yet: lb ca create");
    const char *missing = strdup(stage_file(&stage, "not-there"));
    stage.place.state_dir = missing;
    ck_assert_int_eq(issuer_read(&stage.place, &ca, &stage.err), ISSUER_MISSING);
    expect_sign_refused("there is no built-in CA yet: lb ca create");
    free((void *)missing);
}
END_TEST

START_TEST(the_folder_is_made_for_it)
{
    char path[128];
    snprintf(path, sizeof path, "%s/var/", stage.folder.path);
    stage.place.state_dir = path;
    make_plain_ca();
    ck_assert_int_eq((int)mode_of("var"), 0700);
    ck_assert_int_eq((int)mode_of("var/ca.key"), 0600);
    expect_signed();
}
END_TEST

START_TEST(what_root_makes_is_the_folder_owners)
{
    struct stat status;
    static const char *const names[] = {"ca.key", "ca.crt"};
    if (geteuid() != 0)
        return; /* only root can give files away */
    ck_assert_int_eq(chown(stage.folder.path, SOMEBODY, SOMEBODY), 0);
    make_plain_ca();
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(stat(stage_file(&stage, names[i]), &status), 0);
        ck_assert_uint_eq(status.st_uid, SOMEBODY);
    }
    expect_signed();
    ck_assert_int_eq(seteuid(SOMEBODY), 0); /* and they can use it */
    expect_signed();
    ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

static const struct {
    struct ca_wish wish;
    const char *says;
} bad_wishes[] = {
    {{.common_name = "", .key = KEY_P256, .days = 1}, "common name is empty"},
    {{.common_name = "tab\there", .key = KEY_P256, .days = 1},
     "common name: character 4 is a control character"},
    {{.common_name = "\xc3\x28", .key = KEY_P256, .days = 1}, "common name: byte 1 is not UTF-8"},
    {{.common_name = "a name of sixty-five letters, which is one more than there may be",
      .key = KEY_P256,
      .days = 1},
     "common name has 65 characters; certificates have room for 64"},
    {{.common_name = "CA", .key = KEY_P256, .days = ISSUER_DAYS_MOST + 1},
     "36501 days are too many: a CA may have 1 to 36500"},
};

START_TEST(a_wish_that_cannot_be_granted_makes_nothing)
{
    expect_make_refused(&bad_wishes[_i].wish, bad_wishes[_i].says);
    ck_assert_uint_eq(entries(), 0);
}
END_TEST

/* --- at the same time, and half-way --------------------------------------------------------- */

enum { MAKERS = 6 };

START_TEST(of_those_who_make_it_at_the_same_time_one_does)
{
    pid_t makers[MAKERS];
    int made = 0;
    for (unsigned i = 0; i < MAKERS; i++) {
        makers[i] = fork();
        ck_assert_int_ge(makers[i], 0);
        if (makers[i] == 0) {
            X509 *ca = NULL;
            enum issuer_outcome outcome = stage_try_ca(&stage, &plain, &ca);
            X509_free(ca);
            _exit((int)outcome);
        }
    }
    for (unsigned i = 0; i < MAKERS; i++) {
        int status = 0;
        ck_assert_int_eq(waitpid(makers[i], &status, 0), makers[i]);
        ck_assert(WIFEXITED(status));
        int outcome = WEXITSTATUS(status);
        ck_assert(outcome == ISSUER_DONE || outcome == ISSUER_EXISTS);
        made += outcome == ISSUER_DONE;
    }
    ck_assert_int_eq(made, 1);
    ck_assert_uint_eq(entries(), 2);
    expect_signed(); /* key and certificate belong together */
}
END_TEST

/* As a crash between the two steps leaves it. */
START_TEST(a_key_without_certificate_gets_one)
{
    make_plain_ca();
    char *before = folder_read(&stage.folder, "ca.key");
    ck_assert_int_eq(unlink(stage_file(&stage, "ca.crt")), 0);
    make_plain_ca();
    char *after = folder_read(&stage.folder, "ca.key");
    ck_assert_str_eq(before, after);
    expect_signed();
    free(before);
    free(after);
}
END_TEST

/* Whenever it happens; microseconds from the start, so that some hit each step. */
START_TEST(a_maker_that_is_killed_leaves_nothing_half_done)
{
    enum { ROUNDS = 40, STEP_US = 150 };
    for (unsigned i = 0; i < ROUNDS; i++) {
        X509 *ca = NULL;
        pid_t maker = fork();
        ck_assert_int_ge(maker, 0);
        if (maker == 0) {
            enum issuer_outcome outcome = stage_try_ca(&stage, &plain, &ca);
            _exit((int)outcome);
        }
        usleep(i * STEP_US);
        kill(maker, SIGKILL);
        ck_assert_int_eq(waitpid(maker, NULL, 0), maker);
        enum issuer_outcome outcome = stage_try_ca(&stage, &plain, &ca);
        ck_assert_msg(outcome == ISSUER_DONE || outcome == ISSUER_EXISTS, "%s", stage.err.text);
        X509_free(ca);
        expect_signed();
        ck_assert_int_eq(unlink(stage_file(&stage, "ca.crt")), 0);
        ck_assert_int_eq(unlink(stage_file(&stage, "ca.key")), 0);
    }
}
END_TEST

START_TEST(a_key_of_another_kind_without_certificate_is_not_replaced)
{
    const struct ca_wish other = {.key = KEY_P384};
    make_plain_ca();
    char *before = folder_read(&stage.folder, "ca.key");
    ck_assert_int_eq(unlink(stage_file(&stage, "ca.crt")), 0);
    expect_make_refused(&other, "ca.key is there without ca.crt, of kind p256 and not p384");
    char *after = folder_read(&stage.folder, "ca.key");
    ck_assert_str_eq(before, after);
    ck_assert_uint_eq(entries(), 1);
    free(before);
    free(after);
}
END_TEST

/* --- what the registry knows ---------------------------------------------------------------- */

START_TEST(its_certificate_is_not_there_before_it_is_put)
{
    X509 *ca = NULL, *read = NULL;
    ck_assert_int_eq(issuer_make(&stage.place, &plain, &ca, &stage.err), ISSUER_DONE);
    ck_assert_int_eq(issuer_read(&stage.place, &read, &stage.err), ISSUER_MISSING);
    ck_assert_uint_eq(entries(), 1);
    ck_assert_int_eq(issuer_put(&stage.place, ca, &stage.err), ISSUER_DONE);
    ck_assert_int_eq(issuer_put(&stage.place, ca, &stage.err), ISSUER_EXISTS);
    ck_assert_int_eq(issuer_read(&stage.place, &read, &stage.err), ISSUER_DONE);
    ck_assert_int_eq(X509_cmp(ca, read), 0);
    expect_signed();
    X509_free(read);
    X509_free(ca);
}
END_TEST

START_TEST(of_a_known_ca_no_other_is_made)
{
    X509 *found = NULL;
    struct issuer_stage other;
    stage_begin(&other);
    X509 *known = stage_make_ca(&other, &plain);
    const struct ca_wish wish = {.known = known};
    ck_assert_int_eq(issuer_make(&stage.place, &wish, &found, &stage.err), ISSUER_MISSING);
    ck_assert_uint_eq(entries(), 0);
    make_plain_ca();
    ck_assert_int_eq(unlink(stage_file(&stage, "ca.crt")), 0);
    ck_assert_int_eq(issuer_make(&stage.place, &wish, &found, &stage.err), ISSUER_MISSING);
    ck_assert_ptr_null(found);
    ck_assert_uint_eq(entries(), 1);
    ck_assert_int_eq(unlink(stage_file(&other, "ca.crt")), 0);
    ck_assert_int_eq(issuer_make(&other.place, &wish, &found, &stage.err), ISSUER_DONE);
    ck_assert_int_eq(X509_cmp(found, known), 0);
    X509_free(found);
    X509_free(known);
    stage_end(&other);
}
END_TEST

/* What a folder has that begins so, once. */
static char *read_old(const char *prefix)
{
    char *text = NULL;
    DIR *dir = opendir(stage.folder.path);
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0) {
            ck_assert_ptr_null(text);
            text = folder_read(&stage.folder, entry->d_name);
        }
    closedir(dir);
    ck_assert_ptr_nonnull(text);
    return text;
}

START_TEST(the_one_before_is_kept_beside_it)
{
    static const struct ca_wish again = {.replace = true};
    make_plain_ca();
    char *key = folder_read(&stage.folder, "ca.key");
    char *certificate = folder_read(&stage.folder, "ca.crt");
    make_plain_ca_as(&again);
    ck_assert_uint_eq(entries(), 4);
    char *old_key = read_old("ca.key.old-"), *old_certificate = read_old("ca.crt.old-");
    ck_assert_str_eq(old_key, key);
    ck_assert_str_eq(old_certificate, certificate);
    expect_signed();
    for (unsigned i = 0; i < 3; i++)
        make_plain_ca_as(&again); /* within a second */
    ck_assert_uint_eq(entries(), 10);
    free(key);
    free(certificate);
    free(old_key);
    free(old_certificate);
}
END_TEST

START_TEST(what_cannot_be_replaced_stays)
{
    static const struct ca_wish again = {.replace = true};
    make_plain_ca();
    stage_passphrase(&stage, "");
    expect_make_refused(&again, "its first line is empty");
    stage.place.passphrase_file = NULL;
    ck_assert_uint_eq(entries(), 3);
    expect_signed();
}
END_TEST

/* --- could it sign? ------------------------------------------------------------------------- */

static void expect_tried(enum issuer_outcome expected, const char *words)
{
    stage.err = (struct error){""};
    ck_assert_int_eq(issuer_try(&stage.place, &stage.err), expected);
    stage_expect(&stage.err, words);
}

START_TEST(a_passphrase_is_tried_before_it_is_needed)
{
    stage_passphrase(&stage, "");
    expect_tried(ISSUER_FAILED, "its first line is empty");
    ck_assert_int_eq(chmod(stage_file(&stage, "passphrase"), 0600), 0);
    stage_passphrase(&stage, "sesame");
    expect_tried(ISSUER_MISSING, "");
    make_plain_ca();
    expect_tried(ISSUER_DONE, "");
    ck_assert_int_eq(chmod(stage_file(&stage, "passphrase"), 0600), 0);
    stage_passphrase(&stage, "tahini");
    expect_tried(ISSUER_FAILED, "is not the one of");
    ck_assert_int_eq(chmod(stage_file(&stage, "passphrase"), 0644), 0);
    expect_tried(ISSUER_FAILED, "chmod g-w,o= ");
    stage.place.passphrase_file = NULL;
    expect_tried(ISSUER_FAILED, "has a passphrase");
}
END_TEST

START_TEST(a_folder_that_takes_no_files_is_said)
{
    if (geteuid() != 0)
        return; /* there is nobody else to try */
    ck_assert_int_eq(chmod(stage.folder.path, 0755), 0);
    ck_assert_int_eq(seteuid(SOMEBODY), 0);
    X509 *ca = NULL;
    enum issuer_outcome outcome = stage_try_ca(&stage, &plain, &ca);
    ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(outcome, ISSUER_FAILED);
    stage_expect(&stage.err, "ca.key cannot be made: Permission denied");
    ck_assert_uint_eq(entries(), 0);
}
END_TEST

/* --- what may not be used ------------------------------------------------------------------- */

START_TEST(a_key_that_others_may_read_is_refused)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0666};
    make_plain_ca();
    ck_assert_int_eq(chmod(stage_file(&stage, "ca.key"), modes[_i]), 0);
    expect_sign_refused("ca.key may be read or written by others");
    stage_expect(&stage.err, "chmod 600");
    ck_assert_int_eq(chmod(stage_file(&stage, "ca.key"), 0400), 0);
    expect_signed();
}
END_TEST

START_TEST(a_certificate_that_others_may_write_is_refused)
{
    static const mode_t modes[] = {0664, 0646};
    make_plain_ca();
    ck_assert_int_eq(chmod(stage_file(&stage, "ca.crt"), modes[_i]), 0);
    expect_read_refused("ca.crt may be written by others");
    expect_sign_refused("ca.crt may be written by others");
    expect_make_refused(&plain, "ca.crt may be written by others");
}
END_TEST

START_TEST(a_folder_that_others_may_write_to_is_refused)
{
    make_plain_ca();
    ck_assert_int_eq(chmod(stage.folder.path, 0777), 0);
    expect_read_refused("may be written by others (mode 0777)");
    expect_sign_refused("may be written by others (mode 0777)");
    expect_make_refused(&plain, "may be written by others (mode 0777)");
}
END_TEST

START_TEST(files_of_somebody_elses_are_refused)
{
    if (geteuid() != 0)
        return; /* only root can give files away */
    make_plain_ca();
    ck_assert_int_eq(chown(stage_file(&stage, "ca.key"), SOMEBODY, (gid_t)-1), 0);
    expect_sign_refused("ca.key belongs to another user (uid 12345)");
    ck_assert_int_eq(chown(stage_file(&stage, "ca.crt"), SOMEBODY, (gid_t)-1), 0);
    expect_read_refused("ca.crt belongs to another user (uid 12345)");
    ck_assert_int_eq(chown(stage.folder.path, SOMEBODY, (gid_t)-1), 0);
    expect_signed();
}
END_TEST

START_TEST(a_link_and_what_is_no_file_are_refused_and_not_waited_for)
{
    make_plain_ca();
    ck_assert_int_eq(rename(stage_file(&stage, "ca.key"), stage_file(&stage, "real.key")), 0);
    ck_assert_int_eq(symlink("real.key", stage_file(&stage, "ca.key")), 0);
    expect_sign_refused("ca.key cannot be opened: it is a symbolic link");
    ck_assert_int_eq(unlink(stage_file(&stage, "ca.key")), 0);
    ck_assert_int_eq(mkfifo(stage_file(&stage, "ca.key"), 0600), 0);
    expect_sign_refused("ca.key is no file");
    ck_assert_int_eq(unlink(stage_file(&stage, "ca.key")), 0);
    expect_sign_refused("ca.key is missing: put back a copy");
}
END_TEST

START_TEST(a_key_that_does_not_fit_is_refused)
{
    make_plain_ca();
    struct made *other = made_ca("other");
    char *pem = made_key_pem(other);
    folder_write(&stage.folder, "ca.key", pem);
    ck_assert_int_eq(chmod(stage_file(&stage, "ca.key"), 0600), 0);
    expect_sign_refused("ca.key is not the key of ca.crt");
    free(pem);
    made_free(other);
}
END_TEST

static const struct {
    const char *name;
    const char *text;
    const char *says;
} damages[] = {
    {"ca.key", "", "ca.key: is empty"},
    {"ca.key", "rubbish", "ca.key holds no PEM at all; it has to be the key of the built-in CA"},
    {"ca.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
     "ca.key: the key cannot be decoded; put back a copy"},
    {"ca.key",
     "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,"
     "00112233445566778899AABBCCDDEEFF\n\nAAAA\n-----END EC PRIVATE KEY-----\n",
     "ca.key is encrypted in an old way: write it anew (openssl pkcs8 -topk8"},
    {"ca.crt", "", "ca.crt: is empty"},
    {"ca.crt", "rubbish", "ca.crt: holds no PEM at all"},
    {"ca.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
     "ca.crt: certificate 1 cannot be decoded"},
};

START_TEST(a_damaged_file_is_said)
{
    make_plain_ca();
    folder_write(&stage.folder, damages[_i].name, damages[_i].text);
    expect_sign_refused(damages[_i].says);
}
END_TEST

START_TEST(what_is_no_ca_is_refused)
{
    make_plain_ca();
    struct made *ca = made_ca("someone");
    struct made *alice = made_client(ca, "alice");
    made_write_bundle(stage.folder.path, "ca.crt", alice, NULL);
    expect_read_refused("ca.crt is not a CA's certificate");
    made_write_bundle(stage.folder.path, "ca.crt", ca, ca, NULL);
    expect_read_refused("ca.crt holds 2 certificates; it has to be the built-in CA alone");
    made_free(alice);
    made_free(ca);
}
END_TEST

/* --- passphrases ---------------------------------------------------------------------------- */

START_TEST(with_a_passphrase_the_key_is_encrypted)
{
    stage_passphrase(&stage, "zwölf Boxkämpfer\nand what follows is no part of it\n");
    make_plain_ca();
    char *key = folder_read(&stage.folder, "ca.key");
    ck_assert_int_eq(strncmp(key, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", 38), 0);
    BIO *bio = BIO_new_mem_buf(key, -1);
    EVP_PKEY *opened =
        PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"zwölf Boxkämpfer"); /* by OpenSSL alone */
    ck_assert_ptr_nonnull(opened);
    EVP_PKEY_free(opened);
    BIO_free(bio);
    free(key);
    expect_signed();
    ck_assert_int_eq((int)mode_of("ca.key"), 0600);
    stage.place.passphrase_file = NULL;
    expect_sign_refused("ca.key has a passphrase: say where it is, ca_passphrase_file = FILE");
}
END_TEST

START_TEST(a_line_may_end_as_it_likes)
{
    static const char *const texts[] = {"secret", "secret\r\n", "secret\n\n\n", "secret\nother"};
    stage_passphrase(&stage, "secret\n");
    make_plain_ca();
    ck_assert_int_eq(unlink(stage_file(&stage, "passphrase")), 0);
    stage_passphrase(&stage, texts[_i]);
    expect_signed();
}
END_TEST

START_TEST(the_longest_passphrase_and_odd_bytes_are_fine)
{
    char text[1024];
    memset(text, '\xfe', sizeof text);
    text[1023] = '\0';
    stage_passphrase(&stage, text);
    make_plain_ca();
    expect_signed();
}
END_TEST

START_TEST(a_wrong_passphrase_is_said)
{
    stage_passphrase(&stage, "right\n");
    make_plain_ca();
    ck_assert_int_eq(unlink(stage_file(&stage, "passphrase")), 0);
    stage_passphrase(&stage, "Right\n");
    expect_sign_refused("is not the one of");
    stage_expect(&stage.err, "passphrase in ");
    stage_expect(&stage.err, "ca.key");
}
END_TEST

START_TEST(a_key_that_is_open_although_a_passphrase_is_said_is_refused)
{
    make_plain_ca();
    stage_passphrase(&stage, "secret\n");
    expect_sign_refused("ca.key is not encrypted, although ca_passphrase_file = ");
    stage_expect(&stage.err, "openssl pkcs8 -topk8");
}
END_TEST

/* Nothing is made without it. */
static void expect_passphrase_refused(const char *words)
{
    expect_make_refused(&plain, words);
    ck_assert_int_ne(access(stage_file(&stage, "ca.key"), F_OK), 0);
    ck_assert_int_ne(access(stage_file(&stage, "ca.crt"), F_OK), 0);
}

START_TEST(a_passphrase_that_is_none_is_refused)
{
    char text[1100];
    memset(text, 'x', sizeof text);
    text[1024] = '\0';
    stage_passphrase(&stage, "\nsecret\n");
    expect_passphrase_refused("its first line is empty");
    ck_assert_int_eq(unlink(stage_file(&stage, "passphrase")), 0);
    stage_passphrase(&stage, "");
    expect_passphrase_refused("its first line is empty");
    ck_assert_int_eq(unlink(stage_file(&stage, "passphrase")), 0);
    stage_passphrase(&stage, text);
    expect_passphrase_refused("its first line is longer than 1023 bytes");
    ck_assert_int_eq(unlink(stage_file(&stage, "passphrase")), 0);
    expect_passphrase_refused("cannot be opened: No such file or directory");
    ck_assert_int_eq(mkfifo(stage_file(&stage, "passphrase"), 0600), 0);
    expect_passphrase_refused("is no file");
}
END_TEST

START_TEST(a_passphrase_that_everybody_may_read_is_refused)
{
    static const mode_t modes[] = {0644, 0604, 0602, 0620};
    stage_passphrase(&stage, "secret\n");
    ck_assert_int_eq(chmod(stage_file(&stage, "passphrase"), modes[_i]), 0);
    expect_passphrase_refused("may be read or written by others");
    ck_assert_int_eq(chmod(stage_file(&stage, "passphrase"), 0440), 0);
    make_plain_ca();
    expect_signed();
}
END_TEST

static void add_refusals(TCase *tcase)
{
    tcase_add_loop_test(tcase, a_key_that_others_may_read_is_refused, 0, 5);
    tcase_add_loop_test(tcase, a_certificate_that_others_may_write_is_refused, 0, 2);
    tcase_add_test(tcase, a_folder_that_others_may_write_to_is_refused);
    tcase_add_test(tcase, files_of_somebody_elses_are_refused);
    tcase_add_test(tcase, a_link_and_what_is_no_file_are_refused_and_not_waited_for);
    tcase_add_test(tcase, a_key_that_does_not_fit_is_refused);
    tcase_add_loop_test(tcase, a_damaged_file_is_said, 0, sizeof damages / sizeof *damages);
    tcase_add_test(tcase, what_is_no_ca_is_refused);
    tcase_add_test(tcase, with_a_passphrase_the_key_is_encrypted);
    tcase_add_loop_test(tcase, a_line_may_end_as_it_likes, 0, 4);
    tcase_add_test(tcase, the_longest_passphrase_and_odd_bytes_are_fine);
    tcase_add_test(tcase, a_wrong_passphrase_is_said);
    tcase_add_test(tcase, a_key_that_is_open_although_a_passphrase_is_said_is_refused);
    tcase_add_test(tcase, a_passphrase_that_is_none_is_refused);
    tcase_add_loop_test(tcase, a_passphrase_that_everybody_may_read_is_refused, 0, 4);
}

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, it_is_made_as_its_profile_says);
    tcase_add_loop_test(tcase, its_files_are_of_the_right_modes_whatever_the_umask, 0, 3);
    tcase_add_test(tcase, no_two_are_called_the_same);
    tcase_add_loop_test(tcase, of_every_kind_and_for_as_long_as_is_wished, 0, KEY_KIND_COUNT);
    tcase_add_test(tcase, the_second_time_it_exists);
    tcase_add_test(tcase, where_none_is_that_is_said);
    tcase_add_test(tcase, the_folder_is_made_for_it);
    tcase_add_test(tcase, what_root_makes_is_the_folder_owners);
    tcase_add_loop_test(tcase, a_wish_that_cannot_be_granted_makes_nothing, 0,
                        sizeof bad_wishes / sizeof *bad_wishes);
    tcase_add_test(tcase, of_those_who_make_it_at_the_same_time_one_does);
    tcase_add_test(tcase, a_key_without_certificate_gets_one);
    tcase_add_test(tcase, a_maker_that_is_killed_leaves_nothing_half_done);
    tcase_add_test(tcase, a_key_of_another_kind_without_certificate_is_not_replaced);
    tcase_add_test(tcase, its_certificate_is_not_there_before_it_is_put);
    tcase_add_test(tcase, of_a_known_ca_no_other_is_made);
    tcase_add_test(tcase, the_one_before_is_kept_beside_it);
    tcase_add_test(tcase, what_cannot_be_replaced_stays);
    tcase_add_test(tcase, a_passphrase_is_tried_before_it_is_needed);
    tcase_add_test(tcase, a_folder_that_takes_no_files_is_said);
    add_refusals(tcase);
}

CHECK_MAIN("issuer", add_tests)
