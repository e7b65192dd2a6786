/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/faulty_ledger.h"

#include <stdlib.h>

struct faulty {
    struct ledger head;
    struct ledger *inner;
    unsigned calls, fail_after;
    enum store_outcome failure;
};

static struct faulty *of(struct ledger *ledger)
{
    return (struct faulty *)ledger;
}

/* DONE: the inner one is to be asked. */
static enum store_outcome count_call(struct ledger *ledger, struct error *err)
{
    struct faulty *faulty = of(ledger);
    if (faulty->failure == STORE_DONE || faulty->calls++ < faulty->fail_after)
        return STORE_DONE;
    error_set(err, "the store was told to fail");
    return faulty->failure;
}

static void faulty_close(struct ledger *ledger)
{
    struct ledger *inner = of(ledger)->inner;
    inner->store->close(inner);
    free(ledger);
}

static void faulty_rollback(struct ledger *ledger)
{
    struct ledger *inner = of(ledger)->inner;
    inner->store->rollback(inner);
}

static bool faulty_has_news(struct ledger *ledger)
{
    struct ledger *inner = of(ledger)->inner;
    return inner->store->has_news(inner);
}

static enum store_outcome faulty_begin(struct ledger *ledger, struct error *err)
{
    struct ledger *inner = of(ledger)->inner;
    enum store_outcome outcome = count_call(ledger, err);
    return outcome == STORE_DONE ? inner->store->begin(inner, err) : outcome;
}

static enum store_outcome faulty_commit(struct ledger *ledger, struct error *err)
{
    struct ledger *inner = of(ledger)->inner;
    enum store_outcome outcome = count_call(ledger, err);
    return outcome == STORE_DONE ? inner->store->commit(inner, err) : outcome;
}

static enum store_outcome faulty_put_ca(struct ledger *ledger, const struct ca_record *ca,
                                        struct error *err)
{
    struct ledger *inner = of(ledger)->inner;
    enum store_outcome outcome = count_call(ledger, err);
    return outcome == STORE_DONE ? inner->store->put_ca(inner, ca, err) : outcome;
}

static enum store_outcome faulty_drop_ca(struct ledger *ledger, const char *id, struct error *err)
{
    struct ledger *inner = of(ledger)->inner;
    enum store_outcome outcome = count_call(ledger, err);
    return outcome == STORE_DONE ? inner->store->drop_ca(inner, id, err) : outcome;
}

static enum store_outcome faulty_each_ca(struct ledger *ledger, ca_visit visit, void *arg,
                                         struct error *err)
{
    struct ledger *inner = of(ledger)->inner;
    enum store_outcome outcome = count_call(ledger, err);
    return outcome == STORE_DONE ? inner->store->each_ca(inner, visit, arg, err) : outcome;
}

static enum store_outcome faulty_add_certificate(struct ledger *ledger,
                                                 const struct certificate_record *certificate,
                                                 struct error *err)
{
    struct ledger *inner = of(ledger)->inner;
    enum store_outcome outcome = count_call(ledger, err);
    return outcome == STORE_DONE ? inner->store->add_certificate(inner, certificate, err) : outcome;
}

static enum store_outcome faulty_put_certificate(struct ledger *ledger,
                                                 const struct certificate_record *certificate,
                                                 struct error *err)
{
    struct ledger *inner = of(ledger)->inner;
    enum store_outcome outcome = count_call(ledger, err);
    return outcome == STORE_DONE ? inner->store->put_certificate(inner, certificate, err) : outcome;
}

static enum store_outcome faulty_get_certificate(struct ledger *ledger,
                                                 const unsigned char key[CERTIFICATE_KEY_BYTES],
                                                 certificate_visit visit, void *arg,
                                                 struct error *err)
{
    struct ledger *inner = of(ledger)->inner;
    enum store_outcome outcome = count_call(ledger, err);
    return outcome == STORE_DONE ? inner->store->get_certificate(inner, key, visit, arg, err)
                                 : outcome;
}

static enum store_outcome faulty_find_certificates(struct ledger *ledger,
                                                   const struct certificate_filter *filter,
                                                   certificate_visit visit, void *arg,
                                                   char *ret_cursor, struct error *err)
{
    struct ledger *inner = of(ledger)->inner;
    enum store_outcome outcome = count_call(ledger, err);
    return outcome == STORE_DONE
               ? inner->store->find_certificates(inner, filter, visit, arg, ret_cursor, err)
               : outcome;
}

static enum store_outcome faulty_count_certificates(struct ledger *ledger,
                                                    const struct certificate_filter *filter,
                                                    int64_t *ret_count, struct error *err)
{
    struct ledger *inner = of(ledger)->inner;
    enum store_outcome outcome = count_call(ledger, err);
    return outcome == STORE_DONE ? inner->store->count_certificates(inner, filter, ret_count, err)
                                 : outcome;
}

static enum store_outcome faulty_count_since(struct ledger *ledger, int64_t since_ms,
                                             unsigned sources, int64_t *ret_count,
                                             struct error *err)
{
    struct ledger *inner = of(ledger)->inner;
    enum store_outcome outcome = count_call(ledger, err);
    return outcome == STORE_DONE
               ? inner->store->count_since(inner, since_ms, sources, ret_count, err)
               : outcome;
}

static enum store_outcome faulty_drop_tombstones(struct ledger *ledger, int64_t now_s,
                                                 struct error *err)
{
    struct ledger *inner = of(ledger)->inner;
    enum store_outcome outcome = count_call(ledger, err);
    return outcome == STORE_DONE ? inner->store->drop_tombstones(inner, now_s, err) : outcome;
}

static enum store_outcome faulty_follow(struct ledger *ledger, int64_t since_revision,
                                        row_visit visit, void *arg, int64_t *ret_revision,
                                        struct error *err)
{
    struct ledger *inner = of(ledger)->inner;
    enum store_outcome outcome = count_call(ledger, err);
    return outcome == STORE_DONE
               ? inner->store->follow(inner, since_revision, visit, arg, ret_revision, err)
               : outcome;
}

static enum store_outcome faulty_add_change(struct ledger *ledger,
                                            const struct change_record *change, struct error *err)
{
    struct ledger *inner = of(ledger)->inner;
    enum store_outcome outcome = count_call(ledger, err);
    return outcome == STORE_DONE ? inner->store->add_change(inner, change, err) : outcome;
}

static enum store_outcome faulty_find_changes(struct ledger *ledger,
                                              const struct change_filter *filter,
                                              change_visit visit, void *arg, struct error *err)
{
    struct ledger *inner = of(ledger)->inner;
    enum store_outcome outcome = count_call(ledger, err);
    return outcome == STORE_DONE ? inner->store->find_changes(inner, filter, visit, arg, err)
                                 : outcome;
}

static enum store_outcome faulty_back_up(struct ledger *ledger, const char *path, struct error *err)
{
    struct ledger *inner = of(ledger)->inner;
    enum store_outcome outcome = count_call(ledger, err);
    return outcome == STORE_DONE ? inner->store->back_up(inner, path, err) : outcome;
}

// clang-format off
static const struct store store_faulty = {
    .name = "faulty",
    .summary = "for tests",
    .close = faulty_close,
    .rollback = faulty_rollback,
    .has_news = faulty_has_news,
    .begin = faulty_begin,
    .commit = faulty_commit,
    .put_ca = faulty_put_ca,
    .drop_ca = faulty_drop_ca,
    .each_ca = faulty_each_ca,
    .add_certificate = faulty_add_certificate,
    .put_certificate = faulty_put_certificate,
    .get_certificate = faulty_get_certificate,
    .find_certificates = faulty_find_certificates,
    .count_certificates = faulty_count_certificates,
    .count_since = faulty_count_since,
    .drop_tombstones = faulty_drop_tombstones,
    .follow = faulty_follow,
    .add_change = faulty_add_change,
    .find_changes = faulty_find_changes,
    .back_up = faulty_back_up,
};
// clang-format on

struct ledger *faulty_ledger(struct ledger *inner)
{
    struct faulty *faulty = calloc(1, sizeof *faulty);
    if (!faulty)
        abort();
    faulty->head.store = &store_faulty;
    faulty->inner = inner;
    return &faulty->head;
}

void faulty_ledger_fail(struct ledger *ledger, unsigned calls, enum store_outcome outcome)
{
    of(ledger)->calls = 0;
    of(ledger)->fail_after = calls;
    of(ledger)->failure = outcome;
}
