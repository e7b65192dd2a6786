/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/http2/priority.h"

#include "lb/base/http1.h"

/* The next member, without blanks; false: that was the last. Strings, in which a comma may stand,
 * are of no member that is known here: cutting them leaves nothing that looks like one but by
 * intent, and a client may say of its own answers what it likes. */
static bool next_member(struct slice *rest, struct slice *ret_member)
{
    size_t length = 0;
    if (rest->length == 0)
        return false;
    while (length < rest->length && rest->at[length] != ',')
        length++;
    *ret_member = (struct slice){rest->at, length};
    size_t used = length < rest->length ? length + 1 : length;
    rest->at += used;
    rest->length -= used;
    while (ret_member->length > 0 && (*ret_member->at == ' ' || *ret_member->at == '\t')) {
        ret_member->at++;
        ret_member->length--;
    }
    return true;
}

/* Without parameters and the blanks before the next comma. */
static struct slice bare(struct slice member)
{
    size_t length = 0;
    while (length < member.length && member.at[length] != ';' && member.at[length] != ' ' &&
           member.at[length] != '\t')
        length++;
    return (struct slice){member.at, length};
}

static void read_member(struct priority *priority, struct slice member)
{
    if (member.length == 3 && member.at[0] == 'u' && member.at[1] == '=' && member.at[2] >= '0' &&
        member.at[2] <= '7')
        priority->urgency = (unsigned)(member.at[2] - '0');
    else if (slice_is(member, "i") || slice_is(member, "i=?1"))
        priority->is_incremental = true;
    else if (slice_is(member, "i=?0"))
        priority->is_incremental = false;
}

struct priority priority_parse(struct slice value)
{
    struct priority priority = {.urgency = PRIORITY_URGENCY};
    struct slice member;
    while (next_member(&value, &member))
        read_member(&priority, bare(member));
    return priority;
}
