/* SPDX-License-Identifier: Apache-2.0 */
/* LB_VERSION and LB_INIH_VERSION come from CMake; inih has no version of its own in its header. */
#include "lb/commands/version.h"

#include <openssl/crypto.h>
#include <openssl/opensslv.h>
#include <stdio.h>
#include <uv.h>

#include "lb/commands/commands.h"

int command_version(int argc, char **argv)
{
    if (argc > 1)
        return command_misused("version", "\"%s\" is too much: it takes nothing", argv[1]);
    printf("lb %s\n", LB_VERSION);
    printf("OpenSSL %s, built with %s\n", OpenSSL_version(OPENSSL_VERSION_STRING),
           OPENSSL_VERSION_STR);
    printf("libuv %s, built with %d.%d.%d%s\n", uv_version_string(), UV_VERSION_MAJOR,
           UV_VERSION_MINOR, UV_VERSION_PATCH, UV_VERSION_SUFFIX);
    printf("inih %s\n", LB_INIH_VERSION);
    return COMMAND_DONE;
}
