/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/http2/websocket.h"

#include "tests/support/check_main.h"

/* RFC 6455 1.3. */
static const char key[] = "dGhlIHNhbXBsZSBub25jZQ==";
static const char right[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

static bool is_accepted(const char *first, const char *second)
{
    const struct http_field fields[] = {
        {.name = SLICE("Upgrade"), .value = SLICE("websocket")},
        {.name = SLICE("Sec-WebSocket-Accept"), .value = slice_of(first)},
        {.name = SLICE("sec-websocket-accept"), .value = slice_of(second ? second : "")},
    };
    return websocket_is_accepted(key, fields, second ? 3 : 2);
}

START_TEST(the_example_of_the_rfc_is_accepted)
{
    ck_assert(is_accepted(right, NULL));
}
END_TEST

START_TEST(any_other_proof_is_none)
{
    char wrong[sizeof right];
    for (size_t i = 0; i < sizeof right - 1; i++) {
        memcpy(wrong, right, sizeof right);
        wrong[i] ^= 1;
        ck_assert(!is_accepted(wrong, NULL));
    }
    ck_assert(!is_accepted("", NULL));
    ck_assert(!is_accepted("s3pPLMBiTxaQ9kYGzzhZRbK+xOo", NULL));
    ck_assert(!is_accepted("s3pPLMBiTxaQ9kYGzzhZRbK+xOo==", NULL));
    ck_assert(!is_accepted(key, NULL));
    ck_assert(!websocket_is_accepted(key, NULL, 0));
}
END_TEST

START_TEST(two_proofs_are_none)
{
    ck_assert(!is_accepted(right, right));
    ck_assert(!is_accepted(right, "other"));
    ck_assert(!is_accepted("other", right));
}
END_TEST

START_TEST(a_key_is_sixteen_bytes_in_base64)
{
    char one[WEBSOCKET_KEY_BYTES];
    char other[WEBSOCKET_KEY_BYTES];
    ck_assert(websocket_key_make(one));
    ck_assert(websocket_key_make(other));
    ck_assert_mem_eq(one + 22, "==", 2);
    for (int i = 0; i < 22; i++)
        ck_assert_msg(one[i] == '+' || one[i] == '/' || (one[i] >= '0' && one[i] <= '9') ||
                          (one[i] >= 'A' && one[i] <= 'Z') || (one[i] >= 'a' && one[i] <= 'z'),
                      "%.24s", one);
    ck_assert_mem_ne(one, other, sizeof one);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, the_example_of_the_rfc_is_accepted);
    tcase_add_test(tcase, any_other_proof_is_none);
    tcase_add_test(tcase, two_proofs_are_none);
    tcase_add_test(tcase, a_key_is_sixteen_bytes_in_base64);
}

CHECK_MAIN("websocket", add_tests)
