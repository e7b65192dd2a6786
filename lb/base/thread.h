/* SPDX-License-Identifier: Apache-2.0 */
/* Threads beside the one that hears signals. */
#ifndef LB_BASE_THREAD_H
#define LB_BASE_THREAD_H

#include <pthread.h>

/**
 * Start a thread that no signal interrupts: signals are for the thread that has a loop for them,
 * and SIGPIPE must not end the process when a log's reader does.
 *
 * returns  0, or the reason as an errno value: no thread is to be had
 */
int thread_start(pthread_t *ret_thread, void *(*run)(void *arg), void *arg);

#endif
