/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signs a fleet: many client certificates of one CA, PEM on standard output. All of them have one
 * key, which is written to a file where one is named: an import does not look at it, but whoever
 * shows the certificates needs it.
 */
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "tests/bench/argument.h"
#include "tests/bench/authority.h"

enum { NAME_BYTES = 64 };

static void write_key(const struct authority *authority, EVP_PKEY *key, const char *path)
{
    FILE *file = authority_create(authority, path, 0600);
    bool good = PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1;
    if (fclose(file) != 0 || !good)
        authority_give_up(authority, "cannot write the key");
}

int main(int argc, char **argv)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (argc != 4 && argc != 5) {
        fputs("usage: fleet CA.crt CA.key N [KEY] > FILE\n", stderr);
        return 2;
    }
    unsigned long count = argument_number("N", argv[3], 1, 10000000);
    struct authority authority = authority_read("fleet", argv[1], argv[2]);
    char name[NAME_BYTES];
    struct authority_wish wish = {
        .key = EVP_EC_gen("P-256"), .unit = "plant", .name = name, .usage = "clientAuth"};
    if (wish.key == NULL)
        authority_give_up(&authority, "no key");
    if (argc == 5)
        write_key(&authority, wish.key, argv[4]);
    for (unsigned long number = 0; number < count; number++) {
        snprintf(name, sizeof name, "fleet-%07lu.plant.example.com", number);
        X509 *certificate = authority_sign(&authority, &wish);
        if (PEM_write_X509(stdout, certificate) != 1)
            authority_give_up(&authority, "cannot write");
        X509_free(certificate);
    }
    if (fflush(stdout) != 0)
        authority_give_up(&authority, "cannot write");
    EVP_PKEY_free(wish.key);
    authority_done(&authority);
    return 0;
}
