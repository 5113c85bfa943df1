/* A list on disk gives the prompts that it gives in memory, whatever is read of it at once. */
#include "io/prompts.h"

#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "temp_folder.h"

/* As a digest: every prompt, and what is said of the list as a whole or of its refusal. */
static skv_status add_to_digest(void *digest, size_t i, const skv_prompt *p)
{
    const char *const texts[] = {p->id, p->given_id, p->text, p->negative, p->error};
    skv_digest *d = digest;

    for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++)
        *d = skv_digest_add(*d, texts[t] ? texts[t] : "none", texts[t] ? strlen(texts[t]) : 4);
    *d = skv_digest_add(*d, &p->seed, sizeof p->seed);
    *d = skv_digest_add(*d, &i, sizeof i);
    return SKV_OK;
}

static skv_digest digest_of_list(const skv_prompts_source *s)
{
    skv_prompts_facts facts;
    skv_digest d = {0};

    if (skv_prompts_each(&facts, s, "list", NULL, add_to_digest, &d) != SKV_OK)
        return skv_digest_of(skv_message(), strlen(skv_message()));
    return skv_digest_add(d, (const size_t[]){facts.n, facts.n_bad}, 2 * sizeof(size_t));
}

/* Lines and rows are cut by the window's end at each of their bytes. */
static void a_window_of_any_size_gives_the_same_prompts(void **state)
{
    static const char *const name[] = {
        [SKV_PROMPTS_TEXT] = "a.txt",  [SKV_PROMPTS_JSONL] = "a.jsonl",
        [SKV_PROMPTS_JSON] = "a.json", [SKV_PROMPTS_CSV] = "a.csv",
        [SKV_PROMPTS_TSV] = "a.tsv",   [SKV_PROMPTS_FOLDER] = "b.jsonl"};
    static const struct {
        skv_prompts_form form;
        const char *text;
    } list[] = {
        {SKV_PROMPTS_TEXT, "\xef\xbb\xbf"
                           "a cat\r\n\n two  dogs \n\xff\nlast\n\r\n"},
        {SKV_PROMPTS_JSONL, "{\"prompt\":\"a\",\"id\":\"1\"}\n\nx\n{\"text\":\"b\",\"seed\":3}\n"},
        {SKV_PROMPTS_JSONL, "{\"prompt\":\"a\",\"id\":\"1\"}\n{\"text\":\"b\",\"id\":\"1\"}\nx"},
        {SKV_PROMPTS_FOLDER, "{\"id\":\"i\",\"error\":\"e\"}\n{\"id\":\"j\",\"prompt\":\"b\"}\n"},
        {SKV_PROMPTS_TEXT, "a cat\r\ra dog\r\n\n\rlast\r"},
        {SKV_PROMPTS_JSONL, "{\"prompt\":\"a\"}\r{\"text\":\"b\"}\r\n\r{\"text\":\"c\"}"},
        {SKV_PROMPTS_TEXT, "a cat\r\r\na dog\n\r\r\n\r\r\r\nlast\r\r\n\x1a"},
        {SKV_PROMPTS_CSV, "sep=;\r\nprompt;id\r\r\na, b;1\r\r\nc;2"},
        {SKV_PROMPTS_CSV, "Prompt;id\ra;1\r\n\"b\rb\";2\r\r\"\";3\n"},
        {SKV_PROMPTS_TSV, "Prompt\tid\n\"A\" b\t1\n\"c\td\"\t2\r\"e\t3\n"},
        {SKV_PROMPTS_JSON, "[\"a\", {\"prompt\":\"b\"}]\n"},
        {SKV_PROMPTS_CSV, "item_id,\"text\",seed\r\na,\"b, \"\"c\"\"\r\n\nd\",3\r\na,x,\n"
                          "e,f,g,h\n\"i\"j,k,\nl,m,4\n\n"},
        {SKV_PROMPTS_CSV, "prompt\na\n\"b\n"},
        {SKV_PROMPTS_CSV, "\"prompt\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        skv_prompts_source memory, file;
        skv_digest want;

        skv_prompts_open_bytes(&memory, list[i].text, strlen(list[i].text), list[i].form);
        want = digest_of_list(&memory);
        assert_int_equal(skv_file_write(temp_path(name[list[i].form]), list[i].text, memory.n),
                         SKV_OK);
        assert_int_equal(skv_prompts_open(&file, temp_path(name[list[i].form])), SKV_OK);
        assert_true(skv_digest_equal(file.digest, memory.digest));
        assert_int_equal(file.end, memory.end);
        file.form = list[i].form;
        for (size_t window = 0; window <= memory.n; window++) {
            memory.window = file.window = window;
            assert_true(skv_digest_equal(digest_of_list(&memory), want));
            assert_true(skv_digest_equal(digest_of_list(&file), want));
        }
        skv_prompts_close(&file);
    }
}

static void a_file_that_changes_while_it_is_read_is_refused(void **state)
{
    skv_prompts_source source;
    skv_prompts *p = NULL;
    FILE *f;

    (void)state;
    assert_int_equal(skv_file_write(temp_path("a.txt"), "a cat\na dog\n", 12), SKV_OK);
    assert_int_equal(skv_prompts_open(&source, temp_path("a.txt")), SKV_OK);
    f = fopen(temp_path("a.txt"), "a");
    assert_non_null(f);
    assert_true(fputs("a cow\n", f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(skv_prompts_parse(&p, &source, "a.txt", NULL), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "a.txt was changed"));
    skv_prompts_close(&source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_window_of_any_size_gives_the_same_prompts,
                                        temp_folder_make, temp_folder_remove),
        cmocka_unit_test_setup_teardown(a_file_that_changes_while_it_is_read_is_refused,
                                        temp_folder_make, temp_folder_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
