/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a PROXY header, in either version. Besides memory errors this finds: answers that
 * change when more bytes come, headers that are waited for beyond their longest, bytes taken that
 * are not there, clients without an address, and faults without words.
 */
#include "listeners/proxy/proxy_header.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static enum proxy_outcome read_first(enum proxy_protocol version, const uint8_t *data,
                                     size_t length, struct proxy_header *header)
{
    char *bytes = expect_copy(data, length);
    memset(header, 0xa5, sizeof *header);
    enum proxy_outcome outcome = proxy_header_read(version, bytes, length, header);
    free(bytes);
    return outcome;
}

static void expect_whole(const struct proxy_header *header, size_t length)
{
    EXPECT(header->length > 0 && header->length <= length);
    EXPECT(header->length <= PROXY_HEADER_BYTES && !header->fault);
    if (!header->has_client)
        return;
    char host[48];
    int family = header->client.storage.ss_family;
    EXPECT(family == AF_INET || family == AF_INET6);
    EXPECT(header->local_port <= UINT16_MAX && address_port(&header->client) <= UINT16_MAX);
    address_host(&header->client, host, sizeof host);
    EXPECT(host[0] != '\0' && expect_clean(slice_of(host)) && strlen(host) < 46);
}

static void expect_same(const struct proxy_header *one, const struct proxy_header *other)
{
    EXPECT(one->length == other->length && one->has_client == other->has_client);
    EXPECT(one->fault == other->fault);
    EXPECT(!one->has_client ||
           (one->local_port == other->local_port && address_equal(&one->client, &other->client)));
}

/* Cut where it is decided, and one byte before: what came in pieces means the same. */
static void expect_decided(enum proxy_protocol version, const uint8_t *data, size_t length)
{
    struct proxy_header all, first;
    enum proxy_outcome outcome = read_first(version, data, length, &all);
    size_t cut = 0;
    enum proxy_outcome early = PROXY_PARTIAL;
    while (early == PROXY_PARTIAL && cut < length)
        early = read_first(version, data, ++cut, &first);
    EXPECT(early == outcome);
    EXPECT(outcome != PROXY_PARTIAL || length < PROXY_HEADER_BYTES);
    EXPECT(version != PROXY_PROTOCOL_V1 || outcome != PROXY_PARTIAL || length < PROXY_V1_BYTES);
    if (outcome == PROXY_PARTIAL)
        return;
    expect_same(&all, &first);
    if (outcome == PROXY_WHOLE) {
        EXPECT(all.length == cut);
        expect_whole(&all, length);
    } else {
        EXPECT(all.fault && all.fault[0] != '\0');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    if (length > 2 * PROXY_HEADER_BYTES)
        return 0;
    expect_decided(PROXY_PROTOCOL_V1, data, length);
    expect_decided(PROXY_PROTOCOL_V2, data, length);
    return 0;
}
