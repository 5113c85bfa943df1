/* skv inspect: what a checkpoint, budget, run or group file holds, for people or as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/print_text.h"
#include "cli/sample_print.h"
#include "core/json.h"
#include "core/text.h"
#include "io/checkpoint.h"
#include "run/group_file.h"
#include "run/schema.h"
#include "io/h5.h"
#include "model/names.h"
#include "model/sources.h"

typedef struct {
    char *config, *json;
    bool tensors;
} inspect_options;

static const skv_option table[] = {
    SKV_OPTION_CONFIG(inspect_options),
    SKV_OPTION_FLAG(inspect_options, json, STRING, NULL, "the same " SKV_JSON_HELP, "Inspect"),
    SKV_OPTION(inspect_options, tensors, BOOL, "false", "checkpoints: list every tensor", NULL),
    {0}};

/* ---------------------------------------------------------------- checkpoints */

static void add_dims(skv_json_maker *out, const char *path)
{
    skv_weights *w = NULL;
    skv_dims d = {0};
    int token_bits = 0;

    if (skv_weights_open(&w, path, SKV_KIND_TRANSFORMER) == SKV_OK &&
        skv_names_transformer(&d, &token_bits, w) == SKV_OK)
        skv_json_put(out, "transformer",
                     json_pack("{s:i, s:i, s:i, s:i, s:i, s:i}", "depth", d.depth, "width", d.width,
                               "heads", d.heads, "mlp", d.hidden, "bits_a_token", token_bits,
                               "text_width", d.text_width));
    skv_weights_close(w);
    w = NULL;
    if (skv_weights_open(&w, path, SKV_KIND_VAE) == SKV_OK && skv_names_vae(&d, w) == SKV_OK)
        skv_json_put(out, "vae",
                     json_pack("{s:i, s:i, s:i}", "bits", d.bits, "base_width", d.vae_base,
                               "stride", 1 << (d.vae_levels - 1)));
    skv_weights_close(w);
}

static json_t *tensor_json(const skv_entry *e)
{
    skv_json_maker shape = skv_json_array();

    for (int i = 0; i < e->ndim; i++)
        skv_json_append(&shape, json_integer(e->shape[i]));
    return json_pack("{s:s, s:s, s:o, s:I}", "name", e->name, "type", e->dtype_name, "shape",
                     skv_json_take(&shape), "bytes", (json_int_t)e->bytes);
}

static skv_status inspect_checkpoint(skv_json_maker *out, const char *path, bool tensors)
{
    skv_checkpoint *c = NULL;
    skv_json_maker types = skv_json_object(), list = skv_json_array();
    json_int_t bytes = 0, numbers = 0;
    skv_status st = skv_checkpoint_open(&c, path);

    for (size_t i = 0; st == SKV_OK && i < skv_checkpoint_count(c); i++) {
        const skv_entry *e = skv_checkpoint_at(c, i);
        json_int_t n = 1, seen = json_integer_value(json_object_get(types.value, e->dtype_name));

        for (int k = 0; k < e->ndim; k++)
            n *= e->shape[k];
        numbers += n;
        bytes += (json_int_t)e->bytes;
        skv_json_put(&types, e->dtype_name, json_integer(seen + 1));
        if (tensors)
            skv_json_append(&list, tensor_json(e));
    }
    if (st == SKV_OK) {
        skv_json_put(out, "kind", json_string("checkpoint"));
        skv_json_put(out, "format", json_string(skv_checkpoint_format(c)));
        skv_json_put(out, "tensors", json_integer((json_int_t)skv_checkpoint_count(c)));
        skv_json_put(out, "numbers", json_integer(numbers));
        skv_json_put(out, "bytes", json_integer(bytes));
        skv_json_put(out, "types", skv_json_take(&types));
        if (tensors)
            skv_json_put(out, "list", skv_json_take(&list));
        add_dims(out, path);
    }
    json_decref(skv_json_take(&types));
    json_decref(skv_json_take(&list));
    skv_checkpoint_close(c);
    return st;
}

/* -------------------------------------------------------- runs, groups, budgets */

static skv_status add_paths(skv_json_maker *out, skv_h5 *run_h5)
{
    char *partial = NULL;
    json_t *rows = NULL;
    const skv_status st = skv_h5_get_text(&partial, run_h5, "/", SKV_ATTR_PARTIAL);

    if (st == SKV_OK)
        skv_json_put(out, "partial", skv_json_foreign(partial));
    free(partial);
    if (st != SKV_OK && st != SKV_E_NOTFOUND)
        return st;
    SKV_TRY(skv_paths_summary(&rows, run_h5));
    skv_json_put(out, "paths", rows);
    return SKV_OK;
}

static skv_status inspect_run(skv_json_maker *out, const char *folder)
{
    static const struct {
        const char *key, *as;
    } copied[] = {
        {"skv", "version"}, {"digest", "digest"}, {"device", "device"}, {"common", "depends_on"}};
    char path[4096];
    json_t *root = NULL;
    skv_h5 *f = NULL;
    skv_status st;

    snprintf(path, sizeof path, "%s/run.json", folder);
    SKV_TRY(skv_json_read_below(&root, path, 1));
    skv_json_put(out, "kind", json_string("run"));
    for (size_t i = 0; i < sizeof copied / sizeof copied[0]; i++) {
        json_t *value = json_object_get(root, copied[i].key);

        if (value)
            skv_json_put(out, copied[i].as, json_incref(value));
    }
    json_decref(root);
    snprintf(path, sizeof path, "%s/run.h5", folder);
    st = skv_h5_open_below(&f, path, 1);
    if (st == SKV_E_NOTFOUND) {
        skv_json_put(out, "gathered", json_false());
        return SKV_OK;
    }
    if (st == SKV_OK)
        st = add_paths(out, f);
    skv_h5_close(f);
    return st;
}

static skv_status inspect_group(skv_json_maker *out, const char *path)
{
    skv_group_record rec = {0};
    skv_json_maker rows = skv_json_array();
    skv_run_name file = {.n_below = 3}; /* as in a run */
    skv_status st;

    snprintf(file.path, sizeof file.path, "%s", path);
    st = skv_group_file_read(&rec, &file, SKV_GROUP_ALL);

    if (st == SKV_OK) {
        skv_json_put(out, "kind", json_string("group"));
        skv_json_put(out, "path", json_string(rec.path_name));
        skv_json_put(out, "group", json_integer(rec.group));
        skv_json_put(out, "config_digest", json_string(rec.config_digest));
        skv_json_put(out, "device", json_string(rec.device));
        skv_json_put(out, "bits", json_boolean(rec.bits != NULL));
        skv_json_put(out, "pictures", json_boolean(rec.image != NULL));
        for (int i = 0; i < rec.n_rows; i++)
            skv_json_append(&rows, json_pack("{s:s, s:I, s:i, s:i, s:s}", "id", rec.id[i], "seed",
                                             (json_int_t)rec.seed[i], "tokens", rec.tokens[i],
                                             "status", rec.status[i], "prompt", rec.prompt[i]));
        skv_json_put(out, "rows", skv_json_take(&rows));
    }
    json_decref(skv_json_take(&rows));
    skv_group_record_clear(&rec);
    return st;
}

static skv_status inspect_h5(skv_json_maker *out, const char *path)
{
    skv_h5 *f = NULL;
    bool master = false;
    skv_status st;

    SKV_TRY(skv_h5_open(&f, path));
    st = skv_h5_has(&master, f, skv_schema_in_run(SKV_SET_SEED, NULL).text);
    if (st == SKV_OK && master) {
        skv_json_put(out, "kind", json_string("gathered run"));
        st = add_paths(out, f);
    }
    skv_h5_close(f);
    return st != SKV_OK || master ? st : inspect_group(out, path);
}

static bool is_budget(const json_t *root)
{
    const char *key = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)root));

    return key && strncmp(key, "Scale ", 6) == 0;
}

static skv_status inspect_json(skv_json_maker *out, const char *path, bool tensors)
{
    skv_json_maker rows = skv_json_array();
    json_t *root = NULL, *row;
    const char *key;

    SKV_TRY(skv_json_read(&root, path));
    if (!is_budget(root)) {
        json_decref(root);
        json_decref(skv_json_take(&rows));
        return inspect_checkpoint(out, path, tensors); /* an index */
    }
    json_object_foreach(root, key, row)
    {
        skv_json_append(&rows,
                        json_pack("{s:s, s:O?, s:O?, s:O?, s:O?}", "scale", key, "max",
                                  json_object_get(row, "Max"), "min", json_object_get(row, "Min"),
                                  "drafters", json_object_get(row, "High"), "limit",
                                  json_object_get(row, "Limit")));
    }
    skv_json_put(out, "kind", json_string("budget"));
    skv_json_put(out, "rows", skv_json_take(&rows));
    json_decref(root);
    return SKV_OK;
}

static skv_status inspect_file(skv_json_maker *out, const char *path, bool tensors)
{
    if (skv_ends_with(path, ".h5"))
        return inspect_h5(out, path);
    if (skv_ends_with(path, ".json"))
        return inspect_json(out, path, tensors);
    return inspect_checkpoint(out, path, tensors);
}

static skv_status inspect(skv_json_maker *out, const char *path, bool tensors)
{
    char run[4096];
    struct stat info;

    snprintf(run, sizeof run, "%s/run.json", path);
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode) && lstat(run, &info) == 0)
        return inspect_run(out, path);
    return skv_option_opened(NULL, inspect_file(out, path, tensors));
}

/* ------------------------------------------------------------------- printing */

static skv_status print_value(const json_t *v)
{
    char *text = NULL;

    if (json_is_string(v)) {
        skv_print_text(json_string_value(v), 0);
        return SKV_OK;
    }
    SKV_TRY(skv_json_print(&text, v, SKV_JSON_SHORT));
    skv_print_text(text, 0);
    free(text);
    return SKV_OK;
}

static skv_status print_row(json_t *row, int indent)
{
    const char *name;
    json_t *cell;

    printf("%*s", indent, "");
    json_object_foreach(row, name, cell)
    {
        skv_print_text(name, 0);
        printf(" ");
        SKV_TRY(print_value(cell));
        printf("  ");
    }
    printf("\n");
    return SKV_OK;
}

static skv_status print_for_people(json_t *o, int indent)
{
    const char *key;
    json_t *value, *row;
    size_t i;

    json_object_foreach(o, key, value)
    {
        printf("%*s", indent, "");
        skv_print_text(key, 16);
        printf(" ");
        if (json_is_object(value)) {
            printf("\n");
            SKV_TRY(print_for_people(value, indent + 2));
        } else if (json_is_object(json_array_get(value, 0))) {
            printf("\n");
            json_array_foreach(value, i, row) SKV_TRY(print_row(row, indent + 2));
        } else {
            SKV_TRY(print_value(value));
            printf("\n");
        }
    }
    return SKV_OK;
}

/* One file: its object; several: a list. */
static skv_status write_json(skv_json_maker *all, int n, const char *file)
{
    json_t *list = NULL;
    skv_status st;

    SKV_TRY(skv_json_finish(&list, all, "inspect"));
    st = skv_print_json(n == 1 ? json_array_get(list, 0) : list, file);
    json_decref(list);
    return st;
}

static skv_status run(skv_comm *comm, int argc, char **argv, int *exit_code)
{
    inspect_options o = {0};
    skv_words words = {0};
    skv_json_maker all = skv_json_array(), one = {0};
    skv_status st;

    (void)comm;
    (void)exit_code;
    SKV_TRY_GOTO(skv_command_options(&o, &skv_cmd_inspect, NULL, argc, argv, &words), done);
    if (words.n == 0) {
        st = skv_fail(SKV_E_ARG, "inspect wants a file or a run's folder");
        goto done;
    }
    for (int i = 0; i < words.n; i++) {
        json_t *found = NULL;

        one = skv_json_object();
        skv_json_put(&one, "file", skv_json_foreign(words.word[i]));
        SKV_TRY_GOTO(inspect(&one, words.word[i], o.tensors), done);
        SKV_TRY_GOTO(skv_json_finish(&found, &one, words.word[i]), done);
        st = skv_json_is_all(o.json) ? SKV_OK : print_for_people(found, 0);
        skv_json_append(&all, found);
        SKV_TRY_GOTO(st, done);
    }
    if (o.json)
        st = write_json(&all, words.n, o.json);
done:
    json_decref(skv_json_take(&one));
    json_decref(skv_json_take(&all));
    free((void *)words.word);
    skv_options_clear(table, &o);
    return st;
}

const skv_command skv_cmd_inspect = {.name = "inspect",
                                     .usage = "FILE... [--json FILE]",
                                     .summary = "what a checkpoint, budget, run or group holds",
                                     .options = table,
                                     .reads_hdf5 = true,
                                     .run = run};
