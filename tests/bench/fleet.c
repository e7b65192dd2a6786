/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signs a fleet: many client certificates of one CA, PEM on standard output, for an import. All of
 * them have one key, which nobody keeps: an import does not look at it.
 */
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "tests/bench/argument.h"

enum { SERIAL_BITS = 127, DAY_S = 86400, NAME_BYTES = 64 };

struct fleet {
    X509 *ca;
    EVP_PKEY *ca_key;
    EVP_PKEY *key;
    X509_EXTENSION *usage;
};

__attribute__((noreturn)) static void give_up(const char *what)
{
    fprintf(stderr, "fleet: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static bool name_it(X509 *certificate, unsigned long number)
{
    char text[NAME_BYTES];
    X509_NAME *name = X509_NAME_new();
    snprintf(text, sizeof text, "fleet-%07lu.plant.example.com", number);
    bool good = name &&
                X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"Bench",
                                           -1, -1, 0) == 1 &&
                X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_UTF8,
                                           (const unsigned char *)"plant", -1, -1, 0) == 1 &&
                X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)text,
                                           -1, -1, 0) == 1 &&
                X509_set_subject_name(certificate, name) == 1;
    X509_NAME_free(name);
    return good;
}

static bool number_it(X509 *certificate)
{
    BIGNUM *serial = BN_new();
    bool good = serial && BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
                BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) != NULL;
    BN_free(serial);
    return good;
}

static X509 *sign(const struct fleet *fleet, unsigned long number)
{
    X509 *certificate = X509_new();
    bool good = certificate && X509_set_version(certificate, X509_VERSION_3) == 1 &&
                number_it(certificate) && name_it(certificate, number) &&
                X509_set_issuer_name(certificate, X509_get_subject_name(fleet->ca)) == 1 &&
                X509_gmtime_adj(X509_getm_notBefore(certificate), 0) != NULL &&
                X509_gmtime_adj(X509_getm_notAfter(certificate), 30L * DAY_S) != NULL &&
                X509_set_pubkey(certificate, fleet->key) == 1 &&
                X509_add_ext(certificate, fleet->usage, -1) == 1 &&
                X509_sign(certificate, fleet->ca_key, EVP_sha256()) > 0;
    if (!good)
        give_up("a certificate could not be signed");
    return certificate;
}

static FILE *open_file(const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file)
        give_up(path);
    return file;
}

static void read_ca(struct fleet *fleet, const char *certificate, const char *key)
{
    FILE *file = open_file(certificate);
    fleet->ca = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    file = open_file(key);
    fleet->ca_key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    if (!fleet->ca || !fleet->ca_key)
        give_up("the CA or its key cannot be read");
}

int main(int argc, char **argv)
{
    struct fleet fleet = {0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (argc != 4) {
        fputs("usage: fleet CA.crt CA.key N > FILE\n", stderr);
        return 2;
    }
    unsigned long count = argument_number("N", argv[3], 1, 10000000);
    read_ca(&fleet, argv[1], argv[2]);
    fleet.key = EVP_EC_gen("P-256");
    fleet.usage = X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage, "clientAuth");
    if (!fleet.key || !fleet.usage)
        give_up("no key");
    for (unsigned long number = 0; number < count; number++) {
        X509 *certificate = sign(&fleet, number);
        if (PEM_write_X509(stdout, certificate) != 1)
            give_up("cannot write");
        X509_free(certificate);
    }
    if (fflush(stdout) != 0)
        give_up("cannot write");
    X509_EXTENSION_free(fleet.usage);
    EVP_PKEY_free(fleet.key);
    EVP_PKEY_free(fleet.ca_key);
    X509_free(fleet.ca);
    return 0;
}
