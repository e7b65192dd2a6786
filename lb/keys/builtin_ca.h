/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built-in CA is in two places: its files in state_dir, and the registry's store, which may be
 * shared with other machines. How the two stand to each other, and what follows from it, is decided
 * here, for whoever serves, checks, issues or creates.
 *
 * Only where neither knows of one is one made without being asked for: of all else something is
 * lost, and going on without it could let in who was revoked.
 */
#ifndef LB_KEYS_BUILTIN_CA_H
#define LB_KEYS_BUILTIN_CA_H

#include "listeners/registry/cas.h"
#include "listeners/registry/issuer.h"

/** Where it is, and who touches its key. */
struct builtin_ca {
    const char *location; /* of the store: "sqlite:/…" */
    struct issuer_place place;
    const char *signer; /* as of signer_make_ca; NULL: the running program */
    bool is_local;      /* in this process, which is short-lived, instead of the signer's */
};

enum builtin_standing {
    BUILTIN_NONE,    /* there is none */
    BUILTIN_SAME,    /* files and store agree */
    BUILTIN_RENEWED, /* the file is another certificate of the key that the store knows */
    BUILTIN_AWAY,    /* the store knows it, and ca.crt is not there */
    BUILTIN_LOST,    /* ca.crt is there, and the store is not or knows none */
    BUILTIN_OTHER,   /* ca.crt is another CA than the store's */
};

/** What was seen. */
struct builtin_look {
    enum builtin_standing standing;
    const struct cas_item *known; /* lent by the cas; NULL: none */
    X509 *file;                   /* owned by whoever looked; NULL: not there */
};

/** Compare. The key is not touched. false: the files cannot be read, or are not safe; err. */
bool builtin_ca_look(const struct builtin_ca *self, const struct cas *cas,
                     struct builtin_look *ret_look, struct error *err);
/** What is wrong with AWAY, LOST and OTHER, and what would be right. */
void builtin_ca_explain(const struct builtin_ca *self, const struct builtin_look *look,
                        struct error *err);

/**
 * Have it there to sign with: make it at first use, tell the store of a renewed one, put back what
 * a crash took. Refuses LOST and OTHER, and AWAY where ca.key is not that of the CA that is known.
 *
 * ret_changed  the store was told something
 * Thread:      any that may block
 */
bool builtin_ca_have(const struct builtin_ca *self, const struct actor *actor, bool *ret_changed,
                     struct error *err);

/** One that is to be told to the store. Zero-initialised; builtin_draft_done. */
struct builtin_draft {
    X509 *ca;
    enum ca_origin origin;
    bool is_to_be_put; /* its certificate, once the store knows it */
    bool is_settled;   /* the store knows it as it is */
    bool is_conflict;  /* of a failure: files and store do not fit */
    char former_id[CA_ID_LENGTH + 1];
    char former_sha256[65]; /* of the one that it replaces; "" */
};
void builtin_draft_done(struct builtin_draft *draft);

/**
 * As far as it goes without the store.
 *
 * wish       of a CA that is to be made; its `known` is set here
 * take_over  a CA that is LOST
 * Thread:    any that may block
 */
bool builtin_ca_begin(const struct builtin_ca *self, const struct ca_wish *wish, bool take_over,
                      struct builtin_draft *draft, struct error *err);
/** Tell the store, then put the certificate. Thread: the ledger's. */
enum change_refusal builtin_ca_settle(const struct builtin_ca *self, struct builtin_draft *draft,
                                      struct ledger *ledger, const struct actor *actor,
                                      struct ca_result *result, struct error *err);

#endif
