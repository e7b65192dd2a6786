/* SPDX-License-Identifier: Apache-2.0 */
/* Which listener, name, port and request a question means; and what is none. */
#include "lb/explain/explanation_question.h"

#include <string.h>

#include "lb/config/config.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"
#include "tests/support/text.h"

/* clang-format off */
static const char ini[] =
    "[listener first]\naddress = 127.0.0.1:8443\nsni = on\n"
    "[listener second]\naddress = 127.0.0.1:9443\naddress = [::1]:9444\nsni = on\n"
    "[listener third]\naddress = 127.0.0.2:9443\nsni = on\n"
    "[listener clear]\naddress = 127.0.0.1:8080\nprotocol = http\n"
    "[rule first]\nlistener = first\nlistener = third\ndomain = first.test\nrespond = 204\n"
    "certificate = server.crt\ncertificate_key = server.key\n"
    "[rule second]\nlistener = second\nlistener = third\ndomain = second.test\nrespond = 204\n"
    "certificate = server.crt\ncertificate_key = server.key\n"
    "[rule clear]\nlistener = clear\nrespond = 204\n";
/* clang-format on */

static struct folder folder;
static struct config *config;

static void open_config(void)
{
    struct problems problems = {0};
    folder_make(&folder);
    struct made *ca = made_ca("CA");
    struct made *server = made_server(ca, "first.test");
    made_write(server, folder.path, "server");
    folder_write(&folder, "lb.ini", ini);
    config = config_load(folder_file(&folder, "lb.ini"), &problems);
    ck_assert_msg(config != NULL, "%s", problems.count ? problems.items[0].text : "none");
    problems_done(&problems);
    made_free(server);
    made_free(ca);
}

static void close_config(void)
{
    config_free(config);
    folder_remove(&folder);
}

static bool read(struct question *question, const char *text, struct error *err)
{
    json_t *json = json_loads(text, 0, NULL);
    ck_assert_msg(json != NULL, "%s", text);
    bool good = question_read(question, json, config, err);
    json_decref(json);
    return good;
}

/* clang-format off */
static const struct {
    const char *question;
    const char *listener, *also;   /* also: the first of them; "" for none */
    const char *name;              /* "": it asks for none */
    const char *host, *target;
    unsigned port;
} cases[] = {
    {"{\"host\":\"first.test\"}", "first", "third", "first.test", "first.test", "/", 0},
    {"{\"host\":\"second.test\"}", "second", "third", "second.test", "second.test", "/", 0},
    {"{\"host\":\"other.test\"}", "first", "second", "other.test", "other.test", "/", 0},
    {"{\"host\":\"first.test:9443\"}", "third", "", "first.test", "first.test", "/", 9443},
    {"{\"host\":\"first.test:7\"}", "first", "third", "first.test", "first.test", "/", 7},
    {"{\"url\":\"https://first.test:9443\"}", "third", "", "first.test", "first.test", "/", 9443},
    {"{\"url\":\"https://second.test:9444/a?b\"}", "second", "", "second.test", "second.test", "/a?b", 9444},
    {"{\"url\":\"https://second.test?b\"}", "second", "third", "second.test", "second.test", "/?b", 443},
    {"{\"url\":\"http://first.test/a\"}", "clear", "", "first.test", "first.test", "/a", 80},
    {"{\"url\":\"https://first.test/\",\"host\":\"second.test\"}", "second", "third", "first.test", "second.test", "/", 443},
    {"{\"host\":\"first.test\",\"listener\":\"clear\"}", "clear", "", "first.test", "first.test", "/", 0},
    {"{\"host\":\"FIRST.test.\"}", "first", "third", "FIRST.test", "FIRST.test.", "/", 0},
    {"{\"host\":\"first.test\",\"sni\":\"second.test\"}", "first", "third", "second.test", "first.test", "/", 0},
    {"{\"host\":\"first.test\",\"no_sni\":true}", "first", "third", "", "first.test", "/", 0},
    {"{\"host\":\"192.0.2.7\"}", "first", "second", "", "192.0.2.7", "/", 0},
    {"{\"host\":\"[2001:db8::7]:9443\"}", "second", "third", "", "[2001:db8::7]", "/", 9443},
    {"{\"url\":\"https://[2001:db8::7]/\"}", "first", "second", "", "[2001:db8::7]", "/", 443},
    {"{\"host\":\"first.test\",\"url\":\"*\",\"method\":\"OPTIONS\"}", "first", "third", "first.test", "first.test", "*", 0},
};

static const struct {
    const char *question;
    const char *says;
} mistakes[] = {
    {"{}", "say which host is asked for"},
    {"{\"hosts\":\"a\"}", "did you mean \"host\"?"},
    {"{\"host\":7}", "must be a text"},
    {"{\"host\":\"\"}", "host \"\" is no host"},
    {"{\"host\":\"a/b\"}", "host \"a/b\" is no host"},
    {"{\"host\":\"a\\r\\nX: y\"}", "is no host"},
    {"{\"host\":\"a:99999\"}", "is no host"},
    {"{\"host\":\"a\",\"url\":\"\"}", "url \"\" is none"},
    {"{\"host\":\"a\",\"url\":\"/b\\r\\nX: y\"}", "holds what no request does"},
    {"{\"host\":\"a\",\"url\":\"/b#c\"}", "holds what no request does"},
    {"{\"host\":\"a\",\"url\":\"/\\u00e4\"}", "holds what no request does"},
    {"{\"url\":\"https:///b\"}", "the host of url \"\" is no host"},
    {"{\"url\":\"https://a@b/\"}", "the host of url \"a@b\" is no host"},
    {"{\"host\":\"a\",\"url\":\"*\"}", "lb would not read this request"},
    {"{\"host\":\"a\",\"method\":\"G T\"}", "method \"G T\""},
    {"{\"host\":\"a\",\"method\":\"CONNECT\"}", "method \"CONNECT\""},
    {"{\"host\":\"a\",\"sni\":\"\"}", "sni \"\" is no host name"},
    {"{\"host\":\"a\",\"sni\":\"b c\"}", "sni \"b c\" is no host name"},
    {"{\"host\":\"a\",\"sni\":\"b\",\"no_sni\":true}", "sni and no_sni together"},
    {"{\"host\":\"a\",\"from\":\"10.0.0.1:80\"}", "from \"10.0.0.1:80\" is no address"},
    {"{\"host\":\"a\",\"from\":\"10.0.0.0/8\"}", "from \"10.0.0.0/8\" is no address"},
    {"{\"host\":\"a\",\"listener\":\"firzt\"}", "there is no listener firzt: did you mean first?"},
    {"{\"url\":\"https://a:7/\"}", "no https listener has port 7: there are first (https 127.0.0.1:8443), second "},
    {"{\"url\":\"http://a:8443/\"}", "no http listener has port 8443"},
    {"{\"host\":\"a\",\"pem\":\"\"}", "certificate: is empty"},
    {"{\"host\":\"a\",\"pem\":\"nothing\"}", "certificate: holds no PEM at all"},
    {"{\"host\":\"a\",\"pem\":\"-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n\"}", "certificate: certificate 1 cannot be decoded"},
};
/* clang-format on */

START_TEST(listener_name_port_and_request_follow_from_what_is_said)
{
    struct question question;
    struct error err = {""};
    ck_assert_msg(read(&question, cases[_i].question, &err), "%s: %s", cases[_i].question,
                  err.text);
    const char *also = question.also_count > 0 ? question.also[0]->name : "";
    ck_assert_str_eq(question.listener->name, cases[_i].listener);
    ck_assert_str_eq(also, cases[_i].also);
    ck_assert_str_eq(question.has_name ? question.name : "", cases[_i].name);
    ck_assert(slice_is(question.request.host, cases[_i].host));
    ck_assert(slice_is(question.request.target, cases[_i].target));
    ck_assert_uint_eq(question.port, cases[_i].port);
    question_done(&question);
}
END_TEST

START_TEST(what_is_no_question_is_named)
{
    struct question question;
    struct error err = {""};
    bool good = read(&question, mistakes[_i].question, &err);
    ck_assert_msg(!good && strstr(err.text, mistakes[_i].says), "%s: %s", mistakes[_i].question,
                  err.text);
    question_done(&question);
}
END_TEST

START_TEST(a_url_as_long_as_lb_reads_and_one_that_is_longer)
{
    static char url[TARGET_BYTES + 2], text[TARGET_BYTES + 64];
    struct question question;
    struct error err = {""};
    for (unsigned more = 0; more < 2; more++) {
        memset(url, 'a', sizeof url);
        url[0] = '/';
        url[TARGET_BYTES + more] = '\0';
        snprintf(text, sizeof text, "{\"host\":\"first.test\",\"url\":\"%s\"}", url);
        ck_assert_msg(read(&question, text, &err) == (more == 0), "%s", err.text);
        question_done(&question);
    }
    ck_assert_ptr_nonnull(strstr(err.text, "(414)"));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_unchecked_fixture(tcase, open_config, close_config);
    tcase_add_loop_test(tcase, listener_name_port_and_request_follow_from_what_is_said, 0,
                        sizeof cases / sizeof *cases);
    tcase_add_loop_test(tcase, what_is_no_question_is_named, 0, sizeof mistakes / sizeof *mistakes);
    tcase_add_test(tcase, a_url_as_long_as_lb_reads_and_one_that_is_longer);
}

CHECK_MAIN("explanation_question", add_tests)
