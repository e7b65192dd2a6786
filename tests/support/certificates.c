/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates by the X509 API: no files, no openssl command, no clock but the machine's. */
#include "tests/support/certificates.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lb/base/certificate.h"

/* Ends the program: a certificate that cannot be made is no finding about lb. */
static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "tests/support/certificates: cannot %s\n", what);
    ERR_print_errors_fp(stderr);
    abort();
}

static EVP_PKEY *new_explicit_key(void)
{
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    char curve[] = "P-256";
    char encoding[] = "explicit";
    const OSSL_PARAM like[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, encoding, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key = NULL;
    must(maker && EVP_PKEY_keygen_init(maker) == 1 && EVP_PKEY_CTX_set_params(maker, like) == 1 &&
             EVP_PKEY_keygen(maker, &key) == 1,
         "make a key with explicit parameters");
    EVP_PKEY_CTX_free(maker);
    return key;
}

static EVP_PKEY *new_key(enum made_key kind)
{
    EVP_PKEY *key = NULL;
    switch (kind) {
    case MADE_KEY_P256:
        key = EVP_EC_gen("P-256");
        break;
    case MADE_KEY_P384:
        key = EVP_EC_gen("P-384");
        break;
    case MADE_KEY_RSA_2048:
        key = EVP_RSA_gen(2048);
        break;
    case MADE_KEY_RSA_1024:
        key = EVP_RSA_gen(1024);
        break;
    case MADE_KEY_ED25519:
        key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        break;
    case MADE_KEY_ED448:
        key = EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
        break;
    case MADE_KEY_P256_EXPLICIT:
        key = new_explicit_key();
        break;
    }
    must(key != NULL, "make a key");
    return key;
}

static void add_field(X509_NAME *name, const char *field, const char *value)
{
    if (value)
        must(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value,
                                        -1, -1, 0),
             "name a certificate");
}

static void add_name(X509 *certificate, const struct certificate_wish *wish)
{
    X509_NAME *name = X509_NAME_new();
    must(name != NULL, "name a certificate");
    add_field(name, "O", wish->organization);
    add_field(name, "OU", wish->units[0]);
    add_field(name, "OU", wish->units[1]);
    add_field(name, "CN", wish->name);
    must(X509_set_subject_name(certificate, name), "name a certificate");
    X509_NAME_free(name);
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    must(extension && X509_add_ext(certificate, extension, -1), value);
    X509_EXTENSION_free(extension);
}

/* A private extension that only takes room. */
static void add_padding(X509 *certificate, unsigned bytes)
{
    ASN1_OBJECT *object = OBJ_txt2obj("1.3.6.1.4.1.55555.1", 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    unsigned char *noise = malloc(bytes);
    must(object && value && noise, "make room");
    memset(noise, 'x', bytes);
    must(ASN1_OCTET_STRING_set(value, noise, (int)bytes), "make room");
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, value);
    must(extension && X509_add_ext(certificate, extension, -1), "add an extension");
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(object);
    free(noise);
}

static void add_extensions(X509 *certificate, X509 *issuer, const struct certificate_wish *wish)
{
    if (wish->ca) {
        add_extension(certificate, issuer, NID_basic_constraints,
                      wish->no_path ? "critical,CA:TRUE,pathlen:0" : "critical,CA:TRUE");
        add_extension(certificate, issuer, NID_key_usage,
                      wish->no_lists ? "critical,keyCertSign" : "critical,keyCertSign,cRLSign");
    }
    if (wish->ocsp) {
        char access[256];
        snprintf(access, sizeof access, "OCSP;URI:%s", wish->ocsp);
        add_extension(certificate, issuer, NID_info_access, access);
    }
    add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
    if (issuer != certificate && X509_get_ext_by_NID(issuer, NID_subject_key_identifier, -1) >= 0)
        add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always");
    if (wish->usage)
        add_extension(certificate, issuer, NID_ext_key_usage, wish->usage);
    if (wish->names)
        add_extension(certificate, issuer, NID_subject_alt_name, wish->names);
    if (wish->padding_bytes)
        add_padding(certificate, wish->padding_bytes);
}

static void set_serial(X509 *certificate)
{
    unsigned char bytes[16];
    must(RAND_bytes(bytes, sizeof bytes) == 1, "draw a serial");
    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x01); /* positive and never zero */
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    must(number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)), "set a serial");
    BN_free(number);
}

/* Signed by hand: X509_sign() would say version 3 again. */
static void claim_v1(X509 *certificate, EVP_PKEY *signer)
{
    unsigned char *signed_part = NULL, bytes[512];
    size_t length = sizeof bytes;
    must(X509_set_version(certificate, X509_VERSION_1), "set version");
    int count = i2d_re_X509_tbs(certificate, &signed_part);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    must(count > 0 && context &&
             EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, signer) == 1 &&
             EVP_DigestSign(context, bytes, &length, signed_part, (size_t)count) == 1,
         "sign");
    const ASN1_BIT_STRING *signature = NULL;
    X509_get0_signature(&signature, NULL, certificate);
    must(ASN1_STRING_set((ASN1_BIT_STRING *)signature, bytes, (int)length) == 1, "sign");
    EVP_MD_CTX_free(context);
    OPENSSL_free(signed_part);
}

static void break_signature(X509 *certificate)
{
    const ASN1_BIT_STRING *signature = NULL;
    X509_get0_signature(&signature, NULL, certificate);
    unsigned char *bytes = (unsigned char *)ASN1_STRING_get0_data(signature);
    bytes[ASN1_STRING_length(signature) - 1] ^= 1;
}

/* What its owner sends behind a certificate of this issuer: the issuer and what that sends, roots
 * left out. */
static STACK_OF(X509) * chain_from(const struct made *issuer)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    must(chain != NULL, "make a chain");
    if (!issuer || X509_self_signed(issuer->certificate, 0) == 1)
        return chain;
    must(X509_add_cert(chain, issuer->certificate, X509_ADD_FLAG_UP_REF), "make a chain");
    must(X509_add_certs(chain, issuer->chain, X509_ADD_FLAG_UP_REF), "make a chain");
    return chain;
}

/* Decoded anew from its DER, so that it is what a program gets that reads it from a file. */
static X509 *read_back(X509 *certificate)
{
    unsigned char *der = NULL;
    int length = i2d_X509(certificate, &der);
    const unsigned char *at = der;
    X509 *again = length > 0 ? d2i_X509(NULL, &at, length) : NULL;
    must(again != NULL, "encode a certificate");
    OPENSSL_free(der);
    X509_free(certificate);
    return again;
}

static EVP_PKEY *key_for(const struct certificate_wish *wish)
{
    if (!wish->reuse_key)
        return new_key(wish->key);
    EVP_PKEY *key = (EVP_PKEY *)wish->reuse_key;
    EVP_PKEY_up_ref(key);
    return key;
}

static void sign(X509 *certificate, EVP_PKEY *signer, const struct certificate_wish *wish)
{
    const EVP_MD *digest = wish->sha1 ? EVP_sha1() : EVP_sha256();
    if (wish->digest)
        digest = EVP_get_digestbyname(wish->digest);
    int kind = EVP_PKEY_get_base_id(signer);
    bool own_digest = kind == EVP_PKEY_ED25519 || kind == EVP_PKEY_ED448;
    must(X509_sign(certificate, signer, own_digest ? NULL : digest) > 0, "sign");
}

struct made *made_certificate(const struct certificate_wish *wish)
{
    struct made *made = calloc(1, sizeof *made);
    must(made != NULL, "allocate");
    made->key = key_for(wish);
    X509 *certificate = X509_new();
    must(certificate != NULL, "make a certificate");
    X509 *issuer = wish->issuer ? wish->issuer->certificate : certificate;
    EVP_PKEY *signer = wish->issuer ? wish->issuer->key : made->key;
    must(X509_set_version(certificate, wish->v1 ? X509_VERSION_1 : X509_VERSION_3), "set version");
    set_serial(certificate);
    add_name(certificate, wish);
    must(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)), "set issuer");
    X509_gmtime_adj(X509_getm_notBefore(certificate), wish->from_s ? wish->from_s : -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate),
                    wish->until_s ? wish->until_s : 30 * (int64_t)MADE_DAY_S);
    must(X509_set_pubkey(certificate, made->key), "set key");
    if (!wish->v1)
        add_extensions(certificate, issuer, wish);
    if (wish->twist)
        wish->twist(certificate);
    sign(certificate, signer, wish);
    if (wish->claims_v1)
        claim_v1(certificate, signer);
    if (wish->broken_signature)
        break_signature(certificate);
    made->certificate = wish->unread ? certificate : read_back(certificate);
    made->chain = chain_from(wish->issuer);
    return made;
}

struct made *made_ca(const char *name)
{
    return made_certificate(&(struct certificate_wish){.name = name, .ca = true});
}

struct made *made_intermediate(const struct made *issuer, const char *name)
{
    return made_certificate(&(struct certificate_wish){.name = name, .issuer = issuer, .ca = true});
}

struct made *made_client(const struct made *issuer, const char *name)
{
    return made_certificate(
        &(struct certificate_wish){.name = name, .issuer = issuer, .usage = "clientAuth"});
}

static bool is_address(const char *name)
{
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(name);
    ASN1_OCTET_STRING_free(address);
    return address != NULL;
}

struct made *made_server(const struct made *issuer, const char *name)
{
    char names[300];
    snprintf(names, sizeof names, "%s:%s", is_address(name) ? "IP" : "DNS", name);
    return made_certificate(&(struct certificate_wish){
        .name = name, .issuer = issuer, .usage = "serverAuth", .names = names});
}

void made_free(struct made *made)
{
    if (!made)
        return;
    X509_free(made->certificate);
    EVP_PKEY_free(made->key);
    sk_X509_pop_free(made->chain, X509_free);
    free(made);
}

/* The text of a memory BIO, which it frees. */
static char *text_of(BIO *bio)
{
    char *bytes = NULL;
    long length = BIO_get_mem_data(bio, &bytes);
    char *text = strndup(bytes, (size_t)length);
    must(text != NULL, "allocate");
    BIO_free(bio);
    return text;
}

char *made_certificate_pem(const struct made *made)
{
    BIO *bio = BIO_new(BIO_s_mem());
    must(bio && PEM_write_bio_X509(bio, made->certificate), "write a certificate");
    return text_of(bio);
}

char *made_key_pem(const struct made *made)
{
    BIO *bio = BIO_new(BIO_s_mem());
    must(bio && PEM_write_bio_PKCS8PrivateKey(bio, made->key, NULL, NULL, 0, NULL, NULL),
         "write a key");
    return text_of(bio);
}

char *made_path(const char *folder, const char *file)
{
    char *path = NULL;
    must(asprintf(&path, "%s/%s", folder, file) > 0, "allocate");
    return path;
}

void made_common_name(const X509 *certificate, char *text, size_t room)
{
    size_t bytes = 0;
    char *name = certificate_field_text(X509_get_subject_name(certificate), NID_commonName, &bytes);
    if (name)
        snprintf(text, room, "%s", name);
    free(name);
}

/* A new file with this text; keys are nobody else's business. */
static void write_file(const char *folder, const char *file, const char *text)
{
    char *path = made_path(folder, file);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    size_t length = strlen(text);
    must(fd >= 0 && write(fd, text, length) == (ssize_t)length && close(fd) == 0, path);
    free(path);
}

void made_write(const struct made *made, const char *folder, const char *name)
{
    char file[256];
    BIO *bio = BIO_new(BIO_s_mem());
    must(bio && PEM_write_bio_X509(bio, made->certificate), "write a certificate");
    for (int i = 0; i < sk_X509_num(made->chain); i++)
        must(PEM_write_bio_X509(bio, sk_X509_value(made->chain, i)), "write a chain");
    char *chain = text_of(bio);
    snprintf(file, sizeof file, "%s.crt", name);
    write_file(folder, file, chain);
    free(chain);
    char *key = made_key_pem(made);
    snprintf(file, sizeof file, "%s.key", name);
    write_file(folder, file, key);
    free(key);
}

void made_write_bundle(const char *folder, const char *file, ...)
{
    BIO *bio = BIO_new(BIO_s_mem());
    must(bio != NULL, "allocate");
    va_list list;
    va_start(list, file);
    for (const struct made *made; (made = va_arg(list, const struct made *)) != NULL;)
        must(PEM_write_bio_X509(bio, made->certificate), "write a certificate");
    va_end(list);
    char *text = text_of(bio);
    write_file(folder, file, text);
    free(text);
}
