/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose clients come: which CAs have verified them, how often and when last, for each domain of
 * each listener. It answers one question: may this CA be taken out of client_ca of that domain?
 *
 *   ca_uses ─┬─ ca_roll    of one domain of a listener (with sni = off: of the listener, which has
 *            │             one policy); outlives configs
 *            └─ …  ── ca_use    of one CA there
 *   ca_list  what one policy names: its CAs, each with its use; as old as the policy
 *
 * Every CA of a verified chain counts, from the one that signed the client's certificate up to the
 * anchor. A CA is known by its key, so a renewed CA is the same CA. How long it has not been seen
 * is counted by a clock that nobody sets, and only while lb runs.
 */
#ifndef LB_LISTENERS_CA_CA_USES_H
#define LB_LISTENERS_CA_CA_USES_H

#include <openssl/x509.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "listeners/registry/record.h"

struct identity;
struct policy;

/** Two clocks. run_s: only differences mean something. */
struct ca_clock {
    int64_t (*wall_s)(void *arg); /* since 1970 */
    int64_t (*run_s)(void *arg);
    void *arg;
};

struct ca_use {
    struct ca_use *next; /* in its roll; constant, as is … */
    unsigned char key[CA_KEY_BYTES];
    char *subject;               /* RFC 2253; "": not known */
    int64_t since_s;             /* wall clock: counted since then */
    unsigned name_count;         /* lists that name it; the control thread's, as is … */
    bool was_named;              /* … whether the run before this one did, until ca_uses_settle */
    atomic_bool is_named;        /* the same for everybody: is it in client_ca? */
    _Atomic uint64_t full;       /* handshakes … */
    _Atomic uint64_t resumed;    /* … and those that resumed a session */
    _Atomic int64_t last_seen_s; /* wall clock; 0: never */
    _Atomic int64_t idle_from_s; /* by run_s: its idle time counts from there */
};

enum { CA_ROLL_BUCKETS = 16 };

struct ca_roll {
    struct ca_uses *all;
    struct ca_roll *next; /* constant, as are both names */
    struct ca_roll *in_bucket;
    char *listener;
    char *domain;            /* as the rules write it; "": rules without one, or sni = off */
    atomic_uint other_count; /* uses that no client_ca has named */
    _Atomic(struct ca_use *) buckets[CA_ROLL_BUCKETS];
};

/** What the numbers are now. */
struct ca_use_facts {
    uint64_t full, resumed;
    int64_t since_s;
    int64_t last_seen_s; /* 0: never */
    int64_t idle_s;      /* lb has been running so long since it was seen, or named, last */
};

struct ca_uses;

/** NULL: out of memory. Thread: control. */
struct ca_uses *ca_uses_new(void);
/** No thread counts any more, and no list is left. NULL is fine. */
void ca_uses_free(struct ca_uses *uses);
/** For tests; before anything is counted. */
void ca_uses_set_clock(struct ca_uses *uses, const struct ca_clock *clock);
int64_t ca_uses_wall_s(const struct ca_uses *uses);
int64_t ca_uses_run_s(const struct ca_uses *uses);

/** The roll of a domain, a fresh one if it had none. NULL: out of memory. Lent as long as `uses`.
 * Thread: control. */
struct ca_roll *ca_uses_roll(struct ca_uses *uses, const char *listener, const char *domain);
/** All of them, by `next`; NULL: there are none. Any thread. */
const struct ca_roll *ca_uses_first(const struct ca_uses *uses);

/* Uses. */

/** The use of a CA, or NULL. Any thread. */
struct ca_use *ca_roll_find(const struct ca_roll *roll, const unsigned char key[CA_KEY_BYTES]);
/**
 * The same; where there is none, one is made that has never been seen and counts from now on.
 *
 * subject    copied
 * is_other   it is no CA of client_ca: of these a roll has CA_ROLL_OTHERS_MOST
 * returns    NULL: out of memory, or there are too many. Thread: any.
 */
struct ca_use *ca_roll_use(struct ca_roll *roll, const unsigned char key[CA_KEY_BYTES],
                           const char *subject, bool is_other);
/** Are there CA_USES_MOST, so that no CA of client_ca gets another one? Any thread. */
bool ca_uses_are_full(const struct ca_uses *uses);
/** The first one (after: NULL) or the one after it; NULL: that was the last. Any thread. */
struct ca_use *ca_roll_next(const struct ca_roll *roll, const struct ca_use *after);
/** Any thread. */
struct ca_use_facts ca_use_read(const struct ca_roll *roll, const struct ca_use *use);

/* What is counted. Any thread. */

/** A handshake is complete: whoever has verified the client is counted and seen. NULL: nobody
 * counts, or there is no certificate. May allocate. */
void ca_roll_count(struct ca_roll *roll, const struct identity *identity, bool is_resumed);
/** A client of theirs has a request: they are seen. */
void ca_roll_see(struct ca_roll *roll, const struct identity *identity);

/** Embedded in a client: where it was seen last, so that a connection is looked at once a second.
 * Zeroed is nowhere. */
struct ca_sighting {
    const struct ca_roll *roll;
    int64_t at_s;
};

/** ca_roll_see, unless that was done in this second. now_s: wall clock. */
static inline void ca_sighting_note(struct ca_sighting *sighting, struct ca_roll *roll,
                                    const struct identity *identity, int64_t now_s)
{
    if (!roll || !identity || (sighting->at_s == now_s && sighting->roll == roll))
        return;
    sighting->roll = roll;
    sighting->at_s = now_s;
    ca_roll_see(roll, identity);
}

/* What is named. Thread: control. */

struct ca_named {
    struct ca_use *use; /* NULL: it is not counted (no memory, CA_USES_MOST) */
    X509 *certificate;  /* lent as the policy's CA sets */
};

struct ca_list {
    struct ca_roll *roll;
    unsigned count; /* certificates; two may share a use, as one CA renewed */
    struct ca_named items[];
};

/**
 * Name the CAs of a policy: they are counted from now on, and who was not named before begins with
 * no idle time. NULL: the policy asks for no certificate, or out of memory.
 *
 * policy   its CA sets are borrowed for the list's life
 */
struct ca_list *ca_list_new(struct ca_uses *uses, const char *listener, const char *domain,
                            const struct policy *policy);
/** Name them no more. NULL is fine. */
void ca_list_free(struct ca_list *list);
/** The first config of this run is open: what the run before it named and this one does not is
 * named no more. */
void ca_uses_settle(struct ca_uses *uses);
/** Does it name this one? */
bool ca_list_has(const struct ca_list *list, const struct ca_use *use);

enum ca_removal {
    CA_REMOVAL_ONLY,    /* it is the only one that is named */
    CA_REMOVAL_USED,    /* its clients came within CA_UNUSED_S of counting */
    CA_REMOVAL_EARLY,   /* they never came, but it is not counted for so long yet */
    CA_REMOVAL_SILENT,  /* they did not come, but neither did any others: that says nothing */
    CA_REMOVAL_SAFE,    /* they did not come, and others did */
    CA_REMOVAL_UNKNOWN, /* it is not counted */
};

enum { CA_UNUSED_S = 7 * 24 * 60 * 60 };

/** May it be taken out of client_ca? */
enum ca_removal ca_list_removal(const struct ca_list *list, unsigned index);
/** "only", "used", "early", "silent", "safe", "unknown". Static. */
const char *ca_removal_name(enum ca_removal removal);

#endif
