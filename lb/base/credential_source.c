/* SPDX-License-Identifier: Apache-2.0 */
/* See credential_source.h. */
#include "lb/base/credential_source.h"

bool credential_source_read(struct credential_source *source, const char *certificate_path,
                            const char *key_path, struct error *err)
{
    *source =
        (struct credential_source){.certificate_path = certificate_path, .key_path = key_path};
    if (!pem_read(certificate_path, &source->certificates, err))
        return false;
    source->has_key = pem_read(key_path, &source->key, &source->key_fault);
    return true;
}

void credential_source_done(struct credential_source *source)
{
    pem_done(&source->certificates);
    pem_done(&source->key);
}
