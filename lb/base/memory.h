/* SPDX-License-Identifier: Apache-2.0 */
/* What the program holds beyond what it uses. */
#ifndef LB_BASE_MEMORY_H
#define LB_BASE_MEMORY_H

/**
 * Give pages that nothing stands on back to the system. The allocator keeps them for the next time,
 * which after loading a config does not come: what 10,000 rules need while they are built is 20 MiB
 * at a start, and 40 MiB with each of the first reloads, whose threads have an arena each.
 *
 * Thread:  any. Takes some milliseconds for 100 MiB, in which other threads may wait for memory.
 */
void memory_give_back(void);

#endif
