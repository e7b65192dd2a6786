/* SPDX-License-Identifier: Apache-2.0 */
/* LB_VERSION and LB_INIH_VERSION come from CMake; inih has no version of its own in its header. */
#include "lb/commands/version.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <jansson.h>
#include <nghttp2/nghttp2.h>
#include <openssl/crypto.h>
#include <openssl/opensslv.h>
#include <pcre2.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "lb/commands/commands.h"

static void print_pcre2(void)
{
    int room = pcre2_config(PCRE2_CONFIG_VERSION, NULL);
    char version[64] = "unknown";
    if (room > 0 && (size_t)room <= sizeof version)
        pcre2_config(PCRE2_CONFIG_VERSION, version);
    version[strcspn(version, " ")] = '\0'; /* a date follows */
    printf("PCRE2 %s, built with %d.%02d\n", version, PCRE2_MAJOR, PCRE2_MINOR);
}

int command_version(int argc, char **argv)
{
    if (argc > 1)
        return command_misused("version", "\"%s\" is too much: it takes nothing", argv[1]);
    printf("lb %s\n", LB_VERSION);
    printf("OpenSSL %s, built with %s\n", OpenSSL_version(OPENSSL_VERSION_STRING),
           OPENSSL_VERSION_STR);
    printf("libuv %s, built with %d.%d.%d%s\n", uv_version_string(), UV_VERSION_MAJOR,
           UV_VERSION_MINOR, UV_VERSION_PATCH, UV_VERSION_SUFFIX);
    printf("nghttp2 %s, built with %s\n", nghttp2_version(0)->version_str, NGHTTP2_VERSION);
    printf("inih %s\n", LB_INIH_VERSION);
    print_pcre2();
    printf("jansson %s, built with %s\n", jansson_version_str(), JANSSON_VERSION);
    printf("SQLite %s, built with %s\n", sqlite3_libversion(), SQLITE_VERSION);
    return COMMAND_DONE;
}
