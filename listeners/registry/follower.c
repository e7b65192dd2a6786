/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the store into the view: the certificates that were put since the revision it shows, then
 * all CAs. What was followed is idempotent, so that whatever fails is simply done again.
 */
#include "listeners/registry/follower.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lb/base/log.h"
#include "listeners/registry/view.h"

/* --- the store ----------------------------------------------------------------------------- */

static void use(struct follower *follower, struct ledger *ledger, bool may_write)
{
    ledger_close(follower->ledger);
    follower->ledger = ledger;
    follower->may_write = may_write;
    follower->is_behind = true; /* its first has_news() says nothing of what was before */
}

enum store_outcome follower_open(struct follower *follower, enum store_mode mode, struct error *err)
{
    struct ledger *ledger = NULL;
    if (follower->ledger && follower->may_write)
        return STORE_DONE;
    enum store_outcome outcome = follower->open(&ledger, follower->location, mode, err);
    if (outcome == STORE_DONE) {
        use(follower, ledger, true);
        return STORE_DONE;
    }
    if (outcome != STORE_READ_ONLY)
        return outcome;
    if (follower->ledger)
        return STORE_DONE;
    struct error ignored;
    if (follower->open(&ledger, follower->location, STORE_READ, &ignored) != STORE_DONE)
        return STORE_READ_ONLY;
    use(follower, ledger, false);
    return STORE_DONE;
}

/* Where a store is a file that is not there, nothing need be opened to see that. */
static bool may_be_there(const char *location)
{
    const char *place = strchr(location, ':');
    return !place || place[1] != '/' || access(place + 1, F_OK) == 0;
}

void follower_close(struct follower *follower)
{
    ledger_close(follower->ledger);
    follower->ledger = NULL;
}

/* --- certificates -------------------------------------------------------------------------- */

struct pass {
    struct view *view;
    bool is_full; /* out of memory */
};

static bool put_row(void *arg, const struct certificate_row *row)
{
    struct pass *pass = arg;
    pass->is_full = !view_put(pass->view, row);
    return !pass->is_full;
}

static bool read_certificates(struct follower *follower, int64_t since, int64_t *ret_revision,
                              struct error *err)
{
    struct ledger *ledger = follower->ledger;
    struct pass pass = {.view = follower->view};
    enum store_outcome outcome =
        ledger->store->follow(ledger, since, put_row, &pass, ret_revision, err);
    if (pass.is_full)
        return error_set(err, "out of memory for the registry's certificates");
    return outcome == STORE_DONE || outcome == STORE_NOTHING;
}

/* --- CAs ----------------------------------------------------------------------------------- */

struct roll {
    struct ca_record *cas; /* key and standing only */
    size_t count, capacity;
    EVP_MD_CTX *digest; /* of all that a config sees */
    bool is_good;
};

static void digest_bytes(struct roll *roll, const void *bytes, size_t length)
{
    uint64_t long_length = length;
    roll->is_good = roll->is_good &&
                    EVP_DigestUpdate(roll->digest, &long_length, sizeof long_length) == 1 &&
                    EVP_DigestUpdate(roll->digest, bytes, length) == 1;
}

static void digest_ca(struct roll *roll, const struct ca_record *ca)
{
    unsigned char flags[] = {ca->is_builtin, ca->is_enabled};
    uint64_t hosts = ca->host_count;
    digest_bytes(roll, ca->key, sizeof ca->key);
    digest_bytes(roll, ca->id, strlen(ca->id));
    digest_bytes(roll, ca->name, strlen(ca->name));
    digest_bytes(roll, flags, sizeof flags);
    digest_bytes(roll, ca->der, ca->der_bytes);
    digest_bytes(roll, ca->chain_pem, strlen(ca->chain_pem));
    digest_bytes(roll, &hosts, sizeof hosts);
    for (unsigned i = 0; i < ca->host_count; i++)
        digest_bytes(roll, ca->hosts[i], strlen(ca->hosts[i]));
}

static bool enter(void *arg, const struct ca_record *ca)
{
    struct roll *roll = arg;
    if (roll->count == roll->capacity) {
        size_t capacity = roll->capacity ? roll->capacity * 2 : 32;
        struct ca_record *cas = realloc(roll->cas, capacity * sizeof *cas);
        roll->is_good = roll->is_good && cas;
        if (!cas)
            return false;
        roll->cas = cas;
        roll->capacity = capacity;
    }
    struct ca_record *entered = &roll->cas[roll->count++];
    *entered = (struct ca_record){.is_enabled = ca->is_enabled};
    memcpy(entered->key, ca->key, sizeof entered->key);
    digest_ca(roll, ca);
    return roll->is_good;
}

static bool call_roll(struct follower *follower, struct roll *roll,
                      unsigned char ret_digest[FOLLOWER_DIGEST_BYTES], struct error *err)
{
    struct ledger *ledger = follower->ledger;
    roll->is_good = roll->digest && EVP_DigestInit_ex(roll->digest, EVP_sha256(), NULL) == 1;
    enum store_outcome outcome = ledger->store->each_ca(ledger, enter, roll, err);
    if (outcome != STORE_DONE && outcome != STORE_NOTHING)
        return false;
    if (!roll->is_good || EVP_DigestFinal_ex(roll->digest, ret_digest, NULL) != 1 ||
        !view_put_cas(follower->view, roll->cas, roll->count))
        return error_set(err, "out of memory for the registry's CAs");
    if (roll->count == 0) /* none is none, whether there is a store or not */
        memset(ret_digest, 0, FOLLOWER_DIGEST_BYTES);
    return true;
}

static bool read_cas(struct follower *follower, unsigned char ret_digest[FOLLOWER_DIGEST_BYTES],
                     struct error *err)
{
    struct roll roll = {.digest = EVP_MD_CTX_new()};
    bool good = call_roll(follower, &roll, ret_digest, err);
    EVP_MD_CTX_free(roll.digest);
    free(roll.cas);
    return good;
}

/* --- following ----------------------------------------------------------------------------- */

/* A revision that is lower than one that was seen: somebody restored a backup while lb runs. */
static bool read_older_store(struct follower *follower, int64_t *ret_revision, struct error *err)
{
    log_say(LOG_LEVEL_WARN, "registry.older",
            "the store is older than what was read of it before; certificates that it does not "
            "have stay as they were until lb is started again");
    return read_certificates(follower, 0, ret_revision, err);
}

static void tell(struct follower *follower, const unsigned char cas[FOLLOWER_DIGEST_BYTES])
{
    const struct registry_events *events = &follower->events;
    uint64_t worse = view_worse(follower->view);
    bool is_worse = worse != follower->worse;
    bool has_new_cas = memcmp(cas, follower->cas, FOLLOWER_DIGEST_BYTES) != 0;
    follower->worse = worse;
    memcpy(follower->cas, cas, FOLLOWER_DIGEST_BYTES);
    if (is_worse && events->on_worse)
        events->on_worse(events->arg);
    if (has_new_cas && events->on_cas)
        events->on_cas(events->arg);
}

static bool read_all(struct follower *follower, struct error *err)
{
    unsigned char cas[FOLLOWER_DIGEST_BYTES];
    int64_t revision = follower->revision;
    if (!read_certificates(follower, follower->revision, &revision, err))
        return false;
    if (revision < follower->revision && !read_older_store(follower, &revision, err))
        return false;
    if (!read_cas(follower, cas, err))
        return false;
    follower->revision = revision;
    follower->is_behind = false;
    tell(follower, cas);
    return true;
}

bool follower_catch_up(struct follower *follower, struct error *err)
{
    if (read_all(follower, err))
        return true;
    follower_close(follower);
    return false;
}

static void meet_trouble(struct follower *follower, const struct error *err, int64_t now_ms)
{
    follower->next_try_ms = now_ms + FOLLOWER_TRY_MS;
    if (follower->has_trouble)
        return;
    follower->has_trouble = true;
    log_say(LOG_LEVEL_ERROR, "registry.unreadable",
            "%s; what was known of clients stays in force, and the store is tried again every %d s",
            err->text, FOLLOWER_TRY_MS / 1000);
}

static void leave_trouble(struct follower *follower)
{
    if (follower->has_trouble)
        log_say(LOG_LEVEL_INFO, "registry.readable", "the store can be read again");
    follower->has_trouble = false;
}

void follower_follow(struct follower *follower, int64_t now_ms)
{
    struct error err = {""};
    if (!follower->ledger)
        return;
    if (follower_catch_up(follower, &err))
        leave_trouble(follower);
    else
        meet_trouble(follower, &err, now_ms);
}

/* What cannot be dropped now is dropped another time: no client depends on it. */
static void tidy(struct follower *follower, int64_t now_ms)
{
    struct ledger *ledger = follower->ledger;
    struct error ignored;
    if (now_ms < follower->next_tidy_ms || !follower->may_write)
        return;
    follower->next_tidy_ms = now_ms + FOLLOWER_TIDY_MS;
    if (ledger->store->begin(ledger, &ignored) != STORE_DONE)
        return;
    enum store_outcome outcome = ledger->store->drop_tombstones(ledger, time(NULL), &ignored);
    if (outcome != STORE_DONE || ledger->store->commit(ledger, &ignored) != STORE_DONE)
        ledger->store->rollback(ledger);
}

void follower_look(struct follower *follower, int64_t now_ms)
{
    struct error err = {""};
    if (now_ms < follower->next_try_ms)
        return;
    if (!follower->ledger) {
        if (!may_be_there(follower->location))
            return;
        enum store_outcome outcome = follower_open(follower, STORE_WRITE, &err);
        if (outcome != STORE_DONE && outcome != STORE_MISSING)
            meet_trouble(follower, &err, now_ms);
        if (outcome != STORE_DONE)
            return;
    }
    tidy(follower, now_ms);
    if (follower->ledger->store->has_news(follower->ledger) || follower->is_behind)
        follower_follow(follower, now_ms);
}
