/* Command lines that are typed again. */
#include "job/command_line.h"

#include <string.h>

#include "cmocka_all.h"

static void plain_words_stay_others_are_quoted(void **state)
{
    static const char words[] =
        "build/skv\0sample\0--note\0it's a $HOME\0--paths\0full,scalekv-10\0"
        "--out\0";
    char out[128];

    (void)state;
    assert_true(skv_command_line_join(out, sizeof out, words, sizeof words));
    assert_string_equal(
        out, "build/skv sample --note 'it'\\''s a $HOME' --paths full,scalekv-10 --out ''");
}

static void what_does_not_fit_is_empty(void **state)
{
    static const char words[] = "skv\0a 'word'";
    char out[64] = "old";

    (void)state;
    for (size_t room = 1; room < 21; room++) {
        assert_false(skv_command_line_join(out, room, words, sizeof words));
        assert_string_equal(out, "");
    }
    assert_true(skv_command_line_join(out, 21, words, sizeof words));
    assert_string_equal(out, "skv 'a '\\''word'\\'''");
}

static void a_program_knows_its_own_line(void **state)
{
    char out[4096];

    (void)state;
    skv_command_line(out, sizeof out, true);
    assert_non_null(strstr(out, "test_command_line"));
    skv_command_line(out, sizeof out, false); /* the parent is no mpirun */
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_words_stay_others_are_quoted),
        cmocka_unit_test(what_does_not_fit_is_empty),
        cmocka_unit_test(a_program_knows_its_own_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
