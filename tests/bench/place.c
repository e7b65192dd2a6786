/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/place.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

void place_settle(unsigned longest_s)
{
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(longest_s);
}

void place_pin(const char *program, unsigned long processor)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        fprintf(stderr, "%s: processor %lu: %s\n", program, processor, strerror(errno));
}

bool place_allow_descriptors(unsigned long count)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (count > 0 && limit.rlim_cur >= count)
        return true;
    limit.rlim_cur = count > 0 ? count : limit.rlim_max;
    if (limit.rlim_max < count)
        limit.rlim_max = count;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}
