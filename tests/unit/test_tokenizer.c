#include "io/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "temp_folder.h"

#define MODEL SKV_TEST_DATA "/tiny_t5/spiece.model"
#define VOCAB 1152
#define EXTRA 1099 /* id of <extra_id_0>: 1000 pieces and 99 */

static skv_tokenizer *open_model(const char *json, bool plain)
{
    skv_tokenizer *t = NULL;

    if (skv_tokenizer_open(&t, MODEL, json, VOCAB, plain) != SKV_OK)
        fail_msg("%s", skv_message());
    return t;
}

typedef struct {
    int32_t ids[SKV_MAX_TOKENS];
    int n, before;
} tokens;

static tokens encode(const skv_tokenizer *t, const char *text)
{
    tokens k;

    if (skv_tokenizer_encode(t, text, strlen(text), k.ids, &k.n, &k.before) != SKV_OK)
        fail_msg("%s", skv_message());
    return k;
}

static void assert_same(const tokens *a, const tokens *b)
{
    assert_int_equal(a->n, b->n);
    assert_memory_equal(a->ids, b->ids, (size_t)a->n * sizeof a->ids[0]);
}

static bool ends_with_space_token(const tokens *k)
{
    return k->n >= 2 && k->ids[k->n - 2] == 3 && k->ids[k->n - 1] == 1;
}

static void an_empty_text_is_the_end_token(void **state)
{
    skv_tokenizer *t = open_model(NULL, false);
    tokens k = encode(t, "");

    (void)state;
    assert_int_equal(k.n, 1);
    assert_int_equal(k.before, 1);
    assert_int_equal(k.ids[0], 1);
    skv_tokenizer_destroy(t);
}

/* What the model's map turns into a space counts, whatever isspace says; what it removes does not.
 */
static void what_becomes_a_space_at_the_end_is_one_token(void **state)
{
    static const char *const spaces[] = {"dog ",
                                         "dog\n",
                                         "dog \n\t ",
                                         "dog\xe2\x80\x8b",
                                         "dog\xe2\x96\x81",
                                         "dog\xef\xbb\xbf",
                                         "dog \x01",
                                         "dog\xe3\x80\x80"};
    static const char *const none[] = {"dog", "dog\x0b", "dog\x1c", " dog"};
    skv_tokenizer *t = open_model(NULL, false), *plain = open_model(NULL, true);
    tokens dog = encode(t, "dog");

    (void)state;
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++) {
        tokens k = encode(t, spaces[i]), p = encode(plain, spaces[i]);

        assert_true(ends_with_space_token(&k));
        assert_int_equal(k.n, dog.n + 1);
        assert_memory_equal(k.ids, dog.ids, (size_t)(dog.n - 1) * sizeof k.ids[0]);
        assert_same(&p, &dog);
    }
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        tokens k = encode(t, none[i]);

        assert_same(&k, &dog);
    }
    skv_tokenizer_destroy(plain);
    skv_tokenizer_destroy(t);
}

static void special_strings_are_exact(void **state)
{
    static const struct {
        const char *text;
        int32_t first;
    } special[] = {{"</s>", 1},
                   {"<pad>", 0},
                   {"<unk>", 2},
                   {"<extra_id_0>", EXTRA},
                   {"<extra_id_7>", EXTRA - 7},
                   {"<extra_id_99>", EXTRA - 99}};
    static const char *const ordinary[] = {"<extra_id_100>", "<extra_id_07>", "<EXTRA_ID_0>",
                                           "<extra_id_>",    "<PAD>",         "<extra_id_1"};
    skv_tokenizer *t = open_model(NULL, false), *plain = open_model(NULL, true);

    (void)state;
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++) {
        tokens k = encode(t, special[i].text);

        assert_int_equal(k.n, 2);
        assert_int_equal(k.ids[0], special[i].first);
    }
    for (size_t i = 0; i < sizeof ordinary / sizeof ordinary[0]; i++) {
        tokens k = encode(t, ordinary[i]), p = encode(plain, ordinary[i]);

        assert_same(&k, &p);
    }
    skv_tokenizer_destroy(plain);
    skv_tokenizer_destroy(t);
}

static void white_space_around_an_extra_id_vanishes(void **state)
{
    skv_tokenizer *t = open_model(NULL, false);
    tokens a = encode(t, "a<extra_id_3>dog");
    tokens b = encode(t, "a \xe2\x80\xaf\n<extra_id_3>\xc2\xa0 \xe3\x80\x80"
                         "dog");
    tokens c = encode(t, "a </s> dog");

    (void)state;
    assert_same(&a, &b);
    assert_int_equal(c.n, 5); /* around others the space stays: a, ▁, </s>, dog, </s> */
    assert_int_equal(c.ids[1], 3);
    assert_int_equal(c.ids[2], 1);
    skv_tokenizer_destroy(t);
}

static void tokenizer_json_can_turn_the_trailing_rule_off(void **state)
{
    static const struct {
        const char *json;
        bool space;
    } cases[] = {
        {"{\"pre_tokenizer\":{\"type\":\"Metaspace\"},\"normalizer\":null}", true},
        {"{\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":"
         "\"WhitespaceSplit\"},{\"type\":\"Metaspace\"}]}}",
         false},
        {"{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Strip\"}]}}", false},
        {"{\"model\":{\"type\":\"Strip\"}}", true}};
    skv_digest digest[2];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        skv_tokenizer *t;
        tokens k;

        assert_int_equal(
            skv_file_write(temp_path("tokenizer.json"), cases[i].json, strlen(cases[i].json)),
            SKV_OK);
        t = open_model(temp_path("tokenizer.json"), false);
        k = encode(t, "dog ");
        assert_int_equal(ends_with_space_token(&k), cases[i].space);
        digest[cases[i].space] = skv_tokenizer_digest(t);
        skv_tokenizer_destroy(t);
    }
    assert_false(skv_digest_equal(digest[0], digest[1]));
    assert_int_equal(skv_file_write(temp_path("tokenizer.json"), "{", 1), SKV_OK);
    {
        skv_tokenizer *t = NULL;

        assert_int_equal(skv_tokenizer_open(&t, MODEL, temp_path("tokenizer.json"), VOCAB, false),
                         SKV_E_FORMAT);
        assert_null(t);
    }
}

static void a_folder_gives_model_and_rules(void **state)
{
    skv_tokenizer *a = NULL, *b = open_model(NULL, false);

    (void)state;
    assert_int_equal(skv_tokenizer_open_for(&a, SKV_TEST_DATA "/tiny_t5", NULL, VOCAB, false),
                     SKV_OK);
    assert_true(skv_digest_equal(skv_tokenizer_digest(a), skv_tokenizer_digest(b)));
    skv_tokenizer_destroy(a);
    assert_int_equal(skv_tokenizer_open_for(&a, "formula:tiny", MODEL, VOCAB, false), SKV_OK);
    assert_true(skv_digest_equal(skv_tokenizer_digest(a), skv_tokenizer_digest(b)));
    skv_tokenizer_destroy(a);
    skv_tokenizer_destroy(b);
    assert_int_equal(skv_tokenizer_open_for(&a, "formula:tiny", NULL, VOCAB, false), SKV_E_ARG);
    assert_int_equal(skv_tokenizer_open_for(&a, temp_path("."), NULL, VOCAB, false),
                     SKV_E_NOTFOUND);
}

static void a_vocabulary_without_room_for_the_extra_ids_is_refused(void **state)
{
    skv_tokenizer *t = NULL;

    (void)state;
    assert_int_equal(skv_tokenizer_open(&t, MODEL, NULL, 1099, false), SKV_E_SHAPE);
    assert_int_equal(skv_tokenizer_open(&t, MODEL, NULL, 1100, false), SKV_OK);
    skv_tokenizer_destroy(t);
}

static void bad_utf8_is_refused(void **state)
{
    skv_tokenizer *t = open_model(NULL, false);
    int32_t ids[SKV_MAX_TOKENS];
    int n, before;

    (void)state;
    assert_int_equal(skv_tokenizer_encode(t, "a\xff", 2, ids, &n, &before), SKV_E_ARG);
    assert_int_equal(skv_tokenizer_encode(t, "a\xe2\x96", 3, ids, &n, &before), SKV_E_ARG);
    skv_tokenizer_destroy(t);
}

static void the_positive_suffix_follows_people_by_substring(void **state)
{
    static const char suffix[] = ". very smooth faces, good looking faces, face to the camera, "
                                 "perfect facial features";
    static const struct {
        const char *text;
        bool yes;
    } cases[] = {{"a person.", true}, {"many cats", true}, {"the season", true}, {"Man", false},
                 {"a cat", false},    {"", false},         {"grandmother", true}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const size_t n = strlen(cases[i].text);
        char *out = NULL;

        assert_int_equal(skv_prompt_positive(&out, cases[i].text), SKV_OK);
        assert_memory_equal(out, cases[i].text, n);
        assert_string_equal(out + n, cases[i].yes ? suffix : "");
        free(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_text_is_the_end_token),
        cmocka_unit_test(what_becomes_a_space_at_the_end_is_one_token),
        cmocka_unit_test(special_strings_are_exact),
        cmocka_unit_test(white_space_around_an_extra_id_vanishes),
        cmocka_unit_test_setup_teardown(tokenizer_json_can_turn_the_trailing_rule_off,
                                        temp_folder_make, temp_folder_remove),
        cmocka_unit_test_setup_teardown(a_folder_gives_model_and_rules, temp_folder_make,
                                        temp_folder_remove),
        cmocka_unit_test(a_vocabulary_without_room_for_the_extra_ids_is_refused),
        cmocka_unit_test(bad_utf8_is_refused),
        cmocka_unit_test(the_positive_suffix_follows_people_by_substring)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
