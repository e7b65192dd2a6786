/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/registry/certificate_answer.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "lb/admin/registry/ca_names.h"
#include "lb/admin/registry/record_json.h"
#include "lb/admin/registry/registry_call.h"
#include "lb/base/certificate.h"

bool certificate_answer_write(struct registry_call *call, struct ledger *ledger,
                              const struct certificate_record *record)
{
    struct ca_names names = {0};
    struct error err = {""};
    enum store_outcome outcome = ca_names_read(&names, ledger, &err);
    bool good = outcome == STORE_DONE || outcome == STORE_NOTHING;
    if (good)
        record_json_certificate(&call->answer, "certificate", record,
                                ca_names_find(&names, record->ca));
    else
        registry_call_refuse_store(call, outcome, err.text);
    ca_names_done(&names);
    return good;
}

void certificate_answer_log(struct registry_call *call, const char *event,
                            const struct certificate_record *record)
{
    registry_call_log(call, event, "%s", record->subject);
    snprintf(call->serial, sizeof call->serial, "%s", record->serial);
    snprintf(call->ca, sizeof call->ca, "%s", record->ca);
}

/* --- what people send ---------------------------------------------------------------------- */

static bool sort(struct certificate_bundle *bundle, STACK_OF(X509) * all, struct error *err)
{
    while (sk_X509_num(all) > 0) {
        X509 *next = sk_X509_value(all, 0);
        bool is_ca = X509_check_ca(next) != 0;
        if (!is_ca && bundle->certificate)
            return error_set(err, "the PEM holds two client certificates: send one at a time, or "
                                  "import them");
        sk_X509_shift(all);
        if (!is_ca) {
            bundle->certificate = next;
        } else if (!sk_X509_push(bundle->chain, next)) {
            X509_free(next);
            return error_set(err, "out of memory");
        }
    }
    return bundle->certificate ||
           error_set(err, "the PEM holds only CAs: a client's own certificate is missing (CAs are "
                          "uploaded: lb ca upload)");
}

bool certificate_bundle_read(struct certificate_bundle *bundle, const char *pem, struct error *err)
{
    size_t bytes = strlen(pem);
    *bundle = (struct certificate_bundle){0};
    if (pem_holds_key(pem, bytes))
        return error_set(err, "the PEM holds a private key: nobody but its client needs it, send "
                              "the certificate alone");
    STACK_OF(X509) *all = certificates_read(pem, bytes, "pem", err);
    if (!all)
        return false;
    bundle->chain = sk_X509_new_null();
    bool good = bundle->chain ? sort(bundle, all, err) : error_set(err, "out of memory");
    sk_X509_pop_free(all, X509_free);
    return good;
}

void certificate_bundle_done(struct certificate_bundle *bundle)
{
    X509_free(bundle->certificate);
    sk_X509_pop_free(bundle->chain, X509_free);
    *bundle = (struct certificate_bundle){0};
}
