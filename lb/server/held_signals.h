/* SPDX-License-Identifier: Apache-2.0 */
/* SIGHUP and SIGUSR1 end a program that does not listen for them. lb does from its first moment on:
 * what comes before the server is ready waits until it is, and what comes after its end for ever.
 */
#ifndef LB_SERVER_HELD_SIGNALS_H
#define LB_SERVER_HELD_SIGNALS_H

/** From now on they wait, in this thread and those it starts. Thread: main, first of all; around
 * whatever starts a thread; and last. */
void held_signals_hold(void);

/** The handlers stand: whatever waited comes now. Threads that were started meanwhile never get
 * any, so that they all come to this one. Thread: main. */
void held_signals_let_in(void);

#endif
