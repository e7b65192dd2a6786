/* SPDX-License-Identifier: Apache-2.0 */
/* See config_lb.h. */
#include "lb/config/config_lb.h"

#include <string.h>

#include "lb/server/privileges.h"

/* Where logs go is a word or a path; a path is relative to the INI file like every other. The
 * device files mean the words: opening them anew needs rights that lb may not have. */
static const char *log_place(struct config *config, const char *where)
{
    static const char *const words[] = {"stdout", "stderr", "off"};
    static const char *const devices[] = {"/dev/stdout", "/dev/stderr"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(where, words[i]) == 0)
            return words[i];
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        if (strcmp(where, devices[i]) == 0)
            return words[i];
    return option_path(config->folder, where, &config->arena);
}

static void check_user(const struct lb_options *options, const struct config_source *source)
{
    struct account account;
    struct error err;
    if (!options->user)
        return;
    if (!account_find(options->user, &account, &err))
        problems_add(source->problems, source->file, options->user_line, "user: %s", err.text);
    else if (account.uid == 0)
        problems_warn(source->problems, source->file, options->user_line,
                      "user = %s keeps all rights of root: name a user of lb's own, who needs none",
                      options->user);
}

void config_lb_build(struct config *config, struct lb_options *options,
                     const struct config_source *source)
{
    if (strcmp(options->log, "off") == 0)
        problems_add(
            source->problems, source->file, options->log_line,
            "log = off: lb's own log cannot be off; stderr, stdout or a file would be right");
    check_user(options, source);
    options->log = log_place(config, options->log);
    options->access_log = log_place(config, options->access_log);
    config->options = options;
}
