/* SPDX-License-Identifier: Apache-2.0 */
/* See key_reader.h. */
#include "lb/base/key_reader.h"

#include <openssl/decoder.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

/* RSA and EC, each in the form of PKCS #8 and in its own; whatever else there is takes turns. */
enum { DECODERS_MOST = 4, KIND_BYTES = 32 };

struct decoder {
    char kind[KIND_BYTES]; /* "EC" */
    const char *form;      /* "PrivateKeyInfo" */
    OSSL_DECODER_CTX *context;
    EVP_PKEY *key; /* where it puts what it decodes */
};

struct key_reader {
    unsigned next; /* the one that has to go when another is needed */
    struct decoder decoders[DECODERS_MOST];
};

static void decoder_done(struct decoder *decoder)
{
    OSSL_DECODER_CTX_free(decoder->context);
    *decoder = (struct decoder){.context = NULL};
}

struct key_reader *key_reader_new(void)
{
    return calloc(1, sizeof(struct key_reader));
}

void key_reader_free(struct key_reader *reader)
{
    for (unsigned i = 0; reader && i < DECODERS_MOST; i++)
        decoder_done(&reader->decoders[i]);
    free(reader);
}

static bool decoder_make(struct decoder *decoder, const char *kind, const char *form)
{
    decoder_done(decoder);
    strcpy(decoder->kind, kind);
    decoder->form = form;
    decoder->context = OSSL_DECODER_CTX_new_for_pkey(&decoder->key, "DER", form, kind,
                                                     EVP_PKEY_KEYPAIR, NULL, NULL);
    return decoder->context != NULL;
}

/* NULL: there is none for this kind. */
static struct decoder *decoder_for(struct key_reader *reader, const char *kind, const char *form)
{
    if (!kind || strlen(kind) >= KIND_BYTES)
        return NULL;
    for (unsigned i = 0; i < DECODERS_MOST; i++) {
        struct decoder *decoder = &reader->decoders[i];
        if (decoder->context && decoder->form == form && strcmp(decoder->kind, kind) == 0)
            return decoder;
    }
    struct decoder *decoder = &reader->decoders[reader->next];
    reader->next = (reader->next + 1) % DECODERS_MOST;
    return decoder_make(decoder, kind, form) ? decoder : NULL;
}

static EVP_PKEY *decode(struct decoder *decoder, const unsigned char *der, size_t bytes)
{
    if (OSSL_DECODER_from_data(decoder->context, &der, &bytes) != 1 || bytes != 0) {
        EVP_PKEY_free(decoder->key);
        decoder_done(decoder); /* one that has failed may go on failing */
        return NULL;
    }
    EVP_PKEY *key = decoder->key;
    decoder->key = NULL;
    return key;
}

static int no_passphrase(char *into, int room, int writing, void *argument)
{
    (void)into;
    (void)room;
    (void)writing;
    (void)argument;
    return -1;
}

EVP_PKEY *key_reader_read(struct key_reader *reader, const struct pem *pem, const EVP_PKEY *like)
{
    unsigned char *der = NULL;
    char *label = NULL;
    long length = 0;
    EVP_PKEY *key = NULL;
    BIO *bio = BIO_new_mem_buf(pem->text, (int)pem->length);
    if (bio &&
        PEM_bytes_read_bio(&der, &length, &label, PEM_STRING_EVP_PKEY, bio, no_passphrase, NULL) ==
            1 &&
        strcmp(label, PEM_STRING_PKCS8) != 0) {
        const char *form =
            strcmp(label, PEM_STRING_PKCS8INF) == 0 ? "PrivateKeyInfo" : "type-specific";
        struct decoder *decoder = decoder_for(reader, EVP_PKEY_get0_type_name(like), form);
        if (decoder)
            key = decode(decoder, der, (size_t)length);
    }
    BIO_free(bio);
    OPENSSL_free(label);
    OPENSSL_clear_free(der, (size_t)length);
    return key;
}
