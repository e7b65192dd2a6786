/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/server/held_signals.h"

#include <pthread.h>
#include <signal.h>

static void change(int how)
{
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGHUP);
    sigaddset(&held, SIGUSR1);
    pthread_sigmask(how, &held, NULL);
}

void held_signals_hold(void)
{
    change(SIG_BLOCK);
}

void held_signals_let_in(void)
{
    change(SIG_UNBLOCK);
}
