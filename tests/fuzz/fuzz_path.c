/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a path. Besides memory errors this finds: plain paths with more than one reading,
 * readings that differ in a way that is no doubt, readings longer than the path, and dot segments
 * that survive.
 */
#include "lb/base/path.h"
#include "tests/fuzz/expect.h"

enum { ALL_WAYS = PATH_EAGER | PATH_DOTS, PATH_MOST = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static bool has_dot_segment(struct slice path)
{
    for (size_t at = 0; at < path.length; at++) {
        size_t dots = 0;
        while (at + 1 + dots < path.length && path.at[at + 1 + dots] == '.')
            dots++;
        size_t behind = at + 1 + dots;
        bool is_segment = behind == path.length || path.at[behind] == '/';
        if (path.at[at] == '/' && is_segment && (dots == 1 || dots == 2))
            return true;
    }
    return false;
}

static void expect_eager(struct slice path)
{
    EXPECT(!has_dot_segment(path));
    for (size_t i = 0; i < path.length; i++) {
        EXPECT(path.at[i] != ';' && path.at[i] != '\\');
        EXPECT(i == 0 || path.at[i] != '/' || path.at[i - 1] != '/');
    }
}

/* Compare the reading in these ways with the one in those of them that are doubts. */
static void expect_reading(struct slice path, unsigned ways, unsigned doubts)
{
    static char room[PATH_MOST];
    char *exact = malloc(path.length > 0 ? path.length : 1);
    struct slice reading;
    struct slice doubted;
    EXPECT(exact != NULL);
    enum path_outcome outcome = path_read(path, ways, exact, path.length, &reading);
    EXPECT(outcome == path_read(path, ways & doubts, room, sizeof room, &doubted));
    if (outcome == PATH_FINE) {
        bool absolute = path.length > 0 && path.at[0] == '/';
        EXPECT(slice_equal(reading, doubted) && reading.length <= path.length);
        EXPECT(!absolute || (reading.at[0] == '/' && expect_clean(reading)));
        EXPECT(!absolute || (ways & PATH_DOTS) || !has_dot_segment(reading));
        if (absolute && ways == PATH_EAGER)
            expect_eager(reading);
        EXPECT(!path_is_plain(path) || slice_equal(reading, path));
    } else {
        EXPECT(!path_is_plain(path));
    }
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    if (length > PATH_MOST)
        return 0;
    char *bytes = expect_copy(data, length);
    struct slice path = {bytes, length};
    unsigned doubts = path_doubts(path);
    for (unsigned ways = 0; ways <= ALL_WAYS; ways++)
        expect_reading(path, ways, doubts);
    free(bytes);
    return 0;
}
