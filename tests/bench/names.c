/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signs server certificates for many host names: n0.example.com in F/0.crt and F/0.key and so on,
 * each with a key of its own. Every processor does a share, for making a key and writing it down
 * costs OpenSSL a millisecond.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/bench/argument.h"
#include "tests/bench/authority.h"

enum { PATH_BYTES = 4096, NAME_BYTES = 64, RSA_BITS = 2048, SHARES_MOST = 64 };

struct names {
    struct authority authority;
    const char *ca;
    const char *ca_key;
    const char *folder;
    unsigned long count;
    bool rsa;
};

/* Of `names`: every `step`th, from `first` on. */
struct share {
    const struct names *names;
    unsigned long first;
    unsigned long step;
    pthread_t thread;
};

static const char usage[] =
    "usage: names --ca CA.crt --ca-key CA.key --folder F --count N [--type ec|rsa]\n"
    "Writes F/0.crt and F/0.key for n0.example.com, and so on up to N. A P-256 key (ec, the\n"
    "default) is made in a millisecond, an RSA key of 2048 bits in a tenth of a second.\n";

static FILE *create(const struct names *names, unsigned long number, const char *end, mode_t mode)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%lu.%s", names->folder, number, end);
    return authority_create(&names->authority, path, mode);
}

static void make_one(const struct names *names, unsigned long number)
{
    char name[NAME_BYTES];
    char alternative[NAME_BYTES + sizeof "DNS:"];
    snprintf(name, sizeof name, "n%lu.example.com", number);
    snprintf(alternative, sizeof alternative, "DNS:%s", name);
    struct authority_wish wish = {.key = names->rsa ? EVP_RSA_gen(RSA_BITS) : EVP_EC_gen("P-256"),
                                  .name = name,
                                  .usage = "serverAuth",
                                  .names = alternative};
    if (wish.key == NULL)
        authority_give_up(&names->authority, "no key");
    X509 *certificate = authority_sign(&names->authority, &wish);
    FILE *file = create(names, number, "crt", 0644);
    bool good = PEM_write_X509(file, certificate) == 1;
    good = fclose(file) == 0 && good;
    file = create(names, number, "key", 0600);
    good = PEM_write_PrivateKey(file, wish.key, NULL, NULL, 0, NULL, NULL) == 1 && good;
    good = fclose(file) == 0 && good;
    if (!good)
        authority_give_up(&names->authority, "cannot write");
    X509_free(certificate);
    EVP_PKEY_free(wish.key);
}

static void *do_share(void *argument)
{
    const struct share *share = argument;
    for (unsigned long number = share->first; number < share->names->count; number += share->step)
        make_one(share->names, number);
    return NULL;
}

static void make_all(const struct names *names)
{
    struct share shares[SHARES_MOST];
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned count = processors < 1 ? 1 : (unsigned)processors;
    count = count < SHARES_MOST ? count : SHARES_MOST;
    for (unsigned i = 0; i < count; i++) {
        shares[i] = (struct share){.names = names, .first = i, .step = count};
        if (pthread_create(&shares[i].thread, NULL, do_share, &shares[i]) != 0)
            authority_give_up(&names->authority, "no thread");
    }
    for (unsigned i = 0; i < count; i++)
        pthread_join(shares[i].thread, NULL);
}

__attribute__((noreturn)) static void refuse(void)
{
    fputs(usage, stderr);
    exit(2);
}

static void read_option(struct names *names, int key, const char *text)
{
    if (key == 'a')
        names->ca = text;
    else if (key == 'k')
        names->ca_key = text;
    else if (key == 'f')
        names->folder = text;
    else if (key == 'n')
        names->count = argument_number("--count", text, 1, 1000000);
    else if (key == 't' && (strcmp(text, "ec") == 0 || strcmp(text, "rsa") == 0))
        names->rsa = strcmp(text, "rsa") == 0;
    else
        refuse();
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"ca", required_argument, NULL, 'a'},     {"ca-key", required_argument, NULL, 'k'},
        {"folder", required_argument, NULL, 'f'}, {"count", required_argument, NULL, 'n'},
        {"type", required_argument, NULL, 't'},   {NULL, 0, NULL, 0}};
    struct names names = {0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int key;
    while ((key = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        read_option(&names, key, optarg);
    if (optind < argc || names.ca == NULL || names.ca_key == NULL || names.folder == NULL ||
        names.count == 0)
        refuse();
    names.authority = authority_read("names", names.ca, names.ca_key);
    if (mkdir(names.folder, 0755) != 0 && errno != EEXIST)
        authority_give_up(&names.authority, names.folder);
    make_all(&names);
    authority_done(&names.authority);
    return 0;
}
