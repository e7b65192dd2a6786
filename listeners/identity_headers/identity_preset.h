/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A preset: fields that one kind of backend is used to. One file in listeners/identity_headers/
 * presets/ is one preset: it defines `const struct identity_preset identity_preset_<file>`, and
 * nothing else need know of it but the names that are stripped (identity_header_names.c), which a
 * test compares.
 *
 * What a preset says must hold for whoever reads it carelessly:
 *   - its fields but Verify are only ever rendered for a client that the rule's CAs have verified;
 *   - a value is printable ASCII, and nothing that stands in a certificate can end it early;
 *   - a value that is too large is replaced by NAME-Too-Large: 1, never left out or cut.
 */
#ifndef LB_LISTENERS_IDENTITY_PRESET_H
#define LB_LISTENERS_IDENTITY_PRESET_H

#include <openssl/x509.h>
#include <stdbool.h>

struct field_pen;
struct identity;

/** Whom a preset renders. */
struct identity_portrait {
    const struct identity *identity; /* verified */
    /* The CAs that the rule has verified it by, the one that signed it first, the anchor last. Not
     * what was sent: anybody may put anything behind his own certificate. 0: it is an anchor. */
    X509 *const *cas;
    unsigned ca_count;
};

struct identity_preset {
    const char *name; /* the word of client_headers */
    /* Every name it writes, for tests and help; NULL ends them. */
    const char *const *fields;
    /* The one of them that says SUCCESS, NONE or FAILED:reason and is always written; NULL: that
     * there are no fields says that nobody is verified. */
    const char *verify_field;
    bool reads_chain;      /* what it renders is another text for another CA set */
    bool is_requests_only; /* its fields must not stand in answers */
    /** Write all fields but verify_field. Fails: in the pen. Thread: any. Allocates. */
    void (*render)(struct field_pen *pen, const struct identity_portrait *portrait);
};

/** All of them, sorted by file; NULL ends them. A set of presets is a set of bits: 1 << index. */
extern const struct identity_preset *const identity_presets[];
enum { IDENTITY_PRESETS_MOST = 8 }; /* a test counts them */

/** The index of the preset of this name, or -1. */
int identity_preset_index(const char *name);

#endif
