/* Rows of options that other commands than sample have too, each word for word the same. The table
 * of such a command is about a struct that begins with a skv_settings. */
#ifndef SKV_SAMPLE_SETTINGS_ROWS_H
#define SKV_SAMPLE_SETTINGS_ROWS_H

#include "sample/settings.h"

#define SKV_SETTING(...)      SKV_OPTION(skv_settings, __VA_ARGS__)
#define SKV_SETTING_WORD(...) SKV_OPTION_WORD(skv_settings, __VA_ARGS__)

#define SKV_SETTINGS_MODEL                                                                         \
    SKV_SETTING(model, STRING, NULL, "refuse a checkpoint that is not this variant: 2b, 8b, ...",  \
                "Model"),                                                                          \
        SKV_SETTING(transformer, PATH, NULL,                                                       \
                    "checkpoint (file, folder or index), or formula:NAME", NULL),                  \
        SKV_SETTING(vae, PATH, NULL, "checkpoint of the VAE, or formula:NAME", NULL),              \
        SKV_SETTING(t5, PATH, NULL, "folder of flan-t5-xl, or formula:xl", NULL),                  \
        SKV_SETTING(spm, PATH, NULL, "spiece.model, if it is not in the folder of --t5", NULL)

#define SKV_SETTINGS_PROMPTS                                                                       \
    SKV_SETTING(                                                                                   \
        prompts, PATH, NULL,                                                                       \
        "list of prompts: text, JSON Lines, JSON, CSV, TSV, as the sets of the field come; a "     \
        "folder of .txt files, each a prompt, or of lists; - is standard input",                   \
        "Prompts"),                                                                                \
        {.key = "prompt",                                                                          \
         .type = SKV_OPT_STRING,                                                                   \
         .offset = offsetof(skv_settings, prompt),                                                 \
         .help = "one prompt, in place of a list",                                                 \
         .instead = "prompts"},                                                                    \
        SKV_OPTION_PROMPT_KEYS(skv_settings),                                                      \
        SKV_SETTING_WORD(prompt_order, "images|image_id", "images",                                \
                         "COCO: prompts in the order of the file's images, or by image id", NULL), \
        SKV_SETTING(                                                                               \
            rewrite_cache, PATH, NULL,                                                             \
            "JSON object from a prompt to the text that is encoded in its place (GenEval's "       \
            "rewritten prompts)",                                                                  \
            NULL)

#define SKV_SETTING_TEXT_CACHE                                                                     \
    SKV_SETTING(text_cache, PATH, NULL,                                                            \
                "file of encoded prompts: missing ones are encoded and added; T5 is loaded only "  \
                "for these, and freed before sampling",                                            \
                NULL)

#define SKV_SETTING_DRY_RUN                                                                        \
    SKV_OPTION_ONCE(skv_settings, dry_run, BOOL, "false",                                          \
                    "print the plan (ranks, groups, memory, disk) and stop", NULL)

#define SKV_SETTINGS_DRAWS                                                                         \
    SKV_SETTING(samples, INT, "1", "pictures of each prompt", NULL),                               \
        SKV_SETTING(seed, U64, "0", "seed of the run", NULL),                                      \
        SKV_SETTING_WORD(seed_rule, "row|index|prompt|run|dpg", "row",                             \
                         "a picture's random numbers; row: by the run's seed plus its row; "       \
                         "index: by the prompt's "                                                 \
                         "index plus the sample (COCO); prompt: by the run's seed, a prompt's "    \
                         "samples one after "                                                      \
                         "another (GenEval, ImageReward); run: the same for all rows (HPSv2); "    \
                         "dpg: by the run's "                                                      \
                         "seed plus 4 times the prompt's index plus the sample",                   \
                         NULL),                                                                    \
        SKV_SETTING(                                                                               \
            torch_gpu, STRING, SKV_TORCH_GPU,                                                      \
            "the GPU whose random numbers under torch are drawn, so that a seed gives upstream's " \
            "picture: " SKV_TORCH_GPU_HELP,                                                        \
            NULL),                                                                                 \
        SKV_SETTING(negative, STRING, NULL,                                                        \
                    "negative prompt of all prompts that have none of their own", NULL),           \
        SKV_SETTING(positive, BOOL, "false",                                                       \
                    "append upstream's sentence about faces to prompts about people", NULL),       \
        SKV_SETTING_WORD(tokens, "upstream|plain", "upstream",                                     \
                         "tokenizer: as Hugging Face's fast one, or plain SentencePiece", NULL)

#define SKV_SETTINGS_PICTURE                                                                       \
    SKV_SETTING(ratio, REAL, "1", "height / width", "Picture"),                                    \
        SKV_SETTING_WORD(resolution, "0.06M|0.25M|0.60M|1M", "1M", "pixels of a picture", NULL),   \
        SKV_SETTING(cfg, REALS, "3", "guidance: one number, or one for each scale", NULL),         \
        SKV_SETTING(tau, REALS, "1", "temperature: one number, or one for each scale", NULL),      \
        SKV_SETTING(top_p, REAL, "0.97",                                                           \
                    "nucleus threshold of the draw between a bit's two values", NULL),             \
        SKV_SETTING(cfg_insertion_layer, INT, "0",                                                 \
                    "where guidance is applied: 0 on the logits, -K on the output of the K-th "    \
                    "layer from the "                                                              \
                    "end",                                                                         \
                    NULL)

#define SKV_SETTINGS_DEVICE                                                                        \
    SKV_OPTION_DEVICE(skv_settings), SKV_OPTION_DTYPE(skv_settings),                               \
        SKV_OPTION_MEMORY_LIMIT(skv_settings), SKV_OPTION_THREADS(skv_settings),                   \
        SKV_SETTING(allow_other_device, BOOL, "false",                                             \
                    "accept ranks that differ in CPU family or GPU model", NULL),                  \
        SKV_OPTION_RANKS(skv_settings)

#endif
