/* SPDX-License-Identifier: Apache-2.0 */
/* What may be a client CA, what makes two sets equal, and what verification finds. */
#include "listeners/ca/ca_set.h"

#include <stdarg.h>
#include <string.h>

#include "lb/base/error.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"

struct files {
    struct folder folder;
    struct problems problems;
    struct made *root;
    struct made *middle;
    struct made *leaf;
};

static void files_open(struct files *files)
{
    memset(files, 0, sizeof *files);
    folder_make(&files->folder);
    files->root = made_ca("Root");
    files->middle = made_intermediate(files->root, "Middle");
    files->leaf = made_client(files->middle, "leaf");
    made_write_bundle(files->folder.path, "root.pem", files->root, NULL);
    made_write_bundle(files->folder.path, "middle.pem", files->middle, NULL);
    made_write_bundle(files->folder.path, "both.pem", files->middle, files->root, NULL);
    made_write_bundle(files->folder.path, "leaf.pem", files->leaf, NULL);
}

static void files_close(struct files *files)
{
    problems_done(&files->problems);
    made_free(files->root);
    made_free(files->middle);
    made_free(files->leaf);
    folder_remove(&files->folder);
}

static struct ca_set *load(struct files *files, int depth, bool partial, const char *first,
                           const char *second)
{
    const char *paths[2] = {folder_file(&files->folder, first),
                            second ? folder_file(&files->folder, second) : NULL};
    const unsigned lines[2] = {7, 8};
    return ca_set_load(paths, lines, second ? 2 : 1, NULL, depth, partial, "lb.ini",
                       &files->problems);
}

/* One problem, at this line, with these words. */
static void check_problem(const struct files *files, unsigned line, bool warning, const char *words)
{
    ck_assert_uint_eq(files->problems.count, 1);
    const struct problem *problem = &files->problems.items[0];
    ck_assert_str_eq(problem->file, "lb.ini");
    ck_assert_uint_eq(problem->line, line);
    ck_assert_int_eq(problem->warning, warning);
    ck_assert_msg(strstr(problem->text, words) != NULL, "\"%s\" is not in: %s", words,
                  problem->text);
}

/* One result after another in the same place. */
static void verify(const struct ca_set *set, X509 *leaf, STACK_OF(X509) * chain, time_t now,
                   struct ca_set_result *result)
{
    ca_set_result_done(result);
    ca_set_verify(set, leaf, chain, now, result);
}

START_TEST(a_root_or_a_root_with_its_intermediate_makes_a_set)
{
    struct files files;
    files_open(&files);
    struct ca_set *one = load(&files, 4, false, "root.pem", NULL);
    struct ca_set *two = load(&files, 4, false, "middle.pem", "root.pem");
    ck_assert(one && two);
    ck_assert_uint_eq(files.problems.count, 0);
    ck_assert_int_eq(sk_X509_NAME_num(one->names), 1);
    ck_assert_int_eq(sk_X509_NAME_num(two->names), 2);
    ca_set_free(one);
    ca_set_free(two);
    ca_set_free(NULL);
    files_close(&files);
}
END_TEST

START_TEST(equal_content_is_an_equal_set_whatever_the_files)
{
    struct files files;
    files_open(&files);
    struct ca_set *sets[] = {
        load(&files, 4, false, "middle.pem", "root.pem"),
        load(&files, 4, false, "root.pem", "middle.pem"),
        load(&files, 4, false, "both.pem", NULL),
        load(&files, 4, false, "both.pem", "root.pem"),
        load(&files, 3, false, "both.pem", NULL),
        load(&files, 4, true, "both.pem", NULL),
        load(&files, 4, false, "root.pem", NULL),
    };
    for (size_t i = 1; i < 4; i++)
        ck_assert_mem_eq(sets[0]->id, sets[i]->id, CA_SET_ID_BYTES);
    for (size_t i = 4; i < 7; i++)
        ck_assert_mem_ne(sets[0]->id, sets[i]->id, CA_SET_ID_BYTES);
    for (size_t i = 0; i < 7; i++)
        ca_set_free(sets[i]);
    files_close(&files);
}
END_TEST

START_TEST(a_lone_intermediate_is_an_anchor_only_if_it_is_said_so)
{
    struct files files;
    files_open(&files);
    ck_assert_ptr_null(load(&files, 4, false, "middle.pem", NULL));
    check_problem(&files, 7, false, "client_ca_partial = yes");
    problems_done(&files.problems);
    struct ca_set *set = load(&files, 4, true, "middle.pem", NULL);
    ck_assert_ptr_nonnull(set);
    ck_assert_uint_eq(files.problems.count, 0);
    struct ca_set_result result = {0};
    STACK_OF(X509) *chain = sk_X509_new_null();
    verify(set, files.leaf->certificate, chain, time(NULL), &result);
    ck_assert_int_eq(result.refusal, REFUSAL_NONE);
    sk_X509_free(chain);
    ca_set_free(set);
    files_close(&files);
    ca_set_result_done(&result);
}
END_TEST

START_TEST(a_certificate_that_is_no_ca_is_refused)
{
    struct files files;
    files_open(&files);
    ck_assert_ptr_null(load(&files, 4, false, "root.pem", "leaf.pem"));
    check_problem(&files, 8, false, "CN=leaf is no CA certificate");
    files_close(&files);
}
END_TEST

START_TEST(a_v1_root_is_a_ca_and_a_v1_leaf_is_none)
{
    struct files files;
    files_open(&files);
    struct made *root =
        made_certificate(&(struct certificate_wish){.name = "Old Root", .v1 = true});
    struct made *leaf = made_certificate(
        &(struct certificate_wish){.name = "old leaf", .v1 = true, .issuer = root});
    made_write_bundle(files.folder.path, "v1.pem", root, NULL);
    made_write_bundle(files.folder.path, "v1leaf.pem", leaf, NULL);
    struct ca_set *set = load(&files, 4, false, "v1.pem", NULL);
    ck_assert_ptr_nonnull(set);
    ck_assert_ptr_null(load(&files, 4, false, "v1leaf.pem", NULL));
    check_problem(&files, 7, false, "is no CA certificate");
    ca_set_free(set);
    made_free(leaf);
    made_free(root);
    files_close(&files);
}
END_TEST

START_TEST(an_expired_ca_is_a_warning)
{
    struct files files;
    files_open(&files);
    struct made *old = made_certificate(
        &(struct certificate_wish){.name = "Old", .ca = true, .from_s = -9000, .until_s = -60});
    made_write_bundle(files.folder.path, "old.pem", old, NULL);
    struct ca_set *set = load(&files, 4, false, "old.pem", NULL);
    ck_assert_ptr_nonnull(set);
    check_problem(&files, 7, true, "has expired");
    ca_set_free(set);
    made_free(old);
    files_close(&files);
}
END_TEST

START_TEST(every_bad_file_is_reported_at_its_line)
{
    struct files files;
    files_open(&files);
    folder_write(&files.folder, "text.pem", "no certificate\n");
    ck_assert_ptr_null(load(&files, 4, false, "nowhere.pem", "text.pem"));
    ck_assert_uint_eq(files.problems.count, 2);
    ck_assert_uint_eq(files.problems.items[0].line, 7);
    ck_assert_ptr_nonnull(strstr(files.problems.items[0].text, "cannot be opened"));
    ck_assert_uint_eq(files.problems.items[1].line, 8);
    ck_assert_ptr_nonnull(strstr(files.problems.items[1].text, "no PEM at all"));
    files_close(&files);
}
END_TEST

START_TEST(verification_ends_at_the_earliest_not_after_of_the_chain)
{
    struct files files;
    struct ca_set_result result = {0};
    files_open(&files);
    struct made *brief = made_certificate(&(struct certificate_wish){
        .name = "Brief", .ca = true, .issuer = files.root, .until_s = 5000});
    struct made *leaf = made_client(brief, "leaf");
    struct ca_set *set = load(&files, 4, false, "root.pem", NULL);
    verify(set, leaf->certificate, leaf->chain, time(NULL), &result);
    ck_assert_int_eq(result.refusal, REFUSAL_NONE);
    time_t left = result.valid_until - time(NULL);
    ck_assert_int_le(left, 5000);
    ck_assert_int_gt(left, 4900);
    /* Exactly then it is over, not a second later. */
    verify(set, leaf->certificate, leaf->chain, result.valid_until - 1, &result);
    ck_assert_int_eq(result.refusal, REFUSAL_NONE);
    verify(set, leaf->certificate, leaf->chain, result.valid_until, &result);
    ck_assert_int_eq(result.refusal, REFUSAL_EXPIRED);
    ck_assert_int_eq(result.depth, 1); /* the intermediate is at fault */
    ca_set_free(set);
    made_free(leaf);
    made_free(brief);
    files_close(&files);
    ca_set_result_done(&result);
}
END_TEST

START_TEST(depth_counts_the_certificates_behind_the_clients_own)
{
    struct files files;
    struct ca_set_result result = {0};
    files_open(&files);
    struct made *direct = made_client(files.root, "direct");
    struct ca_set *shallow = load(&files, 1, false, "root.pem", NULL);
    struct ca_set *deeper = load(&files, 2, false, "root.pem", NULL);
    verify(shallow, direct->certificate, direct->chain, time(NULL), &result);
    ck_assert_int_eq(result.refusal, REFUSAL_NONE);
    ck_assert_uint_eq(result.ca_count, 1);
    verify(shallow, files.leaf->certificate, files.leaf->chain, time(NULL), &result);
    ck_assert_int_eq(result.refusal, REFUSAL_CHAIN_TOO_LONG);
    verify(deeper, files.leaf->certificate, files.leaf->chain, time(NULL), &result);
    ck_assert_int_eq(result.refusal, REFUSAL_NONE);
    ca_set_free(shallow);
    ca_set_free(deeper);
    made_free(direct);
    files_close(&files);
    ca_set_result_done(&result);
}
END_TEST

START_TEST(a_ca_that_may_have_no_more_cas_below_it_is_obeyed)
{
    struct files files;
    struct ca_set_result result = {0};
    files_open(&files);
    struct made *last = made_certificate(&(struct certificate_wish){
        .name = "Last", .ca = true, .no_path = true, .issuer = files.root});
    struct made *one_more = made_intermediate(last, "One more");
    struct made *leaf = made_client(one_more, "leaf");
    struct ca_set *set = load(&files, 4, false, "root.pem", NULL);
    verify(set, leaf->certificate, leaf->chain, time(NULL), &result);
    ck_assert_int_eq(result.refusal, REFUSAL_CHAIN_TOO_LONG);
    ca_set_free(set);
    made_free(leaf);
    made_free(one_more);
    made_free(last);
    files_close(&files);
    ca_set_result_done(&result);
}
END_TEST

START_TEST(a_leaf_that_signs_others_is_not_believed)
{
    struct files files;
    struct ca_set_result result = {0};
    files_open(&files);
    struct made *direct = made_client(files.root, "direct");
    struct made *forged = made_client(direct, "forged");
    struct ca_set *set = load(&files, 4, false, "root.pem", NULL);
    verify(set, forged->certificate, forged->chain, time(NULL), &result);
    ck_assert_int_eq(result.refusal, REFUSAL_UNTRUSTED);
    ca_set_free(set);
    made_free(forged);
    made_free(direct);
    files_close(&files);
    ca_set_result_done(&result);
}
END_TEST

START_TEST(a_weak_ca_is_a_weak_key)
{
    struct files files;
    struct ca_set_result result = {0};
    files_open(&files);
    struct made *weak = made_certificate(
        &(struct certificate_wish){.name = "Weak", .ca = true, .key = MADE_KEY_RSA_1024});
    struct made *leaf = made_client(weak, "leaf");
    made_write_bundle(files.folder.path, "weak.pem", weak, NULL);
    struct ca_set *set = load(&files, 4, false, "weak.pem", NULL);
    verify(set, leaf->certificate, leaf->chain, time(NULL), &result);
    ck_assert_int_eq(result.refusal, REFUSAL_WEAK_KEY);
    ck_assert_int_eq(result.depth, 1);
    ck_assert_int_eq(result.valid_until, 0);
    ca_set_free(set);
    made_free(leaf);
    made_free(weak);
    files_close(&files);
    ca_set_result_done(&result);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_root_or_a_root_with_its_intermediate_makes_a_set);
    tcase_add_test(tcase, equal_content_is_an_equal_set_whatever_the_files);
    tcase_add_test(tcase, a_lone_intermediate_is_an_anchor_only_if_it_is_said_so);
    tcase_add_test(tcase, a_certificate_that_is_no_ca_is_refused);
    tcase_add_test(tcase, a_v1_root_is_a_ca_and_a_v1_leaf_is_none);
    tcase_add_test(tcase, an_expired_ca_is_a_warning);
    tcase_add_test(tcase, every_bad_file_is_reported_at_its_line);
    tcase_add_test(tcase, verification_ends_at_the_earliest_not_after_of_the_chain);
    tcase_add_test(tcase, depth_counts_the_certificates_behind_the_clients_own);
    tcase_add_test(tcase, a_ca_that_may_have_no_more_cas_below_it_is_obeyed);
    tcase_add_test(tcase, a_leaf_that_signs_others_is_not_believed);
    tcase_add_test(tcase, a_weak_ca_is_a_weak_key);
}

CHECK_MAIN("ca_set", add_tests)
