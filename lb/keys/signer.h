/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making the built-in CA and signing with it, without its key ever being in the memory of the lb
 * that serves: a short-lived process of the same program (`lb sign`) opens the key, does the work
 * and ends. Order and answer pass through a pair of sockets, nothing secret through a command line,
 * the environment or a file.
 *
 *   lb, a thread that may block ── order (JSON) ──> lb sign ── answer ──> lb
 *
 * A command that is short-lived itself takes the functions that end in _here.
 */
#ifndef LB_KEYS_SIGNER_H
#define LB_KEYS_SIGNER_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

#include "lb/base/error.h"
#include "listeners/registry/issuer.h"

enum {
    SIGNER_MS = 30 * 1000, /* for all of it: an RSA key of 4096 bits may take some seconds */
    SIGNER_ORDER_BYTES = 1024 * 1024,
    SIGNER_ANSWER_BYTES = 256 * 1024,
};

/** The program that runs, even when the file it came from was replaced since. */
extern const char signer_own_program[];

/** What is to be signed. Borrowed for the call. */
struct signer_order {
    const struct issuer_place *place;
    const char *csr; /* PEM; NULL: make a key, too */
    size_t csr_bytes;
    enum key_kind key; /* of the key to be made */
    const struct issue_wish *wish;
};

/** Zero-initialised; signer_answer_done. */
struct signer_answer {
    X509 *certificate;
    X509 *ca;
    char *private_key; /* PEM (PKCS #8, not encrypted) of the key that was made; NULL: there was a
                          CSR */
};

/** Frees, and cleanses the key. The struct is zero again. */
void signer_answer_done(struct signer_answer *answer);

/**
 * Sign in a process of its own, as issue_sign() says.
 *
 * program  run as `program sign`; NULL: the running program itself
 * returns  false: err, also when it took longer than SIGNER_MS or ended without an answer; *answer
 *          is as it was
 * Thread:  one that may block; never a loop's.
 */
bool signer_sign(const char *program, const struct signer_order *order,
                 struct signer_answer *answer, struct error *err);

/** issuer_make() in a process of its own. program and thread: as signer_sign. */
enum issuer_outcome signer_make_ca(const char *program, const struct issuer_place *place,
                                   const struct ca_wish *wish, X509 **ret_ca, struct error *err);

/** issuer_try() in a process of its own. program and thread: as signer_sign. */
enum issuer_outcome signer_try_ca(const char *program, const struct issuer_place *place,
                                  struct error *err);

/** signer_sign() within this process, which shall end soon and has guarded its memory
 * (privileges_guard_secrets). */
bool signer_sign_here(const struct signer_order *order, struct signer_answer *answer,
                      struct error *err);

/**
 * The other end: read an order from one descriptor, carry it out, write the answer to the other.
 *
 * returns  false: err says why nobody was answered; a refused order is an answer
 */
bool signer_serve(int in, int out, struct error *err);

#endif
