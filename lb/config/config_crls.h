/* SPDX-License-Identifier: Apache-2.0 */
/* The revocation lists that a config's rules ask. */
#ifndef LB_CONFIG_CONFIG_CRLS_H
#define LB_CONFIG_CONFIG_CRLS_H

struct config;
struct config_loading;
struct config_source;

/** Read them, once its listeners are built. */
void config_crls_read(const struct config *config, const struct config_loading *loading,
                      const struct config_source *source);

#endif
