/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a certificate and its key go once it is issued. Everything that can fail is done before:
 * files are made, with room on the disk, so that no certificate is issued whose key gets lost.
 */
#ifndef LB_COMMANDS_ISSUE_OUTPUT_H
#define LB_COMMANDS_ISSUE_OUTPUT_H

#include <jansson.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdbool.h>

#include "lb/commands/out_file.h"
#include "lb/commands/password.h"

struct issue_output {
    /* Set by the caller; paths NULL: not wanted. */
    const char *out_path;
    const char *key_path;
    const char *p12_path;
    bool is_legacy; /* the .p12 */
    bool has_key;   /* false: somebody else has it and sent a CSR */
    bool as_json;   /* what goes to stdout */
    struct password password;

    struct out_file out, key, p12;
    sigset_t signals; /* as they were */
    bool is_open;
};

/** Make the files. Until issue_output_done, signals that end the process wait. Fails: err, and
 * nothing was made. */
bool issue_output_open(struct issue_output *output, struct error *err);

/**
 * Write the API's answer, {"certificate","pem","chain_pem"}, with the key.
 *
 * key    NULL: somebody else has it
 * Fails: err
 */
bool issue_output_write(struct issue_output *output, const json_t *answer, EVP_PKEY *key,
                        struct error *err);

/** Files that were not written go. */
void issue_output_done(struct issue_output *output);

#endif
