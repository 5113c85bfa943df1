/* skv check: whether a folder of pictures, whoever made it, is what its evaluator should read. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "job/backend_choice.h"
#include "cli/command.h"
#include "cli/help_lists.h"
#include "cli/print_text.h"
#include "core/file.h"
#include "core/text.h"
#include "eval/layout/layout.h"

typedef struct {
    char *config, *layout, *model, *prompts, *prompt_key, *id_key, *json;
    int64_t samples, count, side, limit, threads;
} check_options;

#define ROW(...) SKV_OPTION(check_options, __VA_ARGS__)

static const skv_option table[] = {
    SKV_OPTION_CONFIG(check_options),
    ROW(layout, STRING, NULL, "a layout of the list below", "Check"),
    ROW(prompts, PATH, NULL,
        "the prompt list; default: the manifest beside an exported folder, or else a count", NULL),
    SKV_OPTION_PROMPT_KEYS(check_options),
    ROW(model, STRING, NULL,
        "the model's name in the folder, where the layout has it; default: the manifest's path",
        NULL),
    ROW(samples, INT, "0", "samples a prompt; 0: as the layout's benchmark has it", NULL),
    ROW(count, INT, "0", "prompts, where there is no list; 0: as the layout's benchmark has it",
        NULL),
    ROW(side, INT, "0", "pixels of a sample's side; 0: what most pictures have", NULL),
    ROW(limit, INT, "20", "findings printed of each kind; 0: all", NULL),
    ROW(threads, INT, "0", "threads that decode pictures; 0: one a core", NULL),
    SKV_OPTION_FLAG(check_options, json, STRING, NULL, "all findings, by folder, " SKV_JSON_HELP,
                    NULL),
    {0}};

typedef struct {
    const skv_layout *layout;
    const check_options *options;
    skv_json_maker folders;
    bool clean; /* so far */
} checker;

static const char *const kinds[SKV_FOUND_KINDS] = {"missing",   "damaged", "extra",
                                                   "duplicate", "size",    "ignored"};

/* --------------------------------------------------------------------- print */

static void print_findings(const skv_layout_report *r, int64_t limit)
{
    for (int k = 0; k < SKV_FOUND_KINDS; k++) {
        int64_t n = 0;

        for (size_t i = 0; i < r->n; i++) {
            const skv_layout_finding *f = &r->finding[i];

            if ((int)f->kind != k || (n++ >= limit && limit > 0))
                continue;
            printf("%-9s  ", kinds[k]);
            skv_print_text(f->name, 0);
            printf("%s", f->why[0] ? ": " : "");
            skv_print_text(f->why, 0);
            printf("\n");
        }
        if (limit > 0 && n > limit)
            printf("%-9s  and %lld more (--limit 0 lists all)\n", kinds[k], (long long)(n - limit));
    }
}

#define WORD_BYTES (SKV_LAYOUT_PATH_BYTES * 8 + 16)

/* As one word of a shell. */
static void quoted(char *out, const char *name)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "._-/+,:@%";
    size_t n = 0;

    if (name[strspn(name, plain)] == '\0') {
        snprintf(out, WORD_BYTES, "%s", name);
        return;
    }
    out[n++] = '\'';
    for (const char *c = name; *c; c++) {
        if (*c == '\'')
            n += (size_t)snprintf(out + n, 5, "'\\''");
        else
            out[n++] = *c;
    }
    snprintf(out + n, 2, "'");
}

/* An absolute name, since evaluators are run in their own folder. */
static skv_status quoted_folder(char *out, const char *folder)
{
    char here[SKV_LAYOUT_PATH_BYTES / 2] = "";
    char name[SKV_LAYOUT_PATH_BYTES * 2];

    if (folder[0] != '/' && !getcwd(here, sizeof here))
        return skv_fail(SKV_E_IO, "the current folder has no name");
    snprintf(name, sizeof name, "%s%s%s", here, here[0] ? "/" : "", folder);
    quoted(out, name);
    return SKV_OK;
}

static skv_status print_command(const skv_layout *layout, const skv_layout_report *r,
                                const char *folder, const char *model)
{
    static char word[WORD_BYTES], reference_word[WORD_BYTES], line[WORD_BYTES * 4];
    static char parent_word[WORD_BYTES], own_word[WORD_BYTES];
    skv_layout_folders folders = {.folder = word,
                                  .parent = parent_word,
                                  .own = own_word,
                                  .model = model,
                                  .side = r->width / layout->tiles};
    char reference[SKV_LAYOUT_PATH_BYTES], parent[SKV_LAYOUT_PATH_BYTES];
    char own[SKV_LAYOUT_PATH_BYTES];

    SKV_TRY(quoted_folder(word, folder));
    SKV_TRY(skv_layout_absolute(parent, own, folder));
    quoted(parent_word, parent);
    quoted(own_word, own);
    SKV_TRY(skv_layout_reference(reference, folder));
    if (reference[0]) {
        SKV_TRY(quoted_folder(reference_word, reference));
        folders.reference = reference_word;
    }
    SKV_TRY(skv_layout_command(line, sizeof line, layout, &folders));
    printf("evaluate with:\n%s\n", line);
    return SKV_OK;
}

static bool is_clean(const skv_layout_report *r)
{
    for (int k = 0; k < SKV_FOUND_IGNORED; k++)
        if (r->count[k] > 0)
            return false;
    return true;
}

static void note_folder(checker *c, const skv_layout_report *r, const char *folder)
{
    skv_json_maker o = skv_json_object(), findings = skv_json_array();

    for (size_t i = 0; i < r->n; i++) {
        skv_json_maker f = skv_json_object();

        skv_json_put(&f, "kind", json_string(kinds[r->finding[i].kind]));
        skv_json_put(&f, "name", skv_json_foreign(r->finding[i].name));
        skv_json_put(&f, "why", skv_json_foreign(r->finding[i].why));
        skv_json_append(&findings, skv_json_take(&f));
    }
    skv_json_put(&o, "folder", skv_json_foreign(folder));
    skv_json_put(&o, "layout", json_string(c->layout->name));
    skv_json_put(&o, "complete", json_boolean(is_clean(r)));
    skv_json_put(&o, "good", json_integer(r->n_good));
    skv_json_put(&o, "expected", json_integer(r->n_expected));
    skv_json_put(&o, "findings", skv_json_take(&findings));
    skv_json_append(&c->folders, skv_json_take(&o));
}

static bool print_report(const skv_layout *layout, const skv_layout_report *r, const char *folder,
                         int64_t limit)
{
    const bool clean = is_clean(r);

    print_findings(r, limit);
    printf("%s: %lld of %lld picture%s good, %dx%d", folder, (long long)r->n_good,
           (long long)r->n_expected, skv_s(r->n_expected), r->width, r->height);
    for (int k = 0; k < SKV_FOUND_IGNORED; k++)
        if (r->count[k] > 0)
            printf(", %lld %s", (long long)r->count[k], kinds[k]);
    printf("; layout %s is %s\n", layout->name, clean ? "complete" : "not right");
    return clean;
}

/* --------------------------------------------------------------------- check */

/* The prompt list, else the manifest beside the folder, else a count. */
static skv_status make_set(skv_layout_set *set, const skv_layout *layout, const check_options *o,
                           const char *folder)
{
    const skv_layout_prompts list = {o->prompts,
                                     {.prompt_key = o->prompt_key, .id_key = o->id_key}};
    char manifest[SKV_LAYOUT_PATH_BYTES];
    json_t *root = NULL;
    skv_status st;

    if (o->prompts)
        return skv_option_opened("--prompts",
                                 skv_layout_set_from_prompts(set, layout, &list, (int)o->samples));
    if (o->count == 0 && skv_layout_beside(manifest, folder, SKV_LAYOUT_MANIFEST) == SKV_OK) {
        st = skv_json_read(&root, manifest);
        if (st == SKV_OK)
            st = skv_layout_set_from_manifest(set, layout, root, manifest);
        json_decref(root);
        if (st != SKV_E_NOTFOUND)
            return st;
    }
    return skv_layout_set_from_count(set, layout, o->count, (int)o->samples);
}

static skv_status check_folder(checker *c, const char *folder)
{
    const skv_layout *layout = c->layout;
    const check_options *o = c->options;
    skv_layout_report report = {0};
    skv_layout_set set = {0};
    skv_status st;

    SKV_TRY_GOTO(make_set(&set, layout, o, folder), done);
    if (o->samples > 0 && set.samples != o->samples) {
        st = skv_fail(SKV_E_ARG, "%s was exported with %d samples a prompt, not %lld", folder,
                      set.samples, (long long)o->samples);
        goto done;
    }
    if (o->side > 0)
        set.side = (int)o->side;
    if (o->model || !set.model)
        SKV_TRY_GOTO(skv_layout_set_model(&set, layout, o->model), done);
    SKV_TRY_GOTO(skv_option_opened(NULL, skv_layout_check(&report, layout, &set, folder,
                                                          skv_device_threads(o->threads, 1))),
                 done);
    if (!print_report(layout, &report, folder, o->limit))
        c->clean = false;
    note_folder(c, &report, folder);
    st = print_command(layout, &report, folder, set.model);
done:
    skv_layout_report_clear(&report);
    skv_layout_set_clear(&set);
    return st;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_manifest(const struct dirent *e)
{
    const size_t n = strlen(e->d_name), m = strlen(SKV_LAYOUT_MANIFEST);

    return n > m && strcmp(e->d_name + n - m, SKV_LAYOUT_MANIFEST) == 0;
}

/* A folder of exported folders: each is checked. Otherwise the folder itself. */
static skv_status check_all(checker *c, const char *folder)
{
    struct dirent **entry = NULL;
    const int n = scandir(folder, &entry, is_manifest, by_bytes);
    skv_status st = SKV_OK;

    for (int i = 0; i < n && st == SKV_OK; i++) {
        char inner[SKV_LAYOUT_PATH_BYTES];
        const int length = (int)(strlen(entry[i]->d_name) - strlen(SKV_LAYOUT_MANIFEST));

        if ((size_t)snprintf(inner, sizeof inner, "%s/%.*s", folder, length, entry[i]->d_name) >=
            sizeof inner)
            st = skv_fail(SKV_E_ARG, "%s: the name is too long", folder);
        else
            st = check_folder(c, inner);
    }
    for (int i = 0; i < n; i++)
        free(entry[i]);
    free(entry);
    return n > 0 ? st : check_folder(c, folder);
}

static skv_status check_numbers(const check_options *o)
{
    if (o->samples < 0 || o->samples > 10000)
        return skv_fail(SKV_E_ARG, "--samples is out of range, want 0 to 10000");
    if (o->count < 0 || o->side < 0 || o->side > 32768 || o->limit < 0 || o->threads < 0 ||
        o->threads > 1024)
        return skv_fail(SKV_E_ARG, "--count, --side, --limit, --threads: want numbers from 0, "
                                   "--side at most 32768, --threads at most 1024");
    return SKV_OK;
}

static skv_status run(skv_comm *comm, int argc, char **argv, int *exit_code)
{
    check_options o = {0};
    checker c = {.options = &o, .folders = skv_json_array(), .clean = true};
    skv_words words = {0};
    skv_status st;

    (void)comm;
    SKV_TRY_GOTO(skv_command_options(&o, &skv_cmd_check, NULL, argc, argv, &words), done);
    if (words.n != 1) {
        st = skv_fail(SKV_E_ARG, "check wants one folder, got %d", words.n);
        goto done;
    }
    SKV_TRY_GOTO(skv_layout_find(&c.layout, o.layout), done);
    SKV_TRY_GOTO(check_numbers(&o), done);
    SKV_TRY_GOTO(skv_json_begin(o.json), done);
    SKV_TRY_GOTO(check_all(&c, words.word[0]), done);
    SKV_TRY_GOTO(skv_print_made(&c.folders, o.json), done);
    *exit_code = c.clean ? SKV_EXIT_OK : SKV_EXIT_FAILED;
done:
    json_decref(skv_json_take(&c.folders));
    free((void *)words.word);
    skv_options_clear(table, &o);
    return st;
}

const skv_command skv_cmd_check = {.name = "check",
                                   .usage = "FOLDER --layout LAYOUT [--prompts FILE]",
                                   .summary = "what an evaluator would miss or misread in a folder",
                                   .options = table,
                                   .more_help = skv_help_layouts,
                                   .run = run};
