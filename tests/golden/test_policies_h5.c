/* The policies against policies.h5, the answers of an independent implementation. Keys and raw
 * queries lie on a binary grid, so ScaleKV's sets are exact; the softmax policies' cuts have a
 * relative margin of at least 2.6e-5, above what any fp32 exp and summing order can move. So every
 * set is compared with ==. */
#include "cache/budget.h"

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache/heatkv.h"
#include "cmocka_all.h"
#include "test_device.h"

static hid_t file;

/* Whole dataset as fp32 or i32; shape has room for 4. */
static void *read_dataset(const char *path, hid_t type, hsize_t *shape)
{
    hid_t set = H5Dopen2(file, path, H5P_DEFAULT), space;
    hsize_t own[4];
    hssize_t n;
    void *data;

    assert_true(set >= 0);
    space = H5Dget_space(set);
    assert_true(H5Sget_simple_extent_ndims(space) <= 4);
    H5Sget_simple_extent_dims(space, shape ? shape : own, NULL);
    n = H5Sget_simple_extent_npoints(space);
    data = malloc((size_t)n * H5Tget_size(type));
    assert_non_null(data);
    assert_true(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    H5Sclose(space);
    H5Dclose(set);
    return data;
}

static int attribute(const char *object, const char *name)
{
    hid_t a = H5Aopen_by_name(file, object, name, H5P_DEFAULT, H5P_DEFAULT);
    int value;

    assert_true(a >= 0 && H5Aread(a, H5T_NATIVE_INT, &value) >= 0);
    H5Aclose(a);
    return value;
}

/* Name of the i-th link of a group; false behind the last. */
static bool link_name(char name[64], const char *group, hsize_t i)
{
    H5G_info_t info;

    assert_true(H5Gget_info_by_name(file, group, &info, H5P_DEFAULT) >= 0);
    if (i >= info.nlinks)
        return false;
    assert_true(
        H5Lget_name_by_idx(file, group, H5_INDEX_NAME, H5_ITER_INC, i, name, 64, H5P_DEFAULT) >= 0);
    return true;
}

static bool exists(const char *path)
{
    return H5Lexists(file, path, H5P_DEFAULT) > 0;
}

/* One case of select/: a map h×w behind `history` cached tokens. */
typedef struct {
    char path[128];
    int h, w, history, len, rows, heads, dim;
    float *k, *q_raw, *q; /* (R,H,len,D), (R,H,L,D) twice */
    skv_dims dims;
    skv_schedule schedule; /* the history, the map, one more scale */
    skv_backend *be;
    skv_arena scratch;
} golden_case;

static void open_case(golden_case *c, const char *name)
{
    char path[192];
    hsize_t shape[4];
    size_t bytes;
    void *p;

    memset(c, 0, sizeof *c);
    snprintf(c->path, sizeof c->path, "select/%s", name);
    c->h = attribute(c->path, "h");
    c->w = attribute(c->path, "w");
    c->history = attribute(c->path, "history");
    c->len = attribute(c->path, "length");
    snprintf(path, sizeof path, "%s/K", c->path);
    c->k = read_dataset(path, H5T_NATIVE_FLOAT, shape);
    c->rows = (int)shape[0];
    c->heads = (int)shape[1];
    c->dim = (int)shape[3];
    assert_int_equal(shape[2], c->len);
    snprintf(path, sizeof path, "%s/Qraw", c->path);
    c->q_raw = read_dataset(path, H5T_NATIVE_FLOAT, NULL);
    snprintf(path, sizeof path, "%s/Qatt", c->path);
    c->q = read_dataset(path, H5T_NATIVE_FLOAT, NULL);
    c->dims = (skv_dims){.depth = 1, .heads = c->heads, .head_dim = c->dim};
    c->schedule = (skv_schedule){.n_scales = 3,
                                 .h = {1, c->h, 1},
                                 .w = {c->history, c->w, 1},
                                 .start = {0, c->history, c->len, c->len + 1}};
    assert_int_equal(test_backend_open(&c->be, 1), SKV_OK);
    bytes = 2 * skv_align_up((size_t)(c->rows * c->heads * c->len) * sizeof(float));
    assert_int_equal(skv_backend_alloc(c->be, &p, bytes, "scratch"), SKV_OK);
    skv_arena_init(&c->scratch, "scratch", p, bytes);
}

static void close_case(golden_case *c)
{
    free(c->k);
    free(c->q_raw);
    free(c->q);
    skv_backend_free(c->be, c->scratch.base);
    skv_backend_destroy(c->be);
}

static skv_policy_state *configure(const golden_case *c, const skv_policy *policy, int cap,
                                   const char *options)
{
    int limit = skv_schedule_tokens(&c->schedule, 0) + skv_schedule_tokens(&c->schedule, 1);
    int most = cap < c->len ? cap : c->len;
    skv_budget_row row = {.scale = 3, .limit = limit, .max = most, .min = most};
    skv_drafters none = {{0}};
    skv_budget *budget = NULL;
    skv_policy_state *s = NULL;
    json_t *json = json_loads(options, 0, NULL);

    assert_non_null(json);
    assert_int_equal(skv_budget_from_rows(&budget, &c->dims, &c->schedule, &row, 1, &none, "case"),
                     SKV_OK);
    if (skv_policy_open(&s, policy,
                        &(skv_policy_setup){.dims = &c->dims,
                                            .schedule = &c->schedule,
                                            .base = cap,
                                            .budget = budget,
                                            .options = json}) != SKV_OK)
        fail_msg("%s: %s", policy->name, skv_message());
    json_decref(json);
    skv_budget_destroy(budget);
    return s;
}

/* The raw queries of the tokens that the policy names: (R,n,H,D). */
static float *gather_raw(const golden_case *c, const int32_t *window, int n)
{
    size_t d = (size_t)c->dim;
    float *out = malloc((size_t)(c->rows * n * c->heads) * d * sizeof *out);

    assert_non_null(out);
    for (int r = 0; r < c->rows; r++)
        for (int i = 0; i < n; i++)
            for (int h = 0; h < c->heads; h++)
                memcpy(out + (size_t)((r * n + i) * c->heads + h) * d,
                       c->q_raw + (size_t)((r * c->heads + h) * c->h * c->w + window[i]) * d,
                       d * sizeof *out);
    return out;
}

/* A copy of the host's tensor where the policy works. */
static skv_tensor put(const golden_case *c, skv_tensor host)
{
    const size_t bytes = skv_tensor_bytes(&host);
    skv_tensor t = host;

    assert_int_equal(skv_backend_alloc(c->be, &t.data, bytes, "a tensor"), SKV_OK);
    assert_int_equal(skv_backend_upload(c->be, t.data, host.data, bytes), SKV_OK);
    t.device = c->be->device;
    return t;
}

static void run_select(golden_case *c, const skv_policy *policy, const skv_policy_state *s,
                       int n_keep, int32_t *keep)
{
    int64_t tokens = c->h * c->w;
    int32_t window[SKV_MAX_WINDOW];
    float *raw = NULL;
    int32_t len[SKV_MAX_HEADS], kept[SKV_MAX_HEADS];
    int n = 0;
    skv_select_args a = {.si = 1, .len = len, .n_keep = kept, .scratch = &c->scratch};
    skv_queries kind = policy->queries(s, 1, window, &n);

    a.k = put(c, SKV_TENSOR(c->k, SKV_F32, SKV_HOST, c->rows, c->heads, c->len, c->dim));
    a.keep = put(c, SKV_TENSOR(keep, SKV_I32, SKV_HOST, c->rows, c->heads * n_keep));
    for (int h = 0; h < c->heads; h++) {
        len[h] = c->len;
        kept[h] = n_keep;
    }
    if (kind == SKV_QUERIES_RAW) {
        raw = gather_raw(c, window, n);
        a.q_raw = put(c, SKV_TENSOR(raw, SKV_F32, SKV_HOST, c->rows, n, c->heads, c->dim));
    } else if (kind == SKV_QUERIES_TRUE) { /* the file has the heads first */
        a.q = put(c, SKV_TENSOR(c->q, SKV_F32, SKV_HOST, c->rows, tokens, c->heads, c->dim));
        a.q.stride[1] = c->dim;
        a.q.stride[2] = tokens * c->dim;
    }
    if (policy->select(s, c->be, &a) != SKV_OK)
        fail_msg("%s, %s: %s", c->path, policy->name, skv_message());
    skv_arena_reset(&c->scratch, 0);
    assert_int_equal(skv_backend_download(c->be, keep, a.keep.data, skv_tensor_bytes(&a.keep)),
                     SKV_OK);
    skv_backend_free(c->be, a.k.data);
    skv_backend_free(c->be, a.q.data);
    skv_backend_free(c->be, a.q_raw.data);
    skv_backend_free(c->be, a.keep.data);
    free(raw);
}

/* The set at `path` against ours; the golden set is everything when the capacity is that large. */
static void check_set(golden_case *c, const skv_policy *policy, const skv_policy_state *s,
                      const char *path)
{
    hsize_t shape[4];
    int32_t *want = read_dataset(path, H5T_NATIVE_INT32, shape), *got;
    int cap = policy->capacity(s, 0, 0, 1), n = cap < c->len ? cap : c->len;
    size_t count = (size_t)(shape[0] * shape[1] * shape[2]);

    assert_int_equal(shape[2], n);
    got = malloc(count * sizeof *got);
    assert_non_null(got);
    if (n < c->len)
        run_select(c, policy, s, n, got);
    for (size_t i = 0; i < count; i++)
        if (n == c->len)
            assert_int_equal(want[i], i % shape[2]);
        else if (want[i] != got[i])
            fail_msg("%s: place %zu is %d, want %d", path, i, got[i], want[i]);
    free(want);
    free(got);
}

/* All capacities of one policy's group; the number of sets. */
static int check_policy(golden_case *c, const char *group, const char *policy_name,
                        const char *options)
{
    char folder[192], name[64], path[300];
    const skv_policy *policy;
    int n = 0;

    assert_int_equal(skv_policy_find(&policy, policy_name), SKV_OK);
    snprintf(folder, sizeof folder, "%s/%s", c->path, group);
    for (; exists(folder) && link_name(name, folder, (hsize_t)n); n++) {
        int cap = atoi(name + strlen("cap"));
        skv_policy_state *s = configure(c, policy, cap, options);

        snprintf(path, sizeof path, "%s/%s", folder, name);
        check_set(c, policy, s, path);
        skv_policy_close(policy, s);
    }
    return n;
}

static void every_policy_keeps_the_recorded_sets(void **state)
{
    char name[64], scalekv[64], snap[96], snap_max[96];
    int sets = 0;

    (void)state;
    for (hsize_t i = 0; link_name(name, "select", i); i++) {
        golden_case c;
        int kernel, window;

        open_case(&c, name);
        kernel = attribute(c.path, "kernel");
        window = attribute(c.path, "window_snapkv");
        snprintf(scalekv, sizeof scalekv, "{\"kernel\": %d}", kernel);
        snprintf(snap, sizeof snap, "{\"kernel\": %d, \"window\": %d}", kernel, window);
        snprintf(snap_max, sizeof snap_max,
                 "{\"kernel\": %d, \"window\": %d, \"pooling\": \"max\"}", kernel, window);
        sets += check_policy(&c, "scalekv", "scalekv", scalekv);
        sets += check_policy(&c, "scalekv_paper", "scalekv-paper", scalekv);
        sets += check_policy(&c, "sliding", "sliding", "{}");
        sets += check_policy(&c, "streaming4", "streaming", "{\"sinks\": 4}");
        sets += check_policy(&c, "snapkv", "snapkv", snap);
        sets += check_policy(&c, "snapkv_max", "snapkv", snap_max);
        close_case(&c);
    }
    assert_int_equal(sets, 243); /* all of the file */
}

static void scalekv_observes_the_recorded_window(void **state)
{
    char name[64], path[192];
    const skv_policy *policy;

    (void)state;
    assert_int_equal(skv_policy_find(&policy, "scalekv"), SKV_OK);
    for (hsize_t i = 0; link_name(name, "select", i); i++) {
        golden_case c;
        int32_t window[SKV_MAX_WINDOW], *want;
        int n = 0;
        skv_policy_state *s;

        open_case(&c, name);
        s = configure(&c, policy, 20, "{}");
        snprintf(path, sizeof path, "%s/window_query", c.path);
        want = read_dataset(path, H5T_NATIVE_INT32, NULL);
        assert_int_equal(policy->queries(s, 1, window, &n), SKV_QUERIES_RAW);
        assert_int_equal(n, 16);
        assert_memory_equal(window, want, 16 * sizeof *want);
        free(want);
        skv_policy_close(policy, s);
        close_case(&c);
    }
}

/* Layer by layer: capacities of a cache of that length, then the sets. */
static int check_pyramid(const char *name, const char *mode)
{
    golden_case c;
    char group[192], path[300], options[128];
    const skv_policy *policy;
    skv_policy_state *s;
    int32_t *budget;
    int layers, cap;

    snprintf(group, sizeof group, "select/%s/pyramidkv_%s", name, mode);
    if (!exists(group))
        return 0;
    open_case(&c, name);
    layers = c.dims.depth = attribute(group, "layers");
    cap = attribute(group, "cap");
    snprintf(options, sizeof options, "{\"mode\": \"%s\", \"window\": %d, \"beta\": %d}", mode,
             attribute(group, "window"), attribute(group, "beta"));
    snprintf(path, sizeof path, "%s/budget", group);
    budget = read_dataset(path, H5T_NATIVE_INT32, NULL);
    assert_int_equal(skv_policy_find(&policy, "pyramidkv"), SKV_OK);
    c.schedule.w[0] = c.len; /* the whole cache as one scale, for the table */
    s = configure(&c, policy, cap, options);
    for (int l = 0; l < layers; l++)
        assert_int_equal(policy->capacity(s, l, 0, 0), budget[l]);
    skv_policy_close(policy, s);
    c.schedule.w[0] = c.history;
    s = configure(&c, policy, cap, options);
    for (int l = 0; l < layers; l++) {
        hsize_t shape[4];
        int32_t *want, *got;

        snprintf(path, sizeof path, "%s/layer%d", group, l);
        want = read_dataset(path, H5T_NATIVE_INT32, shape);
        assert_int_equal(shape[2], budget[l]);
        got = malloc((size_t)(shape[0] * shape[1] * shape[2]) * sizeof *got);
        assert_non_null(got);
        run_select(&c, policy, s, budget[l], got);
        assert_memory_equal(got, want, (size_t)(shape[0] * shape[1] * shape[2]) * sizeof *got);
        free(want);
        free(got);
    }
    skv_policy_close(policy, s);
    free(budget);
    close_case(&c);
    return 1;
}

static void pyramidkv_keeps_the_recorded_sets(void **state)
{
    char name[64];
    int n = 0;

    (void)state;
    for (hsize_t i = 0; link_name(name, "select", i); i++)
        n += check_pyramid(name, "release") + check_pyramid(name, "exact");
    assert_int_equal(n, 6);
}

static void check_budget(const char *path, const char *model, double ratio, double percent,
                         bool scaled)
{
    char name[128];
    skv_dims dims;
    skv_schedule s;
    skv_budget_rule rule = {.dims = &dims, .schedule = &s};
    skv_budget *b;
    hsize_t shape[4];
    int32_t *rows, *capacity, *sides;

    assert_int_equal(skv_dims_named(&dims, model), SKV_OK);
    assert_int_equal(skv_schedule_make(&s, ratio, "1M"), SKV_OK);
    snprintf(name, sizeof name, "%s/schedule", path);
    sides = read_dataset(name, H5T_NATIVE_INT32, NULL);
    for (int si = 0; si < s.n_scales; si++)
        assert_true(sides[2 * si] == s.h[si] && sides[2 * si + 1] == s.w[si]);
    rule.base = skv_policy_base(percent, &s);
    rule.floor = scaled ? skv_budget_floor(rule.base, 16) : 16;
    assert_int_equal(rule.base, attribute(path, "base"));
    assert_int_equal(rule.floor, attribute(path, "floor"));
    assert_int_equal(skv_drafters_known(&rule.drafters, &dims), SKV_OK);
    assert_int_equal(skv_budget_build(&b, &rule), SKV_OK);
    snprintf(name, sizeof name, "%s/rows", path);
    rows = read_dataset(name, H5T_NATIVE_INT32, shape);
    snprintf(name, sizeof name, "%s/capacity", path);
    capacity = read_dataset(name, H5T_NATIVE_INT32, NULL);
    assert_int_equal(shape[0], s.n_scales - 1 - skv_budget_first(b));
    for (int i = 0; i < (int)shape[0]; i++) {
        int drafters, si = skv_budget_first(b) + i;
        skv_budget_row r = skv_budget_row_at(b, si, &drafters);
        const int32_t got[5] = {r.scale, r.limit, r.max, r.min, drafters};

        assert_memory_equal(got, rows + 5 * i, sizeof got);
        for (int l = 0; l < dims.depth; l++)
            assert_int_equal(skv_budget_capacity(b, l, si), capacity[i * dims.depth + l]);
    }
    skv_budget_destroy(b);
    free(rows);
    free(capacity);
    free(sides);
}

static void budgets_are_the_recorded_tables(void **state)
{
    static const char *const models[] = {"2b", "8b"}, *const ratios[] = {"1.000", "1.333", "1.750"},
                             *const percents[] = {"4", "10", "20"};

    (void)state;
    for (int i = 0; i < 2 * 3 * 3; i++) {
        const char *model = models[i / 9], *ratio = ratios[i / 3 % 3], *percent = percents[i % 3];

        for (int scaled = 0; scaled < 2; scaled++) {
            char path[96];

            snprintf(path, sizeof path, "budget/%s/%s/%s/%s", model, ratio, percent,
                     scaled ? "scaled" : "window");
            check_budget(path, model, atof(ratio), atof(percent), scaled);
        }
    }
}

static void check_pyramid_table(const char *path, const char *model, double ratio, double percent,
                                int window, const char *mode)
{
    skv_dims dims;
    skv_schedule s;
    skv_policy_setup setup = {.dims = &dims, .schedule = &s};
    const skv_policy *policy;
    skv_policy_state *p;
    hsize_t shape[4];
    int32_t *rows = read_dataset(path, H5T_NATIVE_INT32, shape);
    json_t *options = json_pack("{s:i,s:s}", "window", window, "mode", mode);

    assert_int_equal(skv_dims_named(&dims, model), SKV_OK);
    assert_int_equal(skv_schedule_make(&s, ratio, "1M"), SKV_OK);
    assert_int_equal(shape[1], 2 + dims.depth);
    setup.base = skv_policy_base(percent, &s);
    setup.options = options;
    assert_int_equal(skv_policy_find(&policy, "pyramidkv"), SKV_OK);
    assert_int_equal(skv_policy_open(&p, policy, &setup), SKV_OK);
    for (int si = 0; si < s.n_scales - 1; si++) {
        int i = si + 2 - rows[0];

        for (int l = 0; l < dims.depth; l++)
            assert_int_equal(policy->capacity(p, l, 0, si),
                             i < 0 ? SKV_KEEP_ALL : rows[(int)shape[1] * i + 2 + l]);
    }
    assert_int_equal(rows[0] + (int)shape[0] - 1, s.n_scales);
    skv_policy_close(policy, p);
    json_decref(options);
    free(rows);
}

static void pyramids_are_the_recorded_tables(void **state)
{
    static const char *const models[] = {"2b", "8b"}, *const ratios[] = {"1.000", "1.333", "1.750"},
                             *const percents[] = {"4", "10", "20"},
                             *const modes[] = {"release", "exact"};

    (void)state;
    for (int i = 0; i < 2 * 3 * 3 * 2 * 2; i++) {
        const char *model = models[i / 36], *ratio = ratios[i / 12 % 3];
        const char *percent = percents[i / 4 % 3], *mode = modes[i % 2];
        int window = i / 2 % 2 ? 32 : 16;
        char path[96];

        snprintf(path, sizeof path, "pyramid/%s/%s/%s/w%d_%s", model, ratio, percent, window, mode);
        check_pyramid_table(path, model, atof(ratio), atof(percent), window, mode);
    }
}

/* budget: the share of all scales' tokens but the last one's. */
static void heatkv_drops_as_many_as_recorded(void **state)
{
    static const char *const models[] = {"2b", "8b"}, *const budgets[] = {"0.05", "0.1", "0.2"};
    skv_schedule s;

    (void)state;
    assert_int_equal(skv_schedule_make(&s, 1, "1M"), SKV_OK);
    for (int i = 0; i < 6; i++) {
        const double tokens = atof(budgets[i % 3]) * skv_schedule_history(&s);
        char path[64];
        hsize_t shape[4];
        skv_dims dims;
        int32_t *want;

        snprintf(path, sizeof path, "heatkv/drop_%s_%s", models[i / 3], budgets[i % 3]);
        want = read_dataset(path, H5T_NATIVE_INT32, shape);
        assert_int_equal(skv_dims_named(&dims, models[i / 3]), SKV_OK);
        assert_int_equal(shape[0], s.n_scales);
        for (int t = 0; t < s.n_scales; t++)
            assert_int_equal(skv_heatkv__dropped(&s, t, 3, dims.depth * dims.heads, tokens),
                             want[t]);
        free(want);
    }
}

static int open_file(void **state)
{
    (void)state;
    file = H5Fopen(SKV_TEST_DATA "/policies.h5", H5F_ACC_RDONLY, H5P_DEFAULT);
    return file < 0;
}

static int close_file(void **state)
{
    (void)state;
    return H5Fclose(file) < 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(budgets_are_the_recorded_tables),
        cmocka_unit_test(pyramids_are_the_recorded_tables),
        cmocka_unit_test(scalekv_observes_the_recorded_window),
        cmocka_unit_test(every_policy_keeps_the_recorded_sets),
        cmocka_unit_test(pyramidkv_keeps_the_recorded_sets),
        cmocka_unit_test(heatkv_drops_as_many_as_recorded),
    };

    return cmocka_run_group_tests(tests, open_file, close_file);
}
