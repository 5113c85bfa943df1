/* torch's random numbers against torch_random.h5: bits and exponential numbers that torch drew on
 * an H200, by seeds of one to 64 bits and at the map sizes of the models. */
#include "core/torch_random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "io/h5.h"
#include "kernels/ops.h"
#include "model/bits.h"
#include "test_device.h"

#define MAX_BYTES   ((size_t)1 << 24)
#define MAX_NUMBERS (2 * 64 * 64 * 56)
/* torch's fast logarithm: relative, and near 0 absolute */
#define RELATIVE 5e-5f
#define ABSOLUTE 6e-8f

static const int sides[] = {1, 2, 4, 6, 8, 12, 16, 20, 24, 32, 40, 48, 64};

static const struct {
    const char *name;
    int bits, scales;
} models[] = {{"2b", 32, 13}, {"8b", 56, 13}, {"f16", 16, 9}};

static const char *const seeds[] = {"0", "42", "123456789012345", "9223372036854775819"};

typedef struct {
    skv_h5 *golden;
    skv_backend *be;
    void *logits, *bits; /* on the device */
    float *host;
    skv_torch_gpu gpu;
} world;

static void assert_ok(skv_status st)
{
    if (st != SKV_OK)
        fail_msg("%s", skv_message());
}

static int open_world(void **state)
{
    static world w;

    *state = &w;
    assert_ok(skv_torch_gpu_parse(&w.gpu, "h200"));
    assert_ok(skv_h5_open(&w.golden, SKV_TEST_DATA "/torch_random.h5"));
    assert_ok(test_backend_open(&w.be, 2));
    assert_ok(skv_backend_alloc(w.be, &w.logits, MAX_NUMBERS * sizeof(float), "logits"));
    assert_ok(skv_backend_alloc(w.be, &w.bits, MAX_NUMBERS / 2, "bits"));
    w.host = malloc(MAX_NUMBERS * sizeof *w.host);
    assert_non_null(w.host);
    /* value 0 has logit 0, element i's value 1 a multiplicative hash of i between -4 and 4 */
    for (uint32_t i = 0; i < MAX_NUMBERS / 2; i++) {
        w.host[2 * i] = 0;
        w.host[2 * i + 1] = (float)((double)(i * 2654435761u) * 0x1p-32 * 8 - 4);
    }
    assert_ok(skv_backend_upload(w.be, w.logits, w.host, MAX_NUMBERS * sizeof *w.host));
    return 0;
}

static int close_world(void **state)
{
    world *w = *state;

    skv_backend_free(w->be, w->logits);
    skv_backend_free(w->be, w->bits);
    skv_backend_destroy(w->be);
    skv_h5_close(w->golden);
    free(w->host);
    return 0;
}

/* A list of the file; *n entries. */
static void *read_list(const world *w, skv_h5_type type, int64_t *n, const char *name)
{
    skv_h5_layout want = {.type = type, .n_dims = 1, .shape = {-1}};
    void *data = NULL;

    assert_ok(skv_h5_read(&data, w->golden, name, &want, MAX_BYTES, false));
    *n = want.shape[0];
    return data;
}

static void compare_bits(const world *w, const char *group, int bits, int si,
                         const skv_generator *g)
{
    const int64_t tokens = (int64_t)sides[si] * sides[si], n = tokens * bits;
    uint8_t *drawn = malloc((size_t)n), *packed = malloc((size_t)n / 8), *want;
    char name[80];
    int64_t bytes;

    assert_non_null(drawn);
    assert_non_null(packed);
    snprintf(name, sizeof name, "%s/bits_%02d", group, si);
    want = read_list(w, SKV_H5_U8, &bytes, name);
    assert_int_equal(bytes, n / 8);
    assert_ok(skv_draw_bits(
        w->be, &(skv_draw_bits_args){
                   .bits = SKV_TENSOR(w->bits, SKV_U8, w->be->device, 1, tokens, bits),
                   .logits = SKV_TENSOR(w->logits, SKV_F32, w->be->device, 1, tokens, 2 * bits),
                   .generator = g,
                   .threads = skv_torch_threads(&w->gpu, 2 * n),
                   .top_p = 1,
                   .cfg = 1,
                   .tau = 1}));
    assert_ok(skv_backend_download(w->be, drawn, w->bits, (size_t)n));
    skv_bits_pack(packed, drawn, (size_t)n);
    assert_memory_equal(packed, want, (size_t)bytes);
    free(drawn);
    free(packed);
    free(want);
}

static void compare_exponentials(const world *w, const char *group, int64_t numbers, int si,
                                 const skv_generator *g)
{
    int64_t n, n_places, *place;
    char name[80];
    float *want;

    snprintf(name, sizeof name, "%s/exponential_%02d", group, si);
    want = read_list(w, SKV_H5_F32, &n, name);
    snprintf(name, sizeof name, "%s/exponential_index_%02d", group, si);
    place = read_list(w, SKV_H5_I64, &n_places, name);
    assert_int_equal(n, n_places);
    for (int64_t i = 0; i < n; i++) {
        const float have = skv_torch_exponential(g, skv_torch_threads(&w->gpu, numbers), place[i]);

        assert_true(fabsf(have - want[i]) <= RELATIVE * want[i] + ABSOLUTE);
    }
    free(want);
    free(place);
}

static void every_draw_of_torch_is_found_again(void **state)
{
    const world *w = *state;
    int64_t compared = 0;

    for (size_t m = 0; m < sizeof models / sizeof *models; m++)
        for (size_t s = 0; s < sizeof seeds / sizeof *seeds; s++) {
            skv_generator g = {.seed = strtoull(seeds[s], NULL, 10)};
            char group[48], name[64];
            int64_t n, *offset;

            snprintf(group, sizeof group, "%s/seed_%s", models[m].name, seeds[s]);
            snprintf(name, sizeof name, "%s/offset", group);
            offset = read_list(w, SKV_H5_I64, &n, name);
            assert_int_equal(n, models[m].scales);
            for (int si = 0; si < models[m].scales; si++) {
                const int64_t numbers = 2 * (int64_t)sides[si] * sides[si] * models[m].bits;

                assert_int_equal(g.offset, offset[si]);
                compare_bits(w, group, models[m].bits, si, &g);
                compare_exponentials(w, group, numbers, si, &g);
                g.offset += skv_torch_step(&w->gpu, numbers);
                compared += numbers / 2;
            }
            free(offset);
        }
    assert_int_equal(compared, 3799200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_draw_of_torch_is_found_again),
    };

    return cmocka_run_group_tests(tests, open_world, close_world);
}
