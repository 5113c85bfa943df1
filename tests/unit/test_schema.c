#include "run/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "run/group_file.h"
#include "run/group_format.h"

#define PAGE  SKV_TEST_DATA "/../../src/run/README.md"
#define BEGIN "| group file | shape | run.h5 | shape | type | units | what |\n"

/* "nHW3" as "(n,H,W,3)"; in run.h5 the rows are N. */
static void print_shape(FILE *out, const char *axes, bool in_run)
{
    fputc('(', out);
    for (const char *a = axes; *a; a++) {
        if (a > axes)
            fputc(',', out);
        if (*a == 'n' && in_run)
            fputc('N', out);
        else if (*a == 'c')
            fputs("S-1", out);
        else
            fputc(*a, out);
    }
    fputc(')', out);
}

static void print_run(FILE *out, const skv_schema_set *s)
{
    const bool samples = s->how == SKV_GATHER_SAMPLES;
    char axes[8];

    if (s->how == SKV_GATHER_NOT) {
        fputs(" | | ", out);
        return;
    }
    snprintf(axes, sizeof axes, "%s%s", s->how == SKV_GATHER_GROUPS ? "G" : "", s->shape);
    fprintf(out, " | `%s/%s` | ", samples ? "/samples" : "/paths/<path>", s->name);
    print_shape(out, axes, true);
}

static void print_row(FILE *out, skv_set set)
{
    static const char *const types[] = {"u8", "i32", "i64", "u64", "f32", "f64", "text"};
    const skv_schema_set *s = &skv_schema[set];

    if (s->member == SKV_SCHEMA_NO_MEMBER) {
        fputs("| |", out);
    } else {
        fprintf(out, "| `%s` | ", skv_schema_in_group(set).text);
        print_shape(out, s->shape, false);
    }
    print_run(out, s);
    fprintf(out, " | %s | %s | %s |\n", types[s->type], s->units, s->long_name);
}

static char *print_table(void)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    assert_non_null(out);
    fputs(BEGIN "| --- | --- | --- | --- | --- | --- | --- |\n", out);
    for (skv_set s = 0; s < SKV_N_SETS; s++)
        print_row(out, s);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void the_pages_table_is_the_schema(void **state)
{
    char *page = NULL, *table = print_table(), *there, *end;
    size_t n = 0;

    (void)state;
    assert_int_equal(skv_file_read(&page, &n, PAGE, 1 << 20), SKV_OK);
    there = strstr(page, BEGIN);
    end = there ? strstr(there, "|\n\n") : NULL;
    if (!end || strncmp(there, table, strlen(table)) != 0 ||
        (size_t)(end + 2 - there) != strlen(table))
        goto differs;
    free(page);
    free(table);
    return;
differs:
    fprintf(stderr, "the table of %s is to be:\n%s\n", PAGE, table);
    fail();
}

static void the_page_names_every_attribute(void **state)
{
    static const char *const of_run[] = {
        SKV_ATTR_CONFIG,       SKV_ATTR_CONFIG_DIGEST, SKV_ATTR_SKV,          SKV_ATTR_ORDER,
        SKV_ATTR_REFERENCE,    SKV_ATTR_SETTINGS,      SKV_ATTR_DIGEST,       SKV_ATTR_DEVICE,
        SKV_ATTR_SCALE_OFFSET, SKV_ATTR_PHASES,        SKV_ATTR_FIRST_GROUPS, SKV_ATTR_POOL_PLANNED,
        SKV_ATTR_POOL_PEAK,
    };
    char *page = NULL, quoted[64];
    size_t n = 0;

    (void)state;
    assert_int_equal(skv_file_read(&page, &n, PAGE, 1 << 20), SKV_OK);
    for (size_t i = 0; i < sizeof of_run / sizeof of_run[0] + SKV_GROUP__N_ATTRIBUTES; i++) {
        const size_t group = i - sizeof of_run / sizeof of_run[0];
        const bool in_run = i < sizeof of_run / sizeof of_run[0];

        snprintf(quoted, sizeof quoted, "`%s`",
                 in_run ? of_run[i] : skv_group__attributes[group].name);
        if (!strstr(page, quoted))
            fail_msg("%s does not name the attribute %s", PAGE, quoted);
    }
    free(page);
}

static void every_letter_of_a_shape_has_its_extent(void **state)
{
    const skv_extents e = {.rows = 5,
                           .groups = 3,
                           .bits_bytes = 7,
                           .height = 11,
                           .width = 13,
                           .scales = 4,
                           .layers = 17,
                           .heads = 19,
                           .phases = 2};
    const skv_extents unknown = {5, -1, -1, -1, -1, -1, -1, -1, -1};
    skv_h5_layout l = skv_schema_run_layout(SKV_SET_IMAGE, &e);

    (void)state;
    assert_int_equal(l.n_dims, 4);
    assert_true(l.shape[0] == 5 && l.shape[1] == 11 && l.shape[2] == 13 && l.shape[3] == 3);
    l = skv_schema_run_layout(SKV_SET_SECONDS, &e);
    assert_true(l.n_dims == 2 && l.shape[0] == 3 && l.shape[1] == 2);
    l = skv_schema_group_layout(SKV_SET_SECONDS, &e);
    assert_true(l.n_dims == 1 && l.shape[0] == 2);
    l = skv_schema_group_layout(SKV_SET_BUDGET, &e);
    assert_true(l.n_dims == 1 && l.shape[0] == 1);
    l = skv_schema_run_layout(SKV_SET_CAPACITY_BY_HEAD, &e);
    assert_true(l.n_dims == 3 && l.shape[0] == 3 && l.shape[1] == 17 && l.shape[2] == 19);
    l = skv_schema_run_layout(SKV_SET_CACHE_LENGTH, &unknown);
    assert_true(l.shape[0] == -1 && l.shape[1] == -1);
}

static void names_of_paths_fit_folders_and_objects(void **state)
{
    static const char *const good[] = {"full", "scalekv-10", "scalekv-2.5", "0"};
    static const char *const bad[] = {"", ".", "..", "a/b", "A", "-x", "a b", "\xc3\xa7"};
    char name[65];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(skv_path_name_is_valid(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(skv_path_name_is_valid(bad[i]));
    memset(name, 'x', 64);
    name[64] = '\0';
    assert_false(skv_path_name_is_valid(name));
    name[63] = '\0';
    assert_true(skv_path_name_is_valid(name));
    assert_int_equal(strlen(skv_schema_in_run(SKV_SET_CAPACITY_BY_HEAD, name).text),
                     strlen("/paths//cache/capacity_by_head") + 63);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pages_table_is_the_schema),
        cmocka_unit_test(the_page_names_every_attribute),
        cmocka_unit_test(every_letter_of_a_shape_has_its_extent),
        cmocka_unit_test(names_of_paths_fit_folders_and_objects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
