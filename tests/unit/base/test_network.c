/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/base/network.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/check_main.h"

static const struct {
    const char *text;
    const char *said;
} good[] = {
    {"10.0.0.0/8", "10.0.0.0/8"},
    {"10.1.2.3", "10.1.2.3/32"},
    {"0.0.0.0/0", "0.0.0.0/0"},
    {"192.0.2.128/25", "192.0.2.128/25"},
    {"255.255.255.255/32", "255.255.255.255/32"},
    {"2001:db8::/32", "2001:db8::/32"},
    {"2001:DB8::1", "2001:db8::1/128"},
    {"::/0", "::/0"},
    {"fe80::/10", "fe80::/10"},
    {"2001:db8:0:8000::/49", "2001:db8:0:8000::/49"},
    {"2001:db8::/64", "2001:db8::/64"},
    {"2001:db8::8000:0:0:0/65", "2001:db8:0:0:8000::/65"},
    {"::ffff:10.0.0.0/104", "10.0.0.0/8"},
    {"::ffff:10.1.2.3", "10.1.2.3/32"},
    {"::ffff:0:0/96", "0.0.0.0/0"},
    {"::ffff:0:0/95", NULL}, /* see below: ffff is odd */
    {"::fffe:0:0/95", "::fffe:0:0/95"},
};

START_TEST(a_network_is_read_and_written)
{
    struct network network;
    struct error err = {""};
    char said[NETWORK_TEXT_BYTES];
    bool fine = network_parse(&network, good[_i].text, &err);
    ck_assert_msg(fine == (good[_i].said != NULL), "%s: %s", good[_i].text, err.text);
    if (fine)
        ck_assert_str_eq(network_write(&network, said), good[_i].said);
}
END_TEST

static const struct {
    const char *text;
    const char *complaint;
} bad[] = {
    {"10.1.2.3/8", "10.1.2.3/8 has bits set behind its prefix: write 10.0.0.0/8 for the network, "
                   "or 10.1.2.3 for this address alone"},
    {"10.0.0.1/0", "10.0.0.1/0 has bits set behind its prefix: write 0.0.0.0/0 for the network, or "
                   "10.0.0.1 for this address alone"},
    {"192.0.2.129/25", "192.0.2.129/25 has bits set behind its prefix: write 192.0.2.128/25 for "
                       "the network, or 192.0.2.129 for this address alone"},
    {"2001:db8::1/32", "2001:db8::1/32 has bits set behind its prefix: write 2001:db8::/32 for the "
                       "network, or 2001:db8::1 for this address alone"},
    {"2001:db8::1/127", "2001:db8::1/127 has bits set behind its prefix: write 2001:db8::/127 for "
                        "the network, or 2001:db8::1 for this address alone"},
    {"2001:db8:0:1::/63", "2001:db8:0:1::/63 has bits set behind its prefix: write 2001:db8::/63 "
                          "for the network, or 2001:db8:0:1:: for this address alone"},
    {"10.0.0.0/33", "\"33\" in \"10.0.0.0/33\" is no prefix: write a number of bits from 0 to 32"},
    {"10.0.0.0/", "\"\" in \"10.0.0.0/\" is no prefix: write a number of bits from 0 to 32"},
    {"10.0.0.0/08", "\"08\" in \"10.0.0.0/08\" is no prefix: write a number of bits from 0 to 32"},
    {"10.0.0.0/+8", "\"+8\" in \"10.0.0.0/+8\" is no prefix: write a number of bits from 0 to 32"},
    {"10.0.0.0/8/8",
     "\"8/8\" in \"10.0.0.0/8/8\" is no prefix: write a number of bits from 0 to 32"},
    {"10.0.0.0/99999999999999999999", "\"99999999999999999999\" in "
                                      "\"10.0.0.0/99999999999999999999\" is no prefix: write a "
                                      "number of bits from 0 to 32"},
    {"::/129", "\"129\" in \"::/129\" is no prefix: write a number of bits from 0 to 128"},
    {"::/255.0.0.0",
     "\"255.0.0.0\" in \"::/255.0.0.0\" is no prefix: write a number of bits from 0 to 128"},
    {"10.0.0.0/255.0.0.0", "10.0.0.0/255.0.0.0 has a netmask: write 10.0.0.0/8"},
    {"0.0.0.0/0.0.0.0", "0.0.0.0/0.0.0.0 has a netmask: write 0.0.0.0/0"},
    {"10.0.0.7/255.255.255.255", "10.0.0.7/255.255.255.255 has a netmask: write 10.0.0.7/32"},
    {"10.0.0.0/255.0.255.0",
     "\"255.0.255.0\" in \"10.0.0.0/255.0.255.0\" is no prefix: write a number of bits from 0 to "
     "32"},
    {"/8", "\"/8\" has no address: write 10.0.0.0/8 or 2001:db8::/32"},
    {"", "\"\" has no address: write 10.0.0.0/8 or 2001:db8::/32"},
    {"[2001:db8::]/32",
     "[2001:db8::]/32 has brackets: write a network without them, as 2001:db8::/32"},
    {"10.0.0.0/8,", "\"10.0.0.0/8,\" is no network: put blanks between networks, no commas, as in "
                    "\"10.0.0.0/8 2001:db8::/32\""},
    {"10.0.0.0/8,10.1.0.0/16", "\"10.0.0.0/8,10.1.0.0/16\" is no network: put blanks between "
                               "networks, no commas, as in \"10.0.0.0/8 2001:db8::/32\""},
    {"10.0.0.1;10.0.0.2", "\"10.0.0.1;10.0.0.2\" is no network: put blanks between networks, no "
                          "commas, as in \"10.0.0.0/8 2001:db8::/32\""},
    {",", "\",\" is no network: put blanks between networks, no commas, as in \"10.0.0.0/8 "
          "2001:db8::/32\""},
    {"fe80::1%eth0", "fe80::1%eth0 has a zone, which networks do not have: write it without the %"},
    {"10.0.0.1:8443", "10.0.0.1:8443 has a port, which networks do not have: write 10.0.0.1"},
    {"proxy.example.com", "\"proxy.example.com\" in \"proxy.example.com\" is no IPv4 or IPv6 "
                          "address: write 10.0.0.0/8 or 2001:db8::/32, or a single address (names "
                          "are not looked up)"},
    {"10.0.0/24", "\"10.0.0\" in \"10.0.0/24\" is no IPv4 or IPv6 address: write 10.0.0.0/8 or "
                  "2001:db8::/32, or a single address (names are not looked up)"},
    {"010.0.0.0/8", "\"010.0.0.0\" in \"010.0.0.0/8\" is no IPv4 or IPv6 address: write 10.0.0.0/8 "
                    "or 2001:db8::/32, or a single address (names are not looked up)"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/8",
     "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\" is too long for an address: write 10.0.0.0/8 or "
     "2001:db8::/32"},
};

START_TEST(a_bad_network_is_refused_with_what_would_be_right)
{
    struct network network = {.prefix_bits = 77};
    struct error err = {""};
    ck_assert(!network_parse(&network, bad[_i].text, &err));
    ck_assert_str_eq(err.text, bad[_i].complaint);
    ck_assert_uint_eq(network.prefix_bits, 77);
}
END_TEST

/* --- sets ---------------------------------------------------------------------------------- */

static struct network must_parse(const char *text)
{
    struct network network;
    struct error err = {""};
    ck_assert_msg(network_parse(&network, text, &err), "%s", err.text);
    return network;
}

static struct network_set set_of(const char *const *texts, struct arena *arena)
{
    struct network networks[16];
    struct network_set set;
    size_t count = 0;
    for (; texts[count]; count++)
        networks[count] = must_parse(texts[count]);
    network_set_make(&set, networks, count, arena);
    return set;
}

static bool has(const struct network_set *set, const char *text)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};
    struct address address;
    if (inet_pton(AF_INET, text, &ipv4.sin_addr) == 1) {
        address_set(&address, (struct sockaddr *)&ipv4, sizeof ipv4);
    } else {
        ck_assert_int_eq(inet_pton(AF_INET6, text, &ipv6.sin6_addr), 1);
        address_set(&address, (struct sockaddr *)&ipv6, sizeof ipv6);
    }
    return network_set_has(set, &address);
}

START_TEST(an_address_is_found_from_the_first_to_the_last_of_its_network)
{
    static const char *const texts[] = {"10.0.0.0/8",
                                        "192.0.2.7",
                                        "198.51.100.128/25",
                                        "2001:db8::/32",
                                        "2001:db9::1:0",
                                        "2001:dba:0:0:8000::/65",
                                        NULL};
    static const char *const inside[] = {
        "10.0.0.0",        "10.255.255.255",       "10.7.7.7",
        "192.0.2.7",       "198.51.100.128",       "198.51.100.255",
        "2001:db8::",      "2001:db8::1",          "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:db9::1:0",   "2001:dba::8000:0:0:0", "2001:dba::ffff:ffff:ffff:ffff",
        "::ffff:10.1.1.1",
    };
    static const char *const outside[] = {
        "9.255.255.255",
        "11.0.0.0",
        "192.0.2.6",
        "192.0.2.8",
        "198.51.100.127",
        "198.51.101.0",
        "0.0.0.0",
        "255.255.255.255",
        "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:db9::",
        "2001:db9::1:1",
        "2001:dba::7fff:ffff:ffff:ffff",
        "2001:dba:0:1::",
        "::",
        "::10.1.1.1",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    };
    struct arena arena = {0};
    struct network_set set = set_of(texts, &arena);
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
        ck_assert_msg(has(&set, inside[i]), "%s", inside[i]);
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        ck_assert_msg(!has(&set, outside[i]), "%s", outside[i]);
    arena_done(&arena);
}
END_TEST

START_TEST(all_of_ipv4_is_nothing_of_ipv6_and_the_other_way_round)
{
    static const char *const ipv4[] = {"0.0.0.0/0", NULL};
    static const char *const ipv6[] = {"::/0", NULL};
    struct arena arena = {0};
    struct network_set four = set_of(ipv4, &arena);
    struct network_set six = set_of(ipv6, &arena);
    ck_assert(has(&four, "0.0.0.0") && has(&four, "255.255.255.255"));
    ck_assert(!has(&four, "::") && !has(&four, "2001:db8::1"));
    ck_assert(has(&six, "::") && has(&six, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
    ck_assert(!has(&six, "0.0.0.0") && !has(&six, "10.1.1.1") && !has(&six, "::ffff:10.1.1.1"));
    arena_done(&arena);
}
END_TEST

START_TEST(an_empty_set_and_an_address_of_another_family_have_nothing_in_common)
{
    static const char *const all[] = {"0.0.0.0/0", "::/0", NULL};
    struct network_set none = {0};
    struct arena arena = {0};
    struct network_set set = set_of(all, &arena);
    struct sockaddr nowhere = {.sa_family = AF_UNIX};
    struct address address;
    address_set(&address, &nowhere, sizeof nowhere);
    ck_assert(!has(&none, "10.0.0.1") && !has(&none, "::1"));
    ck_assert(!network_set_has(&set, &address));
    network_set_make(&none, NULL, 0, &arena);
    ck_assert(!has(&none, "10.0.0.1") && !has(&none, "::1"));
    arena_done(&arena);
}
END_TEST

START_TEST(networks_that_overlap_or_touch_become_one_range)
{
    static const char *const texts[] = {
        "10.0.0.0/9",        "10.128.0.0/9",    "10.1.0.0/16",    "10.0.0.0/9", "0.0.0.0/32",
        "11.0.0.1",          "255.255.255.255", "2001:db8::/64",  "::1",        "::2/127",
        "2001:db8:0:1::/64", "ffff::/16",       "ffff:8000::/17", NULL};
    struct arena arena = {0};
    struct network_set set = set_of(texts, &arena);
    ck_assert_uint_eq(set.ipv4.count, 4);
    ck_assert_uint_eq(set.ipv6.count, 3);
    ck_assert(has(&set, "10.127.255.255") && has(&set, "10.128.0.0") && !has(&set, "11.0.0.0"));
    ck_assert(has(&set, "0.0.0.0") && has(&set, "255.255.255.255"));
    ck_assert(has(&set, "2001:db8:0:1:ffff:ffff:ffff:ffff") && !has(&set, "2001:db8:0:2::"));
    ck_assert(has(&set, "::3") && !has(&set, "::4") && !has(&set, "::"));
    ck_assert(has(&set, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
    arena_done(&arena);
}
END_TEST

/* A generator of its own: the same numbers in every run. */
static uint32_t next_number(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

/* What a set says must be what its networks say one by one. */
START_TEST(thousands_of_networks_answer_as_each_by_itself_would)
{
    enum { COUNT = 5000, ASKED = 20000 };
    static struct network networks[COUNT];
    static uint32_t firsts[COUNT], masks[COUNT];
    struct arena arena = {0};
    struct network_set set;
    uint32_t state = 7;
    unsigned found = 0;
    for (size_t i = 0; i < COUNT; i++) {
        char text[32];
        unsigned bits = 10 + next_number(&state) % 23;
        masks[i] = UINT32_MAX << (32 - bits);
        firsts[i] = (next_number(&state) << 8) & masks[i];
        snprintf(text, sizeof text, "%u.%u.%u.%u/%u", firsts[i] >> 24, firsts[i] >> 16 & 255,
                 firsts[i] >> 8 & 255, firsts[i] & 255, bits);
        networks[i] = must_parse(text);
    }
    network_set_make(&set, networks, COUNT, &arena);
    for (size_t i = 0; i < ASKED; i++) {
        uint32_t number = (uint32_t)(next_number(&state) << 8) | (next_number(&state) & 255);
        bool expected = false;
        for (size_t j = 0; j < COUNT && !expected; j++)
            expected = (number & masks[j]) == firsts[j];
        struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(number)};
        struct address address;
        address_set(&address, (struct sockaddr *)&ipv4, sizeof ipv4);
        ck_assert_msg(network_set_has(&set, &address) == expected, "%s", address.text);
        found += expected;
    }
    ck_assert_uint_gt(found, ASKED / 10);
    ck_assert_uint_lt(found, ASKED - ASKED / 10);
    arena_done(&arena);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, a_network_is_read_and_written, 0, sizeof good / sizeof *good);
    tcase_add_loop_test(tcase, a_bad_network_is_refused_with_what_would_be_right, 0,
                        sizeof bad / sizeof *bad);
    tcase_add_test(tcase, an_address_is_found_from_the_first_to_the_last_of_its_network);
    tcase_add_test(tcase, all_of_ipv4_is_nothing_of_ipv6_and_the_other_way_round);
    tcase_add_test(tcase, an_empty_set_and_an_address_of_another_family_have_nothing_in_common);
    tcase_add_test(tcase, networks_that_overlap_or_touch_become_one_range);
    tcase_add_test(tcase, thousands_of_networks_answer_as_each_by_itself_would);
}

CHECK_MAIN("network", add_tests)
