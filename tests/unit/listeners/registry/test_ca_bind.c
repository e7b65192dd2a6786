/* SPDX-License-Identifier: Apache-2.0 */
/* Bound hosts; CAs that are enabled, disabled, deleted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/limits.h"
#include "tests/support/check_main.h"
#include "tests/support/faulty_ledger.h"
#include "tests/support/registry_stage.h"

struct bound {
    struct registry_stage stage;
    struct made *ca;
};

static void bound_open(struct bound *bound)
{
    registry_stage_open(&bound->stage);
    bound->ca = made_ca("Device CA");
    registry_stage_upload(&bound->stage, "devices", bound->ca);
}

static void bound_close(struct bound *bound)
{
    made_free(bound->ca);
    registry_stage_close(&bound->stage);
}

/* What is served: everything of example.com, and what no rule has as its domain. */
static bool is_served(void *arg, const char *host, struct error *why_not)
{
    (void)arg;
    return strcmp(host, "*") == 0 || strstr(host, "example.com") != NULL ||
           error_set(why_not, "no rule serves %s; those that do serve example.com", host);
}

/* hosts: separated by blanks. */
static enum change_refusal bind_hosts(struct bound *bound, enum ca_binding binding,
                                      const char *hosts)
{
    struct registry_stage *stage = &bound->stage;
    const struct ca_hosts_known known = {is_served, NULL};
    const char *list[64];
    unsigned count = 0;
    char *copy = strdup(hosts);
    char *rest = NULL;
    for (char *at = strtok_r(copy, " ", &rest); at; at = strtok_r(NULL, " ", &rest))
        list[count++] = at;
    ca_result_done(&stage->ca);
    enum change_refusal refusal = ca_bind(stage->ledger, "devices", binding, list, count, &known,
                                          &stage->actor, &stage->ca, &stage->err);
    free(copy);
    return refusal;
}

static void check_bound(struct bound *bound, enum ca_binding binding, const char *hosts,
                        bool changed, const char *expected)
{
    char joined[1024] = "";
    enum change_refusal refusal = bind_hosts(bound, binding, hosts);
    const struct ca_record *record = &bound->stage.ca.record;
    ck_assert_msg(refusal == CHANGE_MADE, "%s: %s", hosts, bound->stage.err.text);
    for (unsigned i = 0; i < record->host_count; i++)
        snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s%s", i ? " " : "",
                 record->hosts[i]);
    ck_assert_str_eq(joined, expected);
    ck_assert(bound->stage.ca.changed == changed);
}

START_TEST(hosts_are_added_replaced_removed_and_emptied)
{
    struct bound bound;
    char line[2048];
    bound_open(&bound);
    check_bound(&bound, CA_BIND_ADD, "www.example.com a.example.com", true,
                "a.example.com www.example.com");
    check_bound(&bound, CA_BIND_ADD, "WWW.Example.com. a.example.com", false,
                "a.example.com www.example.com");
    unsigned changes = registry_stage_change_count(&bound.stage);
    check_bound(&bound, CA_BIND_ADD, "", false, "a.example.com www.example.com");
    ck_assert_uint_eq(registry_stage_change_count(&bound.stage), changes);
    check_bound(&bound, CA_BIND_ADD, "* *.example.com ~^A.*example.com$", true,
                "* *.example.com a.example.com www.example.com ~^A.*example.com$");
    check_bound(&bound, CA_BIND_REMOVE, "* ~^A.*example.com$ nobody.example.net", true,
                "*.example.com a.example.com www.example.com");
    check_bound(&bound, CA_BIND_REMOVE, "nobody.example.net", false,
                "*.example.com a.example.com www.example.com");
    check_bound(&bound, CA_BIND_REPLACE, "b.example.com a.example.com b.example.com", true,
                "a.example.com b.example.com");
    registry_stage_last_change(&bound.stage, line);
    ck_assert_str_eq(line, "ca.bind|[\"*.example.com\",\"a.example.com\",\"www.example.com\"]|["
                           "\"a.example.com\",\"b.example.com\"]");
    check_bound(&bound, CA_BIND_REPLACE, "b.example.com a.example.com", false,
                "a.example.com b.example.com");
    check_bound(&bound, CA_BIND_REPLACE, "", true, "");
    registry_stage_last_change(&bound.stage, line);
    ck_assert_str_eq(line, "ca.bind|[\"a.example.com\",\"b.example.com\"]|[]");
    bound_close(&bound);
}
END_TEST

START_TEST(fifty_hosts_are_bound_in_one_call_and_no_more)
{
    struct bound bound;
    char hosts[2048] = "";
    bound_open(&bound);
    for (int i = 0; i < CA_HOSTS_A_CALL; i++)
        snprintf(hosts + strlen(hosts), sizeof hosts - strlen(hosts), "h%d.example.com ", i);
    ck_assert_int_eq(bind_hosts(&bound, CA_BIND_REPLACE, hosts), CHANGE_MADE);
    ck_assert_uint_eq(bound.stage.ca.record.host_count, CA_HOSTS_A_CALL);
    strcat(hosts, "www.example.com");
    for (int binding = CA_BIND_ADD; binding <= CA_BIND_REMOVE; binding++)
        registry_stage_expect(&bound.stage, bind_hosts(&bound, (enum ca_binding)binding, hosts),
                              CHANGE_QUOTA, "51 hosts in one call; at most 50 are possible");
    bound_close(&bound);
}
END_TEST

START_TEST(a_ca_has_so_many_hosts_and_no_more)
{
    struct bound bound;
    char hosts[2048];
    bound_open(&bound);
    for (int call = 0; call < CA_HOSTS_MOST / CA_HOSTS_A_CALL; call++) {
        hosts[0] = '\0';
        for (int i = 0; i < CA_HOSTS_A_CALL; i++)
            snprintf(hosts + strlen(hosts), sizeof hosts - strlen(hosts), "h%d-%d.example.com ",
                     call, i);
        ck_assert_int_eq(bind_hosts(&bound, CA_BIND_ADD, hosts), CHANGE_MADE);
    }
    registry_stage_expect(&bound.stage, bind_hosts(&bound, CA_BIND_ADD, "www.example.com"),
                          CHANGE_QUOTA, "would have 1001 hosts; at most 1000");
    ck_assert_int_eq(bind_hosts(&bound, CA_BIND_ADD, "h0-0.example.com"), CHANGE_MADE);
    bound_close(&bound);
}
END_TEST

START_TEST(a_host_that_no_rule_serves_binds_none_of_the_call)
{
    struct bound bound;
    bound_open(&bound);
    unsigned changes = registry_stage_change_count(&bound.stage);
    registry_stage_expect(&bound.stage,
                          bind_hosts(&bound, CA_BIND_ADD, "www.example.com Other.example.net."),
                          CHANGE_UNSERVED_HOST, "no rule serves other.example.net; those that do");
    ck_assert_uint_eq(registry_stage_change_count(&bound.stage), changes);
    ca_result_done(&bound.stage.ca);
    ck_assert_int_eq(ca_get(bound.stage.ledger, "devices", &bound.stage.ca, &bound.stage.err),
                     CHANGE_MADE);
    ck_assert_uint_eq(bound.stage.ca.record.host_count, 0);
    bound_close(&bound);
}
END_TEST

START_TEST(what_is_no_host_is_refused)
{
    struct bound bound;
    struct registry_stage *stage = &bound.stage;
    char long_host[DOMAIN_BYTES + 2];
    memset(long_host, 'a', sizeof long_host - 1);
    long_host[sizeof long_host - 1] = '\0';
    const char *const bad[] = {"", "a\tb", "\xff", long_host};
    const char *const words[] = {"a host name is empty; \"*\" stands for", "control character",
                                 "no UTF-8", "is longer than any host name (254 bytes)"};
    bound_open(&bound);
    for (int i = 0; i < 4; i++) {
        ca_result_done(&stage->ca);
        registry_stage_expect(stage,
                              ca_bind(stage->ledger, "devices", CA_BIND_ADD, &bad[i], 1, NULL,
                                      &stage->actor, &stage->ca, &stage->err),
                              CHANGE_BAD_INPUT, words[i]);
    }
    registry_stage_expect(stage,
                          ca_bind(stage->ledger, "nobody", CA_BIND_ADD, &bad[0], 0, NULL,
                                  &stage->actor, &stage->ca, &stage->err),
                          CHANGE_UNKNOWN, "there is no CA \"nobody\"; lb ca list");
    bound_close(&bound);
}
END_TEST

START_TEST(a_config_asks_by_the_domain_of_its_rule)
{
    struct bound bound;
    bound_open(&bound);
    ck_assert_int_eq(
        bind_hosts(&bound, CA_BIND_ADD, "www.example.com *.example.com. ~^A.*example.com$ *"),
        CHANGE_MADE);
    struct cas *cas = cas_read(bound.stage.location, &bound.stage.err);
    ck_assert_ptr_nonnull(cas);
    const struct cas_item *item = cas_find(cas, "devices");
    ck_assert(cas_item_is_bound(item, "www.example.com"));
    ck_assert(cas_item_is_bound(item, "WWW.example.com."));
    ck_assert(cas_item_is_bound(item, "*.example.com"));
    ck_assert(!cas_item_is_bound(item, "a.example.com"));
    ck_assert(cas_item_is_bound(item, "~^A.*example.com$"));
    ck_assert(!cas_item_is_bound(item, "~^a.*example.com$"));
    ck_assert(cas_item_is_bound(item, ""));
    cas_free(cas);
    ck_assert_int_eq(bind_hosts(&bound, CA_BIND_REMOVE, "*"), CHANGE_MADE);
    cas = cas_read(bound.stage.location, &bound.stage.err);
    ck_assert(!cas_item_is_bound(cas_find(cas, "devices"), ""));
    cas_free(cas);
    bound_close(&bound);
}
END_TEST

START_TEST(a_ca_is_disabled_and_enabled_again)
{
    struct bound bound;
    struct registry_stage *stage = &bound.stage;
    char line[2048];
    static const bool wishes[] = {true, false, false, true};
    static const char *const lines[] = {NULL, "ca.disable|active|inactive", NULL,
                                        "ca.enable|inactive|active"};
    bound_open(&bound);
    for (int i = 0; i < 4; i++) {
        unsigned changes = registry_stage_change_count(stage);
        ca_result_done(&stage->ca);
        ck_assert_int_eq(
            ca_enable(stage->ledger, "devices", wishes[i], &stage->actor, &stage->ca, &stage->err),
            CHANGE_MADE);
        ck_assert(stage->ca.record.is_enabled == wishes[i]);
        ck_assert(stage->ca.changed == (lines[i] != NULL));
        ck_assert_uint_eq(registry_stage_change_count(stage), changes + (lines[i] != NULL));
        registry_stage_last_change(stage, line);
        if (lines[i])
            ck_assert_str_eq(line, lines[i]);
    }
    bound_close(&bound);
}
END_TEST

static enum change_refusal delete_ca(struct registry_stage *stage, const char *which)
{
    ca_result_done(&stage->ca);
    return ca_delete(stage->ledger, which, &stage->actor, &stage->ca, &stage->err);
}

START_TEST(a_ca_is_deleted_once_no_host_is_bound)
{
    struct bound bound;
    struct registry_stage *stage = &bound.stage;
    char line[2048];
    bound_open(&bound);
    struct made *one = made_client(bound.ca, "one");
    registry_stage_register(stage, one);
    bind_hosts(&bound, CA_BIND_ADD,
               "a.example.com b.example.com c.example.com d.example.com "
               "e.example.com");
    registry_stage_expect(
        stage, delete_ca(stage, "devices"), CHANGE_BOUND,
        "hosts are bound to CA devices: a.example.com, b.example.com, c.example.com and 2 "
        "more; unbind them first");
    bind_hosts(&bound, CA_BIND_REPLACE, "");
    ck_assert_int_eq(delete_ca(stage, "devices"), CHANGE_MADE);
    ck_assert_str_eq(stage->ca.record.name, "devices");
    ck_assert(stage->ca.changed);
    registry_stage_last_change(stage, line);
    ck_assert_str_eq(line, "ca.delete|active|");
    ck_assert_int_eq(registry_stage_certificate_count(stage, 0), 1);
    registry_stage_expect(stage, delete_ca(stage, "devices"), CHANGE_UNKNOWN,
                          "there is no CA \"devices\"");
    made_free(one);
    bound_close(&bound);
}
END_TEST

START_TEST(lbs_own_ca_cannot_be_deleted)
{
    struct bound bound;
    struct registry_stage *stage = &bound.stage;
    bound_open(&bound);
    struct made *own = made_ca("lb CA");
    ca_result_done(&stage->ca);
    ck_assert_int_eq(ca_put_builtin(stage->ledger, own->certificate, CA_MADE, &stage->actor,
                                    &stage->ca, &stage->err),
                     CHANGE_MADE);
    registry_stage_expect(stage, delete_ca(stage, BUILTIN_CA_NAME), CHANGE_ILLEGAL,
                          "lb's own CA cannot be deleted; lb ca disable builtin");
    made_free(own);
    bound_close(&bound);
}
END_TEST

START_TEST(a_store_that_fails_anywhere_binds_nothing)
{
    struct bound bound;
    struct registry_stage *stage = &bound.stage;
    bound_open(&bound);
    unsigned calls = 0;
    for (;; calls++) {
        faulty_ledger_fail(stage->ledger, calls, STORE_BUSY);
        enum change_refusal refusal = bind_hosts(&bound, CA_BIND_ADD, "www.example.com");
        faulty_ledger_fail(stage->ledger, 0, STORE_DONE);
        if (refusal == CHANGE_MADE)
            break;
        registry_stage_expect(stage, refusal, CHANGE_STORE, "the store was told to fail");
        ck_assert_uint_eq(registry_stage_change_count(stage), 1);
        ca_result_done(&stage->ca);
        ck_assert_int_eq(ca_get(stage->ledger, "devices", &stage->ca, &stage->err), CHANGE_MADE);
        ck_assert_uint_eq(stage->ca.record.host_count, 0);
    }
    ck_assert_uint_eq(calls, 5); /* begin, CAs, CA, line, commit */
    bound_close(&bound);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, hosts_are_added_replaced_removed_and_emptied);
    tcase_add_test(tcase, fifty_hosts_are_bound_in_one_call_and_no_more);
    tcase_add_test(tcase, a_ca_has_so_many_hosts_and_no_more);
    tcase_add_test(tcase, a_host_that_no_rule_serves_binds_none_of_the_call);
    tcase_add_test(tcase, what_is_no_host_is_refused);
    tcase_add_test(tcase, a_config_asks_by_the_domain_of_its_rule);
    tcase_add_test(tcase, a_ca_is_disabled_and_enabled_again);
    tcase_add_test(tcase, a_ca_is_deleted_once_no_host_is_bound);
    tcase_add_test(tcase, lbs_own_ca_cannot_be_deleted);
    tcase_add_test(tcase, a_store_that_fails_anywhere_binds_nothing);
}

CHECK_MAIN("ca_bind", add_tests)
