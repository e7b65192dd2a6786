/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of client certificates: register, activate, deactivate, revoke, delete, import.
 *
 *   register ──> ACTIVATED ──deactivate──> NOT_ACTIVATED ──activate──> ACTIVATED
 *      └───────> REGISTERED ──activate──> ACTIVATED
 *   any ──revoke──> REVOKED (for good)         NOT_ACTIVATED, REVOKED ──delete──> DELETED
 * (tombstone)
 *
 * Each function is one transaction with its line in the audit log: all of it is in the store when
 * it says DONE, nothing otherwise. Thread: whoever has the ledger.
 */
#ifndef LB_LISTENERS_REGISTRY_CERTIFICATES_H
#define LB_LISTENERS_REGISTRY_CERTIFICATES_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "listeners/registry/record.h"
#include "listeners/registry/store.h"

/** Why a change was not made; change_refusal_name is the API's reason. */
enum change_refusal {
    CHANGE_MADE,
    CHANGE_BAD_INPUT, /* bad-input: err says what would be right */
    CHANGE_UNKNOWN,   /* unknown: no such certificate or CA */
    CHANGE_AMBIGUOUS, /* ambiguous: the serial exists under several CAs; err names them */
    CHANGE_EXISTS,    /* exists */
    CHANGE_ILLEGAL,   /* illegal-state: not from the present status; err says what is possible */
    CHANGE_CA_UNREGISTERED, /* ca-not-registered */
    CHANGE_CA_DISABLED,     /* ca-disabled */
    CHANGE_NOT_OF_CA,       /* not-of-ca: the CA did not sign it */
    CHANGE_SIGNUP_LIMIT,    /* signup-limit: more than signups_per_second */
    CHANGE_QUOTA,           /* quota: max_cas, hosts a call */
    CHANGE_BOUND,           /* bound: hosts are bound to the CA */
    CHANGE_IN_USE,          /* in-use: the INI file names the CA */
    CHANGE_UNSERVED_HOST,   /* unserved-host */
    CHANGE_STORE,           /* store: it cannot be written; err says why */
};
/** Static. */
const char *change_refusal_name(enum change_refusal refusal);

/** Who asks, and when: for the audit log. */
struct actor {
    const char *who; /* as in struct change_record */
    int64_t now_ms;
};

/** Which certificate is meant. */
struct certificate_wanted {
    /* Hex in any case; "0x", ":", blanks and leading zeros are fine. */
    const char *serial;
    /* Id or name; or, with "=" in it, the whole issuer (RFC 2253), which tells apart what two
     * intermediates of one CA signed. NULL: any, as long as only one has the serial. */
    const char *ca;
};

struct registration {
    X509 *certificate;      /* borrowed */
    STACK_OF(X509) * chain; /* between it and the registered CA; NULL: none */
    const char *ca;         /* id or name that it must be of; NULL: any registered one */
    const char *client_id;  /* NULL or "": none */
    bool activate;          /* else REGISTERED */
    enum certificate_source source;
    unsigned per_second; /* at most so many, of MANUAL and AUTO together, in the second
                            before now; 0: not asked */
};

/** What a change left behind, for the answer. Zero-initialised; certificate_result_done. */
struct certificate_result {
    struct certificate_record record; /* its texts are owned here */
    bool changed;                     /* false: it was so already */
    char *warning;                    /* "client id … is registered for … too"; NULL */
    void *memory;                     /* of the texts */
};
void certificate_result_done(struct certificate_result *result);
/** A copy whose texts live in result->memory. false: out of memory. */
bool certificate_result_set(struct certificate_result *result,
                            const struct certificate_record *record);

/**
 * Checks: a readable certificate that is no CA, in its time (an expired one is refused), common
 * name and client id without control characters and not longer than CERTIFICATE_TEXT_BYTES, signed
 * (over `chain`) by a registered CA that is enabled. The same certificate again is EXISTS, as is
 * another one of its key; a tombstone is lifted by hand unless it was REVOKED, never by AUTO.
 * result->warning tells of a time that has yet to come, an id that another certificate has, and of
 * none at all.
 */
enum change_refusal certificate_register(struct ledger *ledger,
                                         const struct registration *registration,
                                         const struct actor *actor,
                                         struct certificate_result *result, struct error *err);
enum {
    CERTIFICATE_TEXT_BYTES = 256,
    CERTIFICATE_SERIAL_BYTES = 64, /* RFC 5280 has 20 at most */
};

enum { SERIAL_TEXT_BYTES = 2 * CERTIFICATE_SERIAL_BYTES + 2 };
/** A serial as people write it (see struct certificate_wanted), as certificate_serial_text() does.
 * false: err. */
bool serial_normalise(const char *text, char into[SERIAL_TEXT_BYTES], struct error *err);

/**
 * status: ACTIVATED, NOT_ACTIVATED, REVOKED or DELETED: what it is to become. What it is already is
 * MADE, without `changed` and without a line in the audit log. REGISTERED is neither deactivated
 * nor deleted. Time does not count: an expired certificate may be activated, with a warning.
 */
enum change_refusal certificate_change(struct ledger *ledger,
                                       const struct certificate_wanted *wanted,
                                       enum certificate_status status, const struct actor *actor,
                                       struct certificate_result *result, struct error *err);

/** client_id "": none any more. Of a revoked certificate, too. */
enum change_refusal certificate_set_client_id(struct ledger *ledger,
                                              const struct certificate_wanted *wanted,
                                              const char *client_id, const struct actor *actor,
                                              struct certificate_result *result, struct error *err);

enum change_refusal certificate_get(struct ledger *ledger, const struct certificate_wanted *wanted,
                                    struct certificate_result *result, struct error *err);

/**
 * A fleet at once, in few transactions, but short ones, each with at most IMPORT_BATCH certificates
 * and its own line in the audit log ("certificate.import"): whatever ends an import, what came in
 * is told there. Those that are there already count as `present`. It does not stop at a bad one:
 * they are counted, and the first IMPORT_FAULTS_TOLD told.
 */
struct import_counts {
    uint64_t added, present, bad;
};
struct import;
enum {
    IMPORT_BATCH = 1000, /* nobody else writes for as long as it takes to put so many */
    IMPORT_FAULTS_TOLD = 20,
};
typedef void (*import_fault)(void *arg, uint64_t index, const char *text);

/**
 * like      what all have in common: ca, activate, source; per_second is not asked
 * on_fault  index: the how manieth import_add it was, from 0; NULL: not told
 * returns   NULL: out of memory
 */
struct import *import_begin(struct ledger *ledger, const struct registration *like,
                            const struct actor *actor, import_fault on_fault, void *arg);
/** One more; like->certificate, chain and client_id are those given here. false: the store failed,
 * err. */
bool import_add(struct import *import, X509 *certificate, STACK_OF(X509) * chain,
                const char *client_id, struct error *err);
/** Commit the rest and free. Whatever it returns, *ret_counts is what is in the store now. */
enum change_refusal import_end(struct import *import, struct import_counts *ret_counts,
                               struct error *err);

#endif
