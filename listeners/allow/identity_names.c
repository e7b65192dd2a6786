/* SPDX-License-Identifier: Apache-2.0 */
/* Names come from strangers, but a CA has signed them: nothing here is asked before that is
 * verified. */
#include "listeners/allow/identity_names.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "lb/base/certificate.h"
#include "lb/base/hex.h"
#include "lb/base/limits.h"
#include "listeners/identity.h"

/* What certificate_name_text() may have cut: the longest character, escaped, did not fit. */
enum { ISSUER_BYTES = CERTIFICATE_NAME_BYTES - 12 };

struct search {
    const struct identity *identity;
    unsigned kinds;
    identity_name_test test;
    const void *asker;
    unsigned looked_at;
    bool is_unsure; /* something could not be looked at */
};

static bool is_wanted(const struct search *search, enum name_kind kind)
{
    return search->kinds & (1U << kind);
}

static bool is_tried_out(const struct search *search)
{
    return search->looked_at >= ALLOWED_NAMES_MOST;
}

static bool offer(struct search *search, enum name_kind kind, struct slice name)
{
    char text[ALLOWED_NAME_BYTES];
    search->looked_at++;
    return name_normalise(kind, name, text) &&
           search->test(search->asker, kind, (struct slice){text, name.length});
}

/* --- encodings -------------------------------------------------------------------------------- */

/* Whose bytes are what they say: ASCII or UTF-8. */
static bool is_plain(const ASN1_STRING *string)
{
    switch (ASN1_STRING_type(string)) {
    case V_ASN1_UTF8STRING:
        return true;
    case V_ASN1_PRINTABLESTRING:
    case V_ASN1_IA5STRING:
    case V_ASN1_NUMERICSTRING:
    case V_ASN1_VISIBLESTRING:
        break;
    default:
        return false;
    }
    const unsigned char *bytes = ASN1_STRING_get0_data(string);
    for (int i = 0; i < ASN1_STRING_length(string); i++)
        if (bytes[i] >= 0x80)
            return false;
    return true;
}

static struct slice slice_of_string(const ASN1_STRING *string)
{
    return (struct slice){(const char *)ASN1_STRING_get0_data(string),
                          (size_t)ASN1_STRING_length(string)};
}

static const ASN1_STRING *field_at(const X509_NAME *name, int at)
{
    return X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
}

/* --- places ----------------------------------------------------------------------------------- */

static bool find_in_subject(struct search *search)
{
    const X509_NAME *subject = X509_get_subject_name(search->identity->leaf);
    for (int i = 0; i < X509_NAME_entry_count(subject) && !is_tried_out(search); i++) {
        int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(X509_NAME_get_entry(subject, i)));
        bool is_name = nid == NID_commonName || nid == NID_organizationalUnitName;
        enum name_kind kind = nid == NID_commonName ? NAME_CN : NAME_OU;
        const ASN1_STRING *value = field_at(subject, i);
        if (is_name && is_wanted(search, kind) && is_plain(value) &&
            offer(search, kind, slice_of_string(value)))
            return true;
    }
    return false;
}

/* The kind of an alternative name; NAME_KIND_COUNT: none that anybody asks for. */
static enum name_kind kind_of(int type)
{
    switch (type) {
    case GEN_DNS:
        return NAME_DNS;
    case GEN_URI:
        return NAME_URI;
    case GEN_EMAIL:
        return NAME_EMAIL;
    default:
        return NAME_KIND_COUNT;
    }
}

static bool find_in_names(struct search *search, const GENERAL_NAMES *names)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !is_tried_out(search); i++) {
        int type;
        const void *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
        enum name_kind kind = kind_of(type);
        if (kind == NAME_KIND_COUNT || !is_wanted(search, kind))
            continue;
        const ASN1_STRING *string = value; /* IA5String: its tag was read as that */
        if (is_plain(string) && offer(search, kind, slice_of_string(string)))
            return true;
    }
    return false;
}

static bool find_in_alternatives(struct search *search)
{
    int critical = -1;
    GENERAL_NAMES *names =
        X509_get_ext_d2i(search->identity->leaf, NID_subject_alt_name, &critical, NULL);
    bool is_there = critical >= 0; /* and well formed, or it would not have been verified */
    search->is_unsure |= is_there && !names;
    bool is_found = names && find_in_names(search, names);
    GENERAL_NAMES_free(names);
    return is_found;
}

static bool find_issuer(struct search *search)
{
    const X509_NAME *name = X509_get_issuer_name(search->identity->leaf);
    char text[ALLOWED_NAME_BYTES];
    for (int i = 0; i < X509_NAME_entry_count(name); i++)
        if (!is_plain(field_at(name, i)) ||
            !name_normalise(NAME_ISSUER, slice_of_string(field_at(name, i)), text))
            return false;
    struct slice issuer = slice_of(search->identity->issuer);
    return issuer.length <= ISSUER_BYTES && offer(search, NAME_ISSUER, issuer);
}

static bool find_key(struct search *search)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char text[2 * EVP_MAX_MD_SIZE];
    unsigned char *der = NULL;
    unsigned length = 0;
    int bytes = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(search->identity->leaf), &der);
    bool is_done =
        bytes > 0 && EVP_Digest(der, (size_t)bytes, digest, &length, EVP_sha256(), NULL) == 1;
    OPENSSL_free(der);
    if (is_done)
        hex_write(text, digest, length, hex_lower);
    search->is_unsure |= !is_done;
    return is_done && offer(search, NAME_SPKI, (struct slice){text, 2 * (size_t)length});
}

static bool find_anywhere(struct search *search)
{
    if (is_wanted(search, NAME_SHA256) &&
        offer(search, NAME_SHA256, slice_of(search->identity->sha256)))
        return true;
    if (is_wanted(search, NAME_SPKI) && find_key(search))
        return true;
    if (is_wanted(search, NAME_ISSUER) && find_issuer(search))
        return true;
    if ((is_wanted(search, NAME_CN) || is_wanted(search, NAME_OU)) && find_in_subject(search))
        return true;
    bool has_alternatives =
        is_wanted(search, NAME_DNS) || is_wanted(search, NAME_URI) || is_wanted(search, NAME_EMAIL);
    return has_alternatives && find_in_alternatives(search);
}

enum identity_names_outcome identity_names_find(const struct identity *identity, unsigned kinds,
                                                identity_name_test test, const void *asker)
{
    struct search search = {identity, kinds, test, asker, 0, false};
    ERR_set_mark();
    bool is_taken = find_anywhere(&search);
    ERR_pop_to_mark();
    if (is_taken)
        return IDENTITY_NAMES_TAKEN;
    return search.is_unsure ? IDENTITY_NAMES_UNSURE : IDENTITY_NAMES_NONE;
}

struct slice identity_common_name(const struct identity *identity)
{
    const X509_NAME *subject = X509_get_subject_name(identity->leaf);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    bool is_fit = identity->common_name && at >= 0 && is_plain(field_at(subject, at));
    return is_fit ? slice_of(identity->common_name) : (struct slice){NULL, 0};
}
