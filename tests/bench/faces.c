/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/faces.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>

static bool read_all(struct faces *faces, FILE *file)
{
    X509 *certificate;
    while ((certificate = PEM_read_X509(file, NULL, NULL, NULL)) != NULL)
        if (sk_X509_push(faces->certificates, certificate) <= 0) {
            X509_free(certificate);
            return false;
        }
    bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (at_end)
        ERR_clear_error();
    return at_end && sk_X509_num(faces->certificates) > 0;
}

bool faces_read(struct faces *faces, const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    faces->certificates = sk_X509_new_null();
    bool good = faces->certificates != NULL && read_all(faces, file);
    fclose(file);
    return good;
}

void faces_done(struct faces *faces)
{
    sk_X509_pop_free(faces->certificates, X509_free);
    *faces = (struct faces){0};
}

bool faces_show(struct faces *faces, SSL *tls)
{
    return faces->next < sk_X509_num(faces->certificates) &&
           SSL_use_certificate(tls, sk_X509_value(faces->certificates, faces->next++)) == 1;
}
