/* Names of files, as a layout's patterns say them, and the names of a set sorted. */
#include "eval/layout/layout_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "io/prompts.h"

#define MAX_PART_BYTES 255 /* of a file's own name, on every file system */
#define MAX_DIGITS     9   /* of an id that is a number */

/* ------------------------------------------------------------------- patterns */

/* A word of a pattern: "{name}" or "{name:width}". */
typedef struct {
    const char *name;
    size_t bytes; /* of the name */
    int width;
} word;

/* The word that begins at `at`; returns where the text goes on. */
static const char *next_word(word *out, const char *at)
{
    const char *end = strchr(at, '}');
    const char *colon = memchr(at, ':', (size_t)(end - at));

    out->name = at + 1;
    out->bytes = (size_t)((colon ? colon : end) - out->name);
    out->width = colon ? atoi(colon + 1) : 0;
    return end + 1;
}

static bool is(const word *w, const char *name)
{
    return strlen(name) == w->bytes && memcmp(w->name, name, w->bytes) == 0;
}

static bool has(const skv_layout *layout, const char *start)
{
    return strstr(layout->picture, start) != NULL;
}

bool skv_layout_needs_list(const skv_layout *layout)
{
    return has(layout, "{id") || has(layout, "{item") || has(layout, "{prompt");
}

/* What an id <category>-<item> has before its last dash; 0: no category. */
static size_t category_bytes(const char *id)
{
    const char *dash = strrchr(id, '-');

    return dash ? (size_t)(dash - id) : 0;
}

static void put_category(char *out, size_t bytes, const skv_layout *layout,
                         const skv_layout_set *set, int64_t prompt)
{
    const char *id = set->id[prompt];

    if (set->category)
        snprintf(out, bytes, "%s", set->category[prompt]);
    else
        snprintf(out, bytes, "%.*s", (int)category_bytes(id), id);
    for (const skv_layout_category *c = layout->categories; c && c->category; c++)
        if (strcmp(out, c->category) == 0)
            snprintf(out, bytes, "%s", c->folder);
}

static const char *item_of(const char *id)
{
    const size_t category = category_bytes(id);

    return category > 0 ? id + category + 1 : id;
}

/* The number in `text` with zeros before it, or the text where no width is asked for. */
static void put_number(char *out, size_t bytes, const char *text, int width)
{
    if (width > 0)
        snprintf(out, bytes, "%0*lld", width, strtoll(text, NULL, 10));
    else
        snprintf(out, bytes, "%s", text);
}

static void put_word(char *out, size_t bytes, const word *w, const skv_layout *layout,
                     const skv_layout_set *set, int64_t prompt, int sample)
{
    if (is(w, "index"))
        snprintf(out, bytes, "%0*lld", w->width, (long long)prompt + layout->first_index);
    else if (is(w, "sample"))
        snprintf(out, bytes, "%0*d", w->width, sample + layout->first_sample);
    else if (is(w, "row"))
        snprintf(out, bytes, "%0*lld", w->width, (long long)prompt * set->samples + sample);
    else if (is(w, "id"))
        put_number(out, bytes, set->id[prompt], w->width);
    else if (is(w, "item"))
        put_number(out, bytes, item_of(set->id[prompt]), w->width);
    else if (is(w, "category"))
        put_category(out, bytes, layout, set, prompt);
    else if (is(w, "prompt"))
        snprintf(out, bytes, "%s", set->text[prompt]);
    else
        snprintf(out, bytes, "%s", set->model);
}

static void expand(char *out, const char *pattern, const skv_layout *layout,
                   const skv_layout_set *set, int64_t prompt, int sample)
{
    size_t n = 0;

    out[0] = '\0';
    for (const char *at = pattern; *at && n + 1 < SKV_LAYOUT_NAME_BYTES;) {
        word w;

        if (*at != '{') {
            out[n++] = *at++;
            out[n] = '\0';
            continue;
        }
        at = next_word(&w, at);
        put_word(out + n, SKV_LAYOUT_NAME_BYTES - n, &w, layout, set, prompt, sample);
        if (out[n] == '\0' && *at == '/') /* no category: no folder of it */
            at++;
        n += strlen(out + n);
    }
}

void skv_layout_picture(char *out, const skv_layout *layout, const skv_layout_set *set,
                        int64_t prompt, int sample)
{
    expand(out, layout->picture, layout, set, prompt, sample);
}

void skv_layout_metadata(char *out, const skv_layout *layout, int64_t prompt)
{
    expand(out, layout->metadata, layout, &(skv_layout_set){0}, prompt, 0);
}

/* --------------------------------------------------------------------- checks */

static bool is_number(const char *text)
{
    const size_t n = strspn(text, "0123456789");

    return n > 0 && n <= MAX_DIGITS && text[n] == '\0';
}

/* Ids that are the prompts' places only: the prompt list gave none. */
static bool ids_are_places(const skv_layout_set *set)
{
    char index[32];

    for (int64_t i = 0; i < set->n; i++) {
        snprintf(index, sizeof index, "%05lld", (long long)i);
        if (strcmp(index, set->id[i]) != 0)
            return false;
    }
    return true;
}

static skv_status check_ids(const skv_layout_set *set, const skv_layout *layout)
{
    const bool number = has(layout, "{id:"), item_number = has(layout, "{item:");

    if (set->n_numbered > 0 && (has(layout, "{id") || has(layout, "{item")))
        return skv_fail(SKV_E_ARG,
                        "layout %s names pictures by the prompts' ids, and %lld of %lld prompts "
                        "have one that cannot be a file name, such as one with a slash",
                        layout->name, (long long)set->n_numbered, (long long)set->n);
    if (has(layout, "{id}") && ids_are_places(set))
        return skv_fail(SKV_E_ARG,
                        "the prompts have no ids of their own: layout %s names pictures by the ids "
                        "of %s's prompt list",
                        layout->name, layout->benchmark);
    for (int64_t i = 0; i < set->n; i++) {
        const char *id = set->id[i];

        if ((number && !is_number(id)) || (item_number && !is_number(item_of(id))))
            return skv_fail(SKV_E_ARG, "prompt %lld: layout %s wants an id that %s, not %s",
                            (long long)i, layout->name,
                            number ? "is a number" : "is or ends in a number", id);
    }
    return SKV_OK;
}

/* Either all ids have a category or none has. */
static skv_status check_categories(const skv_layout_set *set, const skv_layout *layout)
{
    for (int64_t i = 1; !set->category && i < set->n; i++)
        if ((category_bytes(set->id[i]) > 0) != (category_bytes(set->id[0]) > 0))
            return skv_fail(SKV_E_ARG,
                            "layout %s: of the ids %s and %s one has a category and the other has "
                            "not; want <category>-<number> for all or for none",
                            layout->name, set->id[0], set->id[i]);
    return SKV_OK;
}

/* Evaluators read the prompt from the name up to the first '_'. */
static skv_status check_texts(const skv_layout_set *set, const skv_layout *layout)
{
    for (int64_t i = 0; i < set->n; i++) {
        const char *text = set->text[i];

        if (strpbrk(text, "/_") || text[0] == '.' || strlen(text) > MAX_PART_BYTES - 16)
            return skv_fail(SKV_E_ARG,
                            "prompt %lld, \"%.80s\": layout %s names pictures by their prompts, "
                            "which may not have '/' or '_', begin with '.', or be longer than %d "
                            "bytes",
                            (long long)i, text, layout->name, MAX_PART_BYTES - 16);
    }
    return SKV_OK;
}

static skv_status check_samples(const skv_layout_set *set, const skv_layout *layout)
{
    const int want = layout->tiles * layout->tiles;

    if (has(layout, "{sample") || has(layout, "{row") || set->samples == want)
        return SKV_OK;
    return skv_fail(SKV_E_ARG, "layout %s wants %d sample%s a prompt, not %d", layout->name, want,
                    skv_s(want), set->samples);
}

/* ----------------------------------------------------------------------- list */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const skv_layout_file *)a)->name, ((const skv_layout_file *)b)->name);
}

void skv_layout__forget_files(skv_layout_set *set)
{
    for (int64_t i = 0; i < set->n_files; i++)
        free(set->file[i].name);
    free(set->file);
    set->file = NULL;
    set->n_files = 0;
}

static skv_status list_files(skv_layout_set *set, const skv_layout *layout)
{
    const int files = skv_layout_files(layout, set);
    char name[SKV_LAYOUT_NAME_BYTES];

    skv_layout__forget_files(set);
    SKV_TRY(skv_alloc(&set->file, (size_t)(set->n * files), sizeof *set->file, "names of files"));
    for (int64_t p = 0; p < set->n; p++)
        for (int s = 0; s < files; s++) {
            skv_layout_file *f = &set->file[set->n_files];

            skv_layout_picture(name, layout, set, p, s);
            SKV_TRY(skv_alloc(&f->name, strlen(name) + 1, 1, "names of files"));
            memcpy(f->name, name, strlen(name) + 1);
            f->prompt = p;
            f->sample = s;
            set->n_files++;
        }
    qsort(set->file, (size_t)set->n_files, sizeof *set->file, by_name);
    for (int64_t i = 1; i < set->n_files; i++)
        if (strcmp(set->file[i].name, set->file[i - 1].name) == 0)
            return skv_fail(SKV_E_ARG,
                            "layout %s: the pictures of prompts %s and %s would both be "
                            "%s",
                            layout->name, set->id[set->file[i - 1].prompt],
                            set->id[set->file[i].prompt], set->file[i].name);
    return SKV_OK;
}

skv_status skv_layout__name_files(skv_layout_set *set, const skv_layout *layout)
{
    SKV_TRY(check_samples(set, layout));
    if (skv_layout_needs_list(layout) && !set->id)
        return SKV_OK;
    if (has(layout, "{id") || has(layout, "{item"))
        SKV_TRY(check_ids(set, layout));
    if (has(layout, "{category"))
        SKV_TRY(check_categories(set, layout));
    if (has(layout, "{prompt"))
        SKV_TRY(check_texts(set, layout));
    if (layout->judge || (has(layout, "{model") && !set->model))
        return SKV_OK;
    return list_files(set, layout);
}

skv_status skv_layout_set_model(skv_layout_set *set, const skv_layout *layout, const char *model)
{
    if (!has(layout, "{model"))
        return SKV_OK;
    if (!model)
        return skv_fail(SKV_E_ARG,
                        "layout %s has a folder of the model's name: give it with --model",
                        layout->name);
    if (!skv_prompts_id_is_usable(model))
        return skv_fail(SKV_E_ARG, "\"%.80s\" cannot be a folder's name", model);
    free(set->model);
    set->model = NULL;
    SKV_TRY(skv_alloc(&set->model, strlen(model) + 1, 1, "the model's name"));
    memcpy(set->model, model, strlen(model) + 1);
    return skv_layout__name_files(set, layout);
}

/* ---------------------------------------------------------------------- judge */

/* The first file whose name is not before `name`. */
static int64_t place_of(const skv_layout_set *set, const char *name)
{
    int64_t from = 0, to = set->n_files;

    while (from < to) {
        const int64_t middle = from + (to - from) / 2;

        if (strcmp(set->file[middle].name, name) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static bool holds_files(const skv_layout_set *set, const char *folder)
{
    char start[SKV_LAYOUT_NAME_BYTES + 1];
    const int n = snprintf(start, sizeof start, "%s/", folder);
    int64_t i;

    if (n < 0 || (size_t)n >= sizeof start)
        return false;
    i = place_of(set, start);
    return i < set->n_files && strncmp(set->file[i].name, start, (size_t)n) == 0;
}

/* Without a list every name with the right ending counts, in every folder. */
static void judge_ending(skv_layout_entry *out, const skv_layout *layout, const char *name,
                         bool folder)
{
    if (folder)
        out->kind = SKV_LAYOUT_FOLDER;
    else if (skv_ends_with(name, strrchr(layout->picture, '.')))
        out->kind = SKV_LAYOUT_PICTURE;
    out->prompt = -1;
}

void skv_layout_judge(skv_layout_entry *out, const skv_layout *layout, const skv_layout_set *set,
                      const char *name, bool folder)
{
    const int64_t i = place_of(set, name);

    *out = (skv_layout_entry){.kind = SKV_LAYOUT_IGNORED};
    if (layout->index && strcmp(name, layout->index) == 0 && !folder) {
        out->kind = SKV_LAYOUT_INDEX;
    } else if (layout->judge) {
        layout->judge(out, set, name, folder);
    } else if (!set->file) {
        judge_ending(out, layout, name, folder);
    } else if (folder && holds_files(set, name)) {
        out->kind = SKV_LAYOUT_FOLDER;
    } else if (!folder && i < set->n_files && strcmp(set->file[i].name, name) == 0) {
        out->kind = SKV_LAYOUT_PICTURE;
        out->prompt = set->file[i].prompt;
        out->sample = set->file[i].sample;
    } else if (layout->also && (out->why = layout->also(name, folder)) != NULL) {
        out->kind = SKV_LAYOUT_READ;
    }
}

/* -------------------------------------------------------------------- command */

skv_status skv_layout_command(char *out, size_t bytes, const skv_layout *layout,
                              const skv_layout_folders *f)
{
    const bool itself = f->reference && strcmp(f->reference, f->folder) == 0;
    size_t n = 0;

    for (const char *at = layout->command; *at;) {
        char side[32] = "<side of one sample>";
        const char *value = f->folder;
        word w;

        if (*at != '{') {
            n += (size_t)snprintf(out + n, bytes - n, "%c", *at++);
        } else {
            at = next_word(&w, at);
            if (f->side > 0)
                snprintf(side, sizeof side, "%d", f->side);
            if (is(&w, "parent"))
                value = f->parent;
            else if (is(&w, "own"))
                value = f->own;
            else if (is(&w, "model"))
                value = f->model ? f->model : "<model>";
            else if (is(&w, "side"))
                value = side;
            else if (is(&w, "reference"))
                value = f->reference ? f->reference : "<folder of the reference path>";
            else if (is(&w, "compared") && itself)
                value = "<folder of another path>";
            n += (size_t)snprintf(out + n, bytes - n, "%s", value);
        }
        if (n >= bytes)
            return skv_fail(SKV_E_ARG, "%s: the folder's name is too long", f->folder);
    }
    return SKV_OK;
}
