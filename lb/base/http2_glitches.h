/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Glitches": what newer versions of nghttp2 find suspicious and count, to end the
 * connection with ENHANCE_YOUR_CALM. Frames of a stream that lb has reset a moment ago are among
 * them, so that clients who leave in the middle of their answers would end a link to a backend that
 * others use.
 */
#ifndef LB_BASE_HTTP2_GLITCHES_H
#define LB_BASE_HTTP2_GLITCHES_H

#include <nghttp2/nghttp2.h>

/**
 * Lift that limit, far above what anybody sends who is not stopped by lb's own limits before.
 * Nothing happens with an nghttp2 that does not count.
 *
 * option  of a session that is about to be made
 */
void http2_glitches_allow(nghttp2_option *option);

#endif
