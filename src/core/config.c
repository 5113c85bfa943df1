#include "core/config.h"

#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/json.h"
#include "core/mem.h"

#define MAX_BYTES  ((size_t)16 << 20)
#define MAX_TABLES 64 /* that suggestions are taken from */

static const char *argument(int argc, char **argv)
{
    const char *last = NULL;

    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            last = argv[++i];
        else if (strncmp(argv[i], "--config=", 9) == 0)
            last = argv[i] + 9;
    }
    return last;
}

skv_status skv_config_find(skv_config *out, int argc, char **argv)
{
    skv_config c = {.path = argument(argc, argv)};
    const char *slash = c.path ? strrchr(c.path, '/') : NULL;

    if (slash) {
        const size_t n = slash == c.path ? 1 : (size_t)(slash - c.path);

        SKV_TRY(skv_alloc(&c.folder, n + 1, 1, c.path));
        memcpy(c.folder, c.path, n);
    }
    *out = c;
    return SKV_OK;
}

skv_status skv_config_read(skv_config *c)
{
    skv_status st = c->path ? skv_file_read(&c->text, &c->bytes, c->path, MAX_BYTES) : SKV_OK;

    if (st == SKV_OK && c->text && c->bytes == 0)
        st = skv_fail(SKV_E_ARG, "%s: is empty, want a JSON object", c->path);
    return skv_option_opened("--config", st);
}

void skv_config_clear(skv_config *c)
{
    free(c->folder);
    free(c->text);
    *c = (skv_config){0};
}

/* The row that a config's key means in this table; NULL: none. */
static const skv_option *in_table(const skv_option *table, const char *key)
{
    for (; table->key; table++)
        if (strcmp(table->key, key) == 0 && !table->flag_only)
            return table;
    return NULL;
}

/* Whether a table of the list has the key; NULL-terminated list, may be NULL. */
static bool in_tables(const skv_option *const *tables, const char *key)
{
    for (; tables && *tables; tables++)
        if (in_table(*tables, key))
            return true;
    return false;
}

static skv_status unknown_key(const char *key, const char *name, const skv_option *table,
                              const skv_option *const *others)
{
    const char *best[MAX_TABLES + 1] = {skv_nearest_key(table, key)}; /* of each table */
    const char *near;
    int n = best[0] != NULL;

    for (; others && *others && n < MAX_TABLES; others++) {
        best[n] = skv_nearest_key(*others, key);
        n += best[n] != NULL;
    }
    near = skv_nearest(key, best);
    if (near)
        return skv_fail(SKV_E_ARG, "%s: no option \"%s\"; did you mean \"%s\"?", name, key, near);
    return skv_fail(SKV_E_ARG, "%s: no option \"%s\"", name, key);
}

/* Keys of other commands are passed over; unknown keys are refused. */
static skv_status drop_others(json_t *root, const char *name, const skv_option *table,
                              const skv_option *const *others)
{
    const char *key;
    json_t *value;
    void *next;

    json_object_foreach_safe(root, next, key, value)
    {
        if (in_table(table, key))
            continue;
        if (!in_tables(others, key))
            return unknown_key(key, name, table, others);
        json_object_del(root, key);
    }
    return SKV_OK;
}

/* What serves as config of RUN/run.json: the settings of its last start, whose PATH values are
 * absolute, but for what was said of that start alone. NULL: root is no such record. Part of root.
 */
static json_t *recorded_settings(json_t *root, const skv_option *table)
{
    json_t *settings = json_object_get(root, "settings"), *value;
    const char *key;
    void *next;

    if (!json_is_object(settings) || !json_object_get(root, "skv"))
        return NULL;
    for (const skv_option *o = table; o->key; o++)
        if (o->once || o->flag_only)
            (void)json_object_del(settings, o->key); /* where it is */
    json_object_foreach_safe(settings, next, key, value)
    {
        if (json_is_null(value)) /* how "not given" is recorded */
            (void)json_object_del(settings, key);
    }
    return settings;
}

static skv_status apply_text(const skv_option *table, void *settings,
                             const skv_settings_sources *sources)
{
    const skv_config *c = sources->config;
    const char *name = c->path ? c->path : "the config of rank 0";
    json_t *root = NULL, *record, *given;
    skv_status st;

    SKV_TRY_GOTO(skv_json_parse(&root, c->text, c->bytes, name), done);
    record = recorded_settings(root, table);
    given = record ? record : root;
    SKV_TRY_GOTO(drop_others(given, name, table, sources->others), done);
    st = skv_options_from_json(table, settings, given, name, record ? NULL : c->folder);
done:
    json_decref(root);
    return st == SKV_E_FORMAT ? SKV_E_ARG : st;
}

skv_status skv_config_apply(const skv_option *table, void *settings,
                            const skv_settings_sources *sources)
{
    SKV_TRY(skv_options_defaults(table, settings));
    if (sources->config && sources->config->bytes > 0)
        SKV_TRY(apply_text(table, settings, sources));
    return skv_options_from_args(table, settings, sources->argc, sources->argv, sources->words,
                                 sources->n_words);
}
