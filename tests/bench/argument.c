/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/argument.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned long argument_number(const char *name, const char *text, unsigned long least,
                              unsigned long most)
{
    char *end = NULL;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && text[0] != '-' && number >= least &&
        number <= most)
        return number;
    fprintf(stderr, "%s: `%s` is no number from %lu to %lu\n", name, text, least, most);
    exit(2);
}

struct sockaddr_in argument_address(const char *name, const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    char host[INET_ADDRSTRLEN] = "";
    const char *colon = strrchr(text, ':');
    if (colon != NULL && (size_t)(colon - text) < sizeof host) {
        memcpy(host, text, (size_t)(colon - text));
        address.sin_port = htons((uint16_t)argument_number(name, colon + 1, 1, 65535));
    }
    if (inet_pton(AF_INET, host, &address.sin_addr) == 1 &&
        (ntohl(address.sin_addr.s_addr) >> 24) == 127)
        return address;
    fprintf(stderr, "%s: `%s` is no loopback address, such as 127.0.0.1:8443\n", name, text);
    exit(2);
}
