/* A file of results: opened, read by its evaluator, and held against the pictures of the run. */
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/known_file.h"
#include "core/options.h"
#include "core/text.h"
#include "eval/scores/scores_internal.h"

#define MAX_BYTES ((size_t)256 << 20) /* of a file: GenEval's 2,212 results have some 10 MB */

/* ------------------------------------------------------------------------- a file */

static bool is_path_name(const char *text, size_t bytes)
{
    return bytes > 0 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == bytes;
}

/* "PATH=FILE" or "FILE"; cuts `part`. */
static skv_status take_name(skv_scores_file *f, char *part)
{
    const size_t n = strcspn(part, "=");

    f->path = -1;
    f->name = part;
    if (part[n] != '=' || !is_path_name(part, n))
        return part[0] ? SKV_OK : skv_fail(SKV_E_ARG, "a file's name is empty");
    part[n] = '\0';
    f->name = part + n + 1;
    f->path_given = true;
    return skv_run_file_find(&f->path, f->run, part);
}

static skv_status read_text(skv_scores_file *f)
{
    SKV_TRY(skv_file_read(&f->text, &f->bytes, f->name, MAX_BYTES));
    if (skv_known_file(f->text, f->bytes))
        return skv_fail(SKV_E_FORMAT, "%s %s", f->name, skv_known_file(f->text, f->bytes));
    if (f->bytes == 0 || memchr(f->text, '\0', f->bytes))
        return skv_fail(SKV_E_FORMAT, "%s %s", f->name,
                        f->bytes == 0 ? "is empty" : "is no text: it has bytes of value 0");
    return SKV_OK;
}

/* How many of the pictures have results, and which is the first that has none. */
static skv_status count_pictures(skv_score *out, const skv_scores_file *f)
{
    for (int64_t i = 0; i < f->n_pictures; i++) {
        const skv_scores_picture *p = &f->picture[i];
        const char *never = out->by->unscored;

        out->n += p->seen;
        if (!p->there || (!p->seen && never && strcmp(f->set.id[p->prompt], never) == 0))
            continue;
        out->n_all++;
        if (p->seen || out->missing)
            continue;
        out->missing = strdup(p->stem);
        if (!out->missing)
            return skv_fail(SKV_E_MEM, "%s: out of memory", f->name);
    }
    return SKV_OK;
}

static skv_status read_file(skv_score *out, skv_scores_file *f, char *part)
{
    SKV_TRY(take_name(f, part));
    SKV_TRY(skv_option_opened(NULL, read_text(f)));
    SKV_TRY(skv_scores__list_pictures(f, out->by->layout));
    SKV_TRY(out->by->read(out, f));
    out->path = f->path;
    return count_pictures(out, f);
}

/* ------------------------------------------------------------------------ a list */

static void clear_score(skv_score *s)
{
    free(s->missing);
    free(s->category);
    *s = (skv_score){0};
}

/* Moves *s to the end of the list. */
static skv_status append(skv_scores *out, skv_score *s, const skv_run_file *run)
{
    skv_score *more;

    for (int i = 0; i < out->n; i++)
        if (out->item[i].by == s->by && out->item[i].path == s->path)
            return skv_fail(SKV_E_ARG, "--%s: two files hold the results of path %s", s->by->name,
                            run->path[s->path].name);
    more = realloc(out->item, ((size_t)out->n + 1) * sizeof *more);
    if (!more)
        return skv_fail(SKV_E_MEM, "scores: out of memory");
    out->item = more;
    out->item[out->n++] = *s;
    *s = (skv_score){0};
    return SKV_OK;
}

static skv_status add_one(skv_scores *out, const skv_evaluator *by, char *part,
                          const skv_run_file *run, const char *prompts)
{
    skv_scores_file f = {.run = run, .prompts = prompts};
    skv_score score = {.by = by};
    skv_status st = read_file(&score, &f, part);

    if (st == SKV_OK)
        st = append(out, &score, run);
    else
        skv_context("--%s", by->name);
    clear_score(&score);
    skv_scores__forget(&f);
    return st;
}

skv_status skv_scores_add(skv_scores *out, const skv_evaluator *by, const char *list,
                          const skv_run_file *run, const char *prompts)
{
    char *copy = NULL, *part;
    skv_status st;

    SKV_TRY(skv_text_copy(&copy, list));
    part = copy;
    do {
        char *comma = strchr(part, ',');

        if (comma)
            *comma = '\0';
        st = add_one(out, by, part, run, prompts);
        part = comma ? comma + 1 : NULL;
    } while (part && st == SKV_OK);
    free(copy);
    return st;
}

void skv_scores_clear(skv_scores *scores)
{
    for (int i = 0; i < scores->n; i++)
        clear_score(&scores->item[i]);
    free(scores->item);
    *scores = (skv_scores){0};
}
