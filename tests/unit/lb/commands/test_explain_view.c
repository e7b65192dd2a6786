/* SPDX-License-Identifier: Apache-2.0 */
/* Explanations as people read them: the decision first. */
#include "lb/commands/explain_view.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"

static char *shown;

static void show(const char *text)
{
    size_t length;
    json_error_t wrong;
    json_t *json = json_loads(text, 0, &wrong);
    ck_assert_msg(json != NULL, "%s", wrong.text);
    FILE *out = open_memstream(&shown, &length);
    explain_view_write(json, false, out);
    fclose(out);
    json_decref(json);
}

/* clang-format off */
static const struct {
    const char *answer;
    const char *first;
} decisions[] = {
    {"{'result':'passes','rule':{'name':'api'},'pool':{'name':'app'}}", "passes: rule api -> pool app"},
    {"{'result':'passes','signs_up':true,'rule':{'name':'api'},'pool':{'name':'app'}}",
     "passes: rule api -> pool app, once its certificate has registered itself"},
    {"{'result':'passes','rule':{'name':'up'},'redirect':{'status':301,'location':'https://a/'}}",
     "passes: rule up -> 301 https://a/"},
    {"{'result':'passes','rule':{'name':'no'},'respond':{'status':503}}", "passes: rule no -> lb answers 503"},
    {"{'result':'refused','reason':'crl-revoked','told':{'by':'alert','alert':'certificate_revoked'}}",
     "refused: crl-revoked (alert certificate_revoked)"},
    {"{'result':'refused','reason':'missing','told':{'by':'answer','status':403}}", "refused: missing (403)"},
    {"{'result':'refused','reason':'missing','told':{'by':'page','status':403}}", "refused: missing (403, with a page)"},
    {"{'result':'refused','reason':'missing','told':{'by':'redirect','status':302,'location':'https://a/x'}}",
     "refused: missing (redirect to https://a/x)"},
    {"{'result':'undecided','reason':'registry'}", "undecided: it depends on registry"},
    {"{}", "-: it depends on -"},
};
/* clang-format on */

START_TEST(the_decision_is_the_first_line)
{
    char text[512];
    snprintf(text, sizeof text, "%s", decisions[_i].answer);
    for (char *at = text; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    show(text);
    shown[strcspn(shown, "\n")] = '\0';
    ck_assert_str_eq(shown, decisions[_i].first);
    free(shown);
}
END_TEST

START_TEST(the_way_there_is_below_it)
{
    show("{\"result\": \"refused\", \"reason\": \"not-allowed\", \"told\": {\"by\": \"answer\","
         "\"status\": 403}, \"sentence\": \"It is good.\", \"advice\": \"Ask.\","
         "\"operator\": \"add one\", \"request\": {\"sni\": \"www.test\"},"
         "\"certificate\": {\"subject\": \"CN=a\\nb\", \"issuer\": \"CN=CA\", \"serial\": \"0A\","
         "\"not_after\": \"2026-12-03T10:00:00Z\", \"is_shown\": true},"
         "\"listener\": {\"name\": \"web\", \"protocol\": \"https\", \"addresses\": [\"[::]:443\"],"
         "\"also\": [\"api\", \"old\"]},"
         "\"handshake\": {\"chosen_by\": \"no-sni\", \"domain\": \"*\", \"asks\": true,"
         "\"alerts\": false, \"ca_names\": [\"CN=CA\", \"CN=Other\"]},"
         "\"host\": {\"domain\": \"www.test\", \"is_settled\": true},"
         "\"rule\": {\"name\": \"api\", \"file\": \"lb.ini\", \"line\": 7, \"url\": \"/a\","
         "\"match\": \"prefix\", \"mutual_auth\": \"require\", \"is_exempt\": false},"
         "\"checks\": [{\"check\": \"certificate\", \"result\": \"good\", \"chain\": [\"CN=a\","
         "\"CN=CA\"], \"valid_until\": \"2026-12-03T10:00:00Z\"}, {\"check\": \"crl\", \"result\":"
         "\"good\", \"lists\": [{\"file\": \"a.crl\", \"issuer\": \"CN=CA\", \"number\": \"07\","
         "\"next_update\": \"2026-12-01T00:00:00Z\"}]}, {\"check\": \"allow_client\", \"result\":"
         "\"not-allowed\", \"detail\": \"no pattern fits\"}]}");
    ck_assert_str_eq(
        shown, "refused: not-allowed (403)\n"
               "  client reads     It is good. Ask.\n"
               "  to change it     add one\n"
               "  certificate      CN=a?b, of CN=CA, serial 0A, until 2026-12-03 10:00:00\n"
               "  listener         web (https [::]:443); as well: api, old\n"
               "  handshake        domain * (as it asks for no name); asks for a certificate, "
               "its rules refuse\n"
               "    of the CAs     CN=CA; CN=Other\n"
               "  host             domain www.test\n"
               "  rule             api (lb.ini:7): url /a, by prefix; mutual_auth = require\n"
               "  its questions\n"
               "    certificate    good: CN=a <- CN=CA, until 2026-12-03 10:00:00\n"
               "    crl            good: a.crl number 07 of CN=CA, until 2026-12-01 00:00:00\n"
               "    allow_client   not-allowed: no pattern fits\n");
    free(shown);
}
END_TEST

START_TEST(long_values_are_cut_between_letters)
{
    char text[1024], value[400] = "";
    for (unsigned i = 0; i < 99; i++)
        strcat(value, "a");
    strcat(value, "\xc3\xa4"
                  "bcd");
    snprintf(text, sizeof text,
             "{\"result\": \"passes\", \"backend_fields\": [{\"name\": \"X\", \"value\": \"%s\"},"
             "{\"name\": \"Y\", \"value\": \"short\"}]}",
             value);
    show(text);
    value[99] = '\0';
    snprintf(text, sizeof text,
             "  backend gets     X: %s… (104 bytes)\n                   Y: short\n", value);
    ck_assert_msg(strstr(shown, text) != NULL, "%s", shown);
    free(shown);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, the_decision_is_the_first_line, 0,
                        sizeof decisions / sizeof *decisions);
    tcase_add_test(tcase, the_way_there_is_below_it);
    tcase_add_test(tcase, long_values_are_cut_between_letters);
}

CHECK_MAIN("explain_view", add_tests)
