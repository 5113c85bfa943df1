/* The layouts, a row each. README.md says where the rules were read. */
#include "eval/layout/layout_internal.h"

#include <string.h>

#include "core/text.h"

/* ---------------------------------- what evaluators take besides the files of the list */

/* T2I-CompBench lists samples/ and takes the number behind the last '_' of every name. */
static const char *every_sample(const char *name, bool folder)
{
    (void)folder;
    return strncmp(name, "samples/", 8) == 0
               ? "every entry of samples/ is scored, in the order of the numbers behind the last "
                 "'_'; a name without one stops the evaluator"
               : NULL;
}

/* OneIG globs <category>/<model>/<id>*. */
static const char *beginning_with_an_id(const char *name, bool folder)
{
    const char *last = strrchr(name, '/');

    (void)folder;
    return last && last[1] >= '0' && last[1] <= '9'
               ? "a prompt is not scored where a second name begins with its id"
               : NULL;
}

static const char *every_png(const char *name, bool folder)
{
    return !folder && !strchr(name, '/') && skv_ends_with(name, ".png")
               ? "every .png of the folder is scored"
               : NULL;
}

/* clean-fid looks for these in all folders. */
static const char *every_picture(const char *name, bool folder)
{
    static const char *const endings[] = {".png",  ".jpg", ".jpeg", ".webp", ".bmp", ".tif",
                                          ".tiff", ".npy", ".ppm",  ".pgm",  ".JPEG"};

    for (size_t i = 0; !folder && i < sizeof endings / sizeof *endings; i++)
        if (skv_ends_with(name, endings[i]))
            return "FID takes every picture in all folders";
    return folder ? "FID also reads the pictures of this folder" : NULL;
}

/* HPSv2 takes every folder for a style. */
static const char *every_folder(const char *name, bool folder)
{
    return folder && !strchr(name, '/')
               ? "every folder is taken for a style; one that is not stops the evaluator"
               : NULL;
}

/* ---------------------------------------------------------------------------- the rows */

static const skv_layout_category oneig_folders[] = {{"Anime_Stylization", "anime"},
                                                    {"Portrait", "human"},
                                                    {"General_Object", "object"},
                                                    {"Text_Rendering", "text"},
                                                    {"Knowledge_Reasoning", "reasoning"},
                                                    {"Multilingualism", "multilingualism"},
                                                    {NULL, NULL}};

const skv_layout skv_layouts[] = {
    {.name = "geneval",
     .benchmark = "GenEval",
     .incomplete = "scored with fewer pictures, so it counts less than the others",
     .summary = "00000/metadata.jsonl, 00000/samples/00000.png",
     .samples = 4,
     .prompts = 553,
     .tiles = 1,
     .picture = "{index:5}/samples/{sample:5}.png",
     .metadata = "{index:5}/metadata.jsonl",
     .metadata_fault = skv_layout__geneval_fault,
     .judge = skv_layout__geneval_judge,
     .command = "python evaluation/evaluate_images.py {folder} --outfile "
                "{folder}.results/results.jsonl --model-path <folder of the Mask2Former "
                "checkpoint>\n"
                "python evaluation/summary_scores.py {folder}.results/results.jsonl\n"
                "skv scores RUN --geneval {folder}.results/results.jsonl"},
    {.name = "dpg",
     .benchmark = "DPG-Bench",
     .incomplete = "left out: its picture takes all samples",
     .summary = "<item id>.png, four samples two by two",
     .samples = 4,
     .prompts = 1065,
     .tiles = 2,
     .square = true,
     .picture = "{id}.png",
     .refuse = skv_layout__dpg_refuse,
     .judge = skv_layout__dpg_judge,
     .command = "PYTHONHASHSEED=0 PIC_NUM=4 bash dpg_bench/dist_eval.sh {folder} {side}\n"
                "skv scores RUN --dpg {folder}/dpg-bench_*_results.txt"},
    {.name = "coco",
     .benchmark = "COCO (ScaleKV)",
     .incomplete = "",
     .summary = "0000.png, named by the prompt's index",
     .samples = 1,
     .prompts = 5000,
     .tiles = 1,
     .picture = "{index:4}.png",
     .judge = skv_layout__coco_judge,
     .command = "python scripts/compute_metrics.py --input_root0 {reference} --input_root1 "
                "{compared}"},
    {.name = "geneval2",
     .benchmark = "GenEval 2",
     .incomplete = "",
     .summary = "00000.png, and image_paths.json, which has the file of each prompt",
     .samples = 1,
     .prompts = 800,
     .tiles = 1,
     .picture = "{index:5}.png",
     .index = "image_paths.json",
     .make_index = skv_layout__index_by_prompt,
     .command = "python evaluation.py --benchmark_data geneval2_data.jsonl --image_filepath_data "
                "{folder}/image_paths.json --method soft_tifa_gm --output_file "
                "{folder}.scores.json\n"
                "skv scores RUN --geneval2 {folder}.scores.json"},
    {.name = "geneval++",
     .benchmark = "GenEval++ (Echo-4o)",
     .incomplete = "",
     .summary = "1.jpg, named by the line from 1",
     .samples = 1,
     .prompts = 280,
     .tiles = 1,
     .form = SKV_PICTURE_JPEG,
     .picture = "{index}.jpg",
     .first_index = 1,
     .command = "# the evaluator of Echo-4o reads {folder}"},
    {.name = "wise",
     .benchmark = "WISE",
     .incomplete = "",
     .summary = "<prompt_id>.png, 1.png to 1000.png",
     .samples = 1,
     .prompts = 1000,
     .tiles = 1,
     .picture = "{id}.png",
     .command = "python gpt_eval.py --json_path data/cultural_common_sense.json --image_dir "
                "{folder} --output_dir {folder}.results   # and the other two files of data/"},
    {.name = "t2i-compbench",
     .benchmark = "T2I-CompBench++, one category",
     .incomplete = "scored with fewer pictures",
     .summary = "samples/<prompt>_000000.png, numbered through all samples",
     .samples = 10,
     .prompts = 300,
     .tiles = 1,
     .picture = "samples/{prompt}_{row:6}.png",
     .also = every_sample,
     .command = "python BLIPvqa_eval/BLIP_vqa.py --out_dir={folder}"},
    {.name = "oneig",
     .benchmark = "OneIG-Bench",
     .incomplete = "left out: its picture takes all samples",
     .summary = "anime/<model>/000.webp, four samples two by two; the model is the path",
     .samples = 4,
     .prompts = 1120,
     .tiles = 2,
     .form = SKV_PICTURE_WEBP,
     .picture = "{category}/{model}/{item}.webp",
     .categories = oneig_folders,
     .also = beginning_with_an_id,
     .command = "python -m scripts.alignment.alignment_score --mode EN --image_dirname {folder} "
                "--model_names {model} --image_grid 2,2 --class_items anime human object"},
    {.name = "tiif",
     .benchmark = "TIIF-Bench, one type and description",
     .incomplete = "",
     .summary = "0.png, named by the line; export to "
                "<output>/<type>/<model>/{short,long}_description",
     .samples = 1,
     .tiles = 1,
     .picture = "{index}.png",
     .command = "python eval/eval_with_vlm.py --jsonl_dir data/testmini_eval_prompts --image_dir "
                "<output> --eval_model <model>   # {folder} is one of its folders"},
    {.name = "longtext",
     .benchmark = "LongText-Bench",
     .incomplete = "scored with fewer pictures",
     .summary = "0000_1.png, named by the prompt's id and the sample from 1",
     .samples = 4,
     .prompts = 160,
     .tiles = 1,
     .picture = "{id:4}_{sample}.png",
     .first_sample = 1,
     .also = every_png,
     .command = "torchrun --nproc-per-node=8 textbench/evaluate_text_reading.py --sample_dir "
                "{folder} --output_dir {folder}.results --mode en"},
    {.name = "unigen",
     .benchmark = "UniGenBench++",
     .incomplete = "missing samples stop the evaluator",
     .summary = "<index>_0.png to <index>_3.png",
     .samples = 4,
     .prompts = 600,
     .tiles = 1,
     .picture = "{id}_{sample}.png",
     .command = "python eval/qwenvl_72b_en_eval.py --data_path {folder} --csv_file "
                "data/test_prompts_en.csv --api_url <server>"},
    {.name = "genai",
     .benchmark = "GenAI-Bench",
     .incomplete = "",
     .summary = "00000.jpeg, named by the prompt's id",
     .samples = 1,
     .prompts = 1600,
     .tiles = 1,
     .form = SKV_PICTURE_JPEG,
     .picture = "{id:5}.jpeg",
     .command = "python genai_bench/evaluate.py --model clip-flant5-xxl --output_dir {parent} "
                "--gen_model {own}"},
    {.name = "imagereward",
     .benchmark = "ImageReward",
     .incomplete = "scored with fewer pictures",
     .summary = "<id>/<id>_0.jpg, and metadata.jsonl, which lists the files of each prompt",
     .samples = 10,
     .prompts = 100,
     .tiles = 1,
     .form = SKV_PICTURE_JPEG,
     .picture = "{id}/{id}_{sample}.jpg",
     .index = "metadata.jsonl",
     .make_index = skv_layout__index_of_objects,
     .command = "python evaluation/image_reward/cal_imagereward.py --meta_file "
                "{folder}/metadata.jsonl"},
    {.name = "hpsv2",
     .benchmark = "HPSv2.1",
     .incomplete = "",
     .summary = "<style>/00000.jpg; of ids without a style 00000.jpg",
     .samples = 1,
     .prompts = 3200,
     .tiles = 1,
     .form = SKV_PICTURE_JPEG,
     .picture = "{category}/{item:5}.jpg",
     .also = every_folder,
     .command = "python -c 'import sys, hpsv2; hpsv2.evaluate(sys.argv[1], hps_version=\"v2.1\")' "
                "{folder}"},
    {.name = "mjhq",
     .benchmark = "MJHQ-30K",
     .incomplete = "",
     .summary = "<category>/<id>.png; categories of meta_data.json",
     .samples = 1,
     .prompts = 30000,
     .tiles = 1,
     .picture = "{category}/{id}.png",
     .category_key = "category",
     .also = every_picture,
     .command = "python -c 'import sys; from cleanfid import fid; "
                "print(fid.compute_fid(*sys.argv[1:]))' mjhq30k_imgs {folder}"},
    {.name = "webdataset",
     .benchmark = "WebDataset, to train on",
     .incomplete = "",
     .summary = "000000.tar of many rows: 000000000.png, .txt (the prompt), .json (its recipe)",
     .tiles = 1,
     .picture = "{row:9}.png",
     .shards = true,
     .judge = skv_layout__shards_judge,
     .command = "python -c 'import glob, sys, webdataset; print(sum(1 for _ in "
                "webdataset.WebDataset(sorted(glob.glob(sys.argv[1] + \"/*.tar\")), "
                "shardshuffle=False)))' {folder}"},
    {.name = NULL},
};
