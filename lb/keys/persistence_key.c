/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/keys/persistence_key.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/persistence/pool_persistence.h"
#include "lb/base/error.h"
#include "lb/base/state_dir.h"
#include "lb/config/config.h"
#include "lb/keys/secret_file.h"

static const char file_name[] = "persistence.key";

bool persistence_key_is_wished(const struct config *config)
{
    for (unsigned i = 0; i < config->pool_count; i++)
        if (pool_persistence_is_wished(config->pools[i]))
            return true;
    return false;
}

/* Without slashes at its end: messages have one before the file's name. */
static char *copy_path(const char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    return strndup(path, length);
}

static bool load(struct persistence_key *key, const char *state_dir, struct error *err)
{
    char *path = copy_path(state_dir);
    if (!path)
        return error_set(err, "out of memory");
    int folder = state_dir_open(path, err);
    const struct secret_file file = {folder, path, file_name};
    key->is_loaded = folder >= 0 && secret_file_keep(&file, key->bytes, sizeof key->bytes, err);
    if (folder >= 0)
        close(folder);
    free(path);
    return key->is_loaded;
}

bool persistence_key_load(struct persistence_key *key, struct config *config, struct error *err)
{
    if (persistence_key_is_wished(config) && !key->is_loaded &&
        !load(key, config->options->state_dir, err))
        return false;
    for (unsigned i = 0; i < config->pool_count; i++)
        if (!pool_persistence_open(config->pools[i], key->bytes))
            return error_set(err, "out of memory");
    return true;
}

bool persistence_key_check(const struct config *config, struct error *err)
{
    char *path = copy_path(config->options->state_dir);
    if (!path)
        return error_set(err, "out of memory");
    bool is_missing = false;
    int folder = state_dir_look(path, &is_missing, err);
    const struct secret_file file = {folder, path, file_name};
    bool is_fine = folder < 0 ? is_missing : secret_file_look(&file, PERSISTENCE_KEY_BYTES, err);
    if (folder >= 0)
        close(folder);
    free(path);
    return is_fine;
}

void persistence_key_done(struct persistence_key *key)
{
    OPENSSL_cleanse(key->bytes, sizeof key->bytes);
    key->is_loaded = false;
}
