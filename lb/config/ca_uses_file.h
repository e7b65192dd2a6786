/* SPDX-License-Identifier: Apache-2.0 */
/* The uses of client CAs (listeners/ca/ca_uses.h) as a file in state_dir, from one run to the next.
 */
#ifndef LB_CONFIG_CA_USES_FILE_H
#define LB_CONFIG_CA_USES_FILE_H

#include <stdbool.h>

struct ca_uses;
struct error;

#define CA_USES_FILE_NAME "ca-uses.json"

/**
 * Go on from what the run before this one has kept. No file, or no folder, is fine: counting begins
 * now.
 *
 * uses     empty until now
 * Fails:   there is a file and it cannot be used: err says why; counting begins now.
 * Thread:  control, before the first config is opened. Blocks for the disk.
 */
bool ca_uses_file_load(struct ca_uses *uses, const char *state_dir, struct error *err);

/** Keep them, in the place of what was kept before, of mode 0600. The folder is made if need be.
 * Fails: err says why; what was kept before is as it was. Thread: any. Blocks for the disk. */
bool ca_uses_file_save(const struct ca_uses *uses, const char *state_dir, struct error *err);

#endif
