/* SPDX-License-Identifier: Apache-2.0 */
/* Classes of bytes, one look-up each, and what the two kinds of start lines have in common. */
#include "lb/base/http1_scan.h"

// clang-format off
#define V BYTE_VALUE                                          /* blanks and bytes over 0x7f */
#define R (BYTE_VALUE | BYTE_TARGET)                          /* delimiters */
#define O (BYTE_VALUE | BYTE_TOKEN | BYTE_LOWER)              /* '#': begins a fragment, never sent */
#define T (BYTE_VALUE | BYTE_TARGET | BYTE_TOKEN | BYTE_LOWER)
#define H (BYTE_VALUE | BYTE_TARGET | BYTE_TOKEN | BYTE_LOWER | BYTE_HOST)
#define U (BYTE_VALUE | BYTE_TARGET | BYTE_TOKEN | BYTE_HOST) /* capitals */

const unsigned char http_bytes[256] = {
    0, 0, 0, 0, 0, 0, 0, 0,   0, V, 0, 0, 0, 0, 0, 0, /*                  \t              */
    0, 0, 0, 0, 0, 0, 0, 0,   0, 0, 0, 0, 0, 0, 0, 0,
    V, T, R, O, T, T, T, T,   R, R, T, T, R, H, H, R, /*   ! " # $ % & '  ( ) * + , - . / */
    H, H, H, H, H, H, H, H,   H, H, R, R, R, R, R, R, /* 0 1 2 3 4 5 6 7  8 9 : ; < = > ? */
    R, U, U, U, U, U, U, U,   U, U, U, U, U, U, U, U, /* @ A B C D E F G  H I J K L M N O */
    U, U, U, U, U, U, U, U,   U, U, U, R, R, R, T, H, /* P Q R S T U V W  X Y Z [ \ ] ^ _ */
    T, H, H, H, H, H, H, H,   H, H, H, H, H, H, H, H, /* ` a b c d e f g  h i j k l m n o */
    H, H, H, H, H, H, H, H,   H, H, H, R, T, R, T, 0, /* p q r s t u v w  x y z { | } ~   */
    V, V, V, V, V, V, V, V,   V, V, V, V, V, V, V, V,
    V, V, V, V, V, V, V, V,   V, V, V, V, V, V, V, V,
    V, V, V, V, V, V, V, V,   V, V, V, V, V, V, V, V,
    V, V, V, V, V, V, V, V,   V, V, V, V, V, V, V, V,
    V, V, V, V, V, V, V, V,   V, V, V, V, V, V, V, V,
    V, V, V, V, V, V, V, V,   V, V, V, V, V, V, V, V,
    V, V, V, V, V, V, V, V,   V, V, V, V, V, V, V, V,
    V, V, V, V, V, V, V, V,   V, V, V, V, V, V, V, V,
};
// clang-format on

/* The two versions there are, seen at once. */
static bool is_known_version(const struct scan *scan)
{
    enum { VERSION_BYTES = sizeof "HTTP/1.1" - 1 };
    return scan->end - scan->at >= VERSION_BYTES &&
           memcmp(scan->at, "HTTP/1.", VERSION_BYTES - 1) == 0 &&
           (scan->at[VERSION_BYTES - 1] | 1) == '1';
}

bool http_scan_version(struct scan *scan, unsigned *ret_minor, enum http_fault otherwise)
{
    static const char shape[] = "HTTP/d.d";
    const char *at = scan->at;
    if (is_known_version(scan)) {
        scan->at += sizeof shape - 1;
        *ret_minor = (unsigned)(scan->at[-1] - '0');
        return true;
    }
    for (const char *expected = shape; *expected; expected++, at++) {
        if (at == scan->end)
            return false;
        if (*expected == 'd' ? !byte_is_digit(*at) : *at != *expected)
            return scan_refuse(scan, otherwise);
    }
    return scan_refuse(scan, HTTP_VERSION_UNSUPPORTED);
}

enum http_parse http_scan_verdict(const struct scan *scan, bool full, enum http_fault *ret_fault)
{
    *ret_fault = scan->fault == HTTP_FINE && full ? HTTP_HEAD_TOO_LARGE : scan->fault;
    return *ret_fault == HTTP_FINE ? HTTP_PARTIAL : HTTP_INVALID;
}
