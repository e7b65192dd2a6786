/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that a test starts: run to their end, or in the background with their output in a file.
 */
#ifndef LB_TESTS_PROCESS_H
#define LB_TESTS_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "tests/support/text.h"

/* The program under test, from the environment variable LB_BINARY. */
const char *process_lb(void);

/* Start; stdout and stderr go to the file. It dies with the test. argv: closed by NULL. */
pid_t process_start(const char *const *argv, const char *output_path);
/* Wait for its end; returns the exit status, or 128 + the signal. Fails the test when it does not
 * end in time. */
int process_wait(pid_t pid);
/* Has it ended? Then it still has to be waited for. */
bool process_has_ended(pid_t pid);
/* Run to the end; what it says on stdout and stderr is added to `said` (NULL: dropped). returns as
 * process_wait. */
int process_run(const char *const *argv, struct text *said);
/* Run a shell command in a folder; fails the test unless it succeeds. */
void process_shell(const char *folder, const char *command);
/* Programs that are started from now on are measured: AddressSanitizer keeps little of what they
 * free (otherwise 256 MiB). */
void process_measure(void);
/* Resident memory in KiB. */
long process_memory_kib(pid_t pid);
/* Open file descriptors. */
unsigned process_descriptors(pid_t pid);

#endif
