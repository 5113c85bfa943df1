#include "run/gather_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "temp_folder.h"

/* More rows than are written at once, and texts of more bytes than a spool keeps in memory. */
enum { GROUPS = 70, ROWS = 1000, N = GROUPS * ROWS, WIDTH = 128 };

#define MANY ((size_t)1 << 30)

static void print_prompt(char out[WIDTH], int row)
{
    snprintf(out, WIDTH, "prompt %d, of %*s.", row, row % 80, "");
}

/* On the first path every 1,000th row fails, on the second every 700th. */
static bool fails(int row, int path)
{
    return row % (path ? 700 : 1000) == 7;
}

static void add_group(skv_gather_rows *r, int group, int path)
{
    static int64_t row[ROWS];
    static char prompt[ROWS][WIDTH];
    static const char *prompts[ROWS], *none[ROWS], *error[ROWS];
    static int32_t zero[ROWS], status[ROWS];
    static uint64_t seed[ROWS];
    static uint8_t truncated[ROWS];
    const skv_group_record rec = {.path_name = path ? "second" : "first",
                                  .group = group,
                                  .n_rows = ROWS,
                                  .row = row,
                                  .id = prompts,
                                  .prompt = prompts,
                                  .prompt_used = none,
                                  .negative = none,
                                  .sample = zero,
                                  .seed = seed,
                                  .tokens = zero,
                                  .truncated = truncated,
                                  .status = status,
                                  .error = error};

    for (int i = 0; i < ROWS; i++) {
        const int at = group * ROWS + i;

        row[i] = at;
        seed[i] = 3 * (uint64_t)at;
        print_prompt(prompt[i], at);
        prompts[i] = prompt[i];
        none[i] = "";
        status[i] = fails(at, path) ? SKV_E_FORMAT : 0;
        error[i] = fails(at, path) ? "not finite" : "";
    }
    if (path == 0)
        assert_int_equal(skv_gather_rows_add(r, &rec, (int64_t)group * ROWS), SKV_OK);
    else
        assert_int_equal(skv_gather_rows_add_failed(r, &rec, (int64_t)group * ROWS), SKV_OK);
}

/* *out = a column, free(). */
static void read_column(void *out, skv_h5 *f, skv_set set)
{
    const skv_extents e = {.rows = N};
    skv_h5_layout want = skv_schema_group_layout(set, &e);

    assert_int_equal(skv_h5_read(out, f, skv_schema_in_run(set, NULL).text, &want, MANY, true),
                     SKV_OK);
}

static void assert_texts(skv_h5 *f)
{
    char **prompt, **error, **given, want[WIDTH];

    read_column(&prompt, f, SKV_SET_PROMPT);
    read_column(&error, f, SKV_SET_ERROR);
    read_column(&given, f, SKV_SET_GIVEN_ID); /* that the groups do not have */
    for (int i = 0; i < N; i++) {
        print_prompt(want, i);
        assert_string_equal(prompt[i], want);
        assert_string_equal(given[i], "");
        assert_string_equal(error[i], fails(i, 0)   ? "not finite"
                                      : fails(i, 1) ? "path second: not finite"
                                                    : "");
    }
    free(prompt);
    free(error);
    free(given);
}

static void assert_numbers(skv_h5 *f)
{
    int64_t *group;
    uint64_t *seed, *offset;
    int32_t *status;

    read_column(&group, f, SKV_SET_GROUP);
    read_column(&seed, f, SKV_SET_SEED);
    read_column(&offset, f, SKV_SET_OFFSET);
    read_column(&status, f, SKV_SET_STATUS);
    for (int i = 0; i < N; i++) {
        assert_int_equal(group[i], i / ROWS);
        assert_int_equal(seed[i], 3 * i);
        assert_int_equal(offset[i], 0);
        assert_int_equal(status[i], fails(i, 0) || fails(i, 1) ? SKV_E_FORMAT : 0);
    }
    free(group);
    free(seed);
    free(offset);
    free(status);
}

static void samples_of_a_long_run_come_back(void **state)
{
    skv_segments segments = skv_segments_none(ROWS);
    skv_gather_rows r;
    skv_h5 *f = NULL;
    int n_failed = 0;

    (void)state;
    for (int i = 0; i < N; i++)
        n_failed += fails(i, 0) || fails(i, 1);
    assert_int_equal(skv_segments_grow(&segments, N, 1), SKV_OK);
    assert_int_equal(skv_gather_rows_init(&r, &segments), SKV_OK);
    for (int path = 0; path < 2; path++)
        for (int g = 0; g < GROUPS; g++)
            add_group(&r, g, path);
    assert_int_equal(r.n_failed, n_failed);
    assert_int_equal(r.first[GROUPS], N);
    assert_int_equal(skv_h5_create(&f, temp_path("run.h5")), SKV_OK);
    assert_int_equal(skv_gather_rows_write(&r, f), SKV_OK);
    assert_int_equal(skv_h5_commit(&f), SKV_OK);
    skv_gather_rows_clear(&r);
    assert_int_equal(skv_h5_open(&f, temp_path("run.h5")), SKV_OK);
    assert_texts(f);
    assert_numbers(f);
    skv_h5_close(f);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(samples_of_a_long_run_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
