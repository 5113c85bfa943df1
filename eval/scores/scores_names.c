/* Pictures by the names that an evaluator's results have for them: the layout's, behind the folder
 * that the evaluator was given. That folder's own name says the path, as skv export makes it. */
#include "eval/scores/scores_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

static int by_stem(const void *a, const void *b)
{
    return strcmp(((const skv_scores_picture *)a)->stem, ((const skv_scores_picture *)b)->stem);
}

/* Cuts "x/0.png" to "x/0"; a name that begins with a dot stays. */
static void cut_ending(char *name)
{
    char *slash = strrchr(name, '/'), *own = slash ? slash + 1 : name;
    char *dot = strrchr(own, '.');

    if (dot && dot > own)
        *dot = '\0';
}

/* Whether the run has the rows that a picture takes: a sample, or all of a prompt. */
static bool is_there(const skv_scores_file *f, int64_t prompt, int sample)
{
    const int first = f->layout.tiles == 1 ? sample : 0;
    const int end = f->layout.tiles == 1 ? sample + 1 : f->set.samples;

    for (int s = first; s < end; s++)
        if (f->run->status[skv_run_file_row(f->run, prompt, s)] != SKV_OK)
            return false;
    return true;
}

static skv_status add_picture(skv_scores_file *f, int64_t prompt, int sample)
{
    char name[SKV_LAYOUT_NAME_BYTES];
    skv_scores_picture *p = &f->picture[f->n_pictures];

    skv_layout_picture(name, &f->layout, &f->set, prompt, sample);
    cut_ending(name);
    *p = (skv_scores_picture){.stem = strdup(name), .prompt = prompt};
    if (!p->stem)
        return skv_fail(SKV_E_MEM, "%s: out of memory", f->name);
    p->there = is_there(f, prompt, sample);
    f->n_pictures++;
    return SKV_OK;
}

skv_status skv_scores__list_pictures(skv_scores_file *f, const char *layout)
{
    const skv_layout *row;
    int files;

    SKV_TRY(skv_layout_find(&row, layout));
    f->layout = *row;
    f->layout.metadata = NULL; /* names of pictures do not need the prompt list */
    f->layout.category_key = NULL;
    SKV_TRY(skv_layout_set_from_run(
        &f->set, &f->layout, f->run, NULL,
        strstr(row->picture, "{sample") ? (int)f->run->segments.n_samples : 0));
    files = skv_layout_files(&f->layout, &f->set);
    SKV_TRY(skv_alloc(&f->picture, (size_t)f->set.n * (size_t)files + 1, sizeof *f->picture,
                      "pictures"));
    for (int64_t i = 0; i < f->set.n; i++)
        for (int s = 0; s < files; s++)
            SKV_TRY(add_picture(f, i, s));
    qsort(f->picture, (size_t)f->n_pictures, sizeof *f->picture, by_stem);
    return SKV_OK;
}

void skv_scores__forget(skv_scores_file *f)
{
    for (int64_t i = 0; i < f->n_pictures; i++)
        free(f->picture[i].stem);
    free(f->picture);
    skv_layout_set_clear(&f->set);
    free(f->text);
    *f = (skv_scores_file){0};
}

/* Parts of a picture's name in the layout. */
static int depth(const skv_layout *layout)
{
    int n = 1;

    for (const char *c = layout->picture; *c; c++)
        n += *c == '/';
    return n;
}

/* The last n parts of a name; NULL: it has fewer. *folder = the part before them, as a text of its
 * own in `name`, which is cut; "" where there is none. */
static char *split(char *name, int n, const char **folder)
{
    char *tail = name + strlen(name), *end;

    *folder = "";
    for (; tail > name; tail--)
        if (tail[-1] == '/' && --n == 0)
            break;
    if (tail == name)
        return n <= 1 ? name : NULL;
    for (end = tail - 1; end > name && end[-1] == '/'; end--)
        ;
    *end = '\0';
    *folder = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
    return tail;
}

int skv_scores__path(const skv_run_file *run, const char *name)
{
    for (int i = 0; i < run->n_paths; i++)
        if (strcmp(run->path[i].name, name) == 0)
            return i;
    return -1;
}

static skv_status take_path(skv_scores_file *f, const char *folder, int64_t line)
{
    const int path = skv_scores__path(f->run, folder);

    if (f->path_given)
        return SKV_OK;
    if (path < 0)
        return skv_fail(SKV_E_ARG,
                        "%s: line %lld: the picture lies in \"%.80s\", and %s has no path of that "
                        "name: say whose results they are by PATH=FILE",
                        f->name, (long long)line, folder, f->run->folder);
    if (f->path >= 0 && f->path != path)
        return skv_fail(SKV_E_FORMAT,
                        "%s: line %lld is of path %s, those before are of %s; want the results of "
                        "one path in a file",
                        f->name, (long long)line, folder, f->run->path[f->path].name);
    f->path = path;
    return SKV_OK;
}

skv_status skv_scores__find(int64_t *prompt, skv_scores_file *f, const char *name, int64_t line)
{
    char whole[SKV_LAYOUT_PATH_BYTES];
    skv_scores_picture key, *p = NULL;
    const char *folder = "";

    if ((size_t)snprintf(whole, sizeof whole, "%s", name) >= sizeof whole)
        return skv_fail(SKV_E_FORMAT, "%s: line %lld: the picture's name is longer than %d bytes",
                        f->name, (long long)line, SKV_LAYOUT_PATH_BYTES - 1);
    cut_ending(whole);
    key.stem = split(whole, depth(&f->layout), &folder);
    if (key.stem)
        p = bsearch(&key, f->picture, (size_t)f->n_pictures, sizeof key, by_stem);
    if (!p)
        return skv_fail(SKV_E_FORMAT, "%s: line %lld: %.200s is no picture of %s in layout %s",
                        f->name, (long long)line, name, f->run->folder, f->layout.name);
    if (!p->there)
        return skv_fail(SKV_E_FORMAT,
                        "%s: line %lld: %.200s has a result, but its row failed in %s: the "
                        "picture is of another run",
                        f->name, (long long)line, name, f->run->folder);
    if (p->seen)
        return skv_fail(SKV_E_FORMAT,
                        "%s: line %lld: %.200s comes a second time: the results of two evaluations "
                        "are in one file",
                        f->name, (long long)line, name);
    SKV_TRY(take_path(f, folder, line));
    p->seen = true;
    *prompt = p->prompt;
    return SKV_OK;
}
