/* Names behind prefixes and between wrappers; files given for others. */
#include "io/checkpoint_kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "temp_folder.h"
#include "write_checkpoint.h"

#include "cmocka_all.h"

#define MOST 8

static const float values[2048];

/* Opens a file of tensors of one number each, by these names (NULL-terminated). */
static skv_checkpoint *of(const char *const *names)
{
    test_tensor t[MOST];
    skv_checkpoint *ck = NULL;
    test_bytes b;
    size_t n = 0;

    for (; names[n]; n++)
        t[n] = (test_tensor){names[n], 1, {1}, values};
    make_safetensors(&b, t, n, SKV_F32);
    bytes_save(&b, temp_path("w"));
    free(b.data);
    if (skv_checkpoint_open(&ck, temp_path("w")) != SKV_OK)
        fail_msg("%s", skv_message());
    return ck;
}
#define OF(...) of((const char *const[]){__VA_ARGS__, NULL})

static void names_are_found_behind_any_prefix(void **state)
{
    static const char *const prefixes[] = {"",
                                           "module.",
                                           "model.",
                                           "state_dict.",
                                           "_orig_mod.",
                                           "_fsdp_wrapped_module.",
                                           "trainer.gpt_fsdp.",
                                           "state_dict.model.module._orig_mod.",
                                           "module._orig_mod._fsdp_wrapped_module.",
                                           "ema_model."};

    (void)state;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        char mark[256], other[256];
        skv_checkpoint *ck;

        snprintf(mark, sizeof mark, "%sword_embed.weight", prefixes[i]);
        snprintf(other, sizeof other, "%sblock_chunks.0.module.0.ada_gss", prefixes[i]);
        ck = OF(mark, other, "epoch");
        assert_int_equal(skv_checkpoint_enter(ck, SKV_KIND_TRANSFORMER, "w"), SKV_OK);
        assert_non_null(skv_checkpoint_find(ck, "word_embed.weight"));
        assert_non_null(skv_checkpoint_find(ck, "block_chunks.0.module.0.ada_gss"));
        assert_int_equal(skv_checkpoint_taken_off(ck) == NULL, i == 0);
        skv_checkpoint_close(ck);
    }
}

static void wrappers_inside_a_name_are_taken_out(void **state)
{
    skv_checkpoint *ck = OF("model.word_embed.weight",
                            "model.blocks.0._fsdp_wrapped_module._checkpoint_wrapped_module.w",
                            "model.blocks.1._orig_mod.w", "model.not_orig_mod.w");

    (void)state;
    assert_int_equal(skv_checkpoint_enter(ck, SKV_KIND_TRANSFORMER, "w"), SKV_OK);
    assert_non_null(skv_checkpoint_find(ck, "blocks.0.w"));
    assert_non_null(skv_checkpoint_find(ck, "blocks.1.w"));
    assert_non_null(skv_checkpoint_find(ck, "not_orig_mod.w"));
    assert_non_null(strstr(skv_checkpoint_taken_off(ck), "\"model.\" and \"_"));
    skv_checkpoint_close(ck);
}

/* What upstream loads, whatever comes first by name; the other place is named. */
static void of_two_places_the_plain_one_counts(void **state)
{
    static const char *const passed_over[] = {"a.ema.",        "EMA.",    "model_ema.",
                                              "gpt_ema_fsdp.", "shadow.", "x.y.z."};

    (void)state;
    for (size_t i = 0; i < sizeof passed_over / sizeof passed_over[0]; i++) {
        char mark[256], other[256];
        skv_checkpoint *ck;

        snprintf(mark, sizeof mark, "%sword_embed.weight", passed_over[i]);
        snprintf(other, sizeof other, "%sonly_there", passed_over[i]);
        ck = OF(mark, other, "trainer.gemma.word_embed.weight", "trainer.gemma.here");
        assert_int_equal(skv_checkpoint_enter(ck, SKV_KIND_TRANSFORMER, "w"), SKV_OK);
        assert_non_null(skv_checkpoint_find(ck, "here"));
        assert_null(skv_checkpoint_find(ck, "only_there"));
        assert_non_null(strstr(skv_checkpoint_taken_off(ck), passed_over[i]));
        skv_checkpoint_close(ck);
    }
}

static void a_mark_is_a_whole_name(void **state)
{
    skv_checkpoint *ck = OF("crossword_embed.weight", "word_embed.weight.exp_avg");

    (void)state;
    assert_int_equal(skv_checkpoint_enter(ck, SKV_KIND_TRANSFORMER, "w"), SKV_E_NOTFOUND);
    assert_non_null(strstr(skv_message(), "named word_embed.weight: want an Infinity transformer"));
    skv_checkpoint_close(ck);
}

static void a_file_given_for_another_is_called_what_it_is(void **state)
{
    static const struct {
        const char *name, *with, *is;
        skv_kind want;
    } known[] = {
        {"word_embed.weight", "cfg_uncond", "is an Infinity transformer, want an Infinity VAE",
         SKV_KIND_VAE},
        {"vae.decoder.conv_in.conv.weight", "x", "is an Infinity VAE, want an Infinity transformer",
         SKV_KIND_TRANSFORMER},
        {"encoder.block.0.layer.0.SelfAttention.q.weight", "x", "is a T5 text encoder",
         SKV_KIND_VAE},
        {"word_embed.weight", "class_emb.weight", "is a VAR transformer", SKV_KIND_TRANSFORMER},
        {"decoder.conv_in.weight", "decoder.mid.attn_1.q.weight", "is a VAE of Stable Diffusion",
         SKV_KIND_VAE},
        {"decoder.conv_in.weight", "decoder.mid_block.resnets.0.conv1.weight",
         "is a VAE of diffusers", SKV_KIND_VAE},
        {"Mixed_5b.branch1x1.conv.weight", "AuxLogits.fc.weight", "is torchvision's Inception",
         SKV_KIND_INCEPTION},
        {"Mixed_5b.branch1x1.conv.weight", "fc.weight", "is torchvision's or timm's Inception",
         SKV_KIND_INCEPTION},
        {"Mixed_5b.branch1x1.conv.weight", "x", "is an Inception v3 without fc.weight",
         SKV_KIND_INCEPTION},
        {"Mixed_5b.branch1x1.conv.weight", "x", "is an Inception v3", SKV_KIND_ALEXNET},
        {"blocks.2.0.branch1x1.conv.weight", "x", "is pytorch-fid's Inception v3 cut into blocks",
         SKV_KIND_INCEPTION},
        {"features.0.weight", "features.2.weight", "is a VGG", SKV_KIND_ALEXNET},
        {"features.0.weight", "x", "is torchvision's AlexNet", SKV_KIND_LPIPS},
        {"lin0.model.1.weight", "lin5.model.1.weight", "for SqueezeNet", SKV_KIND_LPIPS},
        {"text_model.embeddings.token_embedding.weight", "x", "is a CLIP model", SKV_KIND_T5},
        {"model.layers.0.self_attn.q_proj.weight", "x", "is a language model", SKV_KIND_T5},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        skv_checkpoint *ck = OF(known[i].name, known[i].with);

        assert_int_equal(skv_checkpoint_enter(ck, known[i].want, "file"), SKV_E_ARG);
        if (!strstr(skv_message(), known[i].is) || !strstr(skv_message(), "file is"))
            fail_msg("\"%s\", want \"%s\"", skv_message(), known[i].is);
        skv_checkpoint_close(ck);
    }
}

/* pytorch-fid's file has the same names as torchvision's, but 1008 classes. */
static void pytorch_fids_own_classes_are_taken(void **state)
{
    const test_tensor t[] = {{"Mixed_5b.branch1x1.conv.weight", 1, {1}, values},
                             {"fc.weight", 2, {1008, 2}, values}};
    skv_checkpoint *ck = NULL;
    test_bytes b;

    (void)state;
    make_safetensors(&b, t, 2, SKV_F32);
    bytes_save(&b, temp_path("w"));
    free(b.data);
    assert_int_equal(skv_checkpoint_open(&ck, temp_path("w")), SKV_OK);
    assert_int_equal(skv_checkpoint_enter(ck, SKV_KIND_INCEPTION, "w"), SKV_OK);
    skv_checkpoint_close(ck);
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, temp_folder_make, temp_folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(names_are_found_behind_any_prefix),
        IN_FOLDER(wrappers_inside_a_name_are_taken_out),
        IN_FOLDER(of_two_places_the_plain_one_counts),
        IN_FOLDER(a_mark_is_a_whole_name),
        IN_FOLDER(a_file_given_for_another_is_called_what_it_is),
        IN_FOLDER(pytorch_fids_own_classes_are_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
