/* SPDX-License-Identifier: Apache-2.0 */
/* Every ceiling of the program that is not an INI key, each with its reason. */
#ifndef LB_BASE_LIMITS_H
#define LB_BASE_LIMITS_H

enum {
    /* A log line: room for two names, a certificate's fields and the reason; longer values are cut.
     */
    LOG_LINE_BYTES = 2048,
    /* One escaped value of it: no name from the network may push the reason off the line. */
    LOG_VALUE_BYTES = 512,
    /* Lines of the log about failed attempts at one backend, or about requests for which a pool had
       no place, that may follow each other: enough to see what it is … */
    FAILURE_LINES_AT_ONCE = 20,
    /* … and then one in this time, which counts the others: who looks sees that it goes on, and a
       pool that is down under 10,000 requests a second does not push all else out of the log. */
    FAILURE_LINE_EVERY_MS = 5000,
    /* Queued log bytes per sink: a second of 10,000 lines; what does not fit is dropped and
       counted. */
    SINK_BYTES = 2 * 1024 * 1024,
    /* One read from a socket: 4 TLS records; large bodies need few system calls, L2 still holds it.
     */
    READ_BYTES = 64 * 1024,
    /* … of a body that flows, where the other side's socket has room for all of it: 15 records.
       Fewer and larger sends wake whom they are for less often: 5 to 15 % of a gibibyte's CPU time
       against READ_BYTES. Sent as TLS or plain it is a little less than four of the kernel's
       largest segments; above that, L2 is too small for what is copied. */
    FLOW_BYTES = 240 * 1024,
    /* The plaintext of a TLS record. */
    RECORD_BYTES = 16 * 1024,
    /* One gathered write may hold one read's worth as TLS records, a head and chunk frames. */
    WRITE_PENDING_MOST_BYTES = 512 * 1024,
    /* Lines of an INI file: room for a list of ciphers, a long URL or name. What is longer is a
     * file that lost its line ends, or was never one. */
    INI_LINE_BYTES = 2000,
    /* Section names; inih cuts at 49, which lb refuses. */
    INI_SECTION_BYTES = 49,
    /* An INI file as a whole. */
    INI_FILE_BYTES = 16 * 1024 * 1024,
    /* A head that asks for the path of a check, or names its host: longer than either may be. */
    CHECK_HEAD_BYTES = 2048,
    /* Problems of one INI file's lines: who gave lb the wrong file need not read a million of them.
     */
    INI_PROBLEMS_MOST = 1000,
    /* A path with escapes or dot segments: each way to read it costs a walk; nginx takes no longer
     * request line. Paths with one reading may be as long as the head. */
    PATH_READING_BYTES = 8 * 1024,
    /* Lines (fields) of a head: far above what browsers and proxies send, bounds the parser's
       table. */
    HEAD_FIELDS_MOST = 128,
    /* … and fields that lb adds to one: status, length, cookie, page, and what every preset of
       client_headers tells. */
    HEAD_ADDED_MOST = 64,
    /* Fields that HTTP/2 may cut one Cookie line into: browsers keep 180 cookies for a domain and
       send each as one. */
    COOKIE_CRUMBS_MOST = 512,
    /* A request target: what nginx and CLB take, too; longer ones are 414. */
    TARGET_BYTES = 8 * 1024,
    /* The name in Host: a DNS name has 253, and a dot may end it. */
    DOMAIN_BYTES = 254,
    /* Options of all Connection fields of a head: each is looked up among all fields. */
    CONNECTION_OPTIONS_MOST = 32,
    /* A backend's head: twice max_head's default, for those that set many cookies. */
    ANSWER_HEAD_BYTES = 64 * 1024,
    /* Interim (1xx) answers before a final one: more is a flood. */
    INTERIM_ANSWERS_MOST = 16,
    /* The largest max_head an operator may ask for; bounds what is kept of an unfinished head. */
    HEAD_MOST_BYTES = 256 * 1024,
    /* A trailer section. */
    TRAILER_BYTES = 16 * 1024,
    /* A chunk-size line with its extensions. */
    CHUNK_LINE_BYTES = 4096,
    /* The client's Certificate message: a chain of four RSA-4096 certificates fits four times. */
    CLIENT_CHAIN_BYTES = 32 * 1024,
    /* A client's own RSA key: what it signs with 16,384 bits takes 4.7 ms to verify, with 8,192 one
       at most, and where a rule only requests certificates any stranger may ask for it. */
    CLIENT_KEY_BITS_MOST = 8192,
    /* A PROXY header of version 1: the longest line its specification knows. */
    PROXY_V1_BYTES = 107,
    /* … and of version 2 with what else is told in it (names, certificates' subjects, a cloud's
       ids): what nginx takes, too. */
    PROXY_HEADER_BYTES = 4096,
    /* A PEM file of certificates or of a key: the CA bundle of a distribution is a quarter of a
       MiB. */
    CERTIFICATE_FILE_BYTES = 4 * 1024 * 1024,
    /* A file of revocation lists: some three million entries. It is read into memory, and its bytes
       are there up to three times while it is. */
    CRL_FILE_BYTES = 128 * 1024 * 1024,
    /* Lists of one file: the CAs of a large company. */
    CRL_FILE_LISTS_MOST = 256,
    /* What is kept of a request's body until its answer begins, to be sent again where it was
       turned away: most calls of gRPC fit. */
    RESENT_BODY_BYTES = 64 * 1024,
    /* Bytes drained after an alert or an early answer so that it is not lost behind a reset … */
    LINGER_BYTES = 1024 * 1024,
    /* … and for how long. */
    LINGER_MS = 5000,
    /* Verified chains remembered by all workers: about 5.5 KiB each for two P-256 certificates. */
    VERIFIED_CHAINS_MOST = 16384,
    /* Certificates of CAs that clients send along, kept decoded (5 KB each) for all who send the
       same: more than one installation has intermediates. */
    SHARED_ISSUERS_MOST = 256,
    /* A chain that is remembered, with its session too; four RSA-4096 certificates. A client may
     * send what it likes behind its own certificate: what is larger is verified anew each time
     * instead of kept. */
    KEPT_CHAIN_BYTES = 8 * 1024,
    /* The CA names that a request for a certificate lists; some clients give up on more than one
     * TLS record, and all on more than 64 KiB. A longer list is left out: clients then choose among
     * all certificates they have. */
    CA_NAMES_BYTES = 16 * 1024,
    /* Distinct client CA sets one domain's rules may name: each costs one verification. */
    CA_SETS_PER_DOMAIN = 16,
    /* Backends of one pool: bounds the set of those a request has tried, which each exchange
       carries. */
    POOL_BACKENDS_MOST = 1024,
    /* Connections to the admin socket, and as many over TCP: a few operators and what watches lb
       for them. */
    ADMIN_CLIENTS_MOST = 32,
    /* Addresses of [admin]: a socket file, and one for each network that steers. */
    ADMIN_ADDRESSES_MOST = 8,
    /* Open clients of one certificate that are told one by one, of all workers together: some 350
       bytes each, and nobody reads more. The number is exact above it, too. */
    CENSUS_ROWS_MOST = 1000,
    /* What lb status and its like take as an answer: ten times that of 1,000 backends and 10,000
     * rules. */
    ADMIN_ANSWER_BYTES = 32 * 1024 * 1024,
    /* TLS sessions with backends that one worker keeps to resume with: some 6 KiB each with the
       backend's chain … */
    LINK_SESSIONS_MOST = 1024,
    /* … of them for one backend: it may serve many names, but few at a time. */
    LINK_SESSION_NAMES_MOST = 16,
    /* For how many seconds such a session stands in for the verification it began with: after an
       hour at most, a backend's certificate is looked at again. */
    LINK_SESSION_S = 3600,
    /* Turns of a pool's weighted sequence: 1,000 backends of any weight; what would need more is
       rounded. Two bytes each. */
    SEQUENCE_TURNS_MOST = 100000,
    /* Slots of a table that finds clients' backends (affinity.h): a prime, 128 KiB for each pool
       that has one, and 64 slots for each of 1,024 backends. */
    AFFINITY_SLOTS = 65537,
    /* Health checks that are open at once, a descriptor each: a thousand backends that all hang
     * have 400 under way with the standard times. Others wait their turn. */
    CHECKS_OPEN_MOST = 512,
    /* Of a check over HTTP/2: what is kept of the answer's body. A HealthCheckResponse has 7 bytes
       with its prefix; later versions may say more. */
    CHECK_BODY_BYTES = 1024,
    /* … and all bytes that a backend may send without deciding the check: settings, four of the
       largest heads, a page that nobody reads. */
    CHECK_HEARD_BYTES = 512 * 1024,
    /* Steps of matching a regular expression, shared among the places of a text where it may begin:
       about 3 ms of machine code, 25 ms where it is interpreted. An expression that needs more on a
       path of ordinary length is one that a client can make arbitrarily slow … */
    REGEX_STEPS_MOST = 1000 * 1000,
    /* … but from each place, one pass over the rest of the text and so many steps more; or, for a
       path with many readings, its part of so many steps. */
    REGEX_STEPS_LEAST = 1000,
    /* Nested steps of an interpreted match, and the memory they take: an alternative for each byte
       of the longest path, "(?:a|b)*", fits. */
    REGEX_DEPTH_MOST = 20 * 1000,
    REGEX_MEMORY_BYTES = 4 * 1024 * 1024,
    /* A page of the operator's own for refusals, with all that is filled in: it is written from the
       stack of a worker; one with its style and a small picture inside fits. */
    REFUSAL_PAGE_BYTES = 64 * 1024,
    /* Elements of an Accept field: browsers send ten. */
    ACCEPT_ELEMENTS_MOST = 32,
    /* Certificates whose OCSP answers are remembered by all workers, some 200 bytes each: whoever
       is forgotten is asked about again. */
    OCSP_ANSWERS_MOST = 100 * 1000,
    /* URL of an OCSP responder, by INI file or certificate: CAs need a tenth of it. */
    OCSP_URL_BYTES = 512,
    /* An OCSP answer: its head, its body; one for a single certificate, with the chain of four
       RSA-4096 certificates of who signed it, has 10 KiB. */
    OCSP_HEAD_BYTES = 8 * 1024,
    OCSP_BODY_BYTES = 64 * 1024,
    /* OCSP questions that one worker has open at once, a descriptor each; others wait their turn
       within OCSP_ASK_MS. */
    OCSP_OPEN_MOST = 64,
    /* How long a request may be held because its client's certificate is asked about, its turn and
       the look-up of the responder's name included. */
    OCSP_ASK_MS = 5000,
    /* A Location that a rule makes of the request: the longest target once, with each of its bytes
       percent-encoded, and room for hosts. */
    LOCATION_BYTES = 32 * 1024,
    /* Values of fields that tell backends of a client (client_headers); a larger one is replaced by
       …-Too-Large. A name: more than every one that people read; four of them stay below the 16 KiB
       that many backends take as a head. */
    IDENTITY_NAME_BYTES = 3 * 1024,
    /* A serial number in hex: RFC 5280 allows 40 digits. */
    IDENTITY_SERIAL_BYTES = 256,
    /* A digest in hex: SHA-256. */
    IDENTITY_DIGEST_BYTES = 64,
    /* Times of validity. */
    IDENTITY_TIMES_BYTES = 128,
    /* A certificate in base64, and a chain without it: what Cloudflare bounds RFC 9440 to. */
    IDENTITY_LEAF_BYTES = 10 * 1024,
    IDENTITY_CHAIN_BYTES = 16 * 1024,
    /* A certificate in percent-encoded PEM: what AWS allows one field. */
    IDENTITY_PEM_BYTES = 16 * 1024,
    /* X-Forwarded-Client-Cert: four RSA-4096 certificates and the client's own once more are some
       16 KiB, and there are names beside them. */
    IDENTITY_XFCC_BYTES = 32 * 1024,
    /* All fields of all presets together, with their names. */
    IDENTITY_HEADERS_MOST_BYTES = 128 * 1024,
    /* A row of a store: a certificate of what a client may send in its chain, a CA with those above
     * it. */
    STORE_ROW_BYTES = 1024 * 1024,
    /* Listeners whose refusals are counted, each by itself; those of former configs stay, some 800
       bytes each. */
    TALLIES_MOST = 1024,
    /* [access] sections whose decisions are counted, each by itself; those of former configs stay,
       some 100 bytes each. */
    ACCESS_TALLIES_MOST = 32768,
    /* Uses of client CAs that are counted, of all domains together: some 200 bytes each. */
    CA_USES_MOST = 32768,
    /* … of them, for one domain, of CAs that client_ca does not name: whoever has an intermediate
       may make others below it without end. */
    CA_ROLL_OTHERS_MOST = 32,
    /* Their file in state_dir: 1 KiB each, which is a subject of the longest kind that is kept. */
    CA_USES_FILE_BYTES = 32 * 1024 * 1024,
    /* Names of a certificate that allow_client looks at, of subject and subjectAltName together:
       public CAs sign a hundred or two. Who has more is let in if one of the first fits. */
    ALLOWED_NAMES_MOST = 256,
    /* … and the longest that may fit: what a SPIFFE id may have. */
    ALLOWED_NAME_BYTES = 2048,
    /* A question to a store; its own longest, with every filter, has a tenth of it. */
    STORE_QUESTION_BYTES = 32 * 1024,
    /* HTTP/2, both sides. Payload of a frame: what SETTINGS_MAX_FRAME_SIZE is without being told.
     */
    HTTP2_FRAME_BYTES = 16 * 1024,
    /* A head that lb sends: the largest of either side and all that lb adds, HPACK's worst
       included; nghttp2 would drop what is over 64 KiB. */
    HTTP2_HEAD_SENT_BYTES = 1024 * 1024,
    /* HTTP/2, towards clients: HTTP2_*. Requests that one may have open at once: what nginx,
       HAProxy and browsers' own expectations agree on. */
    HTTP2_STREAMS_MOST = 100,
    /* A stream's window at first: RFC 9113's own … */
    HTTP2_WINDOW_BYTES = 64 * 1024 - 1,
    /* … and when its backend has kept up with it: 80 Mbit/s to a client that is 100 ms away. */
    HTTP2_WINDOW_MOST_BYTES = 1024 * 1024,
    /* What the windows of all streams of a client may have beyond the first: enough for four of the
       largest, and the others go on with what they have. With the first of each stream (6.25 MiB)
       that is what one client may make lb hold of bodies that backends do not take: 10 MiB. */
    HTTP2_ENLARGED_MOST_BYTES = 60 * 64 * 1024,
    /* The connection's window, which these share. It is given back as bytes arrive. */
    HTTP2_CONNECTION_WINDOW_BYTES = 4 * 1024 * 1024,
    /* Frames that wait for a client which takes nothing: more of its own are not read then. */
    HTTP2_QUEUE_MOST = 256,
    /* CONTINUATION frames of a client's head beyond those that its largest size needs; nobody sends
       it in smaller pieces. */
    HTTP2_CONTINUATIONS_MOST = 8,
    /* What a client's connection may send at once, and how much more each second, before it is a
       flood; what lb sends it and answers gives credit besides (listeners/http2/meter.h).
       RST_STREAM: some windows of a browser that leave a page of a hundred streams each; as many
       streams as it may have, each given up after a second. */
    HTTP2_RESETS_AT_ONCE = 500,
    HTTP2_RESETS_PER_S = 128,
    /* Streams that its mistakes make lb reset: a client without mistakes has none, but for races
       with what lb has just ended. */
    HTTP2_FAULTS_AT_ONCE = 100,
    HTTP2_FAULTS_PER_S = 10,
    /* SETTINGS: one at the beginning, one to acknowledge lb's, a few when its memory runs low. */
    HTTP2_SETTINGS_AT_ONCE = 32,
    HTTP2_SETTINGS_PER_S = 1,
    /* PING without traffic: libraries ask every ten seconds, impatient ones every second. */
    HTTP2_PINGS_AT_ONCE = 100,
    HTTP2_PINGS_PER_S = 10,
    /* PRIORITY and PRIORITY_UPDATE besides two for each request: a page's pictures that come into
       view. */
    HTTP2_PRIORITIES_AT_ONCE = 256,
    HTTP2_PRIORITIES_PER_S = 20,
    /* Priorities of requests that a client has not made yet: browsers say them just before. */
    HTTP2_PRIORITIES_KEPT_MOST = 8,
    /* WINDOW_UPDATE besides those for what it received: all that may come for 16 MiB in flight,
       which are given back in parts of a KiB. Nothing of that costs lb more than 5 ms. */
    HTTP2_WINDOWS_AT_ONCE = 16 * 1024,
    HTTP2_WINDOWS_PER_S = 500,
    /* Frames without content that do not end anything: some libraries flush with one now and then.
     */
    HTTP2_EMPTY_AT_ONCE = 100,
    HTTP2_EMPTY_PER_S = 10,
    /* Frames of unknown types, which browsers send so that nobody forgets to ignore them, besides
       one for each request; and GOAWAY, of which a client sends two. */
    HTTP2_OTHERS_AT_ONCE = 256,
    HTTP2_OTHERS_PER_S = 20,
    /* HTTP/2, towards backends: HTTP2_LINK_*. What may be in flight of an answer before it is read:
       a gigabit that is a millisecond away … */
    HTTP2_LINK_STREAM_WINDOW_BYTES = 128 * 1024,
    /* … and of all answers on a link. */
    HTTP2_LINK_WINDOW_BYTES = 1024 * 1024,
    /* What a link keeps of answers whose clients are slow: 32 of them take all of their windows;
       beyond that, what comes on it waits for them, and new requests go to another link. */
    HTTP2_LINK_HELD_BYTES = 4 * 1024 * 1024,
    /* Requests on a link at a time, where the backend would take more. */
    HTTP2_LINK_STREAMS_MOST = 256,
    /* … and that wait for one that is being opened: what RFC 9113 6.5.2 has backends take. */
    HTTP2_LINK_WAITING_MOST = 100,
    /* Frames of a backend's that carry nothing (PING, SETTINGS, RST_STREAM, WINDOW_UPDATE, empty
       DATA …), at once and again within a second: all that a hundred impatient streams send … */
    HTTP2_LINK_IDLE_FRAMES_MOST = 1000,
    /* … and those that lb's requests and bodies are credited with: windows for 16 MiB in flight
       that are given back by the KiB. */
    HTTP2_LINK_CREDIT_FRAMES_MOST = 16 * 1024,
};

#endif
