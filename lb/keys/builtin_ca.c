/* SPDX-License-Identifier: Apache-2.0 */
/* See builtin_ca.h. */
#include "lb/keys/builtin_ca.h"

#include <stdio.h>
#include <string.h>

#include "lb/keys/signer.h"

/* "/path/registry.db" of "sqlite:/path/registry.db". */
static const char *store_path(const struct builtin_ca *self)
{
    const char *colon = strchr(self->location, ':');
    return colon ? colon + 1 : self->location;
}

/* Without the slashes at its end: messages have one before a file's name. */
static int folder_length(const struct builtin_ca *self)
{
    size_t length = strlen(self->place.state_dir);
    while (length > 1 && self->place.state_dir[length - 1] == '/')
        length--;
    return (int)length;
}

/* --- looking -------------------------------------------------------------------------------- */

static bool compare(struct builtin_look *look, struct error *err)
{
    unsigned char key[CA_KEY_BYTES];
    if (!look->known || !look->file) {
        look->standing = look->known ? BUILTIN_AWAY : look->file ? BUILTIN_LOST : BUILTIN_NONE;
        return true;
    }
    if (!ca_key_of(look->file, key))
        return error_set(err, "out of memory");
    if (memcmp(key, look->known->record.key, CA_KEY_BYTES) != 0)
        look->standing = BUILTIN_OTHER;
    else
        look->standing =
            X509_cmp(look->file, look->known->certificate) == 0 ? BUILTIN_SAME : BUILTIN_RENEWED;
    return true;
}

bool builtin_ca_look(const struct builtin_ca *self, const struct cas *cas,
                     struct builtin_look *ret_look, struct error *err)
{
    struct builtin_look look = {.known = cas_builtin(cas)};
    if (issuer_read(&self->place, &look.file, err) == ISSUER_FAILED)
        return false;
    bool good = compare(&look, err);
    if (!good)
        X509_free(look.file);
    else
        *ret_look = look;
    return good;
}

void builtin_ca_explain(const struct builtin_ca *self, const struct builtin_look *look,
                        struct error *err)
{
    const struct ca_record *known = look->known ? &look->known->record : NULL;
    int length = folder_length(self);
    const char *folder = self->place.state_dir;
    switch (look->standing) {
    case BUILTIN_LOST:
        error_set(err,
                  "%.*s/ca.crt is the built-in CA of a registry that is not there any more (%s): "
                  "put a backup of it back (lb registry -h); or, if it shall begin anew, `lb ca "
                  "create -c FILE` takes this CA over: certificates it signed before are unknown "
                  "then, those that were revoked included",
                  length, folder, store_path(self));
        return;
    case BUILTIN_AWAY:
        error_set(err,
                  "the built-in CA %.200s (id %s) is known, but ca.crt and ca.key are not in %.*s: "
                  "copy them there from the machine that has them, or say lb ca create --replace "
                  "to make another one",
                  known->subject, known->id, length, folder);
        return;
    case BUILTIN_OTHER:
        error_set(err,
                  "the built-in CA %.200s (id %s) is known, but ca.crt and ca.key in %.*s are of "
                  "another one: copy them there from the machine that has them, or say lb ca "
                  "create --replace to make another one",
                  known->subject, known->id, length, folder);
        return;
    case BUILTIN_NONE:
    case BUILTIN_SAME:
    case BUILTIN_RENEWED:
        return;
    }
}

/* --- beginning ------------------------------------------------------------------------------ */

void builtin_draft_done(struct builtin_draft *draft)
{
    X509_free(draft->ca);
    *draft = (struct builtin_draft){.ca = NULL};
}

static enum issuer_outcome make(const struct builtin_ca *self, const struct ca_wish *wish,
                                X509 **ret_ca, struct error *err)
{
    return self->is_local ? issuer_make(&self->place, wish, ret_ca, err)
                          : signer_make_ca(self->signer, &self->place, wish, ret_ca, err);
}

static bool draft_new(const struct builtin_ca *self, const struct ca_wish *wish,
                      const struct builtin_look *look, struct builtin_draft *draft,
                      struct error *err)
{
    switch (make(self, wish, &draft->ca, err)) {
    case ISSUER_DONE:
        break;
    case ISSUER_EXISTS: /* Whoever was faster has told the store. */
        draft->origin = CA_RENEWED;
        return true;
    case ISSUER_MISSING:
        return error_set(err, "the built-in CA was removed while it was made: try again");
    case ISSUER_FAILED:
        return false;
    }
    draft->is_to_be_put = true;
    draft->origin = look->known ? CA_REPLACED : CA_MADE;
    if (look->known) {
        snprintf(draft->former_id, sizeof draft->former_id, "%s", look->known->record.id);
        snprintf(draft->former_sha256, sizeof draft->former_sha256, "%s",
                 look->known->record.sha256);
    }
    return true;
}

/* Its key may be there all the same: a crash between the store and the certificate. */
static bool find_again(const struct builtin_ca *self, const struct builtin_look *look,
                       struct builtin_draft *draft, struct error *err)
{
    const struct ca_wish wish = {.known = look->known->certificate};
    switch (make(self, &wish, &draft->ca, err)) {
    case ISSUER_DONE:
        draft->is_to_be_put = true;
        draft->origin = CA_MADE;
        return true;
    case ISSUER_EXISTS: /* put there meanwhile */
        draft->origin = CA_MADE;
        return true;
    case ISSUER_MISSING:
        builtin_ca_explain(self, look, err);
        draft->is_conflict = true;
        return false;
    case ISSUER_FAILED:
        break;
    }
    return false;
}

static bool take(const struct builtin_look *look, enum ca_origin origin,
                 struct builtin_draft *draft)
{
    X509_up_ref(look->file);
    draft->ca = look->file;
    draft->origin = origin;
    draft->is_settled = look->standing == BUILTIN_SAME;
    return true;
}

static bool begin(const struct builtin_ca *self, const struct ca_wish *wish, bool take_over,
                  const struct builtin_look *look, struct builtin_draft *draft, struct error *err)
{
    if (wish->replace || look->standing == BUILTIN_NONE)
        return draft_new(self, wish, look, draft, err);
    switch (look->standing) {
    case BUILTIN_NONE:
    case BUILTIN_SAME:
    case BUILTIN_RENEWED:
        return take(look, CA_RENEWED, draft);
    case BUILTIN_AWAY:
        return find_again(self, look, draft, err);
    case BUILTIN_LOST:
        if (take_over)
            return take(look, CA_ADOPTED, draft);
        break;
    case BUILTIN_OTHER:
        break;
    }
    builtin_ca_explain(self, look, err);
    draft->is_conflict = true;
    return false;
}

/* What stands there is going to be moved away: whatever is wrong with it does not matter. */
static bool look_before(const struct builtin_ca *self, const struct ca_wish *wish,
                        const struct cas *cas, struct builtin_look *ret_look, struct error *err)
{
    *ret_look = (struct builtin_look){.known = cas_builtin(cas)};
    return wish->replace || builtin_ca_look(self, cas, ret_look, err);
}

bool builtin_ca_begin(const struct builtin_ca *self, const struct ca_wish *wish, bool take_over,
                      struct builtin_draft *draft, struct error *err)
{
    struct builtin_look look;
    struct cas *cas = cas_read(self->location, err);
    if (!cas)
        return false;
    bool good =
        look_before(self, wish, cas, &look, err) && begin(self, wish, take_over, &look, draft, err);
    X509_free(look.file);
    cas_free(cas);
    return good;
}

/* --- the store ------------------------------------------------------------------------------ */

/* Of two that draft at the same time the store knows one, and that one it is. */
static bool put(const struct builtin_ca *self, const struct ca_record *known, struct error *err)
{
    const unsigned char *at = known->der;
    X509 *ca = d2i_X509(NULL, &at, (long)known->der_bytes);
    if (!ca)
        return error_set(err, "out of memory");
    enum issuer_outcome outcome = issuer_put(&self->place, ca, err);
    X509_free(ca);
    return outcome == ISSUER_DONE || outcome == ISSUER_EXISTS;
}

enum change_refusal builtin_ca_settle(const struct builtin_ca *self, struct builtin_draft *draft,
                                      struct ledger *ledger, const struct actor *actor,
                                      struct ca_result *result, struct error *err)
{
    enum change_refusal refusal =
        ca_put_builtin(ledger, draft->ca, draft->origin, actor, result, err);
    if (refusal != CHANGE_MADE || !draft->is_to_be_put || put(self, &result->record, err))
        return refusal;
    ca_result_done(result);
    return CHANGE_STORE;
}

static bool tell(const struct builtin_ca *self, struct builtin_draft *draft,
                 const struct actor *actor, bool *ret_changed, struct error *err)
{
    struct ledger *ledger = NULL;
    struct ca_result result = {.changed = false};
    if (ledger_open(&ledger, self->location, STORE_MAKE, err) != STORE_DONE)
        return false;
    bool good = builtin_ca_settle(self, draft, ledger, actor, &result, err) == CHANGE_MADE;
    *ret_changed = good && result.changed;
    ca_result_done(&result);
    ledger_close(ledger);
    return good;
}

bool builtin_ca_have(const struct builtin_ca *self, const struct actor *actor, bool *ret_changed,
                     struct error *err)
{
    const struct ca_wish wish = {.key = KEY_P256, .days = ISSUER_CA_DAYS};
    struct builtin_draft draft = {.ca = NULL};
    *ret_changed = false;
    bool good = builtin_ca_begin(self, &wish, false, &draft, err) &&
                (draft.is_settled || tell(self, &draft, actor, ret_changed, err));
    builtin_draft_done(&draft);
    return good;
}
