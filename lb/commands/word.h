/* SPDX-License-Identifier: Apache-2.0 */
/* Words of the command line that several verbs of the registry take. All that return false have
 * told on stderr what is wrong: the verb was misused. */
#ifndef LB_COMMANDS_WORD_H
#define LB_COMMANDS_WORD_H

#include <stdbool.h>

/** "p256", "rsa4096", … */
bool word_is_key_kind(const char *verb, const char *word);
/** option: for the message, as "--days". */
bool word_is_number(const char *verb, const char *option, const char *word, unsigned least,
                    unsigned most, unsigned *ret_number);
/** yes or no. */
bool word_is_switch(const char *verb, const char *option, const char *word, bool *ret_on);
/** Hex digits, with or without colons. */
bool word_is_serial(const char *verb, const char *word);
/** One of the words, NULL at the end. */
bool word_is_one_of(const char *verb, const char *option, const char *word,
                    const char *const *words);
/** Does not tell. */
bool word_is_utf8(const char *text);
/** UTF-8; NULL is fine. */
bool word_is_text(const char *verb, const char *option, const char *word);

#endif
