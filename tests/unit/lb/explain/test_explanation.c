/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Explanations on a whole config: whatever is asked, what they say is what decide() says of a
 * client whose handshake was settled without them; and what each question gave adds up to it.
 */
#include "lb/explain/explanation.h"

#include <stdlib.h>
#include <string.h>

#include "lb/admin/json_writer.h"
#include "lb/config/config.h"
#include "lb/explain/explanation_json.h"
#include "listeners/identity.h"
#include "listeners/registry/view.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"
#include "tests/support/made_crl.h"
#include "tests/support/port.h"
#include "tests/support/text.h"

/* --- the config ----------------------------------------------------------------------------- */

#define OWN "certificate = server.crt\ncertificate_key = server.key\n"
#define A "mutual_auth = require\nclient_ca = a.crt\n"
#define B "mutual_auth = require\nclient_ca = b.crt\n"

/* clang-format off */
static const char rules[] =
    "[rule one]\nlistener = on\ndomain = one.test\npool = app\n" OWN A
    "[rule two]\nlistener = on\ndomain = two.test\npool = app\n" OWN B
    "[rule open]\nlistener = on\ndomain = open.test\npool = app\n" OWN
    "[rule asked]\nlistener = on\ndomain = asked.test\npool = app\n" OWN
    "mutual_auth = request\nclient_ca = a.crt\nallow_client = cn:bob\nallow_client = cn:al*\n"
    "[rule asked-away]\nlistener = on\ndomain = asked.test\nurl = =/away\nredirect = https://$host$uri\n"
    "[rule mixed]\nlistener = on\ndomain = *.mixed.test\nurl = /public\npool = app\n" OWN
    "[rule mixed-a]\nlistener = on\ndomain = *.mixed.test\nurl = /a/\npool = app\n" A
    "allow_client = cn:al*\nexempt_from = 192.0.2.0/24\n"
    "[rule mixed-b]\nlistener = on\ndomain = *.mixed.test\nurl = ^~/b\nrespond = 410 Gone\n" B
    "[rule mixed-crl]\nlistener = on\ndomain = *.mixed.test\nurl = ~^/c[0-9]\npool = app\n" A
    "client_crl = a.crl\n"
    "[rule mixed-known]\nlistener = on\ndomain = *.mixed.test\nurl = /known\npool = app\n" A
    "client_registration = manual\n"
    "[rule mixed-self]\nlistener = on\ndomain = *.mixed.test\nurl = /self\npool = app\n" A
    "client_registration = auto\n"
    "[rule mixed-ocsp]\nlistener = on\ndomain = *.mixed.test\nurl = /ocsp\npool = app\n" A
    "client_ocsp = hard\nclient_ocsp_responder = http://127.0.0.1:9/\n"
    "[rule off-a]\nlistener = off\ndomain = one.test\npool = app\n" A
    "[rule off-b]\nlistener = off\ndomain = two.test\npool = app\n" B
    "[rule off-open]\nlistener = off\ndomain = open.test\npool = app\n"
    "[rule clear]\nlistener = clear\nurl = /app\npool = app\n"
    "[rule up]\nlistener = clear\nurl = /up/\nredirect = https://$host$uri\n"
    "[access secret]\ndomain = asked.test\nurl = /secret\nclient_certificate = unverified\naction = block\n"
    "[access away]\ndomain = asked.test\nurl = /elsewhere\nclient_certificate = missing\n"
    "action = redirect:https://login.test$uri\n"
    "[access seen]\ndomain = asked.test\nurl = /seen\nclient_certificate = verified\naction = log\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:9\nhealth_check = off\n";
/* clang-format on */

enum { GUESTS = 8 };

static struct stage {
    struct folder folder;
    struct config *config;
    struct made *ca_a, *ca_b, *server;
    struct made *guests[GUESTS]; /* NULL: nobody's certificate */
    struct view *view;
} stage;

static void write_ini(const char *unknown_sni)
{
    struct text ini = {0};
    text_add_format(&ini,
                    "[listener on]\naddress = 127.0.0.1:%u\nsni = on\nunknown_sni = %s\n"
                    "[listener off]\naddress = 127.0.0.1:%u\n" OWN
                    "[listener clear]\naddress = 127.0.0.1:%u\nprotocol = http\n%s",
                    port_reserve(), unknown_sni, port_reserve(), port_reserve(), rules);
    folder_write(&stage.folder, "lb.ini", ini.bytes);
    text_done(&ini);
}

static void put(struct made *ca, struct made *who, enum certificate_status status)
{
    struct certificate_row row = {.status = status, .client_id = "meter-7"};
    unsigned char ca_key[CA_KEY_BYTES];
    ck_assert(ca_key_of(ca->certificate, ca_key));
    ck_assert(certificate_key_of(ca_key, who->certificate, row.key));
    ck_assert(certificate_tbs_of(who->certificate, row.tbs));
    ca_id_of(ca_key, row.ca);
    ck_assert(view_put(stage.view, &row));
}

static void fill_view(void)
{
    struct ca_record ca = {.is_enabled = true};
    stage.view = view_new();
    ck_assert(ca_key_of(stage.ca_a->certificate, ca.key));
    ck_assert(view_put_cas(stage.view, &ca, 1));
    put(stage.ca_a, stage.guests[1], CERTIFICATE_ACTIVATED);
    put(stage.ca_a, stage.guests[2], CERTIFICATE_REVOKED);
    put(stage.ca_b, stage.guests[3], CERTIFICATE_NOT_ACTIVATED);
}

static void make_guests(void)
{
    struct made **guests = stage.guests;
    guests[1] = made_client(stage.ca_a, "alice");
    guests[2] = made_client(stage.ca_a, "albert");
    guests[3] = made_client(stage.ca_b, "bob");
    guests[4] = made_client(stage.ca_a, "zoe");
    guests[5] =
        made_certificate(&(struct certificate_wish){.name = "alone", .usage = "clientAuth"});
    guests[6] = made_certificate(&(struct certificate_wish){
        .name = "late", .issuer = stage.ca_a, .from_s = -2 * MADE_DAY_S, .until_s = -MADE_DAY_S});
    guests[7] = made_certificate(&(struct certificate_wish){
        .name = "large", .issuer = stage.ca_a, .padding_bytes = 40 * 1024});
    made_crl_write(&(struct crl_wish){.issuer = stage.ca_a, .revoked = {guests[4]}, .number = 7},
                   stage.folder.path, "a.crl", MADE_CRL_PEM);
}

static void stage_open(const char *unknown_sni)
{
    struct problems problems = {0};
    const struct listener_services services = {0};
    folder_make(&stage.folder);
    stage.ca_a = made_ca("CA A");
    stage.ca_b = made_ca("CA B");
    stage.server = made_server(stage.ca_a, "one.test");
    made_write(stage.ca_a, stage.folder.path, "a");
    made_write(stage.ca_b, stage.folder.path, "b");
    made_write(stage.server, stage.folder.path, "server");
    make_guests();
    fill_view();
    write_ini(unknown_sni);
    stage.config = config_load(folder_file(&stage.folder, "lb.ini"), &problems);
    ck_assert_msg(stage.config != NULL, "%s", problems.count ? problems.items[0].text : "none");
    problems_done(&problems);
    for (unsigned i = 0; i < stage.config->listener_count; i++) {
        listener_open(&stage.config->listeners[i], &services);
        stage.config->listeners[i].view = stage.view;
    }
}

static void stage_close(void)
{
    config_free(stage.config);
    view_free(stage.view);
    for (unsigned i = 0; i < GUESTS; i++)
        made_free(stage.guests[i]);
    made_free(stage.server);
    made_free(stage.ca_b);
    made_free(stage.ca_a);
    folder_remove(&stage.folder);
}

/* --- asking --------------------------------------------------------------------------------- */

/* What a member of the question is; NULL: it is not said. */
struct asked {
    unsigned guest;
    const char *listener, *host, *url, *sni, *from;
};

static json_t *question_of(const struct asked *asked)
{
    json_t *json = json_object();
    const struct made *guest = stage.guests[asked->guest];
    char *pem = guest ? made_certificate_pem(guest) : NULL;
    const struct {
        const char *member, *text;
    } texts[] = {{"pem", pem},        {"listener", asked->listener}, {"host", asked->host},
                 {"url", asked->url}, {"sni", asked->sni},           {"from", asked->from}};
    for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].text)
            json_object_set_new(json, texts[i].member, json_string(texts[i].text));
    if (!asked->sni)
        json_object_set_new(json, "no_sni", json_true());
    free(pem);
    return json;
}

struct asking {
    struct explainer explainer;
    struct question question;
    struct explanation explanation;
};

static void ask(struct asking *asking, const struct asked *asked)
{
    struct error err = {""};
    json_t *json = question_of(asked);
    asking->explainer = (struct explainer){.config = stage.config, .now = time(NULL)};
    ck_assert_msg(question_read(&asking->question, json, stage.config, &err), "%s", err.text);
    ck_assert(explanation_make(&asking->explanation, &asking->explainer, &asking->question));
    json_decref(json);
}

static void asking_done(struct asking *asking)
{
    explanation_done(&asking->explanation);
    question_done(&asking->question);
}

/* --- without an explanation ------------------------------------------------------------------ */

static const struct listener *listener_named(const char *name)
{
    for (unsigned i = 0; i < stage.config->listener_count; i++)
        if (strcmp(stage.config->listeners[i].name, name) == 0)
            return &stage.config->listeners[i];
    ck_abort_msg("no listener %s", name);
}

/* Which domain's policy a handshake settles; NULL: it is refused. */
static const struct domain *settle(const struct listener *listener, const char *sni)
{
    const struct router *router = listener->router;
    const struct domain *known =
        listener->options->sni && sni ? router_known_domain(router, slice_of(sni)) : NULL;
    if (known || !sni || !listener->options->sni)
        return known ? known : router_default_domain(router);
    return listener->options->unknown_sni == UNKNOWN_SNI_REJECT ? NULL
                                                                : router_default_domain(router);
}

static struct identity *identify(const struct policy *policy, const struct made *guest, time_t now)
{
    const unsigned char hash[32] = {1};
    STACK_OF(X509) *chain = sk_X509_new_null();
    ck_assert_int_gt(sk_X509_push(chain, guest->certificate), 0);
    struct identity *identity = identity_new(policy, chain, hash, now);
    sk_X509_free(chain);
    ck_assert_ptr_nonnull(identity);
    return identity;
}

/* --- both ----------------------------------------------------------------------------------- */

/* What the questions gave, one after the other, is what the rule said of the client. */
static void must_add_up(const struct explanation *explanation, const struct view *view)
{
    const struct client_auth *auth = explanation_auth(explanation);
    enum refusal found = REFUSAL_NONE, more = REFUSAL_NONE;
    if (!auth)
        return;
    for (enum policy_check check = 0;
         explanation->handshake_refusal == REFUSAL_TOO_LARGE && check < POLICY_CHECK_COUNT; check++)
        ck_assert_int_ne(explanation->checks[check].step, STEP_ASKED);
    if (explanation->handshake_refusal == REFUSAL_TOO_LARGE)
        return;
    const struct visitor visitor = explanation_visitor(explanation);
    const struct judgement whole = policy_judge(auth, view, &visitor);
    for (enum policy_check check = 0; check < POLICY_CHECK_COUNT; check++) {
        bool is_verification = check <= POLICY_CHECK_OCSP;
        if (explanation->checks[check].step == STEP_ASKED)
            *(is_verification ? &found : &more) = explanation->checks[check].judgement.refusal;
        if (found != REFUSAL_NONE || more != REFUSAL_NONE)
            break;
    }
    bool is_forgiven = found != REFUSAL_NONE && !policy_needs_certificate(auth, &visitor);
    enum refusal sum = found != REFUSAL_NONE ? found : more;
    ck_assert_str_eq(refusal_name(whole.refusal), refusal_name(is_forgiven ? REFUSAL_NONE : sum));
}

static void must_be_decided(const struct asked *asked, const struct explanation *explanation)
{
    const struct listener *listener = listener_named(asked->listener);
    bool is_tls = listener->options->protocol == LISTENER_HTTPS;
    const struct domain *settled = is_tls ? settle(listener, asked->sni) : NULL;
    const struct made *guest = stage.guests[asked->guest];
    struct identity *identity = NULL;
    if (is_tls && !settled) {
        ck_assert_str_eq(explanation->reason, "unknown-name");
        return;
    }
    if (settled && settled->policy->asks && guest)
        identity = identify(settled->policy, guest, explanation->explainer->now);
    const struct decision decision = decide(&(struct inquiry){
        .listener = listener,
        .settled = settled ? settled->policy->id : NULL,
        .visitor = {.identity = identity,
                    .address = asked->from,
                    .now = explanation->explainer->now},
        .host = slice_of(asked->host),
        .path = {asked->url, strcspn(asked->url, "?")},
    });
    ck_assert_int_eq(decision.outcome, explanation->decision.outcome);
    ck_assert_int_eq(decision.refusal, explanation->decision.refusal);
    ck_assert_ptr_eq(decision.rule, explanation->decision.rule);
    ck_assert_ptr_eq(decision.domain, explanation->decision.domain);
    ck_assert_ptr_eq(decision.access, explanation->decision.access);
    identity_unref(identity);
}

/* Its result follows from the two refusals and nothing else. */
static void must_conclude(const struct explanation *explanation)
{
    const struct decision *decision = &explanation->decision;
    bool serves = decision->outcome == DECISION_PASS || decision->outcome == DECISION_SIGN_UP ||
                  decision->outcome == DECISION_REDIRECT || decision->outcome == DECISION_SLASH ||
                  decision->outcome == DECISION_RESPOND;
    bool passes = explanation->handshake_refusal == REFUSAL_NONE && serves;
    bool depends =
        explanation->handshake_refusal == REFUSAL_NONE && decision->outcome == DECISION_ASK_OCSP;
    ck_assert_int_eq(explanation->result, passes    ? EXPLANATION_PASSES
                                          : depends ? EXPLANATION_UNDECIDED
                                                    : EXPLANATION_REFUSED);
    if (depends)
        ck_assert_str_eq(explanation->reason, "ocsp");
    else if (passes)
        ck_assert_ptr_null(explanation->reason);
    else if (explanation->handshake_refusal != REFUSAL_NONE)
        ck_assert_str_eq(explanation->reason, refusal_name(explanation->handshake_refusal));
    else
        ck_assert_str_eq(explanation->reason, decision_reason(decision));
}

static const char *const listeners[] = {"on", "off", "clear"};
static const char *const hosts[] = {"one.test",     "TWO.test.",  "open.test", "asked.test",
                                    "x.mixed.test", "other.test", "192.0.2.1"};
static const char *const urls[] = {
    "/",          "/a",      "/a/",   "/a/x?y=/b", "/b",      "/bb/c1",  "/c1",      "/c9x",
    "/known",     "/self/1", "/away", "/secret",   "/seen",   "/public", "/app",     "/up",
    "/elsewhere", "/up/x",   "/ocsp", "/%61/",     "/x/../b", "/a%2fb",  "/b/%2e/a", "/c%31"};
static const char *const names[] = {NULL,         "one.test",     "two.test",  "open.test",
                                    "asked.test", "y.mixed.test", "other.test"};
static const char *const addresses[] = {NULL, "192.0.2.7", "198.51.100.7", "2001:db8::7"};

#define ANY(list, seed) (list)[(seed) % (sizeof(list) / sizeof *(list))]

static struct asked question_number(unsigned long seed)
{
    return (struct asked){
        .guest = (unsigned)(seed % GUESTS),
        .listener = ANY(listeners, seed / 8 % 16 < 12 ? 0 : seed),
        .host = ANY(hosts, seed / 128),
        .url = ANY(urls, seed / 1024),
        .sni = ANY(names, seed / 32768),
        .from = ANY(addresses, seed / 262144),
    };
}

START_TEST(whatever_is_asked_it_is_what_would_be_decided)
{
    enum { QUESTIONS = 4000 };
    unsigned results[3] = {0}, refused_by_handshake = 0;
    uint64_t seed = 0x9e3779b97f4a7c15U;
    stage_open(_i == 0 ? "default" : "reject");
    for (unsigned i = 0; i < QUESTIONS; i++) {
        struct asking asking;
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        const struct asked asked = question_number((unsigned long)(seed >> 33));
        ask(&asking, &asked);
        must_be_decided(&asked, &asking.explanation);
        must_add_up(&asking.explanation, stage.view);
        must_conclude(&asking.explanation);
        results[asking.explanation.result]++;
        refused_by_handshake += asking.explanation.handshake_refusal != REFUSAL_NONE;
        asking_done(&asking);
    }
    ck_assert_uint_gt(results[EXPLANATION_PASSES], QUESTIONS / 20);
    ck_assert_uint_gt(results[EXPLANATION_REFUSED], QUESTIONS / 20);
    ck_assert_uint_gt(refused_by_handshake, QUESTIONS / 100);
    stage_close();
}
END_TEST

/* --- what is written -------------------------------------------------------------------------- */

static json_t *answer_of(const struct asked *asked, const char *registry_fault)
{
    const struct explainer explainer = {
        .config = stage.config, .registry_fault = registry_fault, .now = time(NULL)};
    struct json_writer writer = {0};
    struct error err = {""};
    json_t *json = question_of(asked);
    ck_assert_int_eq(explanation_answer(&explainer, json, &writer, &err), EXPLANATION_GIVEN);
    json_t *answer = json_loadb(writer.bytes, writer.length, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(answer);
    json_decref(json);
    writer_done(&writer);
    return answer;
}

static void must_say(json_t *answer, const char *path, const char *what)
{
    const json_t *at = answer;
    char parts[128], *rest = parts;
    snprintf(parts, sizeof parts, "%s", path);
    for (const char *part; at && (part = strsep(&rest, ".")) != NULL;)
        at = json_is_array(at) ? json_array_get(at, (size_t)atoi(part)) : json_object_get(at, part);
    const char *text = json_string_value(at);
    ck_assert_msg(text && strcmp(text, what) == 0, "%s is %s: %s", path, text ? text : "not there",
                  json_dumps(answer, JSON_INDENT(2)));
}

START_TEST(each_question_says_what_it_goes_by)
{
    stage_open("default");
    json_t *alice =
        answer_of(&(struct asked){1, "on", "x.mixed.test", "/a/x", "x.mixed.test", NULL}, NULL);
    must_say(alice, "result", "passes");
    must_say(alice, "handshake.chosen_by", "sni");
    must_say(alice, "handshake.domain", "*.mixed.test");
    must_say(alice, "rule.match", "prefix");
    must_say(alice, "checks.0.chain.1", "CN=CA A");
    must_say(alice, "checks.3.status", "ACTIVATED");
    must_say(alice, "checks.3.client_id", "meter-7");
    must_say(alice, "checks.4.pattern", "cn:al*");
    must_say(alice, "pool.name", "app");
    json_t *zoe =
        answer_of(&(struct asked){4, "on", "x.mixed.test", "/c1", "x.mixed.test", NULL}, NULL);
    must_say(zoe, "reason", "crl-revoked");
    must_say(zoe, "rule.match", "regex");
    must_say(zoe, "checks.1.lists.0.issuer", "CN=CA A");
    must_say(zoe, "checks.1.lists.0.number", "07");
    must_say(zoe, "checks.3.result", "not-reached");
    json_t *nobody = answer_of(
        &(struct asked){0, "on", "x.mixed.test", "/a/x", "x.mixed.test", "192.0.2.7"}, NULL);
    must_say(nobody, "result", "passes");
    must_say(nobody, "checks.0.result", "missing");
    json_t *away = answer_of(
        &(struct asked){0, "on", "asked.test", "/elsewhere?a=b", "asked.test", NULL}, NULL);
    must_say(away, "result", "refused");
    must_say(away, "told.by", "redirect");
    must_say(away, "told.location", "https://login.test/elsewhere?a=b");
    must_say(away, "access.name", "away");
    json_t *large =
        answer_of(&(struct asked){7, "on", "x.mixed.test", "/a/x", "x.mixed.test", NULL}, NULL);
    must_say(large, "reason", "too-large");
    must_say(large, "checks.0.result", "not-reached");
    must_say(large, "checks.4.result", "not-reached");
    json_decref(large);
    json_decref(alice);
    json_decref(zoe);
    json_decref(nobody);
    json_decref(away);
    stage_close();
}
END_TEST

static const char *field_of(json_t *answer, const char *name)
{
    const json_t *fields = json_object_get(answer, "backend_fields"), *field;
    for (size_t i = 0; (field = json_array_get(fields, i)); i++)
        if (strcmp(json_string_value(json_object_get(field, "name")), name) == 0)
            return json_string_value(json_object_get(field, "value"));
    return NULL;
}

START_TEST(fields_with_an_address_nobody_has_said_say_so)
{
    static const char *const fields[] = {"X-Forwarded-For", "X-Real-IP"};
    static const struct {
        const char *from, *value;
    } rows[] = {{NULL, "(the client's address)"}, {"192.0.2.7", "192.0.2.7"}};
    stage_open("default");
    for (unsigned i = 0; i < 4; i++) {
        json_t *answer = answer_of(
            &(struct asked){1, "on", "x.mixed.test", "/a/x", "x.mixed.test", rows[i % 2].from},
            NULL);
        const char *value = field_of(answer, fields[i / 2]);
        ck_assert_ptr_nonnull(value);
        ck_assert_str_eq(value, rows[i % 2].value);
        ck_assert_ptr_null(field_of(answer, "X-Request-ID"));
        json_decref(answer);
    }
    stage_close();
}
END_TEST

START_TEST(what_the_registry_was_not_asked_is_undecided_unless_something_else_refuses)
{
    stage_open("default");
    for (unsigned i = 0; i < stage.config->listener_count; i++)
        stage.config->listeners[i].view = NULL;
    const struct asked unknown[] = {{1, "on", "one.test", "/", "one.test", NULL},
                                    {1, "on", "x.mixed.test", "/known", "x.mixed.test", NULL},
                                    {1, "on", "x.mixed.test", "/self", "x.mixed.test", NULL}};
    for (unsigned i = 0; i < 3; i++) {
        json_t *answer = answer_of(&unknown[i], "it cannot be read");
        must_say(answer, "result", "undecided");
        must_say(answer, "reason", "registry");
        must_say(answer, "checks.3.detail", "it cannot be read");
        json_decref(answer);
    }
    json_t *refused =
        answer_of(&(struct asked){3, "on", "one.test", "/", "one.test", NULL}, "it cannot be read");
    must_say(refused, "reason", "untrusted");
    json_t *open = answer_of(&(struct asked){3, "on", "open.test", "/", "open.test", NULL},
                             "it cannot be read");
    must_say(open, "result", "passes");
    json_decref(refused);
    json_decref(open);
    stage_close();
}
END_TEST

START_TEST(what_a_responder_would_have_to_be_asked_is_undecided)
{
    stage_open("default");
    json_t *alice =
        answer_of(&(struct asked){1, "on", "x.mixed.test", "/ocsp", "x.mixed.test", NULL}, NULL);
    must_say(alice, "result", "undecided");
    must_say(alice, "reason", "ocsp");
    must_say(alice, "checks.2.result", "to-be-asked");
    must_say(alice, "checks.2.responder", "http://127.0.0.1:9/");
    json_t *bob =
        answer_of(&(struct asked){3, "on", "x.mixed.test", "/ocsp", "x.mixed.test", NULL}, NULL);
    must_say(bob, "reason", "untrusted");
    json_decref(alice);
    json_decref(bob);
    stage_close();
}
END_TEST

START_TEST(a_client_that_would_sign_up_passes_and_that_is_said)
{
    stage_open("default");
    json_t *zoe =
        answer_of(&(struct asked){4, "on", "x.mixed.test", "/self", "x.mixed.test", NULL}, NULL);
    must_say(zoe, "result", "passes");
    must_say(zoe, "checks.3.result", "sign-up");
    ck_assert(json_is_true(json_object_get(zoe, "signs_up")));
    json_decref(zoe);
    stage_close();
}
END_TEST

START_TEST(who_is_explained_was_not_there)
{
    stage_open("default");
    struct asking asking;
    ask(&asking, &(struct asked){1, "on", "one.test", "/", "one.test", NULL});
    ck_assert_int_eq(asking.explanation.result, EXPLANATION_PASSES);
    const struct view_entry *entry = view_find(stage.view, asking.explanation.identity->key);
    ck_assert_ptr_nonnull(entry);
    ck_assert_uint_eq(view_last_seen_s(entry), 0);
    asking_done(&asking);
    stage_close();
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, whatever_is_asked_it_is_what_would_be_decided, 0, 2);
    tcase_add_test(tcase, each_question_says_what_it_goes_by);
    tcase_add_test(tcase, fields_with_an_address_nobody_has_said_say_so);
    tcase_add_test(tcase,
                   what_the_registry_was_not_asked_is_undecided_unless_something_else_refuses);
    tcase_add_test(tcase, what_a_responder_would_have_to_be_asked_is_undecided);
    tcase_add_test(tcase, a_client_that_would_sign_up_passes_and_that_is_said);
    tcase_add_test(tcase, who_is_explained_was_not_there);
}

CHECK_MAIN("explanation", add_tests)
