/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   the certificate goes to --out, else into --p12 alone, else to stdout
 *   the key goes to --key-out, else into --p12 alone, else to --out behind the certificate, else to
 *   stdout behind it
 */
#include "lb/commands/issue_output.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/commands/members.h"
#include "listeners/registry/issuer.h"

static bool is_key_with_certificate(const struct issue_output *output)
{
    return output->has_key && !output->key_path && !output->p12_path;
}

/* What the terminal or a service manager sends to end a program. */
static void hold_signals(sigset_t *ret_before)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
    sigset_t held;
    sigemptyset(&held);
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++)
        sigaddset(&held, ending[i]);
    pthread_sigmask(SIG_BLOCK, &held, ret_before);
}

bool issue_output_open(struct issue_output *output, struct error *err)
{
    mode_t mode = is_key_with_certificate(output) ? 0600 : 0644;
    hold_signals(&output->signals);
    output->is_open = true;
    return out_file_open(&output->out, output->out_path, mode, err) &&
           out_file_open(&output->key, output->key_path, 0600, err) &&
           out_file_open(&output->p12, output->p12_path, 0600, err);
}

void issue_output_done(struct issue_output *output)
{
    out_file_done(&output->out);
    out_file_done(&output->key);
    out_file_done(&output->p12);
    password_done(&output->password);
    if (output->is_open)
        pthread_sigmask(SIG_SETMASK, &output->signals, NULL);
    output->is_open = false;
}

/* --- texts ---------------------------------------------------------------------------------- */

/* PKCS #8; cleansed when it is freed. */
static BIO *key_text(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    if (bio && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1)
        return bio;
    BIO_free(bio);
    return NULL;
}

static X509 *read_certificate(const char *pem)
{
    BIO *bio = pem ? BIO_new_mem_buf(pem, -1) : NULL;
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    return certificate;
}

/* --- writing -------------------------------------------------------------------------------- */

static bool write_p12(struct issue_output *output, X509 *certificate, X509 *ca, EVP_PKEY *key,
                      const char *name, struct error *err)
{
    size_t length;
    if (!output->p12_path)
        return true;
    unsigned char *bytes = pkcs12_write(key, certificate, ca, name, output->password.text,
                                        output->is_legacy, &length, err);
    if (!bytes)
        return false;
    bool good = out_file_write(&output->p12, bytes, length, err);
    OPENSSL_cleanse(bytes, length);
    free(bytes);
    return good;
}

/* The certificate, and the key behind it where it goes there, too. */
static bool write_out(struct issue_output *output, const char *pem, const char *key,
                      long key_length, struct error *err)
{
    size_t length = strlen(pem);
    size_t with = is_key_with_certificate(output) ? (size_t)key_length : 0;
    char *both = OPENSSL_malloc(length + with);
    if (!both)
        return error_set(err, "out of memory");
    memcpy(both, pem, length);
    if (with > 0)
        memcpy(both + length, key, with);
    bool good = out_file_write(&output->out, both, length + with, err);
    OPENSSL_clear_free(both, length + with);
    return good;
}

static void write_json(const json_t *answer, const char *key, long key_length, bool with_key)
{
    json_t *all = json_copy((json_t *)(uintptr_t)answer);
    if (with_key)
        json_object_set_new(all, "private_key", json_stringn(key, (size_t)key_length));
    json_dumpf(all, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
}

static bool write_stdout(const struct issue_output *output, const json_t *answer, const char *key,
                         long key_length, struct error *err)
{
    bool with_key = is_key_with_certificate(output) && !output->out_path;
    if (output->as_json) {
        write_json(answer, key, key_length, with_key);
    } else if (!output->out_path && !output->p12_path) {
        fputs(member_text(answer, "pem"), stdout);
        if (with_key)
            fwrite(key, 1, (size_t)key_length, stdout);
    }
    return (fflush(stdout) == 0 && !ferror(stdout)) ||
           error_set(err, "stdout cannot be written to");
}

static bool write_all(struct issue_output *output, const json_t *answer, X509 *certificate,
                      X509 *ca, EVP_PKEY *key, struct error *err)
{
    const char *name = member_text(json_object_get(answer, "certificate"), "common_name");
    char *text = NULL;
    BIO *bio = key ? key_text(key) : NULL;
    if (key && !bio)
        return error_set(err, "out of memory");
    long length = bio ? BIO_get_mem_data(bio, &text) : 0;
    bool good =
        (!output->key_path || out_file_write(&output->key, text, (size_t)length, err)) &&
        write_p12(output, certificate, ca, key, name ? name : "", err) &&
        (!output->out_path || write_out(output, member_text(answer, "pem"), text, length, err)) &&
        write_stdout(output, answer, text, length, err);
    BIO_free(bio);
    return good;
}

bool issue_output_write(struct issue_output *output, const json_t *answer, EVP_PKEY *key,
                        struct error *err)
{
    X509 *certificate = read_certificate(member_text(answer, "pem"));
    X509 *ca = read_certificate(member_text(answer, "chain_pem"));
    bool good = certificate && (!key || X509_check_private_key(certificate, key) == 1);
    if (!good)
        error_set(err, "what was issued is no certificate of this key");
    else
        good = write_all(output, answer, certificate, ca, key, err);
    X509_free(certificate);
    X509_free(ca);
    return good;
}
