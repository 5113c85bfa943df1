/* Calibration against policies.h5 (asi, heatkv), the answers of an independent implementation. The
 * file holds probabilities: queries log(p) over keys that are unit vectors have just these, so the
 * observer is given those. */
#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calibrate/drafter_choice.h"
#include "calibrate/observer.h"

#include "cmocka_all.h"
#include "test_device.h"

#define DIM       64   /* of a head, at least the keys */
#define TOLERANCE 1e-5 /* the file's own */

static hid_t file;

/* Whole dataset; extents to shape (room for 4), or NULL. */
static void *read_dataset(const char *path, hid_t type, hsize_t *shape)
{
    hid_t set = H5Dopen2(file, path, H5P_DEFAULT), space = H5Dget_space(set);
    const hssize_t n = H5Sget_simple_extent_npoints(space);
    void *data = calloc((size_t)n, H5Tget_size(type));

    assert_true(set >= 0 && data != NULL);
    if (shape)
        H5Sget_simple_extent_dims(space, shape, NULL);
    assert_true(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    H5Sclose(space);
    H5Dclose(set);
    return data;
}

typedef struct {
    skv_backend *be;
    skv_observer *observer;
    skv_measures what;
    skv_calibration all;
} calibrating;

static skv_tensor put(skv_backend *be, const float *x, int64_t a, int64_t b, int64_t c)
{
    skv_tensor t = SKV_TENSOR(NULL, SKV_F32, be->device, 1, a, b, c);

    assert_int_equal(skv_backend_alloc(be, &t.data, skv_tensor_bytes(&t), "a tensor"), SKV_OK);
    assert_int_equal(skv_backend_upload(be, t.data, x, skv_tensor_bytes(&t)), SKV_OK);
    return t;
}

/* Shows the observer one layer's attention p (heads, queries, keys) at scale si. */
static void show(calibrating *c, int si, int layer, const float *p)
{
    const int heads = c->what.heads, tokens = skv_schedule_tokens(&c->what.schedule, si);
    const int32_t keys = c->what.schedule.start[si + 1], len[2] = {keys, keys};
    const skv_probe *probe = skv_observer_probe(c->observer);
    float *q = calloc((size_t)(tokens * heads * DIM), sizeof *q);
    float *k = calloc((size_t)(heads * keys * DIM), sizeof *k);
    skv_attended seen = {.si = si, .layer = layer, .len = len};

    assert_true(q != NULL && k != NULL);
    for (int h = 0; h < heads; h++) {
        for (int i = 0; i < tokens; i++)
            for (int j = 0; j < keys; j++)
                q[(i * heads + h) * DIM + j] = logf(p[(h * tokens + i) * keys + j]);
        for (int j = 0; j < keys; j++)
            k[(h * keys + j) * DIM + j] = 1;
    }
    seen.q = put(c->be, q, tokens, heads, DIM);
    seen.k = put(c->be, k, heads, keys, DIM);
    assert_int_equal(probe->attended(probe->ctx, &seen), SKV_OK);
    skv_backend_free(c->be, seen.q.data);
    skv_backend_free(c->be, seen.k.data);
    free(q);
    free(k);
}

static void open_with(calibrating *c, int layers)
{
    skv_observer_setup setup = {.what = &c->what, .max_prompts = 1};

    c->what.kinds = 1;
    c->what.layers = layers;
    c->what.heads = 2;
    assert_int_equal(skv_tops_parse(&c->what, "4"), SKV_OK);
    assert_int_equal(test_backend_open(&c->be, 1), SKV_OK);
    setup.be = c->be;
    assert_int_equal(skv_observer_create(&c->observer, &setup), SKV_OK);
}

/* Shows one dataset (layers, heads, queries, keys). */
static void show_all(calibrating *c, int si, const char *path)
{
    hsize_t shape[4];
    float *p = read_dataset(path, H5T_NATIVE_FLOAT, shape);

    assert_int_equal(shape[0], c->what.layers);
    assert_int_equal(shape[2], skv_schedule_tokens(&c->what.schedule, si));
    assert_int_equal(shape[3], c->what.schedule.start[si + 1]);
    for (int l = 0; l < c->what.layers; l++)
        show(c, si, l, p + (size_t)l * shape[1] * shape[2] * shape[3]);
    free(p);
}

/* What was shown becomes one picture of the calibration. */
static void add_picture(calibrating *c)
{
    double *figures = calloc(skv_figures(&c->what), sizeof *figures);

    assert_int_equal(skv_observer_fetch(c->observer, 1), SKV_OK);
    skv_observer_figures(c->observer, 0, figures);
    assert_int_equal(skv_calibration_init(&c->all, &c->what), SKV_OK);
    assert_int_equal(skv_calibration_add(&c->all, 0, figures), SKV_OK);
    free(figures);
}

static void done(calibrating *c)
{
    skv_calibration_clear(&c->all);
    skv_observer_destroy(c->observer);
    skv_backend_destroy(c->be);
}

static void near(const double *have, const double *want, int n)
{
    for (int i = 0; i < n; i++)
        if (fabs(have[i] - want[i]) > TOLERANCE)
            fail_msg("number %d is %.9g, want %.9g", i, have[i], want[i]);
}

#define LAYERS 6
#define FIRST  2 /* scale of the schedule that is the file's first */
#define SCALES 3

static void asi_and_drafters_are_the_recorded_ones(void **state)
{
    static const char *const attention[SCALES] = {"asi/scale0/attention", "asi/scale1/attention",
                                                  "asi/scale2/attention"};
    static const skv_draft_choice four = {SKV_DRAFT_COUNT, 4, FIRST};
    calibrating c = {.what.schedule = {.n_scales = 5,
                                       .h = {1, 2, 3, 4, 5},
                                       .w = {1, 2, 3, 4, 6},
                                       .start = {0, 1, 5, 14, 30, 60}}};
    double *car = read_dataset("asi/current_ratio", H5T_NATIVE_DOUBLE, NULL);
    double *htk = read_dataset("asi/history_topk", H5T_NATIVE_DOUBLE, NULL);
    double *value = read_dataset("asi/asi", H5T_NATIVE_DOUBLE, NULL);
    double *renormalised = read_dataset("asi/asi_renormalised", H5T_NATIVE_DOUBLE, NULL);
    double *z = read_dataset("asi/z", H5T_NATIVE_DOUBLE, NULL);
    int *drafter = read_dataset("asi/drafter", H5T_NATIVE_INT, NULL);
    skv_asi asi, other;
    skv_drafters set;

    (void)state;
    open_with(&c, LAYERS);
    for (int s = 0; s < SCALES; s++)
        show_all(&c, FIRST + s, attention[s]);
    add_picture(&c);
    skv_asi_make(&asi, &c.what, c.all.brief, &(skv_asi_choice){0});
    skv_asi_make(&other, &c.what, c.all.brief, &(skv_asi_choice){.index = SKV_INDEX_RENORMALISED});
    assert_int_equal(skv_drafters_choose(&set, &asi, &four), SKV_OK);
    for (int s = 0; s < SCALES; s++) {
        near(asi.value[FIRST + s], value + s * LAYERS, LAYERS);
        near(asi.z[FIRST + s], z + s * LAYERS, LAYERS);
        near(other.value[FIRST + s], renormalised + s * LAYERS, LAYERS);
        for (int l = 0; l < LAYERS; l++) {
            const double *brief = c.all.brief + skv_briefs_at(&c.what, 0, FIRST + s, l);

            near(&brief[0], &car[s * LAYERS + l], 1);
            near(&brief[1], &htk[s * LAYERS + l], 1);
            assert_int_equal(set.layers[FIRST + s - 1] >> l & 1, drafter[s * LAYERS + l]);
        }
    }
    free(car);
    free(htk);
    free(value);
    free(renormalised);
    free(z);
    free(drafter);
    done(&c);
}

static void heatkv_scores_are_the_recorded_ones(void **state)
{
    static const char *const attention[5] = {"heatkv/attention/scale0", "heatkv/attention/scale1",
                                             "heatkv/attention/scale2", "heatkv/attention/scale3",
                                             "heatkv/attention/scale4"};
    hsize_t shape[4];
    int *sides = read_dataset("heatkv/schedule", H5T_NATIVE_INT, shape);
    double *want = read_dataset("heatkv/score", H5T_NATIVE_DOUBLE, NULL), score[5 * 3 * 2];
    calibrating c = {0};
    skv_schedule *s = &c.what.schedule;

    (void)state;
    assert_int_equal(shape[0], 5);
    for (s->n_scales = 0; s->n_scales < 5; s->n_scales++) {
        s->h[s->n_scales] = sides[2 * s->n_scales];
        s->w[s->n_scales] = sides[2 * s->n_scales + 1];
        s->start[s->n_scales + 1] = s->start[s->n_scales] + skv_schedule_tokens(s, s->n_scales);
    }
    open_with(&c, 3);
    for (int si = 0; si < 5; si++)
        show_all(&c, si, attention[si]);
    add_picture(&c);
    skv_calibration_heat(&c.all, score);
    near(score + (ptrdiff_t)2 * 6, want, 2 * 6); /* the first two are sinks */
    free(sides);
    free(want);
    done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asi_and_drafters_are_the_recorded_ones),
        cmocka_unit_test(heatkv_scores_are_the_recorded_ones),
    };
    int failed;

    file = H5Fopen(SKV_TEST_DATA "/policies.h5", H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    H5Fclose(file);
    return failed;
}
