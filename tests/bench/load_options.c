/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/load_options.h"

#include <getopt.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/argument.h"

enum { BODY_BYTES_MOST = 1 << 30 };

static const char usage[] =
    "usage: load --address 127.0.0.1:PORT [options]\n"
    "  --mode MODE        keep-alive | full | resumed | idle | held (keep-alive)\n"
    "  --connections N    at the same time (32)\n"
    "  --http2 N          speak HTTP/2, with N requests at a time on each connection\n"
    "  --rate N           so many units are due each second, at fixed times, and latency counts "
    "from\n"
    "                     then: for all modes but idle and held (each connection has a unit all "
    "the time)\n"
    "  --count N          units of work; or\n"
    "  --seconds N        how long (5, when no count is given)\n"
    "  --tls 1.2|1.3      the only version offered (1.3)\n"
    "  --certificate F    client certificate, PEM, with --key F\n"
    "  --faces F          instead: client certificates, PEM, all of the one --key F; each "
    "connection\n"
    "                     shows the next one, and none is shown twice\n"
    "  --ca F             verify the server's certificate against this CA\n"
    "  --groups LIST      key exchange groups (X25519:P-256)\n"
    "  --host NAME        Host and SNI (www.example.com)\n"
    "  --path PATH        what is asked for (/; the backend's /bytes/N answers with N bytes)\n"
    "  --body N           requests are POST with N bytes (without it they are GET)\n"
    "  --expect N         the body of each answer must have N bytes (not checked)\n"
    "  --sources N        come from so many addresses of 127.0.0.0/8 in turn (0: the kernel's "
    "choice)\n"
    "  --stall N          give up when nothing moves, or a due unit waits, for so many seconds "
    "(10)\n"
    "  --cpu N            run on this processor only\n"
    "  --wait             print {\"ready\":…} after warming up, measure once a line comes on "
    "standard\n"
    "                     input, print the result and keep connections until standard input ends\n"
    "Prints one line of JSON. Exit: 0 all good, 1 errors, 2 usage.\n";

enum option_key {
    KEY_ADDRESS = 256,
    KEY_MODE,
    KEY_CONNECTIONS,
    KEY_HTTP2,
    KEY_RATE,
    KEY_COUNT,
    KEY_SECONDS,
    KEY_TLS,
    KEY_CERTIFICATE,
    KEY_FACES,
    KEY_KEY,
    KEY_CA,
    KEY_GROUPS,
    KEY_HOST,
    KEY_PATH,
    KEY_BODY,
    KEY_EXPECT,
    KEY_SOURCES,
    KEY_STALL,
    KEY_CPU,
    KEY_WAIT,
};

// clang-format off
static const struct option long_options[] = {
    {"address", required_argument, NULL, KEY_ADDRESS},
    {"mode", required_argument, NULL, KEY_MODE},
    {"connections", required_argument, NULL, KEY_CONNECTIONS},
    {"http2", required_argument, NULL, KEY_HTTP2},
    {"rate", required_argument, NULL, KEY_RATE},
    {"count", required_argument, NULL, KEY_COUNT},
    {"seconds", required_argument, NULL, KEY_SECONDS},
    {"tls", required_argument, NULL, KEY_TLS},
    {"certificate", required_argument, NULL, KEY_CERTIFICATE},
    {"faces", required_argument, NULL, KEY_FACES},
    {"key", required_argument, NULL, KEY_KEY},
    {"ca", required_argument, NULL, KEY_CA},
    {"groups", required_argument, NULL, KEY_GROUPS},
    {"host", required_argument, NULL, KEY_HOST},
    {"path", required_argument, NULL, KEY_PATH},
    {"body", required_argument, NULL, KEY_BODY},
    {"expect", required_argument, NULL, KEY_EXPECT},
    {"sources", required_argument, NULL, KEY_SOURCES},
    {"stall", required_argument, NULL, KEY_STALL},
    {"cpu", required_argument, NULL, KEY_CPU},
    {"wait", no_argument, NULL, KEY_WAIT},
    {NULL, 0, NULL, 0},
};

static const struct {
    const char *name;
    enum load_mode mode;
} modes[] = {
    {"keep-alive", LOAD_KEEP_ALIVE},
    {"full", LOAD_FULL},
    {"resumed", LOAD_RESUMED},
    {"idle", LOAD_IDLE},
    {"held", LOAD_HELD},
};
// clang-format on

__attribute__((noreturn)) static void refuse(const char *what, const char *text)
{
    fprintf(stderr, "load: %s `%s`\n%s", what, text, usage);
    exit(2);
}

static void read_mode(struct load_options *options, const char *text)
{
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(text, modes[i].name) != 0)
            continue;
        options->mode = modes[i].mode;
        options->mode_name = modes[i].name;
        return;
    }
    refuse("no such mode:", text);
}

static int read_tls_version(const char *text)
{
    if (strcmp(text, "1.3") == 0)
        return TLS1_3_VERSION;
    if (strcmp(text, "1.2") == 0)
        return TLS1_2_VERSION;
    refuse("no such TLS version:", text);
}

static void read_number(struct load_options *options, enum option_key key, const char *text)
{
    if (key == KEY_CONNECTIONS)
        options->connections = (unsigned)argument_number("--connections", text, 1, 200000);
    if (key == KEY_HTTP2)
        options->streams = (unsigned)argument_number("--http2", text, 1, 1000);
    if (key == KEY_RATE)
        options->rate = argument_number("--rate", text, 1, 1000000);
    if (key == KEY_COUNT)
        options->count = argument_number("--count", text, 1, 100000000);
    if (key == KEY_SECONDS)
        options->seconds = (unsigned)argument_number("--seconds", text, 1, 600);
    if (key == KEY_BODY)
        options->body_bytes = (int64_t)argument_number("--body", text, 0, BODY_BYTES_MOST);
    if (key == KEY_EXPECT)
        options->expected_bytes = (int64_t)argument_number("--expect", text, 0, BODY_BYTES_MOST);
    if (key == KEY_SOURCES)
        options->sources = (unsigned)argument_number("--sources", text, 0, 60000);
    if (key == KEY_STALL)
        options->stall_seconds = (unsigned)argument_number("--stall", text, 1, 600);
    if (key == KEY_CPU)
        options->cpu = (int)argument_number("--cpu", text, 0, 1023);
}

static void read_option(struct load_options *options, int key, const char *text)
{
    switch (key) {
    case KEY_ADDRESS:
        options->address = argument_address("--address", text);
        return;
    case KEY_MODE:
        read_mode(options, text);
        return;
    case KEY_TLS:
        options->tls_version = read_tls_version(text);
        return;
    case KEY_CERTIFICATE:
        options->certificate = text;
        return;
    case KEY_FACES:
        options->faces = text;
        return;
    case KEY_KEY:
        options->key = text;
        return;
    case KEY_CA:
        options->ca = text;
        return;
    case KEY_GROUPS:
        options->groups = text;
        return;
    case KEY_HOST:
        options->host = text;
        return;
    case KEY_PATH:
        options->path = text;
        return;
    case KEY_WAIT:
        options->waits = true;
        return;
    default:
        read_number(options, (enum option_key)key, text);
    }
}

static void check_credentials(const struct load_options *options)
{
    if (options->certificate != NULL && options->faces != NULL)
        refuse("one of the two is shown:", "--certificate F --faces F");
    if ((options->certificate == NULL && options->faces == NULL) != (options->key == NULL))
        refuse("these belong together:",
               options->faces != NULL ? "--faces F --key F" : "--certificate F --key F");
}

/* Each for itself is right, but not together. */
static void refuse_nonsense(const struct load_options *options)
{
    bool closes = options->mode == LOAD_FULL || options->mode == LOAD_RESUMED;
    bool stays = options->mode == LOAD_IDLE || options->mode == LOAD_HELD;
    if (options->address.sin_port == 0)
        refuse("an address is needed:", "--address 127.0.0.1:PORT");
    check_credentials(options);
    if (options->rate > 0 && stays)
        refuse("connections and streams that stay have no units:", "--rate");
    if (options->streams > 0 && closes)
        refuse("handshakes are measured with HTTP/1.1:", "--http2");
    if (options->streams == 0 && options->mode == LOAD_HELD)
        refuse("what is held are streams, so this needs --http2:", "--mode held");
    if ((uint64_t)options->connections * options->streams > 200000)
        refuse("all connections together have at most 200000 streams:", "--http2");
}

struct load_options load_options_read(int argc, char **argv)
{
    struct load_options options = {.mode = LOAD_KEEP_ALIVE,
                                   .mode_name = "keep-alive",
                                   .host = "www.example.com",
                                   .path = "/",
                                   .body_bytes = -1,
                                   .expected_bytes = -1,
                                   .groups = "X25519:P-256",
                                   .tls_version = TLS1_3_VERSION,
                                   .connections = 32,
                                   .stall_seconds = 10,
                                   .cpu = -1};
    int key;
    while ((key = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (key == '?')
            refuse("what is", argv[optind - 1]);
        read_option(&options, key, optarg);
    }
    if (optind < argc)
        refuse("what is", argv[optind]);
    refuse_nonsense(&options);
    if (options.mode == LOAD_HELD)
        options.count = (uint64_t)options.connections * options.streams;
    if (options.count == 0 && options.seconds == 0)
        options.seconds = 5;
    return options;
}
