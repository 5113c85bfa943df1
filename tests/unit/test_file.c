#include "core/file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/json.h"
#include "temp_folder.h"

static void assert_content(const char *path, const char *want)
{
    char *text = NULL;
    size_t n = 0;

    assert_int_equal(skv_file_read(&text, &n, path, 1000), SKV_OK);
    assert_int_equal(n, strlen(want));
    assert_string_equal(text, want);
    free(text);
}

static void written_bytes_read_back_and_nothing_else_stays(void **state)
{
    (void)state;
    assert_int_equal(skv_file_write(temp_path("a"), "first", 5), SKV_OK);
    assert_int_equal(skv_file_write(temp_path("a"), "2nd", 3), SKV_OK);
    assert_content(temp_path("a"), "2nd");
    assert_int_equal(temp_count(), 1);
}

static void a_full_disk_leaves_the_old_file_and_no_other(void **state)
{
    static char big[1 << 16];

    (void)state;
    assert_int_equal(skv_file_write(temp_path("a"), "old", 3), SKV_OK);
    temp_limit_files(4096);
    assert_int_equal(skv_file_write(temp_path("a"), big, sizeof big), SKV_E_IO);
    temp_limit_files(0);
    assert_content(temp_path("a"), "old");
    assert_int_equal(temp_count(), 1);
}

static void a_missing_folder_or_a_folder_in_the_way_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(skv_file_write(temp_path("no/such"), "x", 1), SKV_E_KIND);
    assert_int_equal(mkdir(temp_path("d"), 0777), 0);
    assert_int_equal(skv_file_write(temp_path("d"), "x", 1), SKV_E_IO);
    assert_int_equal(temp_count(), 1);
}

static void reading_is_bounded_and_takes_regular_files_only(void **state)
{
    char *text = NULL;
    size_t n = 0;

    (void)state;
    assert_int_equal(skv_file_write(temp_path("a"), "12345", 5), SKV_OK);
    assert_int_equal(skv_file_read(&text, &n, temp_path("a"), 4), SKV_E_FORMAT);
    assert_int_equal(skv_file_read(&text, &n, temp_path("a"), 5), SKV_OK);
    free(text);
    assert_int_equal(skv_file_read(&text, &n, temp_path("none"), 5), SKV_E_NOTFOUND);
    assert_int_equal(skv_file_read(&text, &n, temp_folder(), 5), SKV_E_KIND);
    /* a sparse file of 1 TiB is refused before anything is allocated */
    assert_int_equal(truncate(temp_path("a"), (off_t)1 << 40), 0);
    assert_int_equal(skv_file_read(&text, &n, temp_path("a"), (size_t)1 << 30), SKV_E_FORMAT);
}

/* OUT/in/a is "inside"; RUN/link -> OUT/in, RUN/real/a -> OUT/in/a, RUN/real/b is "own". */
static void make_links(void)
{
    assert_int_equal(skv_folder_make(temp_path("out/in")), SKV_OK);
    assert_int_equal(skv_file_write(temp_path("out/in/a"), "inside", 6), SKV_OK);
    assert_int_equal(skv_folder_make(temp_path("run/real")), SKV_OK);
    assert_int_equal(skv_file_write(temp_path("run/real/b"), "own", 3), SKV_OK);
    assert_int_equal(symlink(temp_path("out/in"), temp_path("run/link")), 0);
    assert_int_equal(symlink(temp_path("out/in/a"), temp_path("run/real/a")), 0);
    assert_int_equal(symlink(temp_path("run"), temp_path("r")), 0);
}

static void below_a_run_no_link_is_followed_and_before_it_all_are(void **state)
{
    static const char *const refused[] = {"r/link/a", "r/real/a", "r/link/../real/b", "r/link"};
    char *text = NULL;
    size_t n = 0;

    (void)state;
    make_links();
    assert_int_equal(skv_file_read_below(&text, &n, temp_path("r/real/b"), 2, 100), SKV_OK);
    assert_string_equal(text, "own");
    free(text);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        assert_int_not_equal(
            skv_file_read_below(&text, &n, temp_path(refused[i]), i == 3 ? 1 : 2 + (i == 2), 100),
            SKV_OK);
    assert_int_equal(skv_file_read_below(&text, &n, temp_path("r/link/a"), 2, 100), SKV_E_KIND);
    assert_non_null(strstr(skv_message(), "link"));
    assert_int_equal(skv_file_read_below(&text, &n, temp_path("r/none/a"), 2, 100), SKV_E_NOTFOUND);
    assert_content(temp_path("r/link/a"), "inside"); /* the user's own path */
}

static void nothing_outside_a_run_is_written(void **state)
{
    int fd = -1;

    (void)state;
    make_links();
    assert_int_equal(skv_folder_make_below(temp_path("r/link/new"), 2), SKV_E_KIND);
    assert_int_equal(skv_folder_make_below(temp_path("r/link"), 1), SKV_E_KIND);
    assert_int_equal(skv_folder_make_below(temp_path("r/../new"), 2), SKV_E_ARG);
    assert_int_equal(access(temp_path("out/in/new"), F_OK), -1);
    assert_int_equal(skv_folder_make_below(temp_path("r/x/y"), 2), SKV_OK);
    assert_int_equal(skv_file_append(&fd, temp_path("r/link/log"), 2), SKV_E_KIND);
    assert_int_equal(skv_file_append(&fd, temp_path("r/real/a"), 2), SKV_E_KIND);
    assert_content(temp_path("out/in/a"), "inside");
    /* a new file takes the place of a link */
    assert_int_equal(skv_file_write(temp_path("r/real/a"), "mine", 4), SKV_OK);
    assert_content(temp_path("out/in/a"), "inside");
    assert_content(temp_path("r/real/a"), "mine");
}

static void a_fifo_is_refused_at_once(void **state)
{
    char *text = NULL;
    size_t n = 0;
    int fd = -1;

    (void)state;
    assert_int_equal(mkfifo(temp_path("fifo"), 0600), 0);
    assert_int_equal(skv_file_read(&text, &n, temp_path("fifo"), 100), SKV_E_KIND);
    assert_int_equal(skv_file_append(&fd, temp_path("fifo"), 1), SKV_E_KIND);
    assert_int_equal(skv_file_update(&fd, temp_path("fifo"), 1), SKV_E_KIND);
}

static void folders_are_made_with_their_parents(void **state)
{
    const char *path = temp_path("x/y");

    (void)state;
    assert_int_equal(skv_folder_make(path), SKV_OK);
    assert_int_equal(skv_folder_make(path), SKV_OK);
    assert_int_equal(skv_file_write(temp_path("file"), "", 0), SKV_OK);
    assert_int_equal(skv_folder_make(temp_path("file")), SKV_E_KIND);
    assert_int_equal(skv_folder_make(temp_path("file/z")), SKV_E_KIND);
    assert_int_equal(rmdir(path), 0);
}

static void paths_are_joined_unless_absolute(void **state)
{
    char *p = NULL;

    (void)state;
    assert_int_equal(skv_path_join(&p, "a", "b"), SKV_OK);
    assert_string_equal(p, "a/b");
    free(p);
    assert_int_equal(skv_path_join(&p, "a", "/b"), SKV_OK);
    assert_string_equal(p, "/b");
    free(p);
    assert_int_equal(skv_path_join(&p, NULL, "b"), SKV_OK);
    assert_string_equal(p, "b");
    free(p);
}

static skv_status parse(const char *text, size_t n)
{
    json_t *root = NULL;
    skv_status st = skv_json_parse(&root, text, n, "t.json");

    json_decref(root);
    return st;
}

static void json_that_is_doubtful_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "{",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1} x",
        "[1,]",
        "\"\xff\"",
        "[\"\\ud800\"]",
        "1",
        "[\"a\0b\"]",
        "{\"a\":1e999}",
        "{\"a\":9223372036854775808}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(parse(bad[i], strlen(bad[i])), SKV_E_FORMAT);
        assert_non_null(strstr(skv_message(), "t.json"));
    }
    assert_int_equal(parse("[\"a\0b\"]", 7), SKV_E_FORMAT);
    assert_int_equal(parse("{\"a\":1}", 7), SKV_OK);
}

static void json_nested_a_million_deep_is_refused(void **state)
{
    const size_t n = 1000000;
    char *text = malloc(n);

    (void)state;
    memset(text, '[', n);
    assert_int_equal(parse(text, n), SKV_E_FORMAT);
    free(text);
}

static void json_getters_name_file_and_key(void **state)
{
    json_t *root = NULL;
    int64_t i = 0;
    double x = 0;
    const char *s = NULL;

    (void)state;
    assert_int_equal(skv_json_parse(&root, "{\"i\":3,\"x\":1.5,\"s\":\"t\"}", 23, "t.json"),
                     SKV_OK);
    assert_int_equal(skv_json_int(&i, root, "i", "t.json"), SKV_OK);
    assert_int_equal(i, 3);
    assert_int_equal(skv_json_real(&x, root, "i", "t.json"), SKV_OK);
    assert_true(x == 3.0);
    assert_int_equal(skv_json_string(&s, root, "s", "t.json"), SKV_OK);
    assert_string_equal(s, "t");
    assert_int_equal(skv_json_int(&i, root, "x", "t.json"), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "t.json"));
    assert_non_null(strstr(skv_message(), "\"x\""));
    assert_int_equal(skv_json_string(&s, root, "none", "t.json"), SKV_E_FORMAT);
    json_decref(root);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(written_bytes_read_back_and_nothing_else_stays),
        CASE(a_full_disk_leaves_the_old_file_and_no_other),
        CASE(a_missing_folder_or_a_folder_in_the_way_is_an_error),
        CASE(reading_is_bounded_and_takes_regular_files_only),
        CASE(below_a_run_no_link_is_followed_and_before_it_all_are),
        CASE(nothing_outside_a_run_is_written),
        CASE(a_fifo_is_refused_at_once),
        CASE(folders_are_made_with_their_parents),
        cmocka_unit_test(paths_are_joined_unless_absolute),
        cmocka_unit_test(json_that_is_doubtful_is_refused),
        cmocka_unit_test(json_nested_a_million_deep_is_refused),
        cmocka_unit_test(json_getters_name_file_and_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
