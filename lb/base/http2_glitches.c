/* SPDX-License-Identifier: Apache-2.0 */
/* See http2_glitches.h. Whether nghttp2 counts: cmake/nghttp2.cmake. */
#include "lb/base/http2_glitches.h"

void http2_glitches_allow(nghttp2_option *option)
{
    enum { FAR_MORE = 1000 * 1000 };
    (void)option;
#if LB_HAS_GLITCH_LIMIT
    nghttp2_option_set_glitch_rate_limit(option, FAR_MORE, FAR_MORE);
#endif
}
