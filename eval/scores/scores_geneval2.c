/* GenEval 2: one JSON array, for each line of geneval2_data.jsonl a list of numbers: the
 * probability of the right answer to each question. It names no pictures, so the file's own name
 * says the path,
 * "<path>.scores.json", as the command has it that skv check prints.
 * Soft-TIFA AM and GM are the means over prompts of the lists' arithmetic and geometric means; by
 * skill AM and by number of atoms GM, as soft_tifa_analysis.py has them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/options.h"
#include "core/text.h"
#include "eval/scores/scores_internal.h"

#define MAX_BYTES ((size_t)64 << 20)
#define MIN_ATOMS 3
#define MAX_ATOMS 10
#define N_ATOMS   (MAX_ATOMS - MIN_ATOMS + 1)

static const char *const skills[] = {"object", "attribute", "count", "position", "verb"};
#define N_SKILLS (int)(sizeof skills / sizeof skills[0])

typedef struct {
    double sum;
    int64_t n;
} mean;

typedef struct {
    mean am, gm, skill[N_SKILLS], atoms[N_ATOMS];
} sums;

static void add(mean *m, double v)
{
    m->sum += v;
    m->n++;
}

static skv_status add_skill(sums *s, const json_t *skill, double v, const char *where)
{
    for (int k = 0; k < N_SKILLS; k++)
        if (json_is_string(skill) && strcmp(json_string_value(skill), skills[k]) == 0) {
            add(&s->skill[k], v);
            return SKV_OK;
        }
    return skv_fail(SKV_E_FORMAT, "%s: a skill is none of object, attribute, count, position, verb",
                    where);
}

/* One prompt: its list, and its line of the prompt list. */
static skv_status add_prompt(sums *s, const skv_scores_file *f, int64_t i, const json_t *list,
                             const json_t *line, const char *where)
{
    const json_t *skill = json_object_get(line, "skills");
    const size_t n = json_array_size(list);
    const char *prompt, *want = f->run->prompt[skv_run_file_row(f->run, i, 0)];
    double sum = 0, logs = 0;
    int64_t atoms;

    SKV_TRY(skv_json_string(&prompt, line, "prompt", where));
    SKV_TRY(skv_json_int(&atoms, line, "atom_count", where));
    if (strcmp(prompt, want) != 0)
        return skv_fail(SKV_E_ARG, "%s: the prompt is \"%.80s\", that of %s is \"%.80s\"", where,
                        prompt, f->run->folder, want);
    if (atoms < MIN_ATOMS || atoms > MAX_ATOMS || json_array_size(skill) == 0)
        return skv_fail(SKV_E_FORMAT, "%s: want \"skills\", and \"atom_count\" of %d to %d", where,
                        MIN_ATOMS, MAX_ATOMS);
    if (n != json_array_size(skill))
        return skv_fail(SKV_E_FORMAT,
                        "%s: prompt %lld has %zu score%s for %zu questions; want the lists of "
                        "--method soft_tifa_gm or soft_tifa_am",
                        f->name, (long long)i, n, skv_s((int64_t)n), json_array_size(skill));
    for (size_t k = 0; k < n; k++) {
        const json_t *v = json_array_get(list, k);
        const double p = json_number_value(v);

        if (!json_is_number(v) || !(p >= 0 && p <= 1.001)) /* sums of rounded probabilities */
            return skv_fail(SKV_E_FORMAT, "%s: prompt %lld: score %zu is no probability", f->name,
                            (long long)i, k);
        sum += p;
        logs += log(p);
        SKV_TRY(add_skill(s, json_array_get(skill, k), p, where));
    }
    add(&s->am, sum / (double)n);
    add(&s->gm, exp(logs / (double)n));
    add(&s->atoms[atoms - MIN_ATOMS], exp(logs / (double)n));
    return SKV_OK;
}

/* The prompt list line by line, beside the lists. */
static skv_status add_prompts(sums *s, const skv_scores_file *f, const json_t *lists,
                              const char *name, char *text)
{
    char where[SKV_LAYOUT_PATH_BYTES + 32], *line;

    for (int64_t i = 0; i < f->set.n; i++) {
        json_t *object = NULL;
        skv_status st;

        line = skv_scores__line(&text);
        if (!line)
            return skv_fail(
                SKV_E_ARG, "%s has %lld line%s, %s has %lld prompt%s: give its own list", name,
                (long long)i, skv_s(i), f->run->folder, (long long)f->set.n, skv_s(f->set.n));
        snprintf(where, sizeof where, "%.4095s: line %lld", name, (long long)i + 1);
        SKV_TRY(skv_scores__parse(&object, line, name, i + 1));
        st = add_prompt(s, f, i, json_array_get(lists, (size_t)i), object, where);
        json_decref(object);
        SKV_TRY(st);
    }
    return SKV_OK;
}

static skv_status put(skv_score *out, const char *name, bool fine, const mean *m)
{
    return m->n == 0 ? SKV_OK
                     : skv_scores__category(out, name, fine, 100 * m->sum / (double)m->n, m->n);
}

static skv_status put_all(skv_score *out, const sums *s)
{
    char name[SKV_CATEGORY_BYTES];

    out->value = 100 * s->gm.sum / (double)s->gm.n;
    SKV_TRY(put(out, "soft_tifa_am", false, &s->am));
    for (int k = 0; k < N_SKILLS; k++)
        SKV_TRY(put(out, skills[k], false, &s->skill[k]));
    for (int k = 0; k < N_ATOMS; k++) {
        snprintf(name, sizeof name, "%d atoms", k + MIN_ATOMS);
        SKV_TRY(put(out, name, true, &s->atoms[k]));
    }
    return SKV_OK;
}

/* The name of the run's prompt list: as given, else what RUN/run.json has. */
static skv_status prompt_list(char **out, const skv_scores_file *f)
{
    char file[SKV_LAYOUT_PATH_BYTES];
    json_t *root = NULL;
    const char *name = f->prompts;
    skv_status st = SKV_OK;

    SKV_TRY(skv_layout_join(file, f->run->folder, "run.json"));
    if (!name)
        SKV_TRY_GOTO(skv_json_read_below(&root, file, 1), done);
    if (!name)
        SKV_TRY_GOTO(skv_json_string(&name, json_object_get(root, "settings"), "prompts", file),
                     done);
    st = skv_text_copy(out, name);
done:
    json_decref(root);
    return st;
}

static skv_status path_by_name(skv_scores_file *f)
{
    const char *slash = strrchr(f->name, '/'), *own = slash ? slash + 1 : f->name;
    char path[SKV_LAYOUT_PATH_BYTES];

    if (f->path_given)
        return SKV_OK;
    snprintf(path, sizeof path, "%.*s", (int)strcspn(own, "."), own);
    f->path = skv_scores__path(f->run, path);
    if (f->path >= 0)
        return SKV_OK;
    return skv_fail(SKV_E_ARG,
                    "%s names no pictures, and is not called <path>.scores.json by a path of %s: "
                    "say whose scores they are by PATH=FILE",
                    f->name, f->run->folder);
}

static skv_status read_geneval2(skv_score *out, skv_scores_file *f)
{
    json_t *lists = NULL;
    char *name = NULL, *text = NULL;
    size_t bytes;
    sums s = {0};
    skv_status st;

    SKV_TRY(path_by_name(f));
    SKV_TRY_GOTO(skv_json_parse(&lists, f->text, f->bytes, f->name), done);
    if (!json_is_array(lists) || (int64_t)json_array_size(lists) != f->set.n) {
        st = skv_fail(SKV_E_FORMAT, "%s has %zu list%s of scores, %s has %lld prompt%s", f->name,
                      json_array_size(lists), skv_s((int64_t)json_array_size(lists)),
                      f->run->folder, (long long)f->set.n, skv_s(f->set.n));
        goto done;
    }
    SKV_TRY_GOTO(prompt_list(&name, f), done);
    SKV_TRY_GOTO(skv_option_opened("--prompts", skv_file_read(&text, &bytes, name, MAX_BYTES)),
                 done);
    SKV_TRY_GOTO(add_prompts(&s, f, lists, name, text), done);
    for (int64_t i = 0; i < f->n_pictures; i++)
        f->picture[i].seen = f->picture[i].there;
    st = put_all(out, &s);
done:
    json_decref(lists);
    free(name);
    free(text);
    return st;
}

const skv_evaluator skv_evaluator_geneval2 = {.name = "geneval2",
                                              .benchmark = "GenEval 2",
                                              .layout = "geneval2",
                                              .units = "%",
                                              .digits = 2,
                                              .read = read_geneval2};
