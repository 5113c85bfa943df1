#include "io/prompts.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "core/text.h"
#include "failing_folder.h"
#include "failing_open.h"
#include "temp_folder.h"

static skv_status parse_bytes(skv_prompts **p, skv_prompts_form form, const char *text, size_t n,
                              const skv_prompts_options *options)
{
    skv_prompts_source source;

    *p = NULL;
    skv_prompts_open_bytes(&source, text, n, form);
    return skv_prompts_parse(p, &source, "list", options);
}

static skv_status parse(skv_prompts **p, skv_prompts_form form, const char *text)
{
    return parse_bytes(p, form, text, strlen(text), NULL);
}

static skv_prompts *parsed(skv_prompts_form form, const char *text, size_t n)
{
    skv_prompts *p = NULL;

    assert_int_equal(parse(&p, form, text), SKV_OK);
    assert_int_equal(p->n, n);
    return p;
}

static void assert_text(const skv_prompts *p, size_t i, const char *want)
{
    assert_null(p->prompts[i].error);
    assert_string_equal(p->prompts[i].text, want);
    assert_int_equal(p->prompts[i].text_bytes, strlen(want));
}

static void assert_bad(const skv_prompts *p, size_t i, const char *where)
{
    assert_non_null(p->prompts[i].error);
    assert_non_null(strstr(p->prompts[i].error, where));
    assert_string_equal(p->prompts[i].text, "");
}

static void assert_id(const skv_prompts *p, size_t i, const char *want)
{
    char id[SKV_PROMPT_ID_BYTES];

    skv_prompts_id(p, i, id, sizeof id);
    assert_string_equal(id, want);
}

static void text_is_a_prompt_a_line_without_bom_and_crlf(void **state)
{
    skv_prompts *p = parsed(SKV_PROMPTS_TEXT,
                            "\xef\xbb\xbf"
                            "a cat\r\n two  dogs \nça\r\n\r\n\n",
                            3);

    (void)state;
    assert_text(p, 0, "a cat");
    assert_text(p, 1, " two  dogs ");
    assert_text(p, 2, "ça");
    assert_null(p->prompts[0].id);
    assert_id(p, 2, "00002");
    assert_int_equal(p->facts.n_bad, 0);
    skv_prompts_destroy(p);
}

static void an_empty_line_within_keeps_its_place_and_fails_alone(void **state)
{
    skv_prompts *p = parsed(SKV_PROMPTS_TEXT, "a\n\nb", 3);

    (void)state;
    assert_bad(p, 1, "list: line 2:");
    assert_text(p, 2, "b");
    assert_int_equal(p->facts.n_bad, 1);
    skv_prompts_destroy(p);
}

static void every_kind_of_bad_utf8_fails_alone(void **state)
{
    static const char *const bad[] = {
        "\x80",             /* continuation alone */
        "\xc3",             /* cut */
        "\xe2\x82",         /* cut */
        "\xf0\x9f\x98",     /* cut */
        "\xc0\xaf",         /* overlong */
        "\xc1\xbf",         /* overlong */
        "\xe0\x9f\xbf",     /* overlong */
        "\xf0\x8f\xbf\xbf", /* overlong */
        "\xed\xa0\x80",     /* surrogate */
        "\xed\xbf\xbf",     /* surrogate */
        "\xf4\x90\x80\x80", /* above U+10FFFF */
        "\xf5\x80\x80\x80", /* above U+10FFFF */
        "\xff",             /* never */
        "\xc3(",            /* no continuation */
    };
    char text[64];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        skv_prompts *p;

        assert_false(skv_utf8_is_valid(bad[i], strlen(bad[i])));
        snprintf(text, sizeof text, "good\nx%sy\nlast\n", bad[i]);
        p = parsed(SKV_PROMPTS_TEXT, text, 3);
        assert_text(p, 0, "good");
        assert_bad(p, 1, "list: line 2: prompt: byte 2");
        assert_true(skv_utf8_is_valid(p->prompts[1].error, strlen(p->prompts[1].error)));
        assert_text(p, 2, "last");
        skv_prompts_destroy(p);
        snprintf(text, sizeof text, "{\"prompt\":\"x%sy\"}\n{\"prompt\":\"b\"}", bad[i]);
        p = parsed(SKV_PROMPTS_JSONL, text, 2);
        assert_bad(p, 0, "list: line 1:");
        assert_text(p, 1, "b");
        skv_prompts_destroy(p);
    }
}

static void every_code_point_is_valid_but_surrogates_and_nul(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x110000; c++) {
        char s[4];
        size_t n;

        if (c < 0x80) {
            s[0] = (char)c;
            n = 1;
        } else if (c < 0x800) {
            s[0] = (char)(0xc0 | c >> 6);
            n = 2;
        } else if (c < 0x10000) {
            s[0] = (char)(0xe0 | c >> 12);
            n = 3;
        } else {
            s[0] = (char)(0xf0 | c >> 18);
            n = 4;
        }
        for (size_t k = 1; k < n; k++)
            s[k] = (char)(0x80 | ((c >> (6 * (n - 1 - k))) & 0x3f));
        assert_int_equal(skv_utf8_is_valid(s, n), c != 0 && (c < 0xd800 || c > 0xdfff));
    }
}

static void nul_and_a_megabyte_and_more_fail_alone(void **state)
{
    const size_t max = SKV_PROMPT_MAX_BYTES, n = 4 + max + 1 + max + 1 + 1 + 2;
    char *text = malloc(n);
    char *at = text;
    skv_prompts *p = NULL;

    (void)state;
    memcpy(at, "a\0b\n", 4);
    memset(at + 4, 'x', n - 4);
    at[4 + max] = '\n';               /* exactly the most there may be */
    at[4 + max + 1 + max + 1] = '\n'; /* one byte more */
    assert_int_equal(parse_bytes(&p, SKV_PROMPTS_TEXT, text, n, NULL), SKV_OK);
    assert_int_equal(p->n, 4);
    assert_bad(p, 0, "line 1: prompt: byte 2 (0x00)");
    assert_null(p->prompts[1].error);
    assert_int_equal(p->prompts[1].text_bytes, max);
    assert_bad(p, 2, "line 3: prompt of 1048577 bytes");
    assert_text(p, 3, "xx");
    skv_prompts_destroy(p);
    free(text);
}

static void jsonl_takes_ids_seeds_and_negatives(void **state)
{
    skv_prompts *p = parsed(SKV_PROMPTS_JSONL,
                            "{\"tag\":\"x\",\"include\":[{\"class\":\"cat\"}],\"prompt\":\"a\"}\r\n"
                            "{\"text\":\"\\u00e9\\ud83d\\ude00\",\"id\":\"A.1_b-c\",\"seed\":7}\n"
                            "{\"prompt\":\"c\",\"id\":12,\"seed\":\"18446744073709551615\","
                            "\"negative_prompt\":\"n\"}",
                            3);

    (void)state;
    assert_text(p, 0, "a");
    assert_false(p->prompts[0].has_seed);
    assert_null(p->prompts[0].negative);
    assert_text(p, 1, "é😀");
    assert_string_equal(p->prompts[1].id, "A.1_b-c");
    assert_true(p->prompts[1].has_seed && p->prompts[1].seed == 7);
    assert_text(p, 2, "c");
    assert_string_equal(p->prompts[2].id, "12");
    assert_true(p->prompts[2].has_seed && p->prompts[2].seed == UINT64_MAX);
    assert_string_equal(p->prompts[2].negative, "n");
    skv_prompts_destroy(p);
}

static void bad_json_lines_fail_alone(void **state)
{
    static const char *const bad[] = {
        "{",
        "x",
        "[\"a\"]",
        "3",
        "{}",
        "{\"prompt\":null}",
        "{\"prompt\":3}",
        "{\"prompt\":\"a\",\"prompt\":\"b\"}",
        "{\"prompt\":\"a\\u0000b\"}",
        "{\"prompt\":\"\\ud800\"}",
        "{\"prompt\":\"a\",\"seed\":-1}",
        "{\"prompt\":\"a\",\"seed\":1.5}",
        "{\"prompt\":\"a\",\"seed\":\"18446744073709551616\"}",
        "{\"prompt\":\"a\",\"seed\":\"1 2\"}",
        "{\"prompt\":\"a\",\"negative\":[]}",
        "{\"prompt\":\"a\"} {}",
        "",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[128];
        skv_prompts *p;

        snprintf(text, sizeof text, "{\"prompt\":\"a\"}\n%s\n{\"prompt\":\"b\"}\n", bad[i]);
        p = parsed(SKV_PROMPTS_JSONL, text, 3);
        assert_bad(p, 1, "list: line 2:");
        assert_text(p, 2, "b");
        assert_int_equal(p->facts.n_bad, 1);
        skv_prompts_destroy(p);
    }
}

static void ids_that_are_no_file_names_give_way_to_the_index(void **state)
{
    static const char *const bad[] = {
        "../../x", "/etc/x", "a/b", "C:\\\\",   "-rf", ".",   "..", ".hidden",
        "",        "a b",    "é",   "a\\u0001", "*",   "a:b", "~",
    };
    char text[256], longest[202];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        skv_prompts *p;

        snprintf(text, sizeof text, "{\"prompt\":\"p\",\"id\":\"%s\"}", bad[i]);
        p = parsed(SKV_PROMPTS_JSONL, text, 1);
        assert_text(p, 0, "p");
        assert_null(p->prompts[0].id);
        assert_id(p, 0, "00000");
        skv_prompts_destroy(p);
    }
    memset(longest, 'x', 201);
    longest[201] = '\0';
    assert_false(skv_prompts_id_is_usable(longest));
    longest[200] = '\0';
    assert_true(skv_prompts_id_is_usable(longest));
}

static void ids_that_differ_by_case_alone_are_refused_with_both_lines(void **state)
{
    skv_prompts *p = NULL;

    (void)state;
    assert_int_equal(parse(&p, SKV_PROMPTS_JSONL,
                           "{\"prompt\":\"p\",\"id\":\"Ab\"}\n{\"prompt\":\"q\"}\n"
                           "{\"prompt\":\"p\",\"id\":\"aB\"}"),
                     SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "line 3"));
    assert_non_null(strstr(skv_message(), "line 1"));
    assert_null(p);
}

static void index_made_ids_never_meet_given_ones(void **state)
{
    skv_prompts *p = parsed(SKV_PROMPTS_JSONL,
                            "{\"prompt\":\"p\"}\n{\"prompt\":\"p\",\"id\":\"00000\"}\n"
                            "{\"prompt\":\"p\",\"id\":\"Index-00000\"}\n"
                            "{\"prompt\":\"p\",\"id\":\"index---00000\"}\n"
                            "{\"prompt\":\"p\",\"id\":\"ind\"}\n",
                            5);

    (void)state;
    assert_id(p, 0, "index--00000");
    assert_id(p, 1, "00000");
    assert_id(p, 4, "ind");
    skv_prompts_destroy(p);
}

static const char coco[] =
    "{\"info\":{},\"images\":[{\"id\":30,\"file_name\":\"x\"},{\"id\":10},{\"id\":20}],"
    "\"annotations\":[{\"image_id\":10,\"id\":9,\"caption\":\"ten a \"},"
    "{\"image_id\":30,\"id\":8,\"caption\":\"thirty a\\n\"},"
    "{\"image_id\":10,\"id\":1,\"caption\":\"ten b\"},"
    "{\"image_id\":99,\"id\":2,\"caption\":\"of no listed image\"}]}";

static void coco_gives_each_images_first_caption_in_the_order_asked_for(void **state)
{
    const skv_prompts_options by_id = {.order = SKV_PROMPTS_ORDER_IMAGE_ID};
    skv_prompts *p = parsed(SKV_PROMPTS_JSON, coco, 3);

    (void)state;
    assert_text(p, 0, "thirty a\n");
    assert_text(p, 1, "ten a ");
    assert_bad(p, 2, "list: entry 3: image 20 has no caption");
    assert_string_equal(p->prompts[0].id, "30");
    assert_string_equal(p->prompts[2].id, "20");
    skv_prompts_destroy(p);
    assert_int_equal(parse_bytes(&p, SKV_PROMPTS_JSON, coco, strlen(coco), &by_id), SKV_OK);
    assert_text(p, 0, "ten a ");
    assert_bad(p, 1, "image 20");
    assert_text(p, 2, "thirty a\n");
    skv_prompts_destroy(p);
}

static void json_arrays_hold_strings_or_objects(void **state)
{
    skv_prompts *p = parsed(SKV_PROMPTS_JSON,
                            "[\"a\", {\"prompt\":\"b\",\"id\":\"x\"}, 3, {\"text\":\"c\"}]", 4);

    (void)state;
    assert_text(p, 0, "a");
    assert_text(p, 1, "b");
    assert_string_equal(p->prompts[1].id, "x");
    assert_bad(p, 2, "list: entry 3:");
    assert_text(p, 3, "c");
    skv_prompts_destroy(p);
}

static void json_of_another_form_is_refused(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{\"images\":[],\"annotations\":{}}",
        "[\"a\"",
        "{\"images\":[{\"id\":\"1\"}],\"annotations\":[]}",
        "{\"images\":[{\"id\":1},{\"id\":1}],\"annotations\":[]}",
        "{\"images\":[{\"id\":1}],\"annotations\":[{\"image_id\":1}]}",
        "{\"images\":[1],\"annotations\":[]}",
    };
    skv_prompts *p;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(parse(&p, SKV_PROMPTS_JSON, bad[i]), SKV_E_FORMAT);
        assert_non_null(strstr(skv_message(), "list"));
    }
}

static void csv_fields_may_hold_commas_quotes_and_line_ends(void **state)
{
    skv_prompts *p = parsed(SKV_PROMPTS_CSV,
                            "\xef\xbb\xbfid,\"Prompt\",seed,negative\r\n"
                            "a,\"one, \"\"two\"\"\r\nthree\",5,\r\n"
                            "b,plain \"quotes\" stay,,no\r\n",
                            2);

    (void)state;
    assert_text(p, 0, "one, \"two\"\r\nthree");
    assert_string_equal(p->prompts[0].id, "a");
    assert_true(p->prompts[0].has_seed && p->prompts[0].seed == 5);
    assert_null(p->prompts[0].negative);
    assert_text(p, 1, "plain \"quotes\" stay");
    assert_false(p->prompts[1].has_seed);
    assert_string_equal(p->prompts[1].negative, "no");
    skv_prompts_destroy(p);
}

static void csv_rows_that_are_off_fail_alone_under_their_first_line(void **state)
{
    skv_prompts *p = parsed(SKV_PROMPTS_CSV,
                            "id,prompt,seed\n"
                            "a,\"x\ny\",1\n" /* lines 2 and 3 */
                            "b,one, two,1\n" /* 4: an unquoted comma */
                            "c,x\n"          /* 5: too few */
                            "d,\"x\"y,1\n"   /* 6: text behind the quote */
                            "e,,1\n"         /* 7: empty */
                            "f,x,-1\n"       /* 8 */
                            "\n"             /* 9 */
                            "g,last,1",
                            8);

    (void)state;
    assert_text(p, 0, "x\ny");
    for (size_t i = 1; i < 7; i++) {
        char where[16];

        snprintf(where, sizeof where, "line %zu:", i + 3);
        assert_bad(p, i, where);
    }
    assert_string_equal(p->prompts[4].id, "e");
    assert_text(p, 7, "last");
    skv_prompts_destroy(p);
}

static void csv_of_dpg_gives_an_items_first_row(void **state)
{
    static const char rows[] = "item_id,text,keywords,proposition_id\n"
                               "7,\"a, b\",k,1\n7,other,k,2\n012,c,k,1\n7,late,k,3\n12,d,k,1\n";
    skv_prompts *p = parsed(SKV_PROMPTS_CSV, rows, 3);
    char renamed[sizeof rows + 8];

    (void)state;
    assert_text(p, 0, "a, b");
    assert_string_equal(p->prompts[1].id, "012");
    assert_text(p, 2, "d");
    skv_prompts_destroy(p);
    snprintf(renamed, sizeof renamed, "%s", rows);
    memcpy(renamed, "     id", 7); /* a column "id" makes no such promise */
    assert_int_equal(parse(&p, SKV_PROMPTS_CSV, renamed + 5), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "line 3"));
}

static void csv_that_is_doubtful_as_a_whole_is_refused(void **state)
{
    static const struct {
        const char *text;
        skv_status status;
    } bad[] = {
        {"a,b\n1,2\n", SKV_E_ARG},           /* no prompt column */
        {"prompt,prompt\nx,y\n", SKV_E_ARG}, /* which? */
        {"prompt\n\"never closed\nx\n", SKV_E_FORMAT},
        {"\"prompt\"x\ny\n", SKV_E_FORMAT},
    };
    skv_prompts *p;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(parse(&p, SKV_PROMPTS_CSV, bad[i].text), bad[i].status);
    assert_int_equal(parse(&p, SKV_PROMPTS_CSV, "prompt\n"), SKV_E_ARG);
}

static void an_empty_list_is_refused_in_every_form(void **state)
{
    static const char *const empty[] = {"", "\n\r\n", "\xef\xbb\xbf", "\xef\xbb\xbf\n"};
    skv_prompts *p;

    (void)state;
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        assert_int_equal(parse(&p, SKV_PROMPTS_TEXT, empty[i]), SKV_E_ARG);
        assert_int_equal(parse(&p, SKV_PROMPTS_JSONL, empty[i]), SKV_E_ARG);
        assert_int_equal(parse(&p, SKV_PROMPTS_CSV, empty[i]), SKV_E_ARG);
    }
    assert_int_equal(parse(&p, SKV_PROMPTS_JSON, "[]"), SKV_E_ARG);
}

static void write_text(const char *name, const char *text)
{
    assert_int_equal(skv_file_write(temp_path(name), text, strlen(text)), SKV_OK);
}

static void a_folder_gives_its_texts_sorted_by_name(void **state)
{
    skv_prompts *p = NULL;

    (void)state;
    write_text("b.txt", "two\n");
    write_text("B.1.txt", "one\r\n");
    write_text("10.txt", "zero\n\n");
    write_text("c.txt", "bad \xff");
    write_text("notes.md", "not a prompt");
    write_text(".hidden.txt", "not a prompt");
    assert_int_equal(mkdir(temp_path("d.txt"), 0777), 0);
    assert_int_equal(skv_prompts_read(&p, temp_folder(), NULL), SKV_OK);
    assert_int_equal(p->n, 5);
    assert_text(p, 0, "zero\n");
    assert_string_equal(p->prompts[0].id, "10");
    assert_text(p, 1, "one");
    assert_string_equal(p->prompts[1].id, "B.1");
    assert_text(p, 2, "two");
    assert_bad(p, 3, "c.txt");
    assert_string_equal(p->prompts[3].id, "c");
    assert_bad(p, 4, "d.txt");
    skv_prompts_destroy(p);
    failing_open("b.txt"); /* at the moment: no fault of the prompt */
    assert_int_equal(skv_prompts_read(&p, temp_folder(), NULL), SKV_E_IO);
    assert_true(failing_open_came());
}

static void a_folder_that_cannot_be_listed_to_its_end_is_no_shorter_list(void **state)
{
    skv_prompts *p = NULL;

    (void)state;
    for (int i = 0; i < 4; i++) {
        char name[] = "0.txt";

        name[0] = (char)('0' + i);
        write_text(name, "a prompt");
    }
    for (int n = 0; n < 6; n++) { /* with "." and ".." */
        failing_folder(n);
        assert_int_equal(skv_prompts_read(&p, temp_folder(), NULL), SKV_E_IO);
        assert_non_null(strstr(skv_message(), "cannot list the folder"));
    }
    failing_folder(-1);
}

static void the_ending_of_a_name_says_the_form(void **state)
{
    static const struct {
        const char *name, *text;
    } file[] = {{"a.txt", "p\n"},
                {"a", "p\n"},
                {"a.jsonl", "{\"prompt\":\"p\"}\n"},
                {"a.JSON", "[\"p\"]"},
                {"a.csv", "text\np\n"}};
    skv_prompts *p = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof file / sizeof file[0]; i++) {
        write_text(file[i].name, file[i].text);
        assert_int_equal(skv_prompts_read(&p, temp_path(file[i].name), NULL), SKV_OK);
        assert_int_equal(p->n, 1);
        assert_text(p, 0, "p");
        skv_prompts_destroy(p);
    }
    assert_int_equal(skv_prompts_read(&p, temp_path("none"), NULL), SKV_E_NOTFOUND);
}

/* Ten million would take 20 s here; what grows faster than the list shows at a million. */
static void a_million_lines_are_read(void **state)
{
    const size_t n = 1000000, width = 32;
    char *text = malloc(n * width + 1);
    skv_prompts *p = NULL;

    (void)state;
    for (size_t i = 0; i < n; i++)
        snprintf(text + i * width, width + 1, "{\"prompt\":\"p\",\"id\":\"x%08zu\"}\n", i);
    assert_int_equal(strlen(text), n * width);
    assert_int_equal(parse_bytes(&p, SKV_PROMPTS_JSONL, text, n * width, NULL), SKV_OK);
    assert_int_equal(p->n, n);
    assert_id(p, n - 1, "x00999999");
    skv_prompts_destroy(p);
    free(text);
}

/* Every cut of a good list and every byte put in its place: refused or parsed, never a crash (run
 * under the sanitizers), and never a prompt that is not UTF-8. */
static void mutilated_lists_are_refused_or_parsed(void **state)
{
    static const struct {
        skv_prompts_form form;
        const char *text;
    } good[] = {
        {SKV_PROMPTS_TEXT, "a\r\n\xc3\xa9\n"},
        {SKV_PROMPTS_JSONL, "{\"prompt\":\"a\",\"id\":\"i\",\"seed\":3}\n{\"text\":\"b\"}\n"},
        {SKV_PROMPTS_FOLDER, "{\"id\":\"i\",\"error\":\"e\"}\n{\"id\":\"j\",\"prompt\":\"b\"}\n"},
        {SKV_PROMPTS_JSON, coco},
        {SKV_PROMPTS_CSV, "item_id,text,seed\r\na,\"b \"\"c\"\",\r\nd\",3\r\ne,f,\r\n"},
    };
    size_t n_parsed = 0;

    (void)state;
    for (size_t g = 0; g < sizeof good / sizeof good[0]; g++) {
        const size_t n = strlen(good[g].text);
        char *text = malloc(n);

        for (size_t i = 0; i < n; i++) {
            for (int c = -1; c < 256; c++) {
                skv_prompts *p = NULL;
                const size_t bytes = c < 0 ? i : n;

                memcpy(text, good[g].text, n);
                if (c >= 0)
                    text[i] = (char)c;
                if (parse_bytes(&p, good[g].form, text, bytes, NULL) != SKV_OK)
                    continue;
                n_parsed++;
                for (size_t k = 0; k < p->n; k++)
                    assert_true(skv_utf8_is_valid(p->prompts[k].text, p->prompts[k].text_bytes));
                skv_prompts_destroy(p);
            }
        }
        free(text);
    }
    assert_true(n_parsed > 1000);
}

static skv_status rewritten(skv_prompts **p, const char *list, const char *cache)
{
    const skv_prompts_options options = {
        .rewrites = cache, .rewrites_bytes = strlen(cache), .rewrites_name = "cache.json"};

    return parse_bytes(p, SKV_PROMPTS_TEXT, list, strlen(list), &options);
}

static skv_digest digest_with(const char *cache)
{
    skv_prompts *p = NULL;
    skv_digest digest;

    assert_int_equal(rewritten(&p, "a cat\na dog", cache), SKV_OK);
    digest = p->facts.rewriting.digest;
    skv_prompts_destroy(p);
    return digest;
}

static void a_rewriting_cache_gives_texts_and_counts_misses(void **state)
{
    skv_prompts *p = NULL;
    skv_digest digest;

    (void)state;
    assert_int_equal(rewritten(&p, "a cat\na dog\n\na b\u00efrd\na cow",
                               "{\"a cat\": \"A cat, sitting <b>\", \"a cow\": \"\","
                               " \"a b\\u00efrd\": \"<cfg:1><prompt:  A \\ud83d\\udc26.><x:y>\"}"),
                     SKV_OK);
    assert_int_equal(p->n, 5);
    assert_string_equal(p->prompts[0].rewritten, "A cat, sitting <b>");
    assert_string_equal(p->prompts[0].text, "a cat");
    assert_null(p->prompts[1].rewritten);
    assert_null(p->prompts[2].rewritten);
    assert_string_equal(p->prompts[3].rewritten, "A \xf0\x9f\x90\xa6.");
    assert_null(p->prompts[4].rewritten); /* an empty text is none */
    assert_int_equal(p->facts.rewriting.n_rewritten, 2);
    assert_int_equal(p->facts.rewriting.n_missing, 2);
    skv_prompts_destroy(p);

    /* what the prompts do not use does not matter, which prompt has a text does */
    digest = digest_with("{\"a dog\": \"x\"}");
    assert_true(skv_digest_equal(digest_with("{\"b\": \"y\", \"a dog\": \"x\"}"), digest));
    assert_false(skv_digest_equal(digest_with("{\"a cat\": \"x\"}"), digest));
}

static void a_rewriting_cache_without_any_prompt_is_called_what_it_is(void **state)
{
    static const struct {
        const char *cache, *word;
        skv_status status;
    } bad[] = {{"{\"A cat sits\": \"a cat\", \"A dog\": \"a dog\"}", "swapped", SKV_E_ARG},
               {"{\"A cat sits\": \"A cat sits\"}", "their own keys", SKV_E_ARG},
               {"{\"a bird\": \"A bird\"}", "none of its 1 keys", SKV_E_ARG},
               {"{}", "none of its 0 keys", SKV_E_ARG},
               {"{\"a cat\": 3}", "none of its", SKV_E_ARG},
               {"[\"a cat\"]", "one JSON object", SKV_E_FORMAT},
               {"", "line", SKV_E_FORMAT},
               {"{\"a cat\": \"x\", \"a cat\": \"y\"}", "duplicate", SKV_E_FORMAT}};
    skv_prompts *p;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(rewritten(&p, "a cat\na dog", bad[i].cache), bad[i].status);
        assert_non_null(strstr(skv_message(), bad[i].word));
        assert_non_null(strstr(skv_message(), "cache.json"));
        assert_null(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rewriting_cache_gives_texts_and_counts_misses),
        cmocka_unit_test(a_rewriting_cache_without_any_prompt_is_called_what_it_is),
        cmocka_unit_test(text_is_a_prompt_a_line_without_bom_and_crlf),
        cmocka_unit_test(an_empty_line_within_keeps_its_place_and_fails_alone),
        cmocka_unit_test(every_kind_of_bad_utf8_fails_alone),
        cmocka_unit_test(every_code_point_is_valid_but_surrogates_and_nul),
        cmocka_unit_test(nul_and_a_megabyte_and_more_fail_alone),
        cmocka_unit_test(jsonl_takes_ids_seeds_and_negatives),
        cmocka_unit_test(bad_json_lines_fail_alone),
        cmocka_unit_test(ids_that_are_no_file_names_give_way_to_the_index),
        cmocka_unit_test(ids_that_differ_by_case_alone_are_refused_with_both_lines),
        cmocka_unit_test(index_made_ids_never_meet_given_ones),
        cmocka_unit_test(coco_gives_each_images_first_caption_in_the_order_asked_for),
        cmocka_unit_test(json_arrays_hold_strings_or_objects),
        cmocka_unit_test(json_of_another_form_is_refused),
        cmocka_unit_test(csv_fields_may_hold_commas_quotes_and_line_ends),
        cmocka_unit_test(csv_rows_that_are_off_fail_alone_under_their_first_line),
        cmocka_unit_test(csv_of_dpg_gives_an_items_first_row),
        cmocka_unit_test(csv_that_is_doubtful_as_a_whole_is_refused),
        cmocka_unit_test(an_empty_list_is_refused_in_every_form),
        cmocka_unit_test_setup_teardown(a_folder_gives_its_texts_sorted_by_name, temp_folder_make,
                                        temp_folder_remove),
        cmocka_unit_test_setup_teardown(
            a_folder_that_cannot_be_listed_to_its_end_is_no_shorter_list, temp_folder_make,
            temp_folder_remove),
        cmocka_unit_test_setup_teardown(the_ending_of_a_name_says_the_form, temp_folder_make,
                                        temp_folder_remove),
        cmocka_unit_test(a_million_lines_are_read),
        cmocka_unit_test(mutilated_lists_are_refused_or_parsed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
