/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/crl/crl_log.h"

#include "lb/base/timestamp.h"
#include "listeners/crl/crl_file.h"

void crl_log_list(enum log_level level, const char *event, const char *path, const struct crl *crl)
{
    char when[TIMESTAMP_BYTES + 1] = "";
    struct log_line line;
    log_begin(&line, level, event);
    log_text(&line, "file", path);
    log_text(&line, "issuer", crl->issuer);
    log_text(&line, "number", *crl->number ? crl->number : NULL);
    log_number(&line, "entries", (int64_t)crl->serials.count);
    timestamp_write((int64_t)crl->next_update * 1000, when);
    log_text(&line, "next_update", crl->next_update ? when : NULL);
    log_end(&line);
}

void crl_log_taken(const char *path, const struct crl_file *file)
{
    for (unsigned i = 0; i < file->count; i++)
        crl_log_list(LOG_LEVEL_INFO, "crl.loaded", path, file->lists[i]);
}
