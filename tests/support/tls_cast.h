/* SPDX-License-Identifier: Apache-2.0 */
/* Who plays on a tls_stage: a CA that its rules trust and one that others do, and a client of each.
 */
#ifndef LB_TESTS_TLS_CAST_H
#define LB_TESTS_TLS_CAST_H

#include <openssl/ssl.h>

#include "tests/support/certificates.h"
#include "tests/support/tls_stage.h"

/** For loop tests over both versions: versions[_i]. */
static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

struct cast {
    struct stage stage;
    struct made *ca;
    struct made *other_ca;
    struct made *alice;
    struct made *mallory; /* of the other CA */
    const struct ca_set *set;
    const struct ca_set *other_set;
};

static inline void cast_open(struct cast *cast)
{
    stage_open(&cast->stage);
    cast->ca = made_ca("Client CA");
    cast->other_ca = made_ca("Other CA");
    cast->alice = made_client(cast->ca, "alice");
    cast->mallory = made_client(cast->other_ca, "mallory");
    cast->set = stage_ca_set(&cast->stage, cast->ca, NULL);
    cast->other_set = stage_ca_set(&cast->stage, cast->other_ca, NULL);
}

static inline void cast_close(struct cast *cast)
{
    made_free(cast->ca);
    made_free(cast->other_ca);
    made_free(cast->alice);
    made_free(cast->mallory);
    stage_close(&cast->stage);
}

#endif
