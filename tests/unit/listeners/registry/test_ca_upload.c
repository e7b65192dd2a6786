/* SPDX-License-Identifier: Apache-2.0 */
/* Which CAs come in, what is said of those that do not, and lb's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "lb/base/certificate.h"
#include "tests/support/check_main.h"
#include "tests/support/faulty_ledger.h"
#include "tests/support/registry_stage.h"
#include "tests/support/text.h"

static enum change_refusal upload_text(struct registry_stage *stage, const char *name,
                                       const struct text *pem, unsigned max_cas)
{
    ca_result_done(&stage->ca);
    return ca_upload(stage->ledger, name, pem->bytes, pem->length, max_cas, &stage->actor,
                     &stage->ca, &stage->err);
}

static void text_add_made(struct text *text, const struct made *made)
{
    char *pem = made_certificate_pem(made);
    text_add(text, pem, strlen(pem));
    free(pem);
}

static unsigned ca_count(struct registry_stage *stage)
{
    struct cas *cas = cas_read(stage->location, &stage->err);
    ck_assert_msg(cas != NULL, "%s", stage->err.text);
    unsigned count = (unsigned)cas->count;
    cas_free(cas);
    return count;
}

/* Refused with these words; nothing came into the store. */
static void check_refused(struct registry_stage *stage, const char *name, struct text *pem,
                          enum change_refusal expected, const char *words)
{
    unsigned count = ca_count(stage);
    unsigned changes = registry_stage_change_count(stage);
    registry_stage_expect(stage, upload_text(stage, name, pem, 32), expected, words);
    ck_assert_uint_eq(ca_count(stage), count);
    ck_assert_uint_eq(registry_stage_change_count(stage), changes);
    ck_assert_ptr_null(stage->ca.memory);
    text_done(pem);
}

static void check_made_refused(struct registry_stage *stage, struct made *made, const char *words)
{
    struct text pem = {0};
    text_add_made(&pem, made);
    made_free(made);
    check_refused(stage, "x", &pem, CHANGE_BAD_INPUT, words);
}

START_TEST(an_uploaded_ca_has_an_id_and_its_fields)
{
    struct registry_stage stage;
    char line[2048];
    char expected[2048];
    registry_stage_open(&stage);
    struct made *ca = made_ca("Device CA");
    registry_stage_upload(&stage, "devices", ca);
    const struct ca_record *record = &stage.ca.record;
    char *serial = certificate_serial_text(ca->certificate);
    char *sha256 = certificate_sha256_text(ca->certificate);
    unsigned char key[CA_KEY_BYTES];
    char id[CA_ID_LENGTH + 1];
    ca_key_of(ca->certificate, key);
    ca_id_of(key, id);
    ck_assert_mem_eq(record->key, key, sizeof key);
    ck_assert_str_eq(record->id, id);
    ck_assert_str_eq(record->name, "devices");
    ck_assert_str_eq(record->subject, "CN=Device CA");
    ck_assert_str_eq(record->serial, serial);
    ck_assert_str_eq(record->sha256, sha256);
    ck_assert_str_eq(record->chain_pem, "");
    ck_assert(record->is_enabled && !record->is_builtin && stage.ca.changed && !stage.ca.renewed);
    ck_assert_int_eq(record->created_ms, stage.actor.now_ms);
    ck_assert_uint_eq(record->host_count, 0);
    registry_stage_last_change(&stage, line);
    snprintf(expected, sizeof expected, "ca.upload||%s", sha256);
    ck_assert_str_eq(line, expected);
    struct ca_result got = {0};
    ck_assert_int_eq(ca_get(stage.ledger, id, &got, &stage.err), CHANGE_MADE);
    ck_assert_str_eq(got.record.name, "devices");
    ck_assert_uint_eq(got.record.der_bytes, record->der_bytes);
    ca_result_done(&got);
    free(serial);
    free(sha256);
    made_free(ca);
    registry_stage_close(&stage);
}
END_TEST

START_TEST(what_stands_above_a_ca_may_come_in_any_order)
{
    struct registry_stage stage;
    registry_stage_open(&stage);
    struct made *root = made_ca("Root CA");
    struct made *middle = made_intermediate(root, "Middle CA");
    struct made *inner = made_intermediate(middle, "Inner CA");
    const struct made *orders[3][4] = {
        {inner, middle, root, NULL}, {root, inner, middle, inner}, {middle, root, inner, root}};
    struct text pem = {0};
    text_add_format(&pem, "\xef\xbb\xbf\r\n");
    for (int i = 0; i < 4 && orders[_i][i]; i++) {
        text_add_made(&pem, orders[_i][i]);
        text_add_format(&pem, "\r\n \r\nSome words in between\r\n");
    }
    ck_assert_msg(upload_text(&stage, "inner", &pem, 32) == CHANGE_MADE, "%s", stage.err.text);
    ck_assert_str_eq(stage.ca.record.subject, "CN=Inner CA");
    STACK_OF(X509) *above = certificates_read(stage.ca.record.chain_pem,
                                              strlen(stage.ca.record.chain_pem), "it", &stage.err);
    ck_assert_int_eq(sk_X509_num(above), 2);
    for (int i = 0; i < 2; i++)
        ck_assert_int_ne(X509_cmp(sk_X509_value(above, i), inner->certificate), 0);
    sk_X509_pop_free(above, X509_free);
    text_done(&pem);
    made_free(inner);
    made_free(middle);
    made_free(root);
    registry_stage_close(&stage);
}
END_TEST

START_TEST(what_is_no_ca_of_clients_is_refused)
{
    struct registry_stage stage;
    registry_stage_open(&stage);
    struct made *root = made_ca("Root CA");
    check_made_refused(&stage, made_client(root, "leaf"), "CN=leaf is no CA certificate");
    check_made_refused(
        &stage,
        made_certificate(&(struct certificate_wish){
            .name = "Old CA", .ca = true, .from_s = -9 * MADE_DAY_S, .until_s = -MADE_DAY_S}),
        "CN=Old CA has expired on 2");
    check_made_refused(&stage,
                       made_certificate(&(struct certificate_wish){
                           .name = "Weak CA", .ca = true, .key = MADE_KEY_RSA_1024}),
                       "the key of CN=Weak CA is too weak (1024 bits)");
    check_made_refused(
        &stage,
        made_certificate(&(struct certificate_wish){.name = "v1", .issuer = root, .v1 = true}),
        "CN=v1 is no CA certificate");
    struct text pem = {0};
    struct made *leaf = made_client(root, "leaf");
    text_add_made(&pem, root);
    text_add_made(&pem, leaf);
    check_refused(&stage, "x", &pem, CHANGE_BAD_INPUT, "CN=leaf is no CA certificate");
    struct made *old = made_certificate(&(struct certificate_wish){.name = "v1 root", .v1 = true});
    registry_stage_upload(&stage, "old", old);
    made_free(old);
    made_free(leaf);
    made_free(root);
    registry_stage_close(&stage);
}
END_TEST

/* The first `from` in its DER becomes `to`, as long. */
static struct made *changed(const struct made *made, const char *from, const char *to)
{
    unsigned char *der = NULL;
    int bytes = i2d_X509(made->certificate, &der);
    ck_assert_int_gt(bytes, 0);
    unsigned char *at = memmem(der, (size_t)bytes, from, strlen(from));
    ck_assert_ptr_nonnull(at);
    memcpy(at, to, strlen(to));
    const unsigned char *read = der;
    struct made *other = calloc(1, sizeof *other);
    ck_assert_ptr_nonnull(other);
    other->certificate = d2i_X509(NULL, &read, bytes);
    ck_assert_ptr_nonnull(other->certificate);
    OPENSSL_free(der);
    return other;
}

/* Let it name its own key as its signer's, as openssl req does. */
static void name_own_key(struct made *made)
{
    X509V3_CTX context;
    X509 *certificate = made->certificate;
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    for (int i = 0; i < 2; i++) {
        int nid = i == 0 ? NID_subject_key_identifier : NID_authority_key_identifier;
        while (X509_get_ext_by_NID(certificate, nid, -1) >= 0)
            X509_EXTENSION_free(
                X509_delete_ext(certificate, X509_get_ext_by_NID(certificate, nid, -1)));
        X509_EXTENSION *extension =
            X509V3_EXT_conf_nid(NULL, &context, nid, i == 0 ? "hash" : "keyid:always");
        ck_assert_ptr_nonnull(extension);
        ck_assert_int_eq(X509_add_ext(certificate, extension, -1), 1);
        X509_EXTENSION_free(extension);
    }
    ck_assert_int_gt(X509_sign(certificate, made->key, EVP_sha256()), 0);
}

START_TEST(a_ca_whose_own_signature_is_not_good_is_refused)
{
    static const char words[] = "is not good: it names itself";
    struct registry_stage stage;
    registry_stage_open(&stage);
    check_made_refused(&stage,
                       made_certificate(&(struct certificate_wish){
                           .name = "Device CA", .ca = true, .broken_signature = true}),
                       "the signature of CN=Device CA is not good: it names itself");
    struct made *ca = made_ca("Device CA");
    name_own_key(ca);
    struct made *once = changed(ca, "Device", "Devise"); /* its issuer alone */
    check_made_refused(&stage, changed(once, "Device", "Devise"), words);
    check_made_refused(&stage, once, words);
    struct made *old = made_certificate(&(struct certificate_wish){.name = "v1 root", .v1 = true});
    struct made *issuer = changed(old, "v1", "v2");
    check_made_refused(&stage, changed(issuer, "v1", "v2"), words);
    made_free(issuer);
    made_free(old);
    registry_stage_upload(&stage, "devices", ca);
    check_made_refused(&stage,
                       made_certificate(&(struct certificate_wish){.name = "Device CA",
                                                                   .reuse_key = ca->key,
                                                                   .ca = true,
                                                                   .until_s = 99 * MADE_DAY_S,
                                                                   .broken_signature = true}),
                       words);
    made_free(ca);
    registry_stage_close(&stage);
}
END_TEST

START_TEST(each_link_of_a_chain_is_a_good_signature)
{
    struct registry_stage stage;
    registry_stage_open(&stage);
    struct text pem = {0};
    struct made *root = made_ca("Root CA");
    struct made *middle = made_certificate(&(struct certificate_wish){
        .name = "Middle CA", .issuer = root, .ca = true, .broken_signature = true});
    struct made *inner = made_intermediate(middle, "Inner CA");
    text_add_made(&pem, inner);
    text_add_made(&pem, middle);
    text_add_made(&pem, root);
    check_refused(&stage, "x", &pem, CHANGE_BAD_INPUT,
                  "the signature of CN=Middle CA is not good: it names CN=Root CA");
    struct made *namesake = made_certificate(
        &(struct certificate_wish){.name = "Root CA", .v1 = true}); /* without a key id */
    struct made *other = made_certificate(
        &(struct certificate_wish){.name = "Other CA", .issuer = namesake, .v1 = true});
    struct made *stranger =
        made_certificate(&(struct certificate_wish){.name = "Root CA", .v1 = true});
    text_add_made(&pem, other);
    text_add_made(&pem, stranger);
    check_refused(&stage, "x", &pem, CHANGE_BAD_INPUT,
                  "the signature of CN=Other CA is not good: it names CN=Root CA");
    made_free(stranger);
    made_free(other);
    made_free(namesake);
    made_free(inner);
    made_free(middle);
    made_free(root);
    registry_stage_close(&stage);
}
END_TEST

START_TEST(a_text_that_holds_something_else_says_what)
{
    struct registry_stage stage;
    registry_stage_open(&stage);
    struct made *one = made_ca("One CA");
    struct made *two = made_ca("Two CA");
    struct text pem = {0};
    text_add_format(&pem, "nothing");
    check_refused(&stage, "x", &pem, CHANGE_BAD_INPUT, "the CA: holds no PEM at all");
    text_add_made(&pem, one);
    memcpy(pem.bytes + 60, "####", 4);
    check_refused(&stage, "x", &pem, CHANGE_BAD_INPUT, "certificate 1 cannot be decoded");
    text_add_made(&pem, one);
    text_add_made(&pem, two);
    check_refused(&stage, "x", &pem, CHANGE_BAD_INPUT,
                  "nothing to do with each other, CN=One CA and CN=Two CA");
    pem.bytes = strdup("");
    check_refused(&stage, "x", &pem, CHANGE_BAD_INPUT, "the CA: is empty");
    text_add_made(&pem, one);
    while (pem.length <= CA_UPLOAD_BYTES)
        text_add_format(&pem, "# filling\n");
    check_refused(&stage, "x", &pem, CHANGE_BAD_INPUT, "have at most 65536");
    struct made *clients[17];
    for (int i = 0; i < 17; i++) {
        clients[i] = made_client(one, "x");
        text_add_made(&pem, clients[i]);
        made_free(clients[i]);
    }
    check_refused(&stage, "x", &pem, CHANGE_BAD_INPUT, "the text holds 17 certificates");
    made_free(one);
    made_free(two);
    registry_stage_close(&stage);
}
END_TEST

START_TEST(a_private_key_is_refused_and_not_repeated)
{
    struct registry_stage stage;
    registry_stage_open(&stage);
    struct made *ca = made_ca("Device CA");
    char *key = made_key_pem(ca);
    struct text pem = {0};
    text_add_made(&pem, ca);
    text_add_format(&pem, "%s", key);
    check_refused(&stage, "x", &pem, CHANGE_BAD_INPUT, "the PEM text holds a private key");
    ck_assert_ptr_null(strstr(stage.err.text, "BEGIN"));
    free(key);
    made_free(ca);
    registry_stage_close(&stage);
}
END_TEST

static const char *const bad_names[] = {
    "",
    "a b",
    "a/b",
    "\xc3\xa4",
    "builtin",
    "Builtin",
    "0123456789abcdef",
    "seventy-letters-are-more-than-a-name-of-a-ca-may-have-so-this-is-none-",
};

START_TEST(names_that_could_mean_something_else_are_refused)
{
    struct registry_stage stage;
    struct text pem = {0};
    registry_stage_open(&stage);
    struct made *ca = made_ca("Device CA");
    text_add_made(&pem, ca);
    check_refused(&stage, bad_names[_i], &pem, CHANGE_BAD_INPUT, "name");
    made_free(ca);
    registry_stage_close(&stage);
}
END_TEST

START_TEST(a_ca_is_uploaded_once_and_a_name_is_one_cas)
{
    struct registry_stage stage;
    registry_stage_open(&stage);
    struct made *one = made_ca("One CA");
    struct made *two = made_ca("Two CA");
    registry_stage_upload(&stage, "one", one);
    struct text pem = {0};
    text_add_made(&pem, one);
    check_refused(&stage, "again", &pem, CHANGE_EXISTS, ", as \"one\" (id ");
    text_add_made(&pem, two);
    check_refused(&stage, "one", &pem, CHANGE_EXISTS, "another CA is called \"one\" (CN=One CA)");
    made_free(one);
    made_free(two);
    registry_stage_close(&stage);
}
END_TEST

START_TEST(a_renewed_ca_is_the_same_ca)
{
    struct registry_stage stage;
    char line[2048];
    char expected[2048];
    registry_stage_open(&stage);
    struct made *ca = made_ca("Device CA");
    struct made *renewed = made_certificate(&(struct certificate_wish){
        .name = "Device CA", .reuse_key = ca->key, .ca = true, .until_s = 99 * MADE_DAY_S});
    struct made *other = made_certificate(
        &(struct certificate_wish){.name = "Other CA", .reuse_key = ca->key, .ca = true});
    static const char *const hosts[] = {"www.example.com"};
    registry_stage_upload(&stage, "devices", ca);
    char before[65];
    char id[CA_ID_LENGTH + 1];
    int64_t created_ms = stage.actor.now_ms;
    memcpy(before, stage.ca.record.sha256, sizeof before);
    memcpy(id, stage.ca.record.id, sizeof id);
    ca_result_done(&stage.ca);
    ck_assert_int_eq(ca_bind(stage.ledger, "devices", CA_BIND_ADD, hosts, 1, NULL, &stage.actor,
                             &stage.ca, &stage.err),
                     CHANGE_MADE);
    ca_result_done(&stage.ca);
    ck_assert_int_eq(ca_enable(stage.ledger, "devices", false, &stage.actor, &stage.ca, &stage.err),
                     CHANGE_MADE);
    stage.actor.now_ms += 5000;
    struct text pem = {0};
    text_add_made(&pem, renewed);
    ck_assert_int_eq(upload_text(&stage, "new-name", &pem, 1), CHANGE_MADE); /* no quota */
    text_done(&pem);
    ck_assert(stage.ca.renewed && stage.ca.changed);
    ck_assert_str_eq(stage.ca.record.id, id);
    ck_assert_str_eq(stage.ca.record.name, "devices");
    ck_assert_str_eq(stage.ca.record.hosts[0], "www.example.com");
    ck_assert(!stage.ca.record.is_enabled);
    ck_assert_int_eq(stage.ca.record.created_ms, created_ms);
    ck_assert_int_eq(stage.ca.record.updated_ms, stage.actor.now_ms);
    snprintf(expected, sizeof expected, "ca.renew|%s|%s", before, stage.ca.record.sha256);
    registry_stage_last_change(&stage, line);
    ck_assert_str_eq(line, expected);
    ck_assert_uint_eq(ca_count(&stage), 1);
    text_add_made(&pem, other);
    check_refused(&stage, "other", &pem, CHANGE_EXISTS, "has the same key but another subject");
    made_free(other);
    made_free(renewed);
    made_free(ca);
    registry_stage_close(&stage);
}
END_TEST

START_TEST(an_older_certificate_of_a_ca_is_warned_of)
{
    struct registry_stage stage;
    registry_stage_open(&stage);
    struct made *ca = made_ca("Device CA");
    struct made *later = made_certificate(&(struct certificate_wish){
        .name = "Device CA", .reuse_key = ca->key, .ca = true, .until_s = 99 * MADE_DAY_S});
    registry_stage_upload(&stage, "devices", ca);
    ck_assert_str_eq(stage.ca.warning, "");
    registry_stage_upload(&stage, "devices", later);
    ck_assert(stage.ca.renewed);
    ck_assert_str_eq(stage.ca.warning, "");
    registry_stage_upload(&stage, "devices", ca);
    ck_assert(stage.ca.renewed);
    ck_assert_msg(strstr(stage.ca.warning, "CA devices ends sooner now: on 2") != NULL, "%s",
                  stage.ca.warning);
    made_free(later);
    made_free(ca);
    registry_stage_close(&stage);
}
END_TEST

START_TEST(a_renewed_ca_still_knows_its_certificates)
{
    struct registry_stage stage;
    registry_stage_open(&stage);
    struct made *ca = made_ca("Device CA");
    struct made *renewed = made_certificate(&(struct certificate_wish){
        .name = "Device CA", .reuse_key = ca->key, .ca = true, .until_s = 99 * MADE_DAY_S});
    struct made *one = made_client(ca, "one");
    registry_stage_upload(&stage, "devices", ca);
    registry_stage_register(&stage, one);
    registry_stage_upload(&stage, "devices", renewed);
    registry_stage_expect(
        &stage,
        registry_stage_try(
            &stage, &(struct registration){.certificate = one->certificate, .source = SOURCE_AUTO}),
        CHANGE_EXISTS, "this certificate is registered since");
    made_free(one);
    made_free(renewed);
    made_free(ca);
    registry_stage_close(&stage);
}
END_TEST

START_TEST(max_cas_counts_uploaded_ones)
{
    struct registry_stage stage;
    registry_stage_open(&stage);
    struct made *own = made_ca("lb CA");
    ck_assert_int_eq(ca_put_builtin(stage.ledger, own->certificate, CA_MADE, &stage.actor,
                                    &stage.ca, &stage.err),
                     CHANGE_MADE);
    for (unsigned i = 0; i < 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "ca-%u", i);
        struct made *ca = made_ca(name);
        struct text pem = {0};
        text_add_made(&pem, ca);
        enum change_refusal refusal = upload_text(&stage, name, &pem, 2);
        if (i < 2)
            ck_assert_msg(refusal == CHANGE_MADE, "%s", stage.err.text);
        else
            registry_stage_expect(&stage, refusal, CHANGE_QUOTA,
                                  "there are 2 uploaded CAs, and max_cas allows 2; delete one");
        text_done(&pem);
        made_free(ca);
    }
    ck_assert_uint_eq(ca_count(&stage), 3);
    made_free(own);
    registry_stage_close(&stage);
}
END_TEST

START_TEST(lbs_own_ca_is_told_once_and_may_be_another_one_later)
{
    struct registry_stage stage;
    char line[2048];
    static const char *const hosts[] = {"*"};
    registry_stage_open(&stage);
    struct made *own = made_ca("lb CA");
    struct made *later = made_ca("lb CA");
    ck_assert_int_eq(ca_put_builtin(stage.ledger, own->certificate, CA_MADE, &stage.actor,
                                    &stage.ca, &stage.err),
                     CHANGE_MADE);
    ck_assert(stage.ca.changed && stage.ca.record.is_builtin && stage.ca.record.is_enabled);
    ck_assert_str_eq(stage.ca.record.name, BUILTIN_CA_NAME);
    registry_stage_last_change(&stage, line);
    ck_assert_msg(strncmp(line, "ca.create||", 11) == 0, "%s", line);
    char id[CA_ID_LENGTH + 1];
    memcpy(id, stage.ca.record.id, sizeof id);
    ca_result_done(&stage.ca);
    ck_assert_int_eq(ca_put_builtin(stage.ledger, own->certificate, CA_MADE, &stage.actor,
                                    &stage.ca, &stage.err),
                     CHANGE_MADE);
    ck_assert(!stage.ca.changed);
    ck_assert_str_eq(stage.ca.record.id, id);
    ck_assert_uint_eq(registry_stage_change_count(&stage), 1);
    struct text pem = {0};
    text_add_made(&pem, own);
    check_refused(&stage, "mine", &pem, CHANGE_EXISTS, "this is lb's own CA");
    ck_assert_int_eq(ca_bind(stage.ledger, BUILTIN_CA_NAME, CA_BIND_ADD, hosts, 1, NULL,
                             &stage.actor, &stage.ca, &stage.err),
                     CHANGE_MADE);
    ca_result_done(&stage.ca);
    ck_assert_int_eq(ca_put_builtin(stage.ledger, later->certificate, CA_REPLACED, &stage.actor,
                                    &stage.ca, &stage.err),
                     CHANGE_MADE);
    ck_assert(stage.ca.changed);
    ck_assert_str_ne(stage.ca.record.id, id);
    ck_assert_uint_eq(stage.ca.record.host_count, 1);
    ck_assert_uint_eq(ca_count(&stage), 1);
    made_free(later);
    made_free(own);
    registry_stage_close(&stage);
}
END_TEST

static enum change_refusal tell(struct registry_stage *stage, struct made *ca,
                                enum ca_origin origin)
{
    ca_result_done(&stage->ca);
    return ca_put_builtin(stage->ledger, ca->certificate, origin, &stage->actor, &stage->ca,
                          &stage->err);
}

/* What the audit log says of it. */
static void expect_told(struct registry_stage *stage, struct made *ca, enum ca_origin origin,
                        const char *action, const char *before)
{
    char line[2048], expected[256];
    ck_assert_msg(tell(stage, ca, origin) == CHANGE_MADE, "%s", stage->err.text);
    ck_assert(stage->ca.changed);
    registry_stage_last_change(stage, line);
    snprintf(expected, sizeof expected, "%s|%s|%s", action, before, stage->ca.record.sha256);
    ck_assert_str_eq(line, expected);
}

START_TEST(lbs_own_ca_becomes_another_one_only_if_that_is_said)
{
    struct registry_stage stage;
    char before[80];
    registry_stage_open(&stage);
    struct made *own = made_ca("lb CA"), *other = made_ca("lb CA");
    registry_stage_expect(&stage, tell(&stage, own, CA_RENEWED), CHANGE_UNKNOWN,
                          "knows no built-in CA any more");
    expect_told(&stage, own, CA_ADOPTED, "ca.adopt", "");
    snprintf(before, sizeof before, "%s", stage.ca.record.sha256);
    for (int origin = CA_MADE; origin <= CA_RENEWED; origin++)
        registry_stage_expect(&stage, tell(&stage, other, (enum ca_origin)origin), CHANGE_EXISTS,
                              "knows another built-in CA");
    ck_assert_uint_eq(registry_stage_change_count(&stage), 1);
    expect_told(&stage, other, CA_REPLACED, "ca.replace", before);
    ck_assert_uint_eq(ca_count(&stage), 1);
    made_free(own);
    made_free(other);
    registry_stage_close(&stage);
}
END_TEST

START_TEST(a_store_that_fails_anywhere_leaves_no_ca)
{
    struct registry_stage stage;
    registry_stage_open(&stage);
    struct made *ca = made_ca("Device CA");
    unsigned calls = 0;
    for (;; calls++) {
        faulty_ledger_fail(stage.ledger, calls, STORE_FULL);
        enum change_refusal refusal = registry_stage_try_upload(&stage, "devices", ca);
        faulty_ledger_fail(stage.ledger, 0, STORE_DONE);
        if (refusal == CHANGE_MADE)
            break;
        registry_stage_expect(&stage, refusal, CHANGE_STORE, "the store was told to fail");
        ck_assert_uint_eq(ca_count(&stage), 0);
        ck_assert_uint_eq(registry_stage_change_count(&stage), 0);
    }
    ck_assert_uint_eq(calls, 5); /* begin, CAs, CA, line, commit */
    ck_assert_uint_eq(ca_count(&stage), 1);
    made_free(ca);
    registry_stage_close(&stage);
}
END_TEST

START_TEST(a_config_reads_the_cas_by_themselves)
{
    struct registry_stage stage;
    struct text missing = {0};
    registry_stage_open(&stage);
    text_add_format(&missing, "sqlite:%s", folder_file(&stage.folder, "missing.db"));
    struct cas *cas = cas_read(missing.bytes, &stage.err);
    ck_assert_ptr_nonnull(cas);
    ck_assert_uint_eq(cas->count, 0);
    ck_assert_ptr_null(cas_find(cas, "devices"));
    cas_free(cas);
    text_done(&missing);
    struct made *one = made_ca("One CA");
    struct made *two = made_ca("Two CA");
    registry_stage_upload(&stage, "two", two);
    registry_stage_upload(&stage, "one", one);
    cas = cas_read(stage.location, &stage.err);
    ck_assert_ptr_nonnull(cas);
    ck_assert_uint_eq(cas->count, 2);
    ck_assert_ptr_eq(cas_find(cas, stage.ca.record.id), cas_find(cas, "one"));
    ck_assert_int_eq(X509_cmp(cas_find(cas, "two")->certificate, two->certificate), 0);
    ck_assert_ptr_null(cas_find(cas, "three"));
    cas_free(cas);
    cas_free(NULL);
    ck_assert_ptr_null(cas_read("strange:place", &stage.err));
    ck_assert_msg(strstr(stage.err.text, "strange") != NULL, "%s", stage.err.text);
    made_free(one);
    made_free(two);
    registry_stage_close(&stage);
}
END_TEST

START_TEST(a_damaged_store_is_no_empty_one)
{
    struct registry_stage stage;
    struct text location = {0};
    registry_stage_open(&stage);
    char garbage[4096];
    memset(garbage, 'g', sizeof garbage - 1);
    garbage[sizeof garbage - 1] = '\0';
    folder_write(&stage.folder, "damaged.db", garbage);
    text_add_format(&location, "sqlite:%s", folder_file(&stage.folder, "damaged.db"));
    ck_assert_ptr_null(cas_read(location.bytes, &stage.err));
    ck_assert_msg(strstr(stage.err.text, "damaged.db") != NULL, "%s", stage.err.text);
    text_done(&location);
    registry_stage_close(&stage);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, an_uploaded_ca_has_an_id_and_its_fields);
    tcase_add_loop_test(tcase, what_stands_above_a_ca_may_come_in_any_order, 0, 3);
    tcase_add_test(tcase, what_is_no_ca_of_clients_is_refused);
    tcase_add_test(tcase, a_ca_whose_own_signature_is_not_good_is_refused);
    tcase_add_test(tcase, each_link_of_a_chain_is_a_good_signature);
    tcase_add_test(tcase, a_text_that_holds_something_else_says_what);
    tcase_add_test(tcase, a_private_key_is_refused_and_not_repeated);
    tcase_add_loop_test(tcase, names_that_could_mean_something_else_are_refused, 0,
                        sizeof bad_names / sizeof *bad_names);
    tcase_add_test(tcase, a_ca_is_uploaded_once_and_a_name_is_one_cas);
    tcase_add_test(tcase, a_renewed_ca_is_the_same_ca);
    tcase_add_test(tcase, an_older_certificate_of_a_ca_is_warned_of);
    tcase_add_test(tcase, a_renewed_ca_still_knows_its_certificates);
    tcase_add_test(tcase, max_cas_counts_uploaded_ones);
    tcase_add_test(tcase, lbs_own_ca_is_told_once_and_may_be_another_one_later);
    tcase_add_test(tcase, lbs_own_ca_becomes_another_one_only_if_that_is_said);
    tcase_add_test(tcase, a_store_that_fails_anywhere_leaves_no_ca);
    tcase_add_test(tcase, a_config_reads_the_cas_by_themselves);
    tcase_add_test(tcase, a_damaged_store_is_no_empty_one);
}

CHECK_MAIN("ca_upload", add_tests)
