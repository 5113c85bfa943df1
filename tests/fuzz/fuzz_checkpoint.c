/* Damaged checkpoints: cuts and bit flips of a small file of each form, from a fixed seed.
 * A cut is refused. A flip in a zip archive is refused or changes nothing (CRC); in a safetensors
 * header refused or harmless; in safetensors or legacy data it changes that value alone (a flip in
 * a legacy stream's pickles is seen by nobody, so it may do more). Never a crash: the sanitizer
 * build runs this too. */
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "io/checkpoint.h"
#include "fuzz.h"
#include "write_checkpoint.h"

#include "cmocka_all.h"

#define N_FLIPS   10000
#define N_TENSORS 5
#define SIDE      24

typedef struct {
    float values[N_TENSORS][SIDE * SIDE];
    test_tensor tensors[N_TENSORS];
} world;

static void fill(world *w)
{
    static const char *const names[N_TENSORS] = {"a.weight", "a.bias", "block.0.ada_gss", "scalar",
                                                 "empty"};
    static const int64_t shapes[N_TENSORS][4] = {{SIDE, SIDE}, {SIDE}, {1, 1, 6, 4}, {0}, {0, 4}};
    static const int dims[N_TENSORS] = {2, 1, 4, 0, 2};

    for (int t = 0; t < N_TENSORS; t++) {
        for (int i = 0; i < SIDE * SIDE; i++)
            w->values[t][i] = (float)(i - 100 * t) / 64.0f;
        w->tensors[t] = (test_tensor){.name = names[t], .ndim = dims[t], .data = w->values[t]};
        memcpy(w->tensors[t].shape, shapes[t], sizeof shapes[t]);
    }
}

/* Opens a file of these bytes, verifies and compares: -1 refused, otherwise the number of values
 * that differ. A tensor that is gone or has another shape counts as 1000000. */
static int64_t differing(const world *w, const uint8_t *data, size_t bytes)
{
    skv_checkpoint *ck = NULL;
    int64_t n = 0;

    if (skv_checkpoint_open(&ck, fuzz_file("a.bin", data, bytes)) != SKV_OK)
        return -1;
    for (int t = 0; t < N_TENSORS && n >= 0; t++) {
        const test_tensor *want = &w->tensors[t];
        const skv_entry *e = skv_checkpoint_find(ck, want->name);
        size_t count = 1;

        if (!e || e->ndim != want->ndim || !e->supported || e->dtype != SKV_F32 ||
            memcmp(e->shape, want->shape, (size_t)want->ndim * sizeof e->shape[0]) != 0) {
            n += 1000000;
            continue;
        }
        if (skv_checkpoint_verify(ck, e) != SKV_OK) {
            n = -1;
            break;
        }
        for (int i = 0; i < e->ndim; i++)
            count *= (size_t)e->shape[i];
        for (size_t i = 0; i < count; i++)
            n += memcmp((const char *)e->data + 4 * i, &want->data[i], 4) != 0;
    }
    skv_checkpoint_close(ck);
    return n;
}

/* At every KiB, and at each of the last 64 bytes. */
static void cut_everywhere(const world *w, const test_bytes *file)
{
    for (size_t n = 0; n < file->n; n++) {
        if (n % 1024 != 0 && n + 64 < file->n)
            continue;
        assert_int_equal(differing(w, file->data, n), -1);
        assert_true(strlen(skv_message()) > 0 && !strchr(skv_message(), '\n'));
    }
}

/* Flips bit k of the file, tells how many values differ then, and flips it back. */
static int64_t flipped(const world *w, test_bytes *file, uint32_t k)
{
    int64_t n;

    file->data[k / 8] ^= (uint8_t)(1u << (k % 8));
    n = differing(w, file->data, file->n);
    file->data[k / 8] ^= (uint8_t)(1u << (k % 8));
    return n;
}

static uint32_t draw(uint32_t i, uint32_t n)
{
    const uint32_t key[2] = {2026, 11}, counter[4] = {i, 0, 0, 0};
    uint32_t word[4];

    skv_philox(word, counter, key);
    return word[0] % n;
}

static void a_flip_in_an_archive_is_refused_or_changes_nothing(void **state)
{
    int64_t refused = 0;
    test_bytes file;
    world w;

    (void)state;
    fill(&w);
    make_torch_zip(&file, w.tensors, N_TENSORS, SKV_F32, NULL);
    assert_int_equal(differing(&w, file.data, file.n), 0);
    for (uint32_t i = 0; i < N_FLIPS; i++) {
        const int64_t n = flipped(&w, &file, draw(i, (uint32_t)(8 * file.n)));

        assert_true(n == -1 || n == 0);
        refused += n == -1;
    }
    assert_true(refused > N_FLIPS / 2); /* most bits of the file are covered by a CRC */
    cut_everywhere(&w, &file);
    free(file.data);
}

static void a_flip_in_safetensors_is_refused_harmless_or_one_value(void **state)
{
    int64_t refused = 0, changed = 0;
    test_bytes file;
    size_t header;
    world w;

    (void)state;
    fill(&w);
    make_safetensors(&file, w.tensors, N_TENSORS, SKV_F32);
    header = 8 + file.data[0] + 256u * file.data[1];
    assert_int_equal(differing(&w, file.data, file.n), 0);
    for (uint32_t i = 0; i < N_FLIPS; i++) {
        const uint32_t k = draw(i, (uint32_t)(8 * file.n));
        const int64_t n = flipped(&w, &file, k);

        if (k / 8 >= header)
            assert_int_equal(n, 1);
        else /* harmless, or a name, type or shape that is another one: found missing by its user */
            assert_true(n == -1 || n == 0 || n >= 1000000);
        refused += n == -1;
        changed += n == 1;
    }
    assert_true(refused > 0 && changed > 0);
    cut_everywhere(&w, &file);
    free(file.data);
}

static void a_flip_in_a_legacy_stream_is_refused_or_one_value(void **state)
{
    int64_t refused = 0, changed = 0;
    test_bytes file;
    size_t begin;
    world w;

    (void)state;
    fill(&w);
    make_torch_legacy(&file, w.tensors, N_TENSORS, SKV_F32);
    begin = file.n - 8 * N_TENSORS - 4 * (SIDE * SIDE + SIDE + 24 + 1 + 0);
    assert_int_equal(differing(&w, file.data, file.n), 0);
    for (uint32_t i = 0; i < N_FLIPS; i++) {
        const uint32_t k = draw(i, (uint32_t)(8 * file.n));
        const int64_t n = flipped(&w, &file, k);

        if (k / 8 >= begin) /* an element, or a count, which contradicts the pickle */
            assert_true(n == 1 || n == -1);
        refused += n == -1;
        changed += n == 1;
    }
    assert_true(refused > 0 && changed > 0);
    cut_everywhere(&w, &file);
    free(file.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flip_in_an_archive_is_refused_or_changes_nothing),
        cmocka_unit_test(a_flip_in_safetensors_is_refused_harmless_or_one_value),
        cmocka_unit_test(a_flip_in_a_legacy_stream_is_refused_or_one_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
