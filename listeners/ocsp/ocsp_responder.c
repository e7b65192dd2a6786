/* SPDX-License-Identifier: Apache-2.0 */
/* Kept beside what responders say, under a hash of where they are. */
#include "listeners/ocsp/ocsp_responder.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "listeners/ocsp/ocsp_memory.h"
#include "listeners/ocsp/ocsp_url.h"

/* false: out of memory. */
static bool key_of(const struct ocsp_url *url, unsigned char ret_key[OCSP_KEY_BYTES])
{
    char address[2 * OCSP_URL_BYTES];
    unsigned char hash[EVP_MAX_MD_SIZE];
    int length = snprintf(address, sizeof address, "%s%s", url->authority, url->path);
    memset(ret_key, 0, OCSP_KEY_BYTES);
    if (EVP_Digest(address, (size_t)length, hash, NULL, EVP_sha256(), NULL) != 1)
        return false;
    memcpy(ret_key, hash, CERTIFICATE_KEY_BYTES);
    return true;
}

static unsigned failures_of(struct ocsp *ocsp, const unsigned char *key, time_t now)
{
    struct ocsp_note note;
    return ocsp_recall(ocsp, key, &note) && now < note.until ? note.failures : 0;
}

void ocsp_responder_failed(struct ocsp *ocsp, const struct ocsp_url *url, time_t now)
{
    unsigned char key[OCSP_KEY_BYTES];
    if (!key_of(url, key))
        return;
    const struct ocsp_note note = {.word = OCSP_WORD_NONE,
                                   .failures = failures_of(ocsp, key, now) + 1,
                                   .until = now + OCSP_FAILURE_S};
    ocsp_remember(ocsp, key, &note, now);
}

void ocsp_responder_answered(struct ocsp *ocsp, const struct ocsp_url *url)
{
    unsigned char key[OCSP_KEY_BYTES];
    if (key_of(url, key))
        ocsp_forget(ocsp, key);
}

bool ocsp_responder_is_dead(struct ocsp *ocsp, const struct ocsp_url *url, time_t now)
{
    unsigned char key[OCSP_KEY_BYTES];
    return key_of(url, key) && failures_of(ocsp, key, now) >= OCSP_DEAD_AFTER;
}
