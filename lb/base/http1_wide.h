/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many bytes of a head at once; private to the grammars. SSE2 is part of every x86-64; elsewhere
 * plain C does the same with fewer bytes. Half of what parsing a head costs is to walk its bytes.
 */
#ifndef LB_BASE_HTTP1_WIDE_H
#define LB_BASE_HTTP1_WIDE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "lb/base/http1_scan.h"

/* The same byte in each of eight. */
static inline uint64_t word_of(unsigned char byte)
{
    return UINT64_MAX / 0xff * byte;
}

/* Capital letters become small ones, every other byte stays. */
static inline uint64_t word_lower(uint64_t word)
{
    uint64_t low_bits = word & word_of(0x7f);
    uint64_t from_a = low_bits + word_of(0x80 - 'A');
    uint64_t behind_z = low_bits + word_of(0x80 - 'Z' - 1);
    uint64_t is_capital = from_a & ~behind_z & ~word & word_of(0x80);
    return word | is_capital >> 2;
}

#ifdef __SSE2__
#include <emmintrin.h>

enum { WIDE_BYTES = sizeof(__m128i) };

/* One bit for each byte from `first` to `last`, which are ASCII. */
static inline __m128i wide_between(__m128i bytes, char first, char last)
{
    return _mm_and_si128(_mm_cmpgt_epi8(bytes, _mm_set1_epi8((char)(first - 1))),
                         _mm_cmplt_epi8(bytes, _mm_set1_epi8((char)(last + 1))));
}

/* How many of the next WIDE_BYTES, from the first on, are letters, digits or '-'. */
static inline unsigned wide_name_bytes(const char *at)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i letters = wide_between(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 'z');
    __m128i others =
        _mm_or_si128(wide_between(bytes, '0', '9'), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-')));
    unsigned stops = ~(unsigned)_mm_movemask_epi8(_mm_or_si128(letters, others));
    return (unsigned)__builtin_ctz(stops); /* its upper half is set */
}

/* How many of the next WIDE_BYTES, from the first on, are no control characters. */
static inline unsigned wide_value_bytes(const char *at)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    __m128i controls = _mm_or_si128(low, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));
    return (unsigned)__builtin_ctz((unsigned)_mm_movemask_epi8(controls) | 1U << WIDE_BYTES);
}

/* The bytes of a text of 4 to 15, some of them twice. */
static inline __m128i wide_short(const char *at, size_t length)
{
    if (length >= sizeof(uint64_t)) {
        uint64_t first, last;
        memcpy(&first, at, sizeof first);
        memcpy(&last, at + length - sizeof last, sizeof last);
        return _mm_set_epi64x((long long)last, (long long)first);
    }
    uint32_t first, last;
    memcpy(&first, at, sizeof first);
    memcpy(&last, at + length - sizeof last, sizeof last);
    return _mm_set1_epi64x((long long)((uint64_t)last << 32 | first));
}

/* Does every byte of a text fit? The last 16 may overlap those before. */
static inline bool wide_all(const char *at, size_t length, bool (*fit)(__m128i bytes))
{
    if (length < WIDE_BYTES)
        return length >= sizeof(uint32_t) && fit(wide_short(at, length));
    const char *last = at + length - WIDE_BYTES;
    for (; at < last; at += WIDE_BYTES) {
        if (!fit(_mm_loadu_si128((const __m128i *)(const void *)at)))
            return false;
    }
    return fit(_mm_loadu_si128((const __m128i *)(const void *)last));
}

static inline bool wide_fits_name(__m128i bytes)
{
    __m128i others =
        _mm_or_si128(wide_between(bytes, '0', '9'), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-')));
    __m128i fits = _mm_or_si128(wide_between(bytes, 'a', 'z'), others);
    return _mm_movemask_epi8(fits) == 0xffff;
}

static inline bool wide_fits_target(__m128i bytes)
{
    __m128i hash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('#'));
    return _mm_movemask_epi8(_mm_andnot_si128(hash, wide_between(bytes, '!', '~'))) == 0xffff;
}

static inline bool wide_fits_value(__m128i bytes)
{
    __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    __m128i controls = _mm_or_si128(low, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));
    return _mm_movemask_epi8(controls) == 0;
}

/* Nearly every text that is fine is seen to be fine by these; false: ask for its class, byte by
 * byte. They never look behind the text: BYTE_LOWER, BYTE_TARGET and BYTE_VALUE. */
static inline bool wide_is_name(struct slice text)
{
    return wide_all(text.at, text.length, wide_fits_name);
}
static inline bool wide_is_target(struct slice text)
{
    return wide_all(text.at, text.length, wide_fits_target);
}
static inline bool wide_is_value(struct slice text)
{
    return wide_all(text.at, text.length, wide_fits_value);
}

#else

enum { WIDE_BYTES = sizeof(uint64_t) };

/* Nothing is gained here by asking for the whole text. */
static inline bool wide_is_name(struct slice text)
{
    (void)text;
    return false;
}
static inline bool wide_is_target(struct slice text)
{
    (void)text;
    return false;
}
static inline bool wide_is_value(struct slice text)
{
    (void)text;
    return false;
}

/* Nothing is gained here: the caller goes byte by byte. */
static inline unsigned wide_name_bytes(const char *at)
{
    (void)at;
    return 0;
}

/* How many of the next WIDE_BYTES, from the first on, are no control characters. */
static inline unsigned wide_value_bytes(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    word = le64toh(word);
    uint64_t low_bits = word & word_of(0x7f);
    uint64_t not_low = low_bits + word_of(0x60);
    uint64_t is_del = low_bits + word_of(0x01);
    uint64_t marks = (~not_low | is_del) & ~word & word_of(0x80);
    return marks == 0 ? WIDE_BYTES : (unsigned)__builtin_ctzll(marks) / 8;
}

#endif

#endif
