/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates made while a test runs, in memory and as PEM files, good ones and every kind of bad
 * one.
 *
 *   struct made *ca = made_ca("Test CA");
 *   struct made *alice = made_client(ca, "alice");
 *   struct made *late = made_certificate(&(struct certificate_wish){
 *       .name = "late", .issuer = ca, .usage = "clientAuth", .from_s = -2 * MADE_DAY_S, .until_s =
 * -MADE_DAY_S}); made_write(alice, folder, "alice");            // folder/alice.crt and
 * folder/alice.key made_free(late);
 *
 * Whatever fails in here ends the test program: it is the test that is broken then. P-256 keys are
 * made in microseconds; RSA ones take up to a tenth of a second.
 */
#ifndef LB_TESTS_CERTIFICATES_H
#define LB_TESTS_CERTIFICATES_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

enum { MADE_DAY_S = 24 * 60 * 60 };

enum made_key {
    MADE_KEY_P256,
    MADE_KEY_P384,
    MADE_KEY_RSA_2048,
    MADE_KEY_RSA_1024,
    MADE_KEY_ED25519,
    MADE_KEY_ED448,
    MADE_KEY_P256_EXPLICIT /* its curve by parameters, not by name */
};

/** A certificate with its key. `chain` is what its owner sends behind it: the intermediates up to
 * the root. */
struct made {
    X509 *certificate;
    EVP_PKEY *key;
    STACK_OF(X509) * chain;
};

/** What a certificate shall be like. Zero is a good default everywhere. */
struct certificate_wish {
    const char *name;          /* common name; NULL: no subject at all */
    const char *organization;  /* O=, for names that must be long or odd; NULL: none */
    const char *units[2];      /* OU=; NULL: none */
    const struct made *issuer; /* NULL: it signs itself */
    enum made_key key;
    const EVP_PKEY *reuse_key; /* this key instead of a fresh one; the private half is needed */
    bool ca;                   /* basicConstraints CA:TRUE and keyUsage keyCertSign */
    bool no_lists;             /* with ca: its key usage lacks cRLSign */
    bool no_path;              /* with ca: pathlen:0 */
    bool v1;                /* X.509 v1: no extensions at all, as `openssl x509 -req` makes them */
    bool claims_v1;         /* its extensions stay, which is not allowed; SHA-256 */
    const char *usage;      /* extendedKeyUsage: "clientAuth", "serverAuth"; NULL: none */
    const char *names;      /* subjectAltName: "DNS:www.example.com,IP:127.0.0.1"; NULL: none */
    const char *ocsp;       /* URL of its CA's OCSP responder; NULL: none */
    int64_t from_s;         /* notBefore, counted from now; 0: an hour ago */
    int64_t until_s;        /* notAfter, counted from now; 0: in 30 days */
    bool sha1;              /* signed with SHA-1 */
    bool broken_signature;  /* one bit of the signature is wrong */
    unsigned padding_bytes; /* an extension of that size, for chains that are too large */
    const char *digest;     /* signed with "MD5" and the like; NULL: SHA-256 */
    /* Changes what it likes, just before it is signed; NULL: nothing. */
    void (*twist)(X509 *certificate);
    bool unread; /* what it becomes cannot be decoded again: it is only to be sent */
};

/** Make it. Free with made_free. */
struct made *made_certificate(const struct certificate_wish *wish);
/** A root CA with basicConstraints. */
struct made *made_ca(const char *name);
/** An intermediate CA of `issuer`. */
struct made *made_intermediate(const struct made *issuer, const char *name);
/** A client's certificate with EKU clientAuth. */
struct made *made_client(const struct made *issuer, const char *name);
/** A server's certificate for one DNS name (or IP address), EKU serverAuth. */
struct made *made_server(const struct made *issuer, const char *name);
/** NULL is fine. Keys and issuers are counted: the order does not matter. */
void made_free(struct made *made);

/**
 * Write FOLDER/NAME.crt (the certificate, then its chain without the root) and FOLDER/NAME.key
 * (PKCS #8, 0600). made_path joins folder and file name: a new string, freed by the caller.
 */
void made_write(const struct made *made, const char *folder, const char *name);
char *made_path(const char *folder, const char *file);
/** Write the certificates of several into FOLDER/FILE, one after the other. The list ends with
 * NULL. */
void made_write_bundle(const char *folder, const char *file, ...) __attribute__((sentinel));
/** The common name of any certificate, cut to the room; the text stays if there is none. */
void made_common_name(const X509 *certificate, char *text, size_t room);
/** PEM text of the certificate alone, of the key; freed by the caller. */
char *made_certificate_pem(const struct made *made);
char *made_key_pem(const struct made *made);

#endif
