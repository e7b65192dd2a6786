/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/crl/crl_loading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "lb/base/text_map.h"
#include "lb/base/timestamp.h"
#include "listeners/ca/ca_set.h"
#include "listeners/crl/crl_check_parts.h"
#include "listeners/crl/crl_file.h"
#include "listeners/crl/crl_source.h"
#include "listeners/crl/crls.h"

/* A file, and who names it. */
struct named_file {
    struct crl_source *source; /* a reference */
    unsigned line;             /* the first that names it */
    bool has_registry_cas;     /* one who names it trusts CAs of the registry */
    bool is_told[2];           /* its lists' dates, by enum crl_policy */
};

struct desk {
    const struct crl_loading *loading;
    struct text_map map; /* by path */
    struct named_file *files;
    unsigned count;
};

#define CRL_ERROR(desk, line, ...)                                                                 \
    problems_add((desk)->loading->problems, (desk)->loading->file, line, __VA_ARGS__)
#define CRL_WARN(desk, line, ...)                                                                  \
    problems_warn((desk)->loading->problems, (desk)->loading->file, line, __VA_ARGS__)

/* --- which files ----------------------------------------------------------------------------- */

static struct named_file *file_of(struct desk *desk, const char *path, unsigned line)
{
    struct slice key = slice_of(path);
    struct named_file *file = &desk->files[desk->count];
    const void *known = text_map_add(&desk->map, text_hash(key), key, file);
    if (known)
        return &desk->files[(const struct named_file *)known - desk->files];
    desk->count++;
    file->line = line;
    file->source = desk->loading->crls ? crls_find(desk->loading->crls, path) : NULL;
    if (!file->source)
        file->source = crl_source_new(path);
    return file;
}

static void join(struct desk *desk, struct crl_check *check)
{
    const struct option_list *paths = check->files;
    check->sources = arena_alloc(desk->loading->arena, paths->count * sizeof(struct crl_source *));
    check->taken = arena_alloc(desk->loading->arena, paths->count * sizeof(struct crl_file *));
    for (unsigned i = 0; i < paths->count; i++) {
        struct named_file *file = file_of(desk, paths->items[i], paths->lines[i]);
        file->has_registry_cas |= check->has_registry_cas;
        check->sources[i] = crl_source_ref(file->source);
        crl_source_add_issuers(file->source, check->ca_set->certificates);
    }
}

/* --- what is in them ------------------------------------------------------------------------- */

static bool is_in_force(const struct named_file *named)
{
    struct crl_file *file = crl_source_file(named->source);
    crl_file_unref(file);
    return file;
}

static void report_left_out(const struct desk *desk, const struct named_file *named)
{
    struct crl_file *file = crl_source_file(named->source);
    if (!file || file->left_out_count == 0) {
        crl_file_unref(file);
        return;
    }
    const char *path = crl_source_path(named->source);
    if (named->has_registry_cas || desk->loading->is_lenient)
        CRL_WARN(desk, named->line, "client_crl %s: %s; until then this list is not used", path,
                 file->left_out);
    else
        CRL_ERROR(desk, named->line, "client_crl %s: %s", path, file->left_out);
    crl_file_unref(file);
}

static void read_file(const struct desk *desk, const struct named_file *named)
{
    struct error err = {""};
    switch (crl_source_load(named->source, desk->loading->now, &err)) {
    case CRL_SOURCE_SAME:
    case CRL_SOURCE_TAKEN:
        report_left_out(desk, named);
        return;
    case CRL_SOURCE_OLDER:
        CRL_WARN(desk, named->line, "client_crl %s", err.text);
        return;
    case CRL_SOURCE_FAILED:
        break;
    }
    if (desk->loading->is_lenient && is_in_force(named))
        CRL_WARN(desk, named->line, "client_crl %s; what was read before stays in force", err.text);
    else
        CRL_ERROR(desk, named->line, "client_crl %s", err.text);
}

/* --- what is to be said of the lists -----------------------------------------------------------
 */

enum { DATE_BYTES = 24 };

static const char *date_of(time_t time, char into[DATE_BYTES])
{
    char stamp[TIMESTAMP_BYTES];
    timestamp_write((int64_t)time * 1000, stamp);
    snprintf(into, DATE_BYTES, "%.19sZ", stamp);
    return into;
}

static const char *consequence(enum crl_policy policy)
{
    switch (policy) {
    case CRL_HARD:
        return "the clients of this CA are refused (crl-expired)";
    case CRL_SOFT:
        break;
    }
    return "of the clients of this CA, only those on it are refused (client_crl_policy = soft)";
}

/* line: where the check names the file whose list it is. */
static void warn_of_date(const struct desk *desk, const char *path, unsigned line,
                         const struct crl *crl, enum crl_policy policy)
{
    char date[DATE_BYTES];
    time_t now = desk->loading->now;
    if (crl->next_update != 0 && now >= crl->next_update)
        CRL_WARN(desk, line,
                 "client_crl %s: the list of %.200s has been out of date since %s: %s; get a new "
                 "one from the CA",
                 path, crl->issuer, date_of(crl->next_update, date), consequence(policy));
    else if (!crl_is_current(crl, now))
        CRL_WARN(desk, line,
                 "client_crl %s: the list of %.200s is not valid before %s: until then %s", path,
                 crl->issuer, date_of(crl->this_update, date), consequence(policy));
    else if (crl_ends_soon(crl, now))
        CRL_WARN(desk, line,
                 "client_crl %s: the list of %.200s will be out of date on %s: from then on %s; "
                 "get a new one from the CA",
                 path, crl->issuer, date_of(crl->next_update, date), consequence(policy));
    else if (crl->next_update == 0)
        CRL_WARN(desk, line,
                 "client_crl %s: the list of %.200s does not say when the next one comes "
                 "(nextUpdate): it never counts as out of date",
                 path, crl->issuer);
}

static void warn_of_scope(const struct desk *desk, const char *path, unsigned line,
                          const struct crl *crl, enum crl_reach reach)
{
    if (crl->scope == CRL_OF_CAS && reach == CRL_OF_LEAF)
        CRL_WARN(desk, line,
                 "client_crl %s: the list of %.200s covers certificates of CAs only: it is not "
                 "asked about clients; name its list for them, or say client_crl_check = chain",
                 path, crl->issuer);
    else if (crl->is_of_point)
        CRL_WARN(desk, line,
                 "client_crl %s: the list of %.200s names a distribution point, and is taken for "
                 "all that this CA has revoked: if it is one of several parts, name them all",
                 path, crl->issuer);
}

static void warn_of_dates(struct desk *desk, const struct crl_check *check)
{
    for (unsigned i = 0; i < check->files->count; i++) {
        const char *path = check->files->items[i];
        unsigned line = check->files->lines[i];
        struct named_file *named = file_of(desk, path, line);
        const struct crl_file *file = check->taken[i];
        for (unsigned k = 0; file && k < file->count && !named->is_told[check->policy]; k++) {
            warn_of_date(desk, path, line, file->lists[k], check->policy);
            warn_of_scope(desk, path, line, file->lists[k], check->reach);
        }
        named->is_told[check->policy] = true;
    }
}

struct missing_walk {
    const struct desk *desk;
    const struct crl_check *check;
};

static void warn_of_missing(void *arg, X509 *ca, const unsigned char key[CA_KEY_BYTES])
{
    const struct missing_walk *walk = arg;
    const struct crl_check *check = walk->check;
    if (crl_check_has(check, key))
        return; /* but of no use: warn_of_scope() */
    char *name = certificate_name_text(X509_get_subject_name(ca));
    const char *whose = check->reach == CRL_OF_CHAIN
                            ? "clients whose chain has a certificate that it issued"
                            : "clients whose certificate it issued";
    const char *shown = name && *name ? name : "(no subject)";
    if (check->policy == CRL_HARD)
        CRL_WARN(walk->desk, check->files->lines[0],
                 "client_crl: there is no list of %.200s: %s are refused "
                 "(crl-missing); add its list, or say client_crl_policy = soft",
                 shown, whose);
    else
        CRL_WARN(walk->desk, check->files->lines[0],
                 "client_crl: there is no list of %.200s: whether it has revoked clients is not "
                 "known; add its list",
                 shown);
    free(name);
}

void crl_loading_read(const struct crl_loading *loading, struct crl_check *const *checks,
                      unsigned count)
{
    struct desk desk = {.loading = loading};
    size_t errors_before = loading->problems->error_count;
    unsigned most = 0;
    for (unsigned i = 0; i < count; i++)
        most += checks[i]->files->count;
    text_map_init(&desk.map, most, loading->arena);
    desk.files = arena_alloc(loading->arena, (most + 1) * sizeof *desk.files);
    for (unsigned i = 0; i < count; i++)
        join(&desk, checks[i]);
    for (unsigned i = 0; i < desk.count; i++)
        read_file(&desk, &desk.files[i]);
    for (unsigned i = 0; i < count; i++)
        crl_check_renew(checks[i], 0);
    /* Of what an error has left out there is nothing to be said. */
    for (unsigned i = 0; i < count && loading->problems->error_count == errors_before; i++) {
        warn_of_dates(&desk, checks[i]);
        crl_check_each_missing(checks[i], warn_of_missing,
                               &(struct missing_walk){&desk, checks[i]});
    }
    for (unsigned i = 0; i < desk.count; i++)
        crl_source_unref(desk.files[i].source);
}
