/* SPDX-License-Identifier: Apache-2.0 */
/* Turns plain listeners into ones that speak TLS. */
#include "tests/support/secured.h"

#include <check.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/certificates.h"
#include "tests/support/peer_http2.h"

enum { PORTS_MOST = 256 };

/* Ports are reserved until the program ends, so that none of them is ever another's. */
static struct {
    unsigned list[PORTS_MOST];
    atomic_uint count; /* clients of other threads look while a story reloads */
} ports;

bool secured_has(unsigned port)
{
    for (unsigned i = 0; i < ports.count; i++)
        if (ports.list[i] == port)
            return true;
    return false;
}

static void remember(unsigned port)
{
    if (secured_has(port))
        return;
    ck_assert_uint_lt(ports.count, PORTS_MOST);
    ports.list[ports.count] = port;
    ports.count++;
}

static void forget(unsigned port)
{
    for (unsigned i = 0; i < ports.count; i++)
        if (ports.list[i] == port)
            ports.list[i] = 0;
}

static const char *section_end(const char *section)
{
    const char *next = strstr(section, "\n[");
    return next != NULL ? next + 1 : section + strlen(section);
}

/* The first line that begins so between the two, or NULL. */
static const char *find_line(const char *from, const char *end, const char *text)
{
    for (const char *line = from; line < end;) {
        if (strncmp(line, text, strlen(text)) == 0)
            return line;
        const char *next = memchr(line, '\n', (size_t)(end - line));
        line = next != NULL ? next + 1 : end;
    }
    return NULL;
}

static void each_port(const char *from, const char *end, void (*on_port)(unsigned port))
{
    for (const char *line = from; (line = find_line(line, end, "address = ")) != NULL;) {
        const char *next = line + strcspn(line, "\n");
        const char *colon = memrchr(line, ':', (size_t)(next - line));
        if (colon != NULL) /* a story may be about a line that is not whole */
            on_port((unsigned)strtoul(colon + 1, NULL, 10));
        line = next;
    }
}

static void add_section(struct text *into, const char *section, const char *end)
{
    static const char plain[] = "protocol = http\n";
    bool is_listener = strncmp(section, "[listener ", 10) == 0;
    const char *line = is_listener ? find_line(section, end, plain) : NULL;
    if (line == NULL || find_line(section, end, "proxy_protocol = ") != NULL) {
        if (is_listener)
            each_port(section, end, forget);
        text_add(into, section, (size_t)(end - section));
        return;
    }
    each_port(section, end, remember);
    text_add(into, section, (size_t)(line - section));
    text_add_format(into, "certificate = secured.crt\ncertificate_key = secured.key\n");
    line += sizeof plain - 1;
    text_add(into, line, (size_t)(end - line));
}

/* Once: a story that reloads finds the one that it had. */
static void write_certificate(const struct folder *folder)
{
    if (access(folder_file(folder, "secured.crt"), F_OK) == 0)
        return;
    struct made *made = made_server(NULL, "127.0.0.1");
    made_write(made, folder->path, "secured");
    made_free(made);
}

void secured_turn(const struct folder *folder, struct text *ini)
{
    struct text turned = {0};
    if (!peer_http2_is_wanted())
        return;
    write_certificate(folder);
    text_add(&turned, "", 0);
    for (const char *at = ini->bytes; *at != '\0';) {
        const char *end = section_end(at);
        add_section(&turned, at, end);
        at = end;
    }
    text_done(ini);
    *ini = turned;
}

const char *secured_scheme(void)
{
    return peer_http2_is_wanted() ? "https" : "http";
}
