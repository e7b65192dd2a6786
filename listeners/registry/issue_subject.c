/* SPDX-License-Identifier: Apache-2.0 */
/* See issue_subject.h. Every text is UTF-8 that people can read: it ends up in logs, headers and
 * lists. */
#include "listeners/registry/issue_subject.h"

#include <ctype.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <stddef.h>
#include <string.h>

#include "lb/base/utf8.h"

enum { WHAT_BYTES = 64, COUNTRY_LETTERS = 2, TEXT_BYTES_MOST = 4 * SUBJECT_PLACE_CHARACTERS };

/* In the order that people write them from the top. */
static const struct field {
    int nid;
    const char *what;
    size_t offset; /* in struct issue_wish */
    size_t most;   /* characters */
} fields[] = {
    {NID_countryName, "country", offsetof(struct issue_wish, country), COUNTRY_LETTERS},
    {NID_stateOrProvinceName, "state", offsetof(struct issue_wish, state),
     SUBJECT_PLACE_CHARACTERS},
    {NID_localityName, "locality", offsetof(struct issue_wish, locality), SUBJECT_PLACE_CHARACTERS},
    {NID_organizationName, "organization", offsetof(struct issue_wish, organization),
     SUBJECT_TEXT_CHARACTERS},
    {NID_organizationalUnitName, "unit", offsetof(struct issue_wish, unit),
     SUBJECT_TEXT_CHARACTERS},
    {NID_commonName, "common name", offsetof(struct issue_wish, common_name),
     SUBJECT_TEXT_CHARACTERS},
};
enum { FIELD_COUNT = sizeof fields / sizeof *fields };

static const char *text_of(const struct issue_wish *wish, const struct field *field)
{
    return *(const char *const *)((const char *)wish + field->offset);
}

static bool text_check(const char *what, const char *text, size_t bytes, size_t most,
                       struct error *err)
{
    size_t characters = 0;
    for (size_t at = 0, step; at < bytes; at += step, characters++) {
        step = utf8_length(text + at, bytes - at);
        if (step == 0)
            return error_set(err, "%s: byte %zu is not UTF-8", what, at + 1);
        if (utf8_is_hidden(text + at, step))
            return error_set(err, "%s: character %zu is a control character", what, characters + 1);
    }
    if (characters == 0)
        return error_set(err, "%s is empty: leave it out, or say what it is", what);
    return characters <= most ||
           error_set(err, "%s has %zu characters; certificates have room for %zu", what, characters,
                     most);
}

static bool country_check(const char *text, struct error *err)
{
    return (strlen(text) == COUNTRY_LETTERS && isalpha((unsigned char)text[0]) &&
            isalpha((unsigned char)text[1])) ||
           error_set(err, "country is two letters of ISO 3166, such as DE");
}

bool subject_check(const struct issue_wish *wish, struct error *err)
{
    if (wish->country && !country_check(wish->country, err))
        return false;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const char *text = text_of(wish, &fields[i]);
        if (text && !text_check(fields[i].what, text, strlen(text), fields[i].most, err))
            return false;
    }
    return true;
}

/* --- of a CSR ------------------------------------------------------------------------------ */

static size_t most_characters(int nid)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (fields[i].nid == nid)
            return fields[i].most;
    return SUBJECT_PLACE_CHARACTERS;
}

static bool entry_check(const X509_NAME_ENTRY *entry, struct error *err)
{
    char what[WHAT_BYTES];
    char kind[WHAT_BYTES - sizeof "the CSR's "];
    unsigned char *text = NULL;
    const ASN1_OBJECT *object = X509_NAME_ENTRY_get_object(entry);
    int nid = OBJ_obj2nid(object);
    OBJ_obj2txt(kind, sizeof kind, object, 0);
    snprintf(what, sizeof what, "the CSR's %s", kind);
    int bytes = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
    if (bytes < 0)
        return error_set(err, "%s is no text", what);
    bool good = text_check(what, (const char *)text, (size_t)bytes, most_characters(nid), err);
    OPENSSL_free(text);
    return good;
}

static bool own_check(const X509_NAME *own, struct error *err)
{
    int count = X509_NAME_entry_count(own);
    if (count > SUBJECT_FIELDS_MOST)
        return error_set(err, "the CSR's subject has %d fields; at most %d are taken", count,
                         SUBJECT_FIELDS_MOST);
    for (int i = 0; i < count; i++)
        if (!entry_check(X509_NAME_get_entry(own, i), err))
            return false;
    return true;
}

/* --- of both ------------------------------------------------------------------------------- */

/* Where fields of this kind stood: they go. -1: at the end. */
static int take_out(X509_NAME *name, int nid)
{
    int first = -1;
    for (int at; (at = X509_NAME_get_index_by_NID(name, nid, -1)) >= 0;) {
        first = first < 0 ? at : first;
        X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, at));
    }
    return first;
}

static bool put_in(X509_NAME *name, const struct field *field, const char *text)
{
    unsigned char copy[TEXT_BYTES_MOST];
    size_t bytes = strlen(text);
    memcpy(copy, text, bytes); /* it was checked: it fits */
    for (size_t i = 0; field->nid == NID_countryName && i < bytes; i++)
        copy[i] = (unsigned char)toupper(copy[i]);
    return X509_NAME_add_entry_by_NID(name, field->nid, MBSTRING_UTF8, copy, (int)bytes,
                                      take_out(name, field->nid), 0) == 1;
}

static bool fill(X509_NAME *name, const struct issue_wish *wish, struct error *err)
{
    ERR_set_mark();
    bool good = true;
    for (size_t i = 0; good && i < FIELD_COUNT; i++) {
        const char *text = text_of(wish, &fields[i]);
        good = !text || put_in(name, &fields[i], text);
        if (!good)
            error_set(err, "%s cannot be put into a certificate", fields[i].what);
    }
    ERR_pop_to_mark();
    if (good && X509_NAME_get_index_by_NID(name, NID_commonName, -1) < 0)
        good = error_set(err, "there is no common name: say who the certificate is for");
    return good;
}

X509_NAME *subject_make(const struct issue_wish *wish, const X509_NAME *own, struct error *err)
{
    if (own && !own_check(own, err))
        return NULL;
    X509_NAME *name = own ? X509_NAME_dup(own) : X509_NAME_new();
    if (!name) {
        error_set(err, "out of memory");
        return NULL;
    }
    if (fill(name, wish, err))
        return name;
    X509_NAME_free(name);
    return NULL;
}
