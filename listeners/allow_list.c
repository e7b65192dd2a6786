/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/allow_list.h"

bool allow_list_equal(const struct allow_list *one, const struct allow_list *other)
{
    return one == other;
}

bool allow_list_has(const struct allow_list *list, const struct identity *identity)
{
    (void)list;
    (void)identity;
    return false;
}
