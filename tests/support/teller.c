/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/teller.h"

#include <check.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/text.h"

void teller_open(struct teller *teller)
{
    memset(teller, 0, sizeof *teller);
    stage_open(&teller->stage);
    teller->ca = made_ca("Client CA");
    teller->auth = (struct client_auth){.mode = AUTH_REQUEST,
                                        .ca_set = stage_ca_set(&teller->stage, teller->ca, NULL),
                                        .refuse_with = REFUSE_UNSET,
                                        .registration = REGISTRATION_OFF};
    const struct client_auth *rules[] = {&teller->auth};
    ck_assert_int_eq(policy_make(&teller->policy, rules, 1), POLICY_FINE);
}

void teller_close(struct teller *teller)
{
    policy_done(&teller->policy);
    made_free(teller->ca);
    stage_close(&teller->stage);
}

struct identity *teller_meets(const struct teller *teller, const struct made *made)
{
    static const unsigned char hash[32];
    STACK_OF(X509) *chain = sk_X509_new_null();
    ck_assert(chain && X509_add_cert(chain, made->certificate, X509_ADD_FLAG_UP_REF));
    for (int i = 0; i < sk_X509_num(made->chain); i++)
        ck_assert(X509_add_cert(chain, sk_X509_value(made->chain, i), X509_ADD_FLAG_UP_REF));
    struct identity *identity = identity_new(&teller->policy, chain, hash, time(NULL));
    ck_assert_ptr_nonnull(identity);
    sk_X509_pop_free(chain, X509_free);
    return identity;
}

unsigned teller_all_presets(void)
{
    unsigned all = 0;
    for (unsigned i = 0; identity_presets[i]; i++)
        all |= 1U << i;
    return all;
}

unsigned teller_preset(const char *name)
{
    if (!name)
        return teller_all_presets();
    ck_assert_msg(identity_preset_index(name) >= 0, "there is no preset %s", name);
    return 1U << identity_preset_index(name);
}

char *teller_tells(const struct teller *teller, const char *preset, struct identity *identity,
                   time_t now)
{
    const struct identity_headers headers =
        identity_headers_find(teller_preset(preset), &teller->auth, identity, now);
    ck_assert(!headers.is_lost);
    ck_assert_uint_le(headers.bytes, IDENTITY_HEADERS_MOST_BYTES);
    char *exact = malloc(headers.bytes + 1);
    char *text = calloc(1, headers.bytes + 1);
    ck_assert(exact && text);
    size_t length = identity_headers_put(&headers, exact + 1);
    ck_assert_uint_le(length, headers.bytes);
    memcpy(text, exact + 1, length);
    free(exact);
    return text;
}

const char *teller_value(const char *text, const char *field)
{
    static char value[IDENTITY_HEADERS_MOST_BYTES];
    char *head = NULL;
    value[0] = '\0';
    ck_assert_int_gt(asprintf(&head, "GET / HTTP/1.1\r\n%s\r\n", text), 0);
    text_field(head, field, value, sizeof value);
    free(head);
    return value;
}

static void add_name(GENERAL_NAMES *names, int type, const char *bytes, size_t count)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *value = ASN1_IA5STRING_new();
    ck_assert(name && value && ASN1_STRING_set(value, bytes, (int)count));
    GENERAL_NAME_set0_value(name, type, value);
    ck_assert(sk_GENERAL_NAME_push(names, name) > 0);
}

static void give_alternative_names(X509 *certificate, const struct odd_names *names)
{
    GENERAL_NAMES *all = sk_GENERAL_NAME_new_null();
    if (names->uri)
        add_name(all, GEN_URI, names->uri, names->uri_bytes);
    for (unsigned i = 0; names->dns && i < (names->dns_count ? names->dns_count : 1); i++)
        add_name(all, GEN_DNS, names->dns, names->dns_bytes);
    if (sk_GENERAL_NAME_num(all) > 0)
        ck_assert(X509_add1_ext_i2d(certificate, NID_subject_alt_name, all, 0, X509V3_ADD_REPLACE));
    GENERAL_NAMES_free(all);
}

void odd_names_give(struct made *made, const struct made *issuer, const struct odd_names *names)
{
    X509_NAME *subject = X509_NAME_new();
    ck_assert_ptr_nonnull(subject);
    if (names->common_name)
        ck_assert(X509_NAME_add_entry_by_NID(subject, NID_commonName, V_ASN1_UTF8STRING,
                                             (const unsigned char *)names->common_name,
                                             (int)names->common_name_bytes, -1, 0));
    ck_assert(X509_set_subject_name(made->certificate, subject));
    X509_NAME_free(subject);
    give_alternative_names(made->certificate, names);
    ck_assert(X509_sign(made->certificate, issuer->key, EVP_sha256()));
}
