/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many frames that carry nothing a backend may send on a link: PING, SETTINGS, RST_STREAM,
 * WINDOW_UPDATE, GOAWAY, empty DATA and the like. Some at once and some in each second, and more
 * where lb's own requests and bodies are what they answer, so that a busy link never meets the
 * bound. Backends are the operator's: one bound for all kinds keeps a broken one from taking a
 * worker's time; listeners/http2/meter.h is stricter with strangers.
 *
 * Pure. One thread: the worker's whose link it is.
 */
#ifndef LB_BACKENDS_HTTP2_H2_ALLOWANCE_H
#define LB_BACKENDS_HTTP2_H2_ALLOWANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct h2_allowance {
    uint64_t refilled_ms;
    unsigned left; /* frames */
};

/** now_ms: of a clock that never goes back, as in the calls that follow. */
void h2_allowance_begin(struct h2_allowance *allowance, uint64_t now_ms);
/** A frame that carries nothing came. false: it is a flood. */
bool h2_allowance_spend(struct h2_allowance *allowance, uint64_t now_ms);
/** A request's head went out: its stream may be reset, its windows opened. */
void h2_allowance_requested(struct h2_allowance *allowance);
/**
 * A DATA frame went out: windows are opened for it, and some ask how long that took (PING).
 *
 * length    bytes of body in it
 * is_whole  it has all that there was to send: a small window cuts others, and gets credit for no
 *           more than its being opened again; one of a few bytes gets none for what it causes
 */
void h2_allowance_sent(struct h2_allowance *allowance, size_t length, bool is_whole);

#endif
