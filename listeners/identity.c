/* SPDX-License-Identifier: Apache-2.0 */
/* Verification against every set, once; words for logs; counting. */
#include "listeners/identity.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "lb/base/limits.h"
#include "listeners/client_id.h"
#include "listeners/identity_headers.h"
#include "listeners/rules/policy.h"

static void identity_free(struct identity *identity)
{
    X509_free(identity->leaf);
    sk_X509_pop_free(identity->chain, X509_free);
    free(identity->subject);
    free(identity->issuer);
    free(identity->serial);
    free(identity->sha256);
    free(identity->common_name);
    for (unsigned i = 0; i < identity->result_count; i++)
        ca_set_result_done(&identity->results[i]);
    free(identity->results);
    identity_header_values_free(
        atomic_load_explicit(&identity->header_values, memory_order_acquire));
    free(identity);
}

static size_t chain_bytes(STACK_OF(X509) * chain)
{
    size_t bytes = 0;
    for (int i = 0; i < sk_X509_num(chain); i++) {
        int length = i2d_X509(sk_X509_value(chain, i), NULL);
        bytes += length > 0 ? (size_t)length : 0;
    }
    return bytes;
}

/* A name that no field could carry is none. */
static char *common_name_of(const X509 *leaf)
{
    size_t bytes = 0;
    char *text = certificate_field_text(X509_get_subject_name(leaf), NID_commonName, &bytes);
    if (text && client_id_is_fit((struct slice){text, bytes}))
        return text;
    free(text);
    return NULL;
}

static bool describe(struct identity *identity)
{
    X509 *leaf = identity->leaf;
    identity->subject = certificate_name_text(X509_get_subject_name(leaf));
    identity->issuer = certificate_name_text(X509_get_issuer_name(leaf));
    identity->serial = certificate_serial_text(leaf);
    identity->sha256 = certificate_sha256_text(leaf);
    identity->common_name = common_name_of(leaf);
    identity->not_before = certificate_time(X509_get0_notBefore(leaf));
    identity->not_after = certificate_time(X509_get0_notAfter(leaf));
    return identity->subject && identity->issuer && identity->serial && identity->sha256;
}

/* By what the registry knows it: one key has signed it, whichever sets say so. */
static bool identify(struct identity *identity)
{
    const struct ca_set_result *verified = NULL;
    for (unsigned i = 0; i < identity->result_count && !verified; i++)
        if (identity->results[i].refusal == REFUSAL_NONE)
            verified = &identity->results[i];
    identity->has_key = verified &&
                        certificate_key_of(verified->ca_keys[0], identity->leaf, identity->key) &&
                        certificate_tbs_of(identity->leaf, identity->tbs);
    return identity->has_key || !verified;
}

static bool verify(struct identity *identity, const struct policy *policy, time_t now)
{
    identity->results =
        calloc(policy->set_count ? policy->set_count : 1, sizeof *identity->results);
    if (!identity->results)
        return false;
    for (unsigned i = 0; i < policy->set_count; i++)
        ca_set_verify(policy->sets[i], identity->leaf, identity->chain, now, &identity->results[i]);
    identity->result_count = policy->set_count;
    return identify(identity);
}

static bool digest_certificate(EVP_MD_CTX *digest, X509 *certificate)
{
    unsigned char *der = NULL;
    int length = i2d_X509(certificate, &der);
    if (length <= 0)
        return false;
    uint32_t prefix = (uint32_t)length;
    bool good = EVP_DigestUpdate(digest, &prefix, sizeof prefix) == 1 &&
                EVP_DigestUpdate(digest, der, prefix) == 1;
    OPENSSL_free(der);
    return good;
}

bool identity_hash_chain(STACK_OF(X509) * chain, EVP_MD_CTX *digest, const EVP_MD *sha256,
                         unsigned char ret_hash[32])
{
    bool good = EVP_DigestInit_ex(digest, sha256, NULL) == 1;
    for (int i = 0; good && i < sk_X509_num(chain); i++)
        good = digest_certificate(digest, sk_X509_value(chain, i));
    return good && EVP_DigestFinal_ex(digest, ret_hash, NULL) == 1;
}

struct identity *identity_new(const struct policy *policy, STACK_OF(X509) * chain,
                              const unsigned char chain_hash[32], time_t now)
{
    struct identity *identity = calloc(1, sizeof *identity);
    if (!identity)
        return NULL;
    atomic_init(&identity->references, 1);
    atomic_init(&identity->header_values, NULL);
    atomic_init(&identity->known, NULL);
    memcpy(identity->chain_hash, chain_hash, sizeof identity->chain_hash);
    identity->leaf = sk_X509_value(chain, 0);
    X509_up_ref(identity->leaf);
    identity->chain = X509_chain_up_ref(chain);
    identity->chain_bytes = chain_bytes(chain);
    ERR_set_mark();
    bool good = identity->chain && describe(identity) && verify(identity, policy, now);
    ERR_pop_to_mark();
    if (good)
        return identity;
    identity_free(identity);
    return NULL;
}

struct identity *identity_ref(struct identity *identity)
{
    atomic_fetch_add_explicit(&identity->references, 1, memory_order_relaxed);
    return identity;
}

void identity_unref(struct identity *identity)
{
    if (identity && atomic_fetch_sub_explicit(&identity->references, 1, memory_order_acq_rel) == 1)
        identity_free(identity);
}

const struct ca_set_result *identity_result(const struct identity *identity,
                                            const struct ca_set *set)
{
    for (unsigned i = 0; i < identity->result_count; i++)
        if (memcmp(identity->results[i].set_id, set->id, CA_SET_ID_BYTES) == 0)
            return &identity->results[i];
    return NULL;
}

bool identity_may_be_kept(const struct identity *identity)
{
    return identity->chain_bytes <= KEPT_CHAIN_BYTES;
}

bool identity_is_verified(const struct identity *identity)
{
    for (unsigned i = 0; i < identity->result_count; i++)
        if (identity->results[i].refusal == REFUSAL_NONE)
            return true;
    return false;
}

time_t identity_valid_until(const struct identity *identity)
{
    time_t earliest = identity->not_after;
    for (unsigned i = 0; i < identity->result_count; i++) {
        const struct ca_set_result *result = &identity->results[i];
        if (result->refusal == REFUSAL_NOT_YET_VALID || result->refusal == REFUSAL_EXPIRED)
            return 0;
        if (result->refusal == REFUSAL_NONE && result->valid_until < earliest)
            earliest = result->valid_until;
    }
    return earliest;
}
