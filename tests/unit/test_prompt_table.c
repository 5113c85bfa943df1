/* Prompts are read from RUN/rows.h5 as they were from memory; a file that was changed, before or
 * after it was opened, is refused. */
#include "run/prompt_table.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "temp_folder.h"

#define N   300
#define KEY "0123456789abcdef0123456789abcdef"

static const skv_prompt_facts facts = {
    .n_prompts = N, .n_bad = 1, .index_digits = 5, .prompts = {1, 2}, .rewriting = {3, UINT64_MAX}};

static void add(skv_prompt_table *t, skv_list list, int64_t prompt, const void *data, size_t n)
{
    assert_int_equal(skv_prompt_table_add(t, list, prompt, data, n), SKV_OK);
}

/* Every prompt has a text, every seventh an id, the 100th a seed and an error, the last an empty
 * negative prompt; tokens are as many as the index modulo 9. */
static skv_prompt_table *filled(void)
{
    skv_prompt_table *t = NULL;
    int32_t tokens[9];
    char text[64];

    assert_int_equal(skv_prompt_table_create(&t, "list"), SKV_OK);
    for (int64_t i = 0; i < N; i++) {
        snprintf(text, sizeof text, "prompt %*d", (int)(i % 13), (int)i);
        add(t, SKV_LIST_TEXT, i, text, strlen(text) + 1);
        for (int k = 0; k < 9; k++)
            tokens[k] = (int32_t)(i * 9 + k);
        add(t, SKV_LIST_TOKEN, i, tokens, (size_t)(i % 9));
        if (i % 7 == 0)
            add(t, SKV_LIST_ID, i, text, strlen(text) + 1);
    }
    add(t, SKV_LIST_SEED, 100, &(uint64_t){UINT64_MAX}, 1);
    add(t, SKV_LIST_ERROR, 100, "bad", 4);
    add(t, SKV_LIST_NEGATIVE, N - 1, "", 1);
    return t;
}

static void assert_same_part(const skv_prompt_table *a, const skv_prompt_table *b, skv_list list,
                             int64_t first, int64_t n)
{
    static const size_t size[SKV_N_LISTS] = {1, 1, 1, 1, 1, 1, 8, 4, 4, 1};
    skv_list_part x, y;

    assert_int_equal(skv_prompt_table_read(&x, a, list, first, n), SKV_OK);
    assert_int_equal(skv_prompt_table_read(&y, b, list, first, n), SKV_OK);
    assert_memory_equal(x.end, y.end, (size_t)n * sizeof *x.end);
    assert_memory_equal(x.values, y.values, (size_t)x.end[n - 1] * size[list]);
    free(x.end);
    free(y.end);
}

static void assert_same(const skv_prompt_table *a, const skv_prompt_table *b)
{
    for (int l = 0; l < SKV_N_LISTS; l++) {
        assert_int_equal(skv_prompt_table_has(a, (skv_list)l),
                         skv_prompt_table_has(b, (skv_list)l));
        for (int64_t first = 0; first < N; first += 41)
            for (int64_t n = 1; n <= N - first; n += 58)
                assert_same_part(a, b, (skv_list)l, first, n);
    }
}

/* A run with its rows.h5, and the same prompts in memory. */
typedef struct {
    const char *run;
    char file[512];
    skv_prompt_table *memory;
} world;

static int open_world(void **state)
{
    world *w = calloc(1, sizeof *w);

    if (!w || temp_folder_make(state) != 0)
        return -1;
    *state = w;
    w->run = temp_folder();
    snprintf(w->file, sizeof w->file, "%s/rows.h5", w->run);
    w->memory = filled();
    return skv_prompt_table_save(w->memory, w->run, KEY, &facts) == SKV_OK ? 0 : -1;
}

static int close_world(void **state)
{
    world *w = *state;

    skv_prompt_table_destroy(w->memory);
    free(w);
    return temp_folder_remove(state);
}

static void a_file_gives_what_memory_did(void **state)
{
    const world *w = *state;
    skv_prompt_table *t = NULL, *other = NULL;
    skv_prompt_place place;
    skv_prompt_facts there;

    assert_int_equal(skv_prompt_table_open(&t, &there, w->run, KEY), SKV_OK);
    assert_memory_equal(&there, &facts, sizeof facts);
    assert_same(w->memory, t);
    skv_prompt_table_place(&place, t);
    assert_int_equal(skv_prompt_table_open_at(&other, w->run, &place), SKV_OK);
    assert_same(w->memory, other);
    skv_prompt_table_destroy(t);
    skv_prompt_table_destroy(other);
}

static void a_file_of_other_prompts_is_not_taken(void **state)
{
    const world *w = *state;
    skv_prompt_table *t = NULL;
    skv_prompt_facts there;

    assert_int_equal(skv_prompt_table_open(&t, &there, w->run, "f123456789abcdef0123456789abcdef"),
                     SKV_E_NOTFOUND);
    assert_int_equal(unlink(w->file), 0);
    assert_int_equal(skv_prompt_table_open(&t, &there, w->run, KEY), SKV_E_NOTFOUND);
}

/* Where `bytes` stand in the file. */
static long find(const world *w, const void *bytes, size_t n)
{
    char *all = NULL;
    size_t size = 0;
    long at = -1;

    assert_int_equal(skv_file_read(&all, &size, w->file, 1 << 20), SKV_OK);
    for (size_t i = 0; i + n <= size && at < 0; i++)
        if (memcmp(all + i, bytes, n) == 0)
            at = (long)i;
    free(all);
    assert_true(at >= 0);
    return at;
}

static void write_at(const world *w, long at, const void *bytes, size_t n)
{
    const int fd = open(w->file, O_WRONLY);

    assert_true(fd >= 0 && pwrite(fd, bytes, n, at) == (ssize_t)n);
    close(fd);
}

static void an_altered_byte_is_found_on_opening(void **state)
{
    const world *w = *state;
    skv_prompt_table *t = NULL;
    skv_prompt_facts there;

    write_at(w, find(w, "prompt 17", 9), "P", 1);
    assert_int_equal(skv_prompt_table_open(&t, &there, w->run, KEY), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "checksum"));
}

/* The other ranks trust what the first one found, and nothing of what they read. */
static void an_end_that_was_altered_later_reads_nothing_outside(void **state)
{
    static const int64_t hostile[] = {-1, INT64_MIN, INT64_MAX, 1 << 20};
    const world *w = *state;
    skv_prompt_table *t = NULL;
    skv_prompt_facts there;
    skv_prompt_place place;
    skv_list_part part;

    assert_int_equal(skv_prompt_table_open(&t, &there, w->run, KEY), SKV_OK);
    skv_prompt_table_place(&place, t);
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        write_at(w, (long)place.list[SKV_LIST_TOKEN].end + 50 * 8, &hostile[i], 8);
        assert_int_equal(skv_prompt_table_read(&part, t, SKV_LIST_TOKEN, 50, 1), SKV_E_FORMAT);
        assert_int_equal(skv_prompt_table_read(&part, t, SKV_LIST_TOKEN, 51, 1), SKV_E_FORMAT);
        assert_int_equal(skv_prompt_table_read(&part, t, SKV_LIST_TOKEN, 40, 20), SKV_E_FORMAT);
    }
    skv_prompt_table_destroy(t);
}

static void a_text_that_was_altered_later_is_no_string(void **state)
{
    const world *w = *state;
    skv_prompt_table *t = NULL;
    skv_prompt_facts there;
    skv_list_part part;

    assert_int_equal(skv_prompt_table_open(&t, &there, w->run, KEY), SKV_OK);
    write_at(w, find(w, "prompt 299", 11) + 10, "x", 1); /* its NUL */
    for (int64_t i = 0; i < N; i++)
        if (skv_prompt_table_read(&part, t, SKV_LIST_TEXT, i, 1) == SKV_OK) {
            assert_int_equal(strlen(part.values) + 1, part.end[0]);
            free(part.end);
        } else {
            assert_non_null(strstr(skv_message(), "is not a text"));
            skv_prompt_table_destroy(t);
            return;
        }
    fail_msg("a text without an end was read");
}

static void a_file_that_was_cut_later_is_an_error(void **state)
{
    const world *w = *state;
    skv_prompt_table *t = NULL;
    skv_prompt_facts there;
    skv_list_part part;

    assert_int_equal(skv_prompt_table_open(&t, &there, w->run, KEY), SKV_OK);
    assert_int_equal(truncate(w->file, 2048), 0);
    assert_int_equal(skv_prompt_table_read(&part, t, SKV_LIST_TEXT, N - 1, 1), SKV_E_FORMAT);
    skv_prompt_table_destroy(t);
}

/* Hosts that do not share the folder. */
static void another_file_on_another_rank_is_refused(void **state)
{
    const world *w = *state;
    skv_prompt_table *t = NULL, *other = NULL;
    skv_prompt_facts there;
    skv_prompt_place place;

    assert_int_equal(skv_prompt_table_open(&t, &there, w->run, KEY), SKV_OK);
    skv_prompt_table_place(&place, t);
    assert_int_equal(
        skv_prompt_table_save(w->memory, w->run, "f123456789abcdef0123456789abcdef", &facts),
        SKV_OK);
    assert_int_equal(skv_prompt_table_open_at(&other, w->run, &place), SKV_E_IO);
    assert_non_null(strstr(skv_message(), "do all hosts share --out?"));
    skv_prompt_table_destroy(t);
}

/* ------------------------------------------------------------------ memory of a reader */

static size_t taken; /* by calloc, which skv_alloc calls */

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
    taken += n * size;
    return __real_calloc(n, size);
}

/* Bytes that a rank takes to open a run's prompts and to read eight of them. */
static size_t reader_bytes(const char *run, const skv_prompt_place *place, int64_t first)
{
    skv_prompt_table *t = NULL;
    skv_list_part part;

    taken = 0;
    assert_int_equal(skv_prompt_table_open_at(&t, run, place), SKV_OK);
    for (int l = 0; l < SKV_N_LISTS; l++) {
        assert_int_equal(skv_prompt_table_read(&part, t, (skv_list)l, first, 8), SKV_OK);
        free(part.end);
    }
    skv_prompt_table_destroy(t);
    return taken;
}

/* A table of n equal prompts, saved in the run's place. */
static void save_equal(const world *w, skv_prompt_place *place, int64_t n)
{
    const skv_prompt_facts all = {.n_prompts = n, .index_digits = 5};
    const int32_t tokens[3] = {5, 6, 1};
    skv_prompt_table *t = NULL;
    skv_prompt_facts there;

    assert_int_equal(skv_prompt_table_create(&t, "list"), SKV_OK);
    for (int64_t i = 0; i < n; i++) {
        add(t, SKV_LIST_TEXT, i, "a prompt", 9);
        add(t, SKV_LIST_TOKEN, i, tokens, 3);
    }
    assert_int_equal(skv_prompt_table_save(t, w->run, KEY, &all), SKV_OK);
    skv_prompt_table_destroy(t);
    assert_int_equal(skv_prompt_table_open(&t, &there, w->run, KEY), SKV_OK);
    skv_prompt_table_place(place, t);
    skv_prompt_table_destroy(t);
}

static void a_reader_takes_as_much_for_many_prompts_as_for_few(void **state)
{
    const world *w = *state;
    skv_prompt_place place;
    size_t few;

    save_equal(w, &place, 10);
    few = reader_bytes(w->run, &place, 1);
    save_equal(w, &place, 100000);
    assert_int_equal(reader_bytes(w->run, &place, 1), few);
    assert_int_equal(reader_bytes(w->run, &place, 99992), few);
    assert_true(few > 0 && few < 8192);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_gives_what_memory_did),
        TEST(a_file_of_other_prompts_is_not_taken),
        TEST(an_altered_byte_is_found_on_opening),
        TEST(an_end_that_was_altered_later_reads_nothing_outside),
        TEST(a_text_that_was_altered_later_is_no_string),
        TEST(a_file_that_was_cut_later_is_an_error),
        TEST(another_file_on_another_rank_is_refused),
        TEST(a_reader_takes_as_much_for_many_prompts_as_for_few),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
