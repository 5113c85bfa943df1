/* Lists as the sets of the field come: their keys, their shapes, and their names. */
#include "io/prompts.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "temp_folder.h"

#define MOST 4

/* A file, and what is to be read of it. Texts and ids up to a NULL; id "": none. */
typedef struct {
    const char *name, *content;
    const char *text[MOST], *id[MOST];
    const char *unused[MOST];
} set;

static const set sets[] = {
    /* PartiPrompts: an unquoted TSV, where a quote may begin a prompt */
    {"parti.tsv",
     "Prompt\tCategory\tNote\nan owl\tAnimals\t\n\"HI\" on a "
     "wall\tWords\tshort\n\"two\towls\"\tA\t\n",
     {"an owl", "\"HI\" on a wall", "two\towls"},
     {"", "", ""},
     {"Category", "Note"}},
    /* DrawBench, and the same from a spreadsheet of another country */
    {"draw.csv", "Prompts,Category\n\"A box, red\",Colors\n", {"A box, red"}, {""}, {"Category"}},
    {"semicolon.csv", "Prompts;Category\nA box, red;Colors\n", {"A box, red"}, {""}, {"Category"}},
    {"tabs.csv", "prompt\tid\na, b\t7\n", {"a, b"}, {"7"}, {NULL}},
    /* WISE */
    {"wise.json",
     "[{\"Prompt\": \"a cake\", \"Explanation\": \"x\", \"prompt_id\": 1}]",
     {"a cake"},
     {"1"},
     {"Explanation"}},
    /* GenAI-Bench, MJHQ-30K, HPSv2's styles, ids to texts, a list with a head */
    {"genai.json",
     "{\"01\": {\"id\": \"01\", \"prompt\": \"a\", \"models\": {}}, \"02\": {\"prompt\": \"b\"}}",
     {"a", "b"},
     {"01", "02"},
     {"models"}},
    {"hps.json",
     "{\"anime\": [\"a\", \"b\"], \"photo\": [{\"prompt\": \"c\"}]}",
     {"a", "b", "c"},
     {"anime-00000", "anime-00001", "photo-00000"},
     {NULL}},
    {"texts.json", "{\"x\": \"a\", \"y\": \"b\"}", {"a", "b"}, {"x", "y"}, {NULL}},
    {"head.json", "{\"version\": 2, \"prompts\": [\"a\", \"b\"]}", {"a", "b"}, {"", ""}, {NULL}},
    {"one.json", "{\"prompt\": \"a\", \"id\": \"i\"}", {"a"}, {"i"}, {NULL}},
    /* GenEval 2 called .json, an array called .jsonl, in one line and in several */
    {"lines.json", "{\"prompt\": \"a\"}\n{\"prompt\": \"b\"}\n", {"a", "b"}, {"", ""}, {NULL}},
    {"array.jsonl", "[{\"prompt\": \"a\"}, {\"prompt\": \"b\"}]\n", {"a", "b"}, {"", ""}, {NULL}},
    {"pretty.jsonl",
     "[\n {\"prompt\": \"a\"},\n {\"prompt\": \"b\"}\n]",
     {"a", "b"},
     {"", ""},
     {NULL}},
    /* OneIG: ids begin anew in each category; UniGen; LongText; Imagine */
    {"oneig.csv",
     "category,id,prompt_en,class\nAnime,000,a,\nPortrait,000,b,\n",
     {"a", "b"},
     {"Anime-000", "Portrait-000"},
     {"class"}},
    {"unigen.csv",
     "index,prompt_en,sub_dims_en\n0,\"a, b\",\"{\"\"x\"\": 1}\"\n",
     {"a, b"},
     {"0"},
     {"sub_dims_en"}},
    {"longtext.jsonl",
     "{\"category\": \"sign\", \"prompt\": \"a\", \"text\": [\"HI\"], \"prompt_id\": 3}\n",
     {"a"},
     {"3"},
     {"category", "text"}},
    {"imagine.jsonl",
     "{\"id\": 1, \"instruction\": \"a\", \"note\": \"n\"}\n",
     {"a"},
     {"1"},
     {"note"}},
    /* captions: a list, the first of several, Karpathy's splits */
    {"captions.json",
     "[{\"image_id\": 1, \"id\": 5, \"caption\": \"a\"}]",
     {"a"},
     {"5"},
     {"image_id"}},
    {"several.jsonl", "{\"image_id\": 9, \"captions\": [\"a\", \"b\"]}\n", {"a"}, {"9"}, {NULL}},
    {"karpathy.json",
     "{\"images\": [{\"cocoid\": 42, \"imgid\": 0, \"split\": \"val\", \"sentences\": [{\"raw\": "
     "\"a\"}, {\"raw\": \"b\"}]}, {\"imgid\": 1, \"split\": \"test\", \"sentences\": [{\"raw\": "
     "\"c\"}]}], \"dataset\": \"coco\"}",
     {"a", "c"},
     {"42", "1"},
     {"split"}},
    /* Infinity's own */
    {"infinity.jsonl",
     "{\"image_path\": \"x\", \"h_div_w\": 2.0, \"long_caption\": \"b\", \"text\": \"a\"}\n",
     {"a"},
     {""},
     {"image_path", "h_div_w", "long_caption"}},
};

static void write_file(const char *name, const char *content)
{
    assert_int_equal(skv_file_write(temp_path(name), content, strlen(content)), SKV_OK);
}

static void assert_list(const skv_prompts *p, const set *s)
{
    size_t n = 0;

    for (; n < MOST && s->text[n]; n++) {
        assert_true(n < p->n);
        assert_null(p->prompts[n].error);
        assert_string_equal(p->prompts[n].text, s->text[n]);
        assert_string_equal(p->prompts[n].given_id ? p->prompts[n].given_id : "", s->id[n]);
    }
    assert_int_equal(p->n, n);
    for (n = 0; n < MOST && s->unused[n]; n++)
        assert_string_equal(p->facts.unused[n], s->unused[n]);
    assert_int_equal(p->facts.n_unused, n);
}

static void sets_of_the_field_are_read_as_they_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        for (int marked = 0; marked < 2; marked++) {
            char content[1024];
            skv_prompts *p = NULL;

            snprintf(content, sizeof content, "%s%s", marked ? "\xef\xbb\xbf" : "",
                     sets[i].content);
            write_file(sets[i].name, content);
            assert_int_equal(skv_prompts_read(&p, temp_path(sets[i].name), NULL), SKV_OK);
            assert_list(p, &sets[i]);
            skv_prompts_destroy(p);
        }
    }
}

/* Refused as a whole; the message has each of the words, up to a NULL. */
static void lists_that_are_in_doubt_are_refused_with_the_cure(void **state)
{
    static const struct {
        const char *name, *content, *word[4];
        skv_status status;
    } bad[] = {
        {"tiif.jsonl",
         "{\"type\": \"t\", \"short_description\": \"a\", \"long_description\": \"b\"}\n",
         {"line 1", "--prompt-key", "\"short_description\""},
         SKV_E_ARG},
        {"zh.csv",
         "index,prompt_zh\n0,x\n",
         {"line 1", "--prompt-key", "\"prompt_zh\""},
         SKV_E_ARG},
        {"parti.txt", "Prompt\tCategory\na\tb\n", {"line 1", ".tsv"}, SKV_E_ARG},
        {"quoted.txt", "\"id\", \"Prompt\"\n1,a\n", {"line 1", ".csv"}, SKV_E_ARG},
        {"excel.txt", "text;seed\na;1\n", {"line 1", ".csv"}, SKV_E_ARG},
        {"lines.txt", "{\"prompt\": \"a\"}\n", {"line 1", ".jsonl"}, SKV_E_ARG},
        {"array.txt", "[\"a\", \"b\"]", {"line 1", ".json"}, SKV_E_ARG},
        {"pretty.txt", "\n [\n  \"a\",\n  \"b\"\n]\n", {"line 1", ".json"}, SKV_E_ARG},
        {"object.txt", "{\n  \"prompt\": \"a\"\n}\n", {"line 1", ".json"}, SKV_E_ARG},
        {"a.yaml", "prompts:\n  - a\n", {".yaml", ".txt or", ".jsonl"}, SKV_E_ARG},
        {"twice.jsonl",
         "{\"id\": 1, \"prompt\": \"a\"}\n{\"id\": 1, \"prompt\": \"b\"}\n",
         {"line 2", "line 1", "--id-key"},
         SKV_E_FORMAT},
        {"instances.json",
         "{\"images\": [{\"id\": 1}], \"info\": {}}",
         {"no prompts", "annotations"},
         SKV_E_FORMAT},
        {"empty.txt", " \n\t\n", {"line 1", "empty", "no other"}, SKV_E_ARG},
        {"gone.json", "{\"error\": \"Repository not found\"}", {"server"}, SKV_E_ARG},
        {"nan.json", "[{\"prompt\": NaN}]", {"entry 1", "the prompt is empty"}, SKV_E_ARG},
        {"numbers.json", "[1, 2]", {"entry 1", "not a JSON object", "no other"}, SKV_E_ARG},
    };
    static const char utf16[] = "\xff\xfep\0r\0";
    skv_prompts *p = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_file(bad[i].name, bad[i].content);
        assert_int_equal(skv_prompts_read(&p, temp_path(bad[i].name), NULL), bad[i].status);
        assert_non_null(strstr(skv_message(), bad[i].name));
        for (int w = 0; w < 4 && bad[i].word[w]; w++)
            assert_non_null(strstr(skv_message(), bad[i].word[w]));
    }
    assert_int_equal(skv_file_write(temp_path("excel.txt"), utf16, sizeof utf16 - 1), SKV_OK);
    assert_int_equal(skv_prompts_read(&p, temp_path("excel.txt"), NULL), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "UTF-16"));
}

static void a_text_that_is_like_another_form_is_text(void **state)
{
    static const char *const lists[] = {
        "a cat, text, red\nb\n", "text, logo\nb\n", "[red] cat\nb\n",
        "{a|b} cat\n\"b\"\n",    "[\nb\n",          "caption\nb\n"};

    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        skv_prompts *p = NULL;

        write_file("a.txt", lists[i]);
        assert_int_equal(skv_prompts_read(&p, temp_path("a.txt"), NULL), SKV_OK);
        assert_int_equal(p->n, 2);
        assert_memory_equal(p->prompts[0].text, lists[i], strcspn(lists[i], "\n"));
        skv_prompts_destroy(p);
    }
}

/* CR CR LF, DOS's end of a text, Excel's line of the separator, and seeds of pandas. */
static void what_windows_programs_write_is_read(void **state)
{
    static const char *const list[][2] = {
        {"a.txt", "a cat\r\r\na dog\r\r\n\x1a"},
        {"a.jsonl", "{\"text\": \"a cat\", \"seed\": 7.0}\r\r\n\"a dog\"\r\n"},
        {"a.csv", "sep=|\r\r\nprompt|seed\r\r\na cat|7.0\r\r\na dog| 8\r\r\n"}};

    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        skv_prompts *p = NULL;

        write_file(list[i][0], list[i][1]);
        assert_int_equal(skv_prompts_read(&p, temp_path(list[i][0]), NULL), SKV_OK);
        assert_int_equal(p->n, 2);
        assert_int_equal(p->facts.n_bad, 0);
        assert_string_equal(p->prompts[0].text, "a cat");
        assert_string_equal(p->prompts[1].text, "a dog");
        assert_int_equal(p->prompts[0].seed, i > 0 ? 7 : 0);
        assert_int_equal(p->prompts[1].seed, i > 1 ? 8 : 0);
        skv_prompts_destroy(p);
    }
}

static void keys_can_be_named(void **state)
{
    static const char lines[] =
        "{\"id\": 1, \"Long Caption\": \"a\", \"prompt\": \"b\", \"set\": \"s\", \"no\": 7}\n";
    static const struct {
        const char *prompt_key, *id_key, *text, *id; /* text NULL: refused */
    } choice[] = {
        {NULL, NULL, "b", "1"},        {"long_caption", NULL, "a", "1"},
        {NULL, "set,no", "b", "s-7"},  {NULL, SKV_PROMPTS_NO_ID, "b", NULL},
        {"caption", NULL, NULL, NULL}, {NULL, "set,none", NULL, NULL},
    };

    (void)state;
    write_file("a.jsonl", lines);
    for (size_t i = 0; i < sizeof choice / sizeof choice[0]; i++) {
        const skv_prompts_options options = {.prompt_key = choice[i].prompt_key,
                                             .id_key = choice[i].id_key};
        skv_prompts *p = NULL;
        const skv_status st = skv_prompts_read(&p, temp_path("a.jsonl"), &options);

        assert_int_equal(st, choice[i].text ? SKV_OK : SKV_E_ARG);
        if (!p) {
            assert_non_null(strstr(skv_message(), choice[i].id_key ? "--id-key" : "--prompt-key"));
            continue;
        }
        assert_string_equal(p->prompts[0].text, choice[i].text);
        assert_int_equal(p->prompts[0].id == NULL, choice[i].id == NULL);
        if (choice[i].id)
            assert_string_equal(p->prompts[0].id, choice[i].id);
        skv_prompts_destroy(p);
    }
}

static void keys_of_plain_text_are_refused(void **state)
{
    const skv_prompts_options options = {.prompt_key = "prompt"};
    skv_prompts *p = NULL;

    (void)state;
    write_file("a.txt", "a cat\n");
    assert_int_equal(skv_prompts_read(&p, temp_path("a.txt"), &options), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "--prompt-key"));
}

static void an_id_is_kept_as_it_was_given(void **state)
{
    static const struct {
        const char *json, *given;
        bool usable;
    } id[] = {{"\"val/1\"", "val/1", false},
              {"\"\\u00fcber 2\"",
               "\xc3\xbc"
               "ber 2",
               false},
              {"4.5", "4.5", true},
              {"[1, 2]", "[1,2]", false},
              {"7", "7", true},
              {"\"\"", NULL, false},
              {"null", NULL, false}};

    (void)state;
    for (size_t i = 0; i < sizeof id / sizeof id[0]; i++) {
        char line[128];
        skv_prompts *p = NULL;

        snprintf(line, sizeof line, "{\"id\": %s, \"prompt\": \"a\"}\n", id[i].json);
        write_file("a.jsonl", line);
        assert_int_equal(skv_prompts_read(&p, temp_path("a.jsonl"), NULL), SKV_OK);
        assert_int_equal(p->prompts[0].given_id != NULL, id[i].given != NULL);
        if (id[i].given)
            assert_string_equal(p->prompts[0].given_id, id[i].given);
        assert_int_equal(p->prompts[0].id != NULL, id[i].usable);
        assert_int_equal(p->facts.n_renamed, id[i].given && !id[i].usable);
        skv_prompts_destroy(p);
    }
}

static void words_of_a_key_may_be_parted_in_any_way(void **state)
{
    static const char *const keys[] = {"Negative Prompt", "negative_prompt", "negativePrompt",
                                       "NEGATIVE-PROMPT", " negative prompt "};

    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char line[100];
        skv_prompts *p = NULL;

        snprintf(line, sizeof line, "{\"Prompt\": \"a\", \"%s\": \"fog\"}\n", keys[i]);
        write_file("a.jsonl", line);
        assert_int_equal(skv_prompts_read(&p, temp_path("a.jsonl"), NULL), SKV_OK);
        assert_string_equal(p->prompts[0].negative, "fog");
        skv_prompts_destroy(p);
    }
}

static void the_one_array_of_prompts_in_an_object_is_the_list(void **state)
{
    static const char *const lists[] = {
        "{\"info\": {\"year\": 2026}, \"data\": [{\"prompt\": \"a\"}]}",
        "{\"data\": [7, \"a\"], \"sizes\": [1, 2], \"version\": \"1\"}"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        skv_prompts *p = NULL;

        write_file("a.json", lists[i]);
        assert_int_equal(skv_prompts_read(&p, temp_path("a.json"), NULL), SKV_OK);
        assert_int_equal(p->n, i + 1);
        assert_string_equal(p->prompts[i].text, "a");
        assert_null(p->prompts[i].id);
        skv_prompts_destroy(p);
    }
}

/* By columns, within an object, and with Python's NaN. */
static void documents_of_other_tools_are_read(void **state)
{
    static const char *const lists[] = {
        "{\"prompt\": [\"a\", \"b\"], \"id\": [\"x\", \"y\"], \"size\": 2}",
        "{\"columns\": [\"id\", \"prompt\"], \"index\": [0, 1], \"data\": [[\"x\", \"a\"], [\"y\", "
        "\"b\"]]}",
        "{\"data\": {\"x\": \"a\", \"y\": {\"prompt\": \"b\"}}}",
        "{\"version\": 1, \"prompts\": {\"x\": \"a\", \"y\": \"b\"}}",
        "[{\"id\": \"x\", \"prompt\": \"a\", \"score\": NaN}, {\"id\": \"y\", \"prompt\": \"b\", "
        "\"at\": [-Infinity, \"NaN \\\" NaN\", Infinity]}]",
        "{\"id\": \"x\", \"prompt\": \"a\", \"seed\": NaN}\n{\"id\": \"y\", \"prompt\": \"b\"}\n"};

    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        skv_prompts *p = NULL;

        write_file("a.json", lists[i]);
        assert_int_equal(skv_prompts_read(&p, temp_path("a.json"), NULL), SKV_OK);
        assert_int_equal(p->n, 2);
        assert_int_equal(p->facts.n_bad, 0);
        assert_string_equal(p->prompts[0].text, "a");
        assert_string_equal(p->prompts[1].text, "b");
        assert_string_equal(p->prompts[0].given_id, "x");
        assert_string_equal(p->prompts[1].given_id, "y");
        skv_prompts_destroy(p);
    }
    write_file("a.json", "{\"data\": {\"prompts\": [\"a\", \"b\"]}}");
    {
        skv_prompts *p = NULL;

        assert_int_equal(skv_prompts_read(&p, temp_path("a.json"), NULL), SKV_OK);
        assert_int_equal(p->n, 2);
        skv_prompts_destroy(p);
    }
}

static void an_empty_prompt_is_a_bad_line_in_every_form(void **state)
{
    static const char *const list[][2] = {
        {"a.txt", " \na cat\n"},
        {"a.csv", "prompt,id\n ,1\na cat,2\n"},
        {"a.tsv", "prompt\tid\n\t1\na\t2\n"},
        {"a.json", "[\"\", \"a cat\"]"},
        {"a.jsonl", "{\"prompt\": \"\"}\n{\"prompt\": \"a cat\"}\n"},
        {"null.jsonl", "{\"id\": 1, \"prompt\": null}\n{\"prompt\": \"a cat\"}\n"},
        {"spaces.txt", "\xc2\xa0\xe3\x80\x80\n\xe3\x80\x81\n"}};

    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        skv_prompts *p = NULL;

        write_file(list[i][0], list[i][1]);
        assert_int_equal(skv_prompts_read(&p, temp_path(list[i][0]), NULL), SKV_OK);
        assert_int_equal(p->n, 2);
        assert_int_equal(p->facts.n_bad, 1);
        assert_non_null(strstr(p->prompts[0].error, "the prompt is empty"));
        skv_prompts_destroy(p);
    }
}

static void what_a_line_asks_for_is_known(void **state)
{
    bool known = false;

    (void)state;
    assert_string_equal(skv_prompts_asks("H-div W", &known), "--ratio");
    assert_true(known);
    assert_null(skv_prompts_asks("steps", &known));
    assert_true(known);
    assert_null(skv_prompts_asks("Category", &known));
    assert_false(known);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, temp_folder_make, temp_folder_remove)

static void files_of_other_kinds_are_called_what_they_are(void **state)
{
    static const char *const names[] = {"a.txt", "a.list", "a.json", "a.jsonl", "a.csv", "a.tsv"};
    static const struct {
        const char *bytes, *is;
        size_t n;
    } other[] = {
        {"version https://git-lfs.github.com/spec/v1\noid sha256:4d\n", "Git LFS pointer", 57},
        {"<!DOCTYPE html>\n<html>\n", "web page", 23},
        {"\x1f\x8b\x08\0\0\0", "gzip", 6},
        {"PK\3\4\0\0", "zip archive", 6},
        {"PAR1\x15\4", "Parquet", 6},
        {"\xff\xfe"
         "a\0 \0",
         "UTF-16", 6},
        {"a\0 \0c\0", "UTF-16", 6},
        {"\0a\0 \0c", "UTF-16", 6},
        {"a\0\0\0c\0\0\0", "UTF-32", 8}};
    skv_prompts *p = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
            assert_int_equal(skv_file_write(temp_path(names[k]), other[i].bytes, other[i].n),
                             SKV_OK);
            assert_int_equal(skv_prompts_read(&p, temp_path(names[k]), NULL), SKV_E_ARG);
            if (!strstr(skv_message(), other[i].is))
                fail_msg("%s, want \"%s\"", skv_message(), other[i].is);
        }
    for (size_t k = 1; k < sizeof names / sizeof names[0]; k++)
        assert_int_equal(remove(temp_path(names[k])), 0);
    write_file("b.txt", "404 in neon letters");
    write_file("a.txt", other[0].bytes); /* of a folder of prompts */
    assert_int_equal(skv_prompts_read(&p, temp_folder(), NULL), SKV_OK);
    assert_non_null(strstr(p->prompts[0].error, "a.txt is a Git LFS pointer"));
    assert_null(p->prompts[1].error);
    skv_prompts_destroy(p);
}

static void a_tsv_field_may_have_line_ends_in_quotes(void **state)
{
    static const char list[] =
        "id\tPrompt\n1\t\"a cat\non \"\"a\"\" mat\"\n2\t\"Hello\n3\t\"x\"\n4\t\"y";
    static const char *const want[] = {"a cat\non \"a\" mat", "\"Hello", "x", "\"y"};
    skv_prompts_source source;

    (void)state;
    skv_prompts_open_bytes(&source, list, sizeof list - 1, SKV_PROMPTS_TSV);
    for (source.window = 1; source.window < sizeof list; source.window++) {
        skv_prompts *p = NULL;

        assert_int_equal(skv_prompts_parse(&p, &source, "a.tsv", NULL), SKV_OK);
        assert_int_equal(p->n, 4);
        for (size_t i = 0; i < 4; i++) {
            assert_null(p->prompts[i].error);
            assert_string_equal(p->prompts[i].text, want[i]);
        }
        skv_prompts_destroy(p);
    }
}

/* HPSv2's four arrays, a file a style. */
static void a_folder_of_lists_is_one_list(void **state)
{
    static const char *const ids[] = {"anime-00000", "anime-00001", "concept-art-x", "photo-7",
                                      "photo-00001"};
    static const char *const texts[] = {"a", "b", "c", "d", "e"};
    const skv_prompts_options keyed = {.prompt_key = "what"};
    skv_prompts_source source;
    skv_digest digest;
    skv_prompts *p = NULL;

    (void)state;
    write_file("anime.json", "[\"a\", \"b\"]");
    write_file("concept-art.jsonl", "{\"id\": \"x\", \"prompt\": \"c\"}\n");
    write_file("photo.csv", "id,prompt\n7,d\n,e\n");
    write_file("README.md", "no list");
    write_file(".hidden.json", "no list");
    assert_int_equal(skv_prompts_open(&source, temp_folder()), SKV_OK);
    assert_int_equal(skv_prompts_parse(&p, &source, temp_folder(), NULL), SKV_OK);
    digest = source.digest;
    skv_prompts_close(&source);
    assert_int_equal(p->n, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(p->prompts[i].text, texts[i]);
        assert_string_equal(p->prompts[i].id, ids[i]);
    }
    skv_prompts_destroy(p);
    assert_int_equal(rename(temp_path("anime.json"), temp_path("b.json")), 0);
    assert_int_equal(skv_prompts_open(&source, temp_folder()), SKV_OK);
    assert_false(skv_digest_equal(source.digest, digest));
    skv_prompts_close(&source);
    assert_int_equal(remove(temp_path("photo.csv")), 0);
    write_file("b.json", "[\"\", {\"what\": \"a\"}]");
    assert_int_equal(skv_prompts_read(&p, temp_folder(), &keyed), SKV_OK);
    assert_string_equal(p->prompts[1].id, "b-00001");
    assert_non_null(strstr(p->prompts[0].error, "b.json: entry 1: the prompt is empty"));
    skv_prompts_destroy(p);
}

static void a_folder_of_lists_is_refused_by_the_name_of_the_file(void **state)
{
    static const struct {
        const char *name, *content, *why;
    } bad[] = {
        {"photo.csv", "id,prompt\n7,d\n7,e\n",
         "photo.csv: line 3: id \"photo-7\" is that of line 2"},
        {"photo.csv", "id,words\n7,d\n", "photo.csv: line 1: no column is called \"prompt\""},
        {"photo.csv", "", "photo.csv: no prompts, the file is empty"},
        {"anime.csv", "prompt\nd\n", "anime.json: their prompts would have the same ids"}};
    skv_prompts *p = NULL;

    (void)state;
    write_file("anime.json", "[\"a\", \"b\"]");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_file(bad[i].name, bad[i].content);
        assert_int_not_equal(skv_prompts_read(&p, temp_folder(), NULL), SKV_OK);
        if (!strstr(skv_message(), bad[i].why))
            fail_msg("%s", skv_message());
        assert_int_equal(remove(temp_path(bad[i].name)), 0);
    }
    assert_int_equal(symlink(".", temp_path("loop.json")), 0);
    assert_int_equal(skv_prompts_read(&p, temp_folder(), NULL), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "loop.json is not a file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(sets_of_the_field_are_read_as_they_are),
        CASE(lists_that_are_in_doubt_are_refused_with_the_cure),
        CASE(keys_can_be_named),
        CASE(keys_of_plain_text_are_refused),
        CASE(an_id_is_kept_as_it_was_given),
        CASE(words_of_a_key_may_be_parted_in_any_way),
        CASE(documents_of_other_tools_are_read),
        CASE(a_text_that_is_like_another_form_is_text),
        CASE(what_windows_programs_write_is_read),
        CASE(the_one_array_of_prompts_in_an_object_is_the_list),
        CASE(an_empty_prompt_is_a_bad_line_in_every_form),
        CASE(what_a_line_asks_for_is_known),
        CASE(files_of_other_kinds_are_called_what_they_are),
        cmocka_unit_test(a_tsv_field_may_have_line_ends_in_quotes),
        CASE(a_folder_of_lists_is_one_list),
        CASE(a_folder_of_lists_is_refused_by_the_name_of_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
