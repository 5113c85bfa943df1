/* skv inspect: what a checkpoint, budget, run or group file holds, for people or as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/print_text.h"
#include "cli/sample_print.h"
#include "core/json.h"
#include "io/checkpoint.h"
#include "run/group_file.h"
#include "io/h5.h"
#include "model/names.h"
#include "model/sources.h"

typedef struct {
    bool json, tensors;
} inspect_options;

static const skv_option table[] = {
    {"json", SKV_OPT_BOOL, offsetof(inspect_options, json), "false", "print JSON", "Inspect"},
    {"tensors", SKV_OPT_BOOL, offsetof(inspect_options, tensors), "false",
     "checkpoints: list every tensor", NULL},
    {0}};

/* ---------------------------------------------------------------- checkpoints */

static void add_dims(json_t *out, const char *path)
{
    static const char *const wrappers[] = {"trainer.gpt_fsdp.", "vae.", "trainer.vae.", NULL};
    skv_weights *w = NULL;
    skv_dims d = {0};
    int token_bits = 0;

    if (skv_weights_open(&w, path, wrappers) != SKV_OK)
        return;
    if (skv_names_transformer(&d, &token_bits, w) == SKV_OK)
        json_object_set_new(out, "transformer",
                            json_pack("{s:i, s:i, s:i, s:i, s:i, s:i}", "depth", d.depth, "width",
                                      d.width, "heads", d.heads, "mlp", d.hidden, "bits_a_token",
                                      token_bits, "text_width", d.text_width));
    if (skv_names_vae(&d, w) == SKV_OK)
        json_object_set_new(out, "vae",
                            json_pack("{s:i, s:i, s:i}", "bits", d.bits, "base_width", d.vae_base,
                                      "stride", 1 << (d.vae_levels - 1)));
    skv_weights_close(w);
}

static json_t *tensor_json(const skv_entry *e)
{
    json_t *shape = json_array();

    for (int i = 0; i < e->ndim; i++)
        json_array_append_new(shape, json_integer(e->shape[i]));
    return json_pack("{s:s, s:s, s:o, s:I}", "name", e->name, "type", e->dtype_name, "shape", shape,
                     "bytes", (json_int_t)e->bytes);
}

static skv_status inspect_checkpoint(json_t *out, const char *path, bool tensors)
{
    skv_checkpoint *c = NULL;
    json_t *types = json_object(), *list = tensors ? json_array() : NULL;
    json_int_t bytes = 0, numbers = 0;
    skv_status st = skv_checkpoint_open(&c, path);

    for (size_t i = 0; st == SKV_OK && i < skv_checkpoint_count(c); i++) {
        const skv_entry *e = skv_checkpoint_at(c, i);
        json_int_t n = 1, seen = json_integer_value(json_object_get(types, e->dtype_name));

        for (int k = 0; k < e->ndim; k++)
            n *= e->shape[k];
        numbers += n;
        bytes += (json_int_t)e->bytes;
        json_object_set_new(types, e->dtype_name, json_integer(seen + 1));
        if (list)
            json_array_append_new(list, tensor_json(e));
    }
    if (st == SKV_OK) {
        json_object_set_new(out, "kind", json_string("checkpoint"));
        json_object_set_new(out, "format", json_string(skv_checkpoint_format(c)));
        json_object_set_new(out, "tensors", json_integer((json_int_t)skv_checkpoint_count(c)));
        json_object_set_new(out, "numbers", json_integer(numbers));
        json_object_set_new(out, "bytes", json_integer(bytes));
        json_object_set(out, "types", types);
        if (list)
            json_object_set(out, "list", list);
        add_dims(out, path);
    }
    json_decref(types);
    json_decref(list);
    skv_checkpoint_close(c);
    return st;
}

/* -------------------------------------------------------- runs, groups, budgets */

static skv_status inspect_run(json_t *out, const char *folder)
{
    char path[4096];
    json_t *root = NULL, *rows = NULL;
    skv_status st;

    snprintf(path, sizeof path, "%s/run.json", folder);
    SKV_TRY(skv_json_read(&root, path));
    json_object_set_new(out, "kind", json_string("run"));
    json_object_set(out, "version", json_object_get(root, "skv"));
    json_object_set(out, "digest", json_object_get(root, "digest"));
    json_object_set(out, "device", json_object_get(root, "device"));
    json_object_set(out, "depends_on", json_object_get(root, "common"));
    json_decref(root);
    snprintf(path, sizeof path, "%s/run.h5", folder);
    st = skv_paths_summary(&rows, folder);
    if (st == SKV_E_NOTFOUND) {
        json_object_set_new(out, "gathered", json_false());
        return SKV_OK;
    }
    SKV_TRY(st);
    json_object_set_new(out, "paths", rows);
    return SKV_OK;
}

static skv_status inspect_group(json_t *out, const char *path)
{
    skv_group_record rec = {0};
    json_t *rows = json_array();
    skv_status st = skv_group_file_read(&rec, path, SKV_GROUP_ALL);

    if (st == SKV_OK) {
        json_object_set_new(out, "kind", json_string("group"));
        json_object_set_new(out, "path", json_string(rec.path_name));
        json_object_set_new(out, "group", json_integer(rec.group));
        json_object_set_new(out, "config_digest", json_string(rec.config_digest));
        json_object_set_new(out, "device", json_string(rec.device));
        json_object_set_new(out, "bits", json_boolean(rec.bits != NULL));
        json_object_set_new(out, "pictures", json_boolean(rec.image != NULL));
        for (int i = 0; i < rec.n_rows; i++)
            json_array_append_new(rows,
                                  json_pack("{s:s, s:I, s:i, s:i, s:s}", "id", rec.id[i], "seed",
                                            (json_int_t)rec.seed[i], "tokens", rec.tokens[i],
                                            "status", rec.status[i], "prompt", rec.prompt[i]));
        json_object_set(out, "rows", rows);
    }
    json_decref(rows);
    skv_group_record_clear(&rec);
    return st;
}

static skv_status inspect_h5(json_t *out, const char *path)
{
    skv_h5 *f = NULL;
    bool master;
    char folder[4096];
    json_t *rows = NULL;

    SKV_TRY(skv_h5_open(&f, path));
    master = skv_h5_has(f, "/samples/seed");
    skv_h5_close(f);
    if (!master)
        return inspect_group(out, path);
    snprintf(folder, sizeof folder, "%.*s", (int)(strlen(path) - strlen("/run.h5")), path);
    json_object_set_new(out, "kind", json_string("gathered run"));
    SKV_TRY(skv_paths_summary(&rows, folder));
    json_object_set_new(out, "paths", rows);
    return SKV_OK;
}

static bool is_budget(const json_t *root)
{
    const char *key = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)root));

    return key && strncmp(key, "Scale ", 6) == 0;
}

static skv_status inspect_json(json_t *out, const char *path, bool tensors)
{
    json_t *root = NULL, *row;
    json_t *rows = json_array();
    const char *key;

    SKV_TRY(skv_json_read(&root, path));
    if (!is_budget(root)) {
        json_decref(root);
        json_decref(rows);
        return inspect_checkpoint(out, path, tensors); /* an index */
    }
    json_object_foreach(root, key, row)
    {
        json_array_append_new(rows, json_pack("{s:s, s:O?, s:O?, s:O?, s:O?}", "scale", key, "max",
                                              json_object_get(row, "Max"), "min",
                                              json_object_get(row, "Min"), "drafters",
                                              json_object_get(row, "High"), "limit",
                                              json_object_get(row, "Limit")));
    }
    json_object_set_new(out, "kind", json_string("budget"));
    json_object_set_new(out, "rows", rows);
    json_decref(root);
    return SKV_OK;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

static skv_status inspect(json_t *out, const char *path, bool tensors)
{
    char run[4096];
    struct stat info;

    snprintf(run, sizeof run, "%s/run.json", path);
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode) && stat(run, &info) == 0)
        return inspect_run(out, path);
    if (ends_with(path, ".h5"))
        return inspect_h5(out, path);
    if (ends_with(path, ".json"))
        return inspect_json(out, path, tensors);
    return inspect_checkpoint(out, path, tensors);
}

/* ------------------------------------------------------------------- printing */

static void print_value(const json_t *v)
{
    char *text = json_is_string(v)
                     ? NULL
                     : json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(8));

    skv_print_text(json_is_string(v) ? json_string_value(v) : text ? text : "", 0);
    free(text);
}

static void print_for_people(json_t *o, int indent)
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
            print_for_people(value, indent + 2);
        } else if (json_is_array(value) && json_is_object(json_array_get(value, 0))) {
            printf("\n");
            json_array_foreach(value, i, row)
            {
                const char *name;
                json_t *cell;

                printf("%*s", indent + 2, "");
                json_object_foreach(row, name, cell)
                {
                    skv_print_text(name, 0);
                    printf(" ");
                    print_value(cell);
                    printf("  ");
                }
                printf("\n");
            }
        } else {
            print_value(value);
            printf("\n");
        }
    }
}

static skv_status run(skv_comm *comm, int argc, char **argv, int *exit_code)
{
    inspect_options o = {0};
    const char *words[256];
    json_t *all = json_array();
    skv_status st;
    char *text;
    int n = 0;

    (void)comm;
    (void)exit_code;
    if (argc > 256) {
        st = skv_fail(SKV_E_ARG, "inspect: at most 256 words");
        goto done;
    }
    SKV_TRY_GOTO(skv_options_from_args(table, &o, argc, argv, words, &n), done);
    if (n == 0) {
        st = skv_fail(SKV_E_ARG, "inspect wants a file or a run's folder");
        goto done;
    }
    for (int i = 0; i < n; i++) {
        json_t *out = json_pack("{s:s}", "file", words[i]);

        json_array_append_new(all, out);
        SKV_TRY_GOTO(inspect(out, words[i], o.tensors), done);
        if (!o.json)
            print_for_people(out, 0);
    }
    if (o.json) {
        text =
            json_dumps(n == 1 ? json_array_get(all, 0) : all, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        printf("%s\n", text ? text : "");
        free(text);
    }
done:
    json_decref(all);
    return st;
}

const skv_command skv_cmd_inspect = {.name = "inspect",
                                     .usage = "FILE... [--json]",
                                     .summary = "what a checkpoint, budget, run or group holds",
                                     .options = table,
                                     .run = run};
