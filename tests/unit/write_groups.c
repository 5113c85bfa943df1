#include "write_groups.h"

#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "run/group_file.h"
#include "temp_folder.h"

enum {
    MOST = 2, /* rows of a group */
    CUTS = TEST_GROUPS_SCALES - 1,
    CELLS = CUTS * TEST_GROUPS_LAYERS,
    PHASES = 2
};

const char *const test_groups_path[TEST_GROUPS_PATHS] = {"full", "scalekv-10"};

static const char run_json[] =
    "{\"skv\": \"0.1\", \"digest\": \"c0\", \"common\": {\"samples\": 1, \"group_size\": 2}, "
    "\"settings\": {},"
    " \"paths\": {\"full\": {\"digest\": \"p0\", \"reference\": true},"
    " \"scalekv-10\": {\"digest\": \"p1\", \"reference\": false}}, \"rows\": 5, \"groups\": 3}";

uint8_t group_bits_byte(int path, int row, int i)
{
    return (uint8_t)(1 + path * 100 + row * 10 + i);
}

uint8_t group_image_byte(int path, int row, int i)
{
    return (uint8_t)(3 + path * 91 + row * 17 + i * 5);
}

const char *group_name(int path, int group)
{
    char name[64];

    snprintf(name, sizeof name, "groups/%s/%06d.h5", test_groups_path[path], group);
    return temp_path(name);
}

typedef struct {
    int64_t row[MOST];
    const char *id[MOST], *prompt[MOST], *error[MOST];
    int32_t sample[MOST], tokens[MOST], status[MOST];
    uint64_t seed[MOST];
    uint8_t truncated[MOST], bits[MOST * TEST_GROUPS_BITS], image[MOST * TEST_GROUPS_SIDES];
} rows;

static void fill_rows(rows *r, int path, int first, int n, bool failed)
{
    static const char *const ids[] = {"a", "b", "c", "d", "e"};

    *r = (rows){0};
    for (int i = 0; i < n; i++) {
        r->row[i] = first + i;
        r->id[i] = ids[first + i];
        r->prompt[i] = first + i == 2 ? "" : "a prompt";
        r->error[i] = failed && i == 0 ? "no text" : "";
        r->status[i] = failed && i == 0 ? SKV_E_FORMAT : 0;
        r->tokens[i] = 3 + first + i;
        r->seed[i] = 1000 + (uint64_t)(first + i);
        for (int k = 0; k < TEST_GROUPS_BITS; k++)
            r->bits[i * TEST_GROUPS_BITS + k] = group_bits_byte(path, first + i, k);
        for (int k = 0; k < TEST_GROUPS_SIDES; k++)
            r->image[i * TEST_GROUPS_SIDES + k] = group_image_byte(path, first + i, k);
    }
}

void write_group(int path, int group, const test_groups_fault *fault)
{
    static const int64_t offset[TEST_GROUPS_SCALES + 1] = {0, 2, 8, 24};
    static const char *const phases[PHASES] = {"transformer", "vae"};
    const test_groups_fault f = fault ? *fault : (test_groups_fault){0};
    const int first = 2 * group, n = first + MOST <= TEST_GROUPS_ROWS ? MOST : 1;
    const double seconds[PHASES] = {group + 0.5, path + 0.25};
    int64_t cache[CELLS], by_head[CELLS * TEST_GROUPS_HEADS];
    float kept[CELLS * TEST_GROUPS_SCALES];
    skv_run_name file = {.n_below = 3};
    rows r;

    snprintf(file.path, sizeof file.path, "%s", group_name(path, group));
    fill_rows(&r, path, first, n, f.row_failed);
    for (int i = 0; i < CELLS; i++)
        cache[i] = 10 * path + i;
    for (int i = 0; i < CELLS * TEST_GROUPS_HEADS; i++)
        by_head[i] = 20 * path + i;
    for (int i = 0; i < CELLS * TEST_GROUPS_SCALES; i++)
        kept[i] = (float)(group + i);
    assert_int_equal(
        skv_group_file_write(
            &file, &(skv_group_record){.path_name = test_groups_path[path],
                                       .config_digest = f.config_digest ? f.config_digest : "c0",
                                       .path_digest = path ? "p1" : "p0",
                                       .version = "0.1",
                                       .budget = "{\"policy\": \"full\"}",
                                       .device = "a device",
                                       .group = group,
                                       .n_rows = n,
                                       .n_scales = TEST_GROUPS_SCALES,
                                       .n_layers = TEST_GROUPS_LAYERS,
                                       .n_heads = TEST_GROUPS_HEADS,
                                       .height = TEST_GROUPS_HEIGHT - f.other_size,
                                       .width = TEST_GROUPS_WIDTH,
                                       .first = group == 1,
                                       .pool_planned = 100 + group,
                                       .pool_peak = 90 + group,
                                       .row = r.row,
                                       .id = r.id,
                                       .given_id = r.id,
                                       .negative = r.error,
                                       .offset = r.seed,
                                       .prompt = r.prompt,
                                       .prompt_used = r.prompt,
                                       .sample = r.sample,
                                       .seed = r.seed,
                                       .tokens = r.tokens,
                                       .truncated = r.truncated,
                                       .status = r.status,
                                       .error = r.error,
                                       .bits = r.bits,
                                       .bit_offset = offset,
                                       .bits_bytes = TEST_GROUPS_BITS,
                                       .image = f.no_image ? NULL : r.image,
                                       .cache_length = cache,
                                       .cache_capacity = cache,
                                       .cache_bytes = cache,
                                       .length_by_head = by_head,
                                       .capacity_by_head = by_head,
                                       .kept_by_source = kept,
                                       .seconds = seconds,
                                       .phase_names = phases,
                                       .n_phases = PHASES}),
        SKV_OK);
}

void write_groups(void)
{
    assert_int_equal(skv_file_write(temp_path("run.json"), run_json, strlen(run_json)), SKV_OK);
    for (int p = 0; p < TEST_GROUPS_PATHS; p++) {
        char folder[64];

        snprintf(folder, sizeof folder, "groups/%s", test_groups_path[p]);
        assert_int_equal(skv_folder_make(temp_path(folder)), SKV_OK);
        for (int g = 0; g < TEST_GROUPS; g++)
            write_group(p, g, NULL);
    }
}
