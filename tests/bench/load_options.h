/* SPDX-License-Identifier: Apache-2.0 */
/* What the load generator is told on its command line. */
#ifndef LB_BENCH_LOAD_OPTIONS_H
#define LB_BENCH_LOAD_OPTIONS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum load_mode {
    LOAD_KEEP_ALIVE, /* a unit is one request on a connection that stays */
    LOAD_FULL,       /* a unit is TCP + full TLS handshake + one request + close */
    LOAD_RESUMED,    /* the same with the newest session of the unit before */
    LOAD_IDLE,       /* a unit is a connection that has made one request and stays open */
    LOAD_HELD,       /* a unit is a request whose answer begins and does not end (HTTP/2) */
};

struct load_options {
    enum load_mode mode;
    const char *mode_name;
    struct sockaddr_in address;
    const char *host; /* Host and SNI */
    const char *path;
    int64_t body_bytes;      /* requests are POST with so many; -1: they are GET */
    int64_t expected_bytes;  /* the body of each answer; -1: any */
    const char *certificate; /* of the client; NULL: none is shown */
    const char *faces;       /* instead: certificates of which each connection shows the next */
    const char *key;         /* of that certificate, or of all of those */
    const char *ca;          /* the server's certificate is verified; NULL: it is not */
    const char *groups;
    int tls_version; /* TLS1_2_VERSION or TLS1_3_VERSION */
    unsigned connections;
    unsigned streams;       /* of HTTP/2 on each connection, each with a unit; 0: HTTP/1.1 */
    uint64_t rate;          /* units due each second; 0: as fast as they come back */
    uint64_t count;         /* units; 0: as many as fit in `seconds` */
    unsigned seconds;       /* of the measured part; 0: until `count` units are done */
    unsigned sources;       /* addresses of 127.0.0.0/8 that connections come from in turn; 0: the
                               kernel's choice */
    unsigned stall_seconds; /* give up when nothing moves, or a due unit waits, for so long */
    int cpu;                /* -1: any */
    bool waits; /* say "ready" and wait for a line before the measured part, and again at the end */
};

/** Read the command line. Prints what is wrong and exits with 2. */
struct load_options load_options_read(int argc, char **argv);

#endif
