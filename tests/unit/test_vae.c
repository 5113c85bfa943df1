/* The decoder beside its recordings (tests/golden): what a caller may rely on. */
#include "model/vae.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "model/sources.h"

enum { H = 4, W = 6, STRIDE = 16 };

typedef struct {
    skv_backend *be;
    skv_sources sources;
    skv_vae *vae;
    size_t scratch_bytes;
    void *memory;
    skv_arena scratch;
} world;

static void open_world(world *w)
{
    *w = (world){0};
    assert_int_equal(skv_backend_open_cpu(&w->be, 1), SKV_OK);
    assert_int_equal(skv_sources_open(&w->sources, "formula:tiny_f16", "formula:tiny_f16", NULL),
                     SKV_OK);
    assert_int_equal(skv_vae_create(&w->vae, w->be, w->sources.vae, &w->sources.dims), SKV_OK);
    w->scratch_bytes = skv_vae_scratch_bytes(&w->sources.dims, w->be, 1, H, W);
    assert_int_equal(skv_backend_alloc(w->be, &w->memory, w->scratch_bytes, "scratch"), SKV_OK);
    skv_arena_init(&w->scratch, "scratch", w->memory, w->scratch_bytes);
}

static void close_world(world *w)
{
    skv_backend_free(w->be, w->memory);
    skv_vae_destroy(w->vae);
    skv_sources_close(&w->sources);
    skv_backend_destroy(w->be);
}

/* A map of one picture; the value at `bad` is not a number (-1: none is). */
static float *make_map(const world *w, int64_t bad)
{
    const int64_t n = (int64_t)H * W * w->sources.dims.bits;
    float *z = calloc((size_t)n, sizeof *z);

    assert_non_null(z);
    for (int64_t i = 0; i < n; i++)
        z[i] = sinf((float)i) / 3;
    if (bad >= 0)
        z[bad] = NAN;
    return z;
}

static int32_t decode(world *w, int64_t bad, uint8_t *pixels)
{
    const int64_t h = (int64_t)H * STRIDE, wide = (int64_t)W * STRIDE;
    float *z = make_map(w, bad), *rgb = calloc((size_t)(h * wide * 3), sizeof *rgb);
    int32_t fault = 0;
    const skv_tensor map = SKV_TENSOR(z, SKV_F32, SKV_HOST, 1, H, W, w->sources.dims.bits);
    const skv_decoded out = {.rgb = SKV_TENSOR(rgb, SKV_F32, SKV_HOST, 1, h, wide, 3),
                             .pixels = SKV_TENSOR(pixels, SKV_U8, SKV_HOST, 1, h, wide, 3),
                             .fault = SKV_TENSOR(&fault, SKV_I32, SKV_HOST, 1)};

    assert_non_null(rgb);
    skv_arena_reset(&w->scratch, 0);
    assert_int_equal(skv_vae_decode(w->vae, &map, &out, &w->scratch), SKV_OK);
    free(z);
    free(rgb);
    return fault;
}

static void a_picture_is_the_same_whatever_was_decoded_before(void **state)
{
    static uint8_t first[H * STRIDE * W * STRIDE * 3], again[sizeof first];
    world w;

    (void)state;
    open_world(&w);
    assert_int_equal(decode(&w, -1, first), 0);
    assert_int_equal(decode(&w, 5, again), SKV_FAULT_PICTURE);
    assert_int_equal(decode(&w, -1, again), 0);
    assert_memory_equal(first, again, sizeof first);
    close_world(&w);
}

static void one_number_that_is_none_is_a_fault_wherever_it_lies(void **state)
{
    static uint8_t pixels[H * STRIDE * W * STRIDE * 3];
    world w;

    (void)state;
    open_world(&w);
    for (int64_t bad = 0; bad < (int64_t)H * W * w.sources.dims.bits; bad += 37)
        assert_int_equal(decode(&w, bad, pixels), SKV_FAULT_PICTURE);
    close_world(&w);
}

static void the_planned_scratch_is_what_decoding_takes(void **state)
{
    static uint8_t pixels[H * STRIDE * W * STRIDE * 3];
    world w;

    (void)state;
    open_world(&w);
    decode(&w, -1, pixels);
    assert_int_equal(w.scratch.high, w.scratch_bytes);
    close_world(&w);
}

static void loading_hears_a_stop(void **state)
{
    const skv_flag stop = 1;
    skv_vae *vae = NULL;
    world w;

    (void)state;
    open_world(&w);
    w.be->stop = &stop;
    assert_int_equal(skv_vae_create(&vae, w.be, w.sources.vae, &w.sources.dims), SKV_E_STOPPED);
    assert_null(vae);
    close_world(&w);
}

static void a_transformer_is_no_decoder(void **state)
{
    skv_sources s = {0};

    (void)state;
    assert_int_not_equal(skv_sources_open(&s, "formula:tiny_f16", "formula:tiny_f14", NULL),
                         SKV_OK); /* 16 bits a token beside 14 */
    skv_sources_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_is_the_same_whatever_was_decoded_before),
        cmocka_unit_test(one_number_that_is_none_is_a_fault_wherever_it_lies),
        cmocka_unit_test(the_planned_scratch_is_what_decoding_takes),
        cmocka_unit_test(loading_hears_a_stop),
        cmocka_unit_test(a_transformer_is_no_decoder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
