/* Sets: what a folder of a layout is to hold, by a prompt list, a run, a manifest or a count. */
#include "eval/layout/layout_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/options.h"
#include "core/text.h"

#define MAX_SAMPLES 10000
#define MAX_PROMPTS 10000000
#define MAX_SIDE    32768
#define MAX_ID      200 /* bytes */

static void free_list(char **list, int64_t n)
{
    for (int64_t i = 0; list && i < n; i++)
        free(list[i]);
    free(list);
}

void skv_layout_set_clear(skv_layout_set *set)
{
    skv_layout__forget_files(set);
    free_list(set->id, set->n);
    free_list(set->text, set->n);
    free_list(set->category, set->n);
    free_list(set->line, set->n);
    free_list(set->why, set->n);
    free(set->model);
    *set = (skv_layout_set){0};
}

static skv_status keep(char **out, const char *text, size_t bytes)
{
    SKV_TRY(skv_alloc(out, bytes + 1, 1, "the set of an export"));
    memcpy(*out, text, bytes);
    return SKV_OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Evaluators look for the ids that a list gives, blanks and letters of any language in them. What
 * no file can be called, or would be hidden or a folder's, is none of these. */
static bool is_file_name(const char *id)
{
    const size_t n = strlen(id);

    if (n == 0 || n > MAX_ID || id[0] == '.' || !skv_utf8_is_valid(id, n))
        return false;
    for (const char *c = id; *c; c++)
        if (*c == '/' || *c == '\\' || (unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    return true;
}

/* set->id[i] = the given id, or the one that the run uses in its place. */
static skv_status keep_id(skv_layout_set *set, int64_t i, const char *given, const char *used,
                          size_t used_bytes)
{
    if (given && is_file_name(given))
        return keep(&set->id[i], given, strlen(given));
    set->n_numbered += given && given[0];
    return keep(&set->id[i], used, used_bytes);
}

/* Ids become file names: no two alike. */
static skv_status check_ids(const skv_layout_set *set)
{
    char **sorted = NULL;
    skv_status st = SKV_OK;

    if (!set->id)
        return SKV_OK;
    for (int64_t i = 0; i < set->n; i++)
        if (!is_file_name(set->id[i]))
            return skv_fail(SKV_E_FORMAT, "prompt %lld: \"%.80s\" cannot be a file name",
                            (long long)i, set->id[i]);
    SKV_TRY(skv_alloc(&sorted, (size_t)set->n, sizeof *sorted, "ids"));
    memcpy(sorted, set->id, (size_t)set->n * sizeof *sorted);
    qsort(sorted, (size_t)set->n, sizeof *sorted, by_text);
    for (int64_t i = 1; i < set->n && st == SKV_OK; i++)
        if (strcmp(sorted[i], sorted[i - 1]) == 0)
            st = skv_fail(SKV_E_FORMAT, "two prompts have the id %s", sorted[i]);
    free(sorted);
    return st;
}

/* Checks the counts before anything is allocated by them. */
static skv_status start(skv_layout_set *set, const skv_layout *layout, int64_t n, int samples)
{
    *set = (skv_layout_set){.n = n, .samples = samples > 0 ? samples : layout->samples};
    if (set->samples == 0)
        set->samples = 1;
    if (n < 1 || n > MAX_PROMPTS)
        return skv_fail(SKV_E_ARG, "%lld prompts, want 1 to %d", (long long)n, MAX_PROMPTS);
    if (samples < 0 || samples > MAX_SAMPLES)
        return skv_fail(SKV_E_ARG, "%d samples a prompt, want 1 to %d", samples, MAX_SAMPLES);
    return SKV_OK;
}

static skv_status take_list(char ***list, const skv_layout_set *set)
{
    return skv_alloc(list, (size_t)set->n, sizeof **list, "the set of an export");
}

/* Checks a set that was filled in; one that fails is cleared. */
static skv_status finish(skv_layout_set *set, const skv_layout *layout, skv_status st)
{
    if (st == SKV_OK)
        st = check_ids(set);
    if (st == SKV_OK && layout->refuse)
        st = layout->refuse(set);
    if (st == SKV_OK)
        st = skv_layout__name_files(set, layout);
    if (st != SKV_OK)
        skv_layout_set_clear(set);
    return st;
}

skv_status skv_layout_set_from_count(skv_layout_set *out, const skv_layout *layout, int64_t n,
                                     int samples)
{
    *out = (skv_layout_set){0};
    if (n == 0 && layout->prompts == 0)
        return skv_fail(SKV_E_ARG,
                        "layout %s has no set number of prompts: give --prompts or --count",
                        layout->name);
    return finish(out, layout, start(out, layout, n ? n : layout->prompts, samples));
}

/* The lines of a JSON Lines list: as many as prompts, since each line keeps its place. */
static skv_status keep_lines(skv_layout_set *set, const char *bytes, size_t n, const char *name)
{
    const char *at = bytes, *end = bytes + n;

    if (n >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        at += 3;
    SKV_TRY(take_list(&set->line, set));
    for (int64_t i = 0; i < set->n; i++) {
        const char *lf = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        size_t bytes_of = (size_t)((lf ? lf : end) - at);

        if (at >= end)
            return skv_fail(SKV_E_FORMAT, "%s: fewer lines than prompts", name);
        if (bytes_of > 0 && at[bytes_of - 1] == '\r')
            bytes_of--;
        SKV_TRY(keep(&set->line[i], at, bytes_of));
        at = lf ? lf + 1 : end;
    }
    return SKV_OK;
}

/* Every line must be what the evaluator needs; lines that are not prompts fail in the run, too. */
static skv_status check_lines(const skv_layout_set *set, const skv_layout *layout,
                              const skv_prompts *prompts, const char *name)
{
    char where[400];

    for (int64_t i = 0; i < set->n; i++) {
        json_t *object = NULL;
        const char *fault;

        if (prompts->prompts[i].error)
            continue;
        snprintf(where, sizeof where, "%.300s: line %lld", name, (long long)i + 1);
        SKV_TRY(skv_json_parse(&object, set->line[i], strlen(set->line[i]), where));
        fault = layout->metadata_fault(object);
        json_decref(object);
        if (fault)
            return skv_fail(SKV_E_ARG, "%s: %s; layout %s wants evaluation_metadata.jsonl", where,
                            fault, layout->name);
    }
    return SKV_OK;
}

/* Reads the list once for prompts and, where the layout has metadata, lines. */
static skv_status read_prompts(skv_prompts **prompts, skv_layout_set *set, const skv_layout *layout,
                               const skv_layout_prompts *list, int samples)
{
    const char *name = list->file;
    skv_prompts_source source = {0};
    char *bytes = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_prompts_open(&source, name), done);
    SKV_TRY_GOTO(skv_prompts_parse(prompts, &source, name, &list->how), done);
    SKV_TRY_GOTO(start(set, layout, (int64_t)(*prompts)->n, samples), done);
    if (!layout->metadata)
        goto done;
    if (source.form != SKV_PROMPTS_JSONL) {
        st = skv_fail(SKV_E_ARG,
                      "%s is not a JSON Lines file; layout %s copies the lines of "
                      "evaluation_metadata.jsonl, give it with --prompts",
                      name, layout->name);
        goto done;
    }
    SKV_TRY_GOTO(skv_alloc(&bytes, source.n + 1, 1, name), done);
    SKV_TRY_GOTO(skv_prompts_bytes(bytes, &source, 0, source.n, name), done);
    SKV_TRY_GOTO(keep_lines(set, bytes, source.n, name), done);
    SKV_TRY_GOTO(check_lines(set, layout, *prompts, name), done);
done:
    free(bytes);
    skv_prompts_close(&source);
    return st;
}

/* Of a JSON object whose keys are the prompts' ids: the text at layout->category_key. */
static skv_status keep_categories(skv_layout_set *set, const skv_layout *layout, const char *name)
{
    json_t *root = NULL;
    skv_status st = SKV_OK;

    if (!layout->category_key)
        return SKV_OK;
    SKV_TRY(skv_json_read(&root, name));
    SKV_TRY_GOTO(take_list(&set->category, set), done);
    for (int64_t i = 0; i < set->n; i++) {
        const json_t *object = json_object_get(root, set->id[i]);
        const char *category = json_string_value(json_object_get(object, layout->category_key));

        if (!category || !skv_prompts_id_is_usable(category)) {
            st =
                skv_fail(SKV_E_FORMAT,
                         "%s: prompt %s has no \"%s\" that can be a folder's name; layout %s wants "
                         "an object of objects by id",
                         name, set->id[i], layout->category_key, layout->name);
            goto done;
        }
        SKV_TRY_GOTO(keep(&set->category[i], category, strlen(category)), done);
    }
done:
    json_decref(root);
    return st;
}

skv_status skv_layout_set_from_prompts(skv_layout_set *out, const skv_layout *layout,
                                       const skv_layout_prompts *list, int samples)
{
    char id[SKV_PROMPT_ID_BYTES];
    skv_prompts *prompts = NULL;
    skv_status st;

    *out = (skv_layout_set){0};
    SKV_TRY_GOTO(read_prompts(&prompts, out, layout, list, samples), done);
    SKV_TRY_GOTO(take_list(&out->id, out), done);
    SKV_TRY_GOTO(take_list(&out->text, out), done);
    for (int64_t i = 0; i < out->n; i++) {
        const skv_prompt *p = &prompts->prompts[i];

        skv_prompts_id(prompts, (size_t)i, id, sizeof id);
        SKV_TRY_GOTO(keep_id(out, i, p->given_id, id, strlen(id)), done);
        SKV_TRY_GOTO(keep(&out->text[i], p->text, strlen(p->text)), done);
    }
    SKV_TRY_GOTO(keep_categories(out, layout, list->file), done);
done:
    skv_prompts_destroy(prompts);
    return finish(out, layout, st);
}

/* ------------------------------------------------------------------ of a run */

/* Bytes of the prompt's id: the row's, less "-<sample>"; 0: not so. */
static size_t id_bytes(const char *id, int sample)
{
    char ending[16];
    size_t n = strlen(id), m;

    snprintf(ending, sizeof ending, "-%d", sample);
    m = strlen(ending);
    return n > m && strcmp(id + n - m, ending) == 0 ? n - m : 0;
}

/* Sample 0 has the plain id; in runs of earlier versions "-0" stands behind it, where there are
 * more. */
static skv_status prompt_id(size_t *n, const skv_run_file *run, int64_t prompt)
{
    const char *first = run->id[skv_run_file_row(run, prompt, 0)];
    const int64_t samples = run->segments.n_samples;

    *n = samples > 1 ? id_bytes(run->id[skv_run_file_row(run, prompt, 1)], 1) : strlen(first);
    for (int s = 0; s < samples; s++) {
        const char *id = run->id[skv_run_file_row(run, prompt, s)];
        const bool plain = s == 0 && strlen(id) == *n;

        if (*n == 0 || (!plain && id_bytes(id, s) != *n) || memcmp(id, first, *n) != 0)
            return skv_fail(SKV_E_FORMAT,
                            "%s/run.h5: \"%.80s\" is not an id of sample %d of prompt %lld",
                            run->folder, id, s, (long long)prompt);
    }
    return SKV_OK;
}

static skv_status run_ids(skv_layout_set *set, const skv_run_file *run)
{
    SKV_TRY(take_list(&set->id, set));
    SKV_TRY(take_list(&set->text, set));
    for (int64_t i = 0; i < set->n; i++) {
        const int64_t row = skv_run_file_row(run, i, 0);
        size_t n = 0;

        SKV_TRY(prompt_id(&n, run, i));
        SKV_TRY(keep_id(set, i, run->given_id ? run->given_id[row] : NULL, run->id[row], n));
        SKV_TRY(keep(&set->text[i], run->prompt[row], strlen(run->prompt[row])));
    }
    return SKV_OK;
}

/* The list that an export reads: what is not given is as the run's settings have it. */
typedef struct {
    skv_layout_prompts list;
    json_t *run_json; /* where strings of the list live; NULL: all are given */
    bool is_own;      /* the file that the run was made of */
} run_list;

static void fill_in(const char **out, const json_t *settings, const char *key)
{
    if (!*out)
        *out = json_string_value(json_object_get(settings, key));
}

static skv_status find_list(run_list *out, const skv_run_file *run, const skv_layout_prompts *given)
{
    char name[SKV_LAYOUT_PATH_BYTES];
    const json_t *settings;
    const char *order = NULL;
    skv_status st;

    *out = (run_list){.list = *given, .is_own = !given->file};
    SKV_TRY(skv_layout_join(name, run->folder, "run.json"));
    st = skv_json_read(&out->run_json, name);
    if (st == SKV_E_NOTFOUND && given->file)
        return SKV_OK;
    SKV_TRY(st);
    settings = json_object_get(out->run_json, "settings");
    if (!given->file)
        SKV_TRY(skv_json_string(&out->list.file, settings, "prompts", name));
    fill_in(&out->list.how.prompt_key, settings, "prompt_key");
    fill_in(&out->list.how.id_key, settings, "id_key");
    fill_in(&order, settings, "prompt_order");
    if (order && strcmp(order, "image_id") == 0)
        out->list.how.order = SKV_PROMPTS_ORDER_IMAGE_ID;
    return SKV_OK;
}

/* The status of reading it: a given list that cannot be opened is a wrong name. */
static skv_status list_opened(const run_list *l, skv_status st)
{
    if (!l->is_own)
        return skv_option_opened(NULL, st);
    if (st == SKV_E_NOTFOUND)
        return skv_fail(SKV_E_ARG, "%s, the run's prompts, is missing: give it with --prompts",
                        l->list.file);
    return st;
}

static skv_status same_prompts(const skv_run_file *run, int64_t n, const skv_prompts *prompts,
                               const char *name)
{
    if ((int64_t)prompts->n != n)
        return skv_fail(SKV_E_ARG, "%s has %zu prompt%s, the run %s has %lld: give its own list",
                        name, prompts->n, skv_s((int64_t)prompts->n), run->folder, (long long)n);
    for (int64_t i = 0; i < n; i++) {
        const char *want = run->prompt[skv_run_file_row(run, i, 0)];

        if (strcmp(prompts->prompts[i].text, want) != 0)
            return skv_fail(SKV_E_ARG,
                            "%s: prompt %lld is \"%.80s\", in the run %s it is \"%.80s\": give its "
                            "own list, and the key of its prompts (--prompt-key)",
                            name, (long long)i, prompts->prompts[i].text, run->folder, want);
    }
    return SKV_OK;
}

static skv_status run_lines(skv_layout_set *set, const skv_layout *layout, const skv_run_file *run,
                            const run_list *l)
{
    skv_layout_set read = {0};
    skv_prompts *prompts = NULL;
    skv_status st;

    SKV_TRY_GOTO(list_opened(l, read_prompts(&prompts, &read, layout, &l->list, set->samples)),
                 done);
    SKV_TRY_GOTO(same_prompts(run, set->n, prompts, l->list.file), done);
    set->line = read.line;
    read.line = NULL;
done:
    skv_layout_set_clear(&read);
    skv_prompts_destroy(prompts);
    return st;
}

/* What the layout has from the prompt list rather than from the run. */
static skv_status read_list(skv_layout_set *set, const skv_layout *layout, const skv_run_file *run,
                            const skv_layout_prompts *given)
{
    run_list l;
    skv_status st;

    SKV_TRY_GOTO(find_list(&l, run, given), done);
    if (layout->metadata)
        SKV_TRY_GOTO(run_lines(set, layout, run, &l), done);
    if (layout->category_key)
        st = list_opened(&l, keep_categories(set, layout, l.list.file));
done:
    json_decref(l.run_json);
    return st;
}

skv_status skv_layout_set_from_run(skv_layout_set *out, const skv_layout *layout,
                                   const skv_run_file *run, const skv_layout_prompts *list,
                                   int samples)
{
    const int there = (int)run->segments.n_samples;
    skv_status st;

    if (samples == 0 && layout->samples == 0)
        samples = there;
    SKV_TRY_GOTO(start(out, layout, run->segments.n_prompts, samples), done);
    if (out->samples > there) {
        st = skv_fail(SKV_E_ARG, "%s has %d sample%s a prompt, layout %s wants %d%s", run->folder,
                      there, skv_s(there), layout->name, out->samples,
                      layout->tiles > 1 ? "" : " (--samples takes fewer)");
        goto done;
    }
    SKV_TRY_GOTO(run_ids(out, run), done);
    if (layout->metadata || layout->category_key)
        SKV_TRY_GOTO(read_list(out, layout, run, list), done);
done:
    return finish(out, layout, st);
}

/* ------------------------------------------------------------- of a manifest */

static skv_status manifest_prompt(skv_layout_set *set, const skv_layout *layout, int64_t i,
                                  const json_t *prompt, const char *name)
{
    const char *text = NULL;

    SKV_TRY(skv_json_string(&text, prompt, "id", name));
    SKV_TRY(keep(&set->id[i], text, strlen(text)));
    SKV_TRY(skv_json_string(&text, prompt, "prompt", name));
    SKV_TRY(keep(&set->text[i], text, strlen(text)));
    if (set->category) {
        SKV_TRY(skv_json_string(&text, prompt, "category", name));
        if (!skv_prompts_id_is_usable(text))
            return skv_fail(SKV_E_FORMAT, "%s: category \"%.80s\" cannot be a folder's name", name,
                            text);
        SKV_TRY(keep(&set->category[i], text, strlen(text)));
    }
    text = json_string_value(json_object_get(prompt, "error"));
    SKV_TRY(keep(&set->why[i], text ? text : "", text ? strlen(text) : 0));
    if (!layout->metadata)
        return SKV_OK;
    SKV_TRY(skv_json_string(&text, prompt, "metadata", name));
    return keep(&set->line[i], text, strlen(text));
}

skv_status skv_layout_set_from_manifest(skv_layout_set *out, const skv_layout *layout,
                                        const json_t *manifest, const char *name)
{
    const json_t *prompts = json_object_get(manifest, "prompts");
    int64_t samples = 0, side = 0;
    const char *of = NULL;
    skv_status st;

    *out = (skv_layout_set){0};
    SKV_TRY(skv_json_string(&of, manifest, "layout", name));
    if (strcmp(of, layout->name) != 0)
        return skv_fail(SKV_E_ARG, "%s: the folder was exported in layout %s, not %s", name, of,
                        layout->name);
    SKV_TRY(skv_json_int(&samples, manifest, "samples", name));
    SKV_TRY(skv_json_int(&side, manifest, "side", name));
    if (samples < 1 || samples > MAX_SAMPLES || side < 0 || side > MAX_SIDE)
        return skv_fail(SKV_E_FORMAT, "%s: samples or side is out of range", name);
    SKV_TRY_GOTO(start(out, layout, (int64_t)json_array_size(prompts), (int)samples), done);
    out->side = (int)side;
    SKV_TRY_GOTO(take_list(&out->id, out), done);
    SKV_TRY_GOTO(take_list(&out->text, out), done);
    SKV_TRY_GOTO(take_list(&out->why, out), done);
    if (layout->category_key)
        SKV_TRY_GOTO(take_list(&out->category, out), done);
    if (layout->metadata)
        SKV_TRY_GOTO(take_list(&out->line, out), done);
    for (int64_t i = 0; i < out->n; i++)
        SKV_TRY_GOTO(manifest_prompt(out, layout, i, json_array_get(prompts, (size_t)i), name),
                     done);
done:
    SKV_TRY(finish(out, layout, st));
    st = skv_json_string(&of, json_object_get(manifest, "path"), "name", name);
    if (st == SKV_OK)
        st = skv_layout_set_model(out, layout, of);
    if (st != SKV_OK)
        skv_layout_set_clear(out);
    return st;
}
