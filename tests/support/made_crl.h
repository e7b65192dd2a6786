/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revocation lists made while a test runs, good ones and every kind of bad one.
 *
 *   made_crl_write(&(struct crl_wish){.issuer = ca, .number = 1}, folder, "ca.crl", MADE_CRL_PEM);
 *
 * Whatever fails in here ends the test program.
 */
#ifndef LB_TESTS_MADE_CRL_H
#define LB_TESTS_MADE_CRL_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/certificates.h"

enum made_crl_form { MADE_CRL_PEM, MADE_CRL_DER };

enum { MADE_CRL_REVOKED_MOST = 8, MADE_CRL_ENDLESS = -1 };

/** Zero is a good default everywhere but for the issuer. */
struct crl_wish {
    const struct made *issuer;
    const struct made *signer; /* whose key signs it; NULL: the issuer's */
    const struct made *revoked[MADE_CRL_REVOKED_MOST];
    const char *serials[MADE_CRL_REVOKED_MOST]; /* more of them, in hex */
    unsigned others;                            /* so many more, counting up from 1000000 */
    long number;                                /* 0: none */
    int64_t from_s;                             /* thisUpdate, counted from now; 0: an hour ago */
    int64_t until_s; /* nextUpdate, counted from now; 0: in 30 days; MADE_CRL_ENDLESS: none */
    bool sha1;
    bool broken_signature;
    bool is_delta;
    bool is_indirect;
    bool is_of_users;          /* its issuing distribution point says so */
    bool is_of_cas;            /* the same */
    bool is_of_one_point;      /* the same */
    bool has_other_issuer;     /* the first entry names another CA */
    bool has_unknown;          /* a critical extension that nobody knows */
    bool has_unknown_in_entry; /* the first entry has one */
};

/** Its DER, malloc'd. */
unsigned char *made_crl_der(const struct crl_wish *wish, size_t *ret_length);
/** As text, malloc'd. */
char *made_crl_pem(const struct crl_wish *wish);
/** Write it over FOLDER/FILE, as it stands there. */
void made_crl_write(const struct crl_wish *wish, const char *folder, const char *file,
                    enum made_crl_form form);
/** Write it beside FOLDER/FILE and put it in its place, as a careful program does. */
void made_crl_replace(const struct crl_wish *wish, const char *folder, const char *file,
                      enum made_crl_form form);

#endif
