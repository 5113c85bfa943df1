/* The names that prompts, ids, seeds and negative prompts have in the sets of the field, and what
 * other keys ask for. A set with names of its own is a word in one of these tables. */
#include "io/prompts_keys.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define MAX_NAMES_SAID 12 /* of a list that lacks a key, in a message */

/* In order: the first that is there counts. */
static const char *const text_keys[] = {"prompt",   "text",        "prompts",   "caption",
                                        "captions", "instruction", "prompt_en", NULL};
static const char *const id_keys[] = {"id", "item_id", "prompt_id", "index", "image_id", NULL};
static const char *const seed_keys[] = {"seed", NULL};
static const char *const negative_keys[] = {"negative", "negative_prompt", NULL};

/* Sets whose ids begin anew in each category. */
static const struct {
    const char *with[3], *id;
} joint_ids[] = {
    {{"category", "id", "prompt_en"}, "category,id"}, /* OneIG-Bench */
    {{"category", "id", "prompt_cn"}, "category,id"},
};

/* Keys by which a line asks for something, and what does it here. */
static const struct {
    const char *key, *instead;
} asks[] = {
    {"h_div_w", "--ratio"},
    {"ratio", "--ratio"},
    {"aspect", "--ratio"},
    {"aspect_ratio", "--ratio"},
    {"ar", "--ratio"},
    {"width", "--resolution and --ratio"},
    {"height", "--resolution and --ratio"},
    {"size", "--resolution and --ratio"},
    {"image_size", "--resolution and --ratio"},
    {"resolution", "--resolution"},
    {"cfg", "--cfg"},
    {"cfg_scale", "--cfg"},
    {"scale", "--cfg"},
    {"guidance", "--cfg"},
    {"guidance_scale", "--cfg"},
    {"tau", "--tau"},
    {"temperature", "--tau"},
    {"top_p", "--top-p"},
    {"top_k", NULL},
    {"steps", NULL},
    {"num_steps", NULL},
    {"num_inference_steps", NULL},
    {"sampler", NULL},
    {"scheduler", NULL},
    {"strength", NULL},
    {"lora", NULL},
    {"model", "--transformer"},
    {"n", "--samples"},
    {"samples", "--samples"},
    {"n_samples", "--samples"},
    {"num_samples", "--samples"},
    {"num_images", "--samples"},
    {"n_images", "--samples"},
    {"neg_prompt", "a key \"negative_prompt\""},
    {"uncond_prompt", "a key \"negative_prompt\""},
    {"neg", "a key \"negative_prompt\""},
    {"uncond", "a key \"negative_prompt\""},
    {"negative_text", "a key \"negative_prompt\""},
    {"negative_caption", "a key \"negative_prompt\""},
    {"split", NULL},
};

/* Behind what only parts words: "Negative Prompt", "negative_prompt" and "negativePrompt" are one.
 */
static const char *next_letter(const char *c)
{
    return c + strspn(c, " -_");
}

static bool same_key(const char *a, const char *b)
{
    for (;; a++, b++) {
        a = next_letter(a);
        b = next_letter(b);
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        if (!*a)
            return true;
    }
}

const char *skv_prompts_asks(const char *key, bool *known)
{
    *known = false;
    for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++)
        if (same_key(asks[i].key, key)) {
            *known = true;
            return asks[i].instead;
        }
    return NULL;
}

typedef struct {
    const skv_prompts__builder *b;
    const char *const *names;
    int n;
    char *why;
    size_t bytes;
} search;

/* *out = the place of a name, -1: it is not there. False: it could be several. */
static bool find_name(int *out, const search *s, const char *word)
{
    int first[2] = {-1, -1}; /* equal; the same but for case and blanks */

    *out = -1;
    for (int i = 0; i < s->n; i++) {
        const bool equal = strcmp(s->names[i], word) == 0;
        int *place = &first[equal ? 0 : 1];

        if (!equal && !same_key(s->names[i], word))
            continue;
        if (*place >= 0 && (equal || first[0] < 0)) {
            snprintf(s->why, s->bytes, "%ss %d and %d are both called \"%.80s\"", s->b->key,
                     *place + 1, i + 1, word);
            return false;
        }
        *place = i;
    }
    *out = first[0] >= 0 ? first[0] : first[1];
    return true;
}

static bool find_any(int *out, const search *s, const char *const *words)
{
    *out = -1;
    for (; *words && *out < 0; words++)
        if (!find_name(out, s, *words))
            return false;
    return true;
}

/* "a", "b", "c" and 3 more */
static void list_names(const search *s)
{
    size_t used = strlen(s->why);

    for (int i = 0; i < s->n && i < MAX_NAMES_SAID && used < s->bytes; i++)
        used += (size_t)snprintf(s->why + used, s->bytes - used, "%s\"%.40s\"", i ? ", " : "",
                                 s->names[i]);
    if (s->n > MAX_NAMES_SAID && used < s->bytes)
        snprintf(s->why + used, s->bytes - used, " and %d more", s->n - MAX_NAMES_SAID);
}

static bool find_text(int *out, const search *s)
{
    const char *given = s->b->options->prompt_key;

    if (given ? !find_name(out, s, given) : !find_any(out, s, text_keys))
        return false;
    if (*out >= 0)
        return true;
    if (given)
        snprintf(s->why, s->bytes, "there is no %s \"%.80s\" (--prompt-key); there %s ", s->b->key,
                 given, s->n == 1 ? "is" : "are");
    else
        snprintf(s->why, s->bytes,
                 "no %s is called \"prompt\", \"text\" or \"caption\": --prompt-key says which one "
                 "has the prompt; there %s ",
                 s->b->key, s->n == 1 ? "is" : "are");
    if (s->n == 0)
        snprintf(s->why + strlen(s->why), s->bytes - strlen(s->why), "none");
    list_names(s);
    return false;
}

/* A comma-separated list of names, all of which must be there. */
static bool find_joint(skv_prompts__roles *r, const search *s, const char *list)
{
    for (const char *at = list; *at;) {
        const size_t n = strcspn(at, ",");
        char word[128];

        if (n >= sizeof word || r->n_id == SKV_PROMPTS__ID_PARTS) {
            snprintf(s->why, s->bytes, "--id-key: at most %d names of up to %zu bytes",
                     SKV_PROMPTS__ID_PARTS, sizeof word - 1);
            return false;
        }
        snprintf(word, sizeof word, "%.*s", (int)n, at);
        if (!find_name(&r->id[r->n_id], s, word))
            return false;
        if (r->id[r->n_id] < 0) {
            snprintf(s->why, s->bytes, "there is no %s \"%.80s\" (--id-key); there are ", s->b->key,
                     word);
            list_names(s);
            return false;
        }
        r->n_id++;
        at += n + (at[n] == ',');
    }
    return true;
}

/* The id of a set whose ids are not unique by themselves; NULL: not such a set. */
static const char *joint_id(const search *s)
{
    for (size_t i = 0; i < sizeof joint_ids / sizeof joint_ids[0]; i++) {
        int n = 0, place = -1;

        while (n < 3 && find_name(&place, s, joint_ids[i].with[n]) && place >= 0)
            n++;
        if (n == 3)
            return joint_ids[i].id;
    }
    return NULL;
}

static bool find_id(skv_prompts__roles *r, const search *s)
{
    const char *given = s->b->options->id_key;

    if (given && strcmp(given, SKV_PROMPTS_NO_ID) == 0)
        return true;
    if (!given)
        given = joint_id(s);
    if (given)
        return find_joint(r, s, given);
    if (!find_any(&r->id[0], s, id_keys))
        return false;
    r->n_id = r->id[0] >= 0;
    r->by_item = r->n_id && same_key(s->names[r->id[0]], "item_id");
    return true;
}

bool skv_prompts__find_roles(skv_prompts__roles *out, const skv_prompts__builder *b,
                             const char *const *names, int n, char *why, size_t bytes)
{
    const search s = {b, names, n, why, bytes};

    *out = (skv_prompts__roles){.text = -1, .seed = -1, .negative = -1};
    return find_text(&out->text, &s) && find_id(out, &s) && find_any(&out->seed, &s, seed_keys) &&
           find_any(&out->negative, &s, negative_keys);
}

static bool is_used(const skv_prompts__roles *r, int i)
{
    for (int k = 0; k < r->n_id; k++)
        if (r->id[k] == i)
            return true;
    return i == r->text || i == r->seed || i == r->negative;
}

static void keep_name(char out[SKV_PROMPTS_KEY_BYTES], const char *name)
{
    if (!out[0])
        snprintf(out, SKV_PROMPTS_KEY_BYTES, "%s", name);
}

skv_status skv_prompts__note_keys(skv_prompts__builder *b, const skv_prompts__roles *r,
                                  const char *const *names, int n)
{
    skv_prompts_facts *f = b->facts;

    keep_name(f->text_key, names[r->text]);
    if (r->negative >= 0)
        keep_name(f->negative_key, names[r->negative]);
    for (int i = 0; i < n; i++) {
        size_t place = f->n_unused;
        bool there = false;

        if (is_used(r, i) || !names[i][0] || b->unused.n == SKV_PROMPTS_UNUSED)
            continue;
        SKV_TRY(skv_prompts__set_add(&b->unused, names[i], &place, &there));
        if (!there)
            keep_name(f->unused[f->n_unused++], names[i]);
    }
    return SKV_OK;
}
