/* Which configs and checkpoints are taken for a T5 encoder, and what a refusal names. */
#include "model/t5.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "temp_folder.h"

#define FOLDER SKV_TEST_DATA "/tiny_t5"

/* The tiny model's config with `old` replaced by `new` in `path`. */
static void write_config(const char *path, const char *old, const char *new)
{
    char *text = NULL, *at, *changed;
    size_t n;

    assert_int_equal(skv_file_read(&text, &n, FOLDER "/config.json", 1 << 20), SKV_OK);
    at = strstr(text, old);
    assert_non_null(at);
    changed = malloc(n + strlen(new) + 1);
    assert_non_null(changed);
    sprintf(changed, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
    assert_int_equal(skv_file_write(path, changed, strlen(changed)), SKV_OK);
    free(changed);
    free(text);
}

static void a_config_gives_the_encoders_sizes(void **state)
{
    skv_t5_dims d, formula;
    skv_weights *w = NULL;

    (void)state;
    assert_int_equal(skv_t5_read_config(&d, FOLDER "/config.json"), SKV_OK);
    assert_int_equal(d.d_model, 256);
    assert_int_equal(d.d_kv, 64);
    assert_int_equal(d.n_heads, 3);
    assert_int_equal(d.d_ff, 320);
    assert_int_equal(d.n_layers, 3);
    assert_int_equal(d.vocab_size, 1152);
    assert_int_equal(d.n_buckets, 32);
    assert_int_equal(d.max_distance, 128);
    assert_float_equal(d.eps, 1e-6f, 0);
    assert_int_equal(skv_t5_open(&w, &formula, "formula:tiny"), SKV_OK);
    skv_weights_close(w);
    assert_memory_equal(&d, &formula, sizeof d);
    assert_int_equal(skv_t5_open(&w, &formula, "formula:xxl"), SKV_E_ARG);
}

static void an_old_config_without_the_distance_means_128(void **state)
{
    skv_t5_dims d;

    (void)state;
    write_config(temp_path("config.json"), "\"relative_attention_max_distance\": 128,", "");
    assert_int_equal(skv_t5_read_config(&d, temp_path("config.json")), SKV_OK);
    assert_int_equal(d.max_distance, 128);
}

static void a_newer_configs_own_words_for_gated_gelu_are_taken(void **state)
{
    skv_t5_dims d;

    (void)state;
    write_config(temp_path("config.json"), "\"d_kv\": 64",
                 "\"d_kv\": 64, \"dense_act_fn\": \"gelu_new\", \"is_gated_act\": true");
    assert_int_equal(skv_t5_read_config(&d, temp_path("config.json")), SKV_OK);
    assert_int_equal(d.d_kv, 64);
}

static void configs_of_other_models_are_refused_by_key(void **state)
{
    static const struct {
        const char *old, *new, *key;
        skv_status status;
    } cases[] = {
        {"gated-gelu", "relu", "feed_forward_proj", SKV_E_UNSUPPORTED},
        {"gated-gelu", "gated-silu", "feed_forward_proj", SKV_E_UNSUPPORTED},
        {"\"t5\"", "\"mt5\"", "model_type", SKV_E_UNSUPPORTED},
        {"\"d_kv\": 64", "\"d_kv\": 64, \"dense_act_fn\": \"gelu\"", "dense_act_fn",
         SKV_E_UNSUPPORTED},
        {"\"d_kv\": 64", "\"d_kv\": 64, \"is_gated_act\": false", "is_gated_act",
         SKV_E_UNSUPPORTED},
        {"\"pad_token_id\": 0", "\"pad_token_id\": 3", "pad_token_id", SKV_E_UNSUPPORTED},
        {"\"eos_token_id\": 1", "\"eos_token_id\": null", "eos_token_id", SKV_E_FORMAT},
        {"\"model_type\": \"t5\",", "", "model_type", SKV_E_FORMAT},
        {"\"feed_forward_proj\": \"gated-gelu\",", "", "feed_forward_proj", SKV_E_FORMAT},
        {"\"d_kv\": 64,", "", "d_kv", SKV_E_FORMAT},
        {"\"layer_norm_epsilon\": 1e-06,", "", "layer_norm_epsilon", SKV_E_FORMAT},
        {"1e-06", "0.0", "layer_norm_epsilon", SKV_E_FORMAT},
        {"\"num_heads\": 3", "\"num_heads\": 0", "num_heads", SKV_E_FORMAT},
        {"\"d_ff\": 320", "\"d_ff\": 320.5", "d_ff", SKV_E_FORMAT},
        {"\"num_layers\": 3", "\"num_layers\": 99999999999", "num_layers", SKV_E_FORMAT},
        {"num_buckets\": 32", "num_buckets\": 33", "relative_attention_num_buckets", SKV_E_FORMAT},
        {"max_distance\": 128", "max_distance\": 8", "relative_attention_max_distance",
         SKV_E_FORMAT}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *path = temp_path("config.json");
        skv_t5_dims d;

        write_config(path, cases[i].old, cases[i].new);
        assert_int_equal(skv_t5_read_config(&d, path), cases[i].status);
        assert_non_null(strstr(skv_message(), cases[i].key));
        assert_non_null(strstr(skv_message(), path));
    }
}

/* A folder with the tiny model's weights under a config that asks for other ones. */
static void open_with_config(skv_weights **w, skv_t5_dims *d, const char *old, const char *new)
{
    static const char *const files[] = {"model-00001-of-00002.safetensors",
                                        "model-00002-of-00002.safetensors",
                                        "model.safetensors.index.json"};
    char target[PATH_MAX];

    for (size_t i = 0; i < 3; i++) {
        snprintf(target, sizeof target, FOLDER "/%s", files[i]);
        if (access(temp_path(files[i]), F_OK) != 0)
            assert_int_equal(symlink(target, temp_path(files[i])), 0);
    }
    write_config(temp_path("config.json"), old, new);
    if (skv_t5_open(w, d, temp_folder()) != SKV_OK)
        fail_msg("%s", skv_message());
}

static void missing_and_misshapen_tensors_are_named(void **state)
{
    skv_backend *be = NULL;
    skv_weights *w = NULL;
    skv_t5_dims d;
    size_t bytes;

    (void)state;
    assert_int_equal(skv_backend_open_cpu(&be, 1), SKV_OK);
    open_with_config(&w, &d, "\"num_layers\": 3", "\"num_layers\": 4");
    assert_int_not_equal(skv_t5_plan(&bytes, be, w, &d), SKV_OK);
    assert_non_null(strstr(skv_message(), "encoder.block.3.layer.0.SelfAttention.q.weight"));
    skv_weights_close(w);
    open_with_config(&w, &d, "\"d_ff\": 320", "\"d_ff\": 321");
    assert_int_not_equal(skv_t5_plan(&bytes, be, w, &d), SKV_OK);
    assert_non_null(strstr(skv_message(), "encoder.block.0.layer.1.DenseReluDense.wi_0.weight"));
    skv_weights_close(w);
    open_with_config(&w, &d, "\"vocab_size\": 1152", "\"vocab_size\": 1153");
    assert_int_not_equal(skv_t5_plan(&bytes, be, w, &d), SKV_OK);
    assert_non_null(strstr(skv_message(), "shared.weight"));
    skv_weights_close(w);
    skv_backend_destroy(be);
}

static void the_plan_is_what_is_taken_and_bad_ids_are_refused(void **state)
{
    static const int32_t start[] = {0, 2}, too_high[] = {5, 1152}, negative[] = {-1, 1};
    static const int32_t good[] = {5, 1};
    skv_backend *be = NULL;
    skv_weights *w = NULL;
    skv_t5 *t = NULL;
    skv_t5_dims d;
    skv_arena scratch;
    skv_tensor out;
    void *memory, *result;
    size_t bytes;

    (void)state;
    assert_int_equal(skv_backend_open_cpu(&be, 1), SKV_OK);
    assert_int_equal(skv_t5_open(&w, &d, "formula:tiny"), SKV_OK);
    assert_int_equal(skv_t5_create(&t, be, w, &d), SKV_OK);
    bytes = skv_t5_scratch_bytes(&d, be, 2);
    assert_int_equal(skv_backend_alloc(be, &memory, bytes, "scratch"), SKV_OK);
    assert_int_equal(skv_backend_alloc(be, &result, 2 * 256 * sizeof(float), "out"), SKV_OK);
    skv_arena_init(&scratch, "scratch", memory, bytes);
    out = SKV_TENSOR(result, SKV_F32, be->device, 2, 256);
    assert_int_equal(skv_t5_encode(t, good, start, 1, &out, &scratch), SKV_OK);
    assert_int_equal(scratch.high, bytes);
    assert_int_equal(scratch.used, 0);
    assert_int_equal(skv_t5_encode(t, too_high, start, 1, &out, &scratch), SKV_E_ARG);
    assert_int_equal(skv_t5_encode(t, negative, start, 1, &out, &scratch), SKV_E_ARG);
    scratch.bytes = bytes - SKV_ALIGN;
    assert_int_equal(skv_t5_encode(t, good, start, 1, &out, &scratch), SKV_E_MEM);
    assert_int_equal(scratch.used, 0);
    skv_backend_free(be, result);
    skv_backend_free(be, memory);
    skv_t5_destroy(t);
    skv_weights_close(w);
    skv_backend_destroy(be);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(a_config_gives_the_encoders_sizes),
                                       CASE(an_old_config_without_the_distance_means_128),
                                       CASE(a_newer_configs_own_words_for_gated_gelu_are_taken),
                                       CASE(configs_of_other_models_are_refused_by_key),
                                       CASE(missing_and_misshapen_tensors_are_named),
                                       CASE(the_plan_is_what_is_taken_and_bad_ids_are_refused)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
