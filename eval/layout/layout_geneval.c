/* GenEval: <line, five digits>/metadata.jsonl and <line>/samples/<sample, five digits>.png.
 *
 * The evaluator takes every folder whose whole name is digits, and in samples/ every file whose
 * name begins with digits and .png: folder 553 of an older run and 00001.png.tmp of a killed job
 * are scored. JPEG is not read. */
#include "eval/layout/layout_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *skv_layout__geneval_fault(const json_t *object)
{
    if (!json_is_object(object))
        return "not a JSON object";
    if (!json_is_string(json_object_get(object, "tag")))
        return "no text \"tag\"";
    if (!json_is_array(json_object_get(object, "include")))
        return "no list \"include\"";
    if (!json_is_string(json_object_get(object, "prompt")))
        return "no text \"prompt\"";
    return NULL;
}

/* Number at the beginning of the name, and how many digits it has; large ones become INT64_MAX. */
static size_t leading_number(int64_t *out, const char *name)
{
    const size_t digits = strspn(name, "0123456789");

    *out = digits > 0 && digits <= 18 ? strtoll(name, NULL, 10) : INT64_MAX;
    return digits;
}

static void judge_folder(skv_layout_entry *e, const skv_layout_set *set, const char *name)
{
    char want[32];
    int64_t line;

    if (leading_number(&line, name) != strlen(name))
        return;
    snprintf(want, sizeof want, "%05lld", (long long)line);
    if (line < set->n && strcmp(want, name) == 0) {
        e->kind = SKV_LAYOUT_FOLDER;
        e->prompt = line;
        return;
    }
    e->kind = SKV_LAYOUT_READ;
    e->why = line < set->n
                 ? "a second folder of this line is scored as well"
                 : "no line of the prompt list; every folder of digits is entered: its pictures "
                   "are scored, and without metadata.jsonl the evaluator stops";
}

static void judge_sample(skv_layout_entry *e, const skv_layout_set *set, const char *name)
{
    int64_t number;
    const size_t digits = leading_number(&number, name);
    const char *rest = name + digits;

    if (digits > 0 && strncmp(rest, ".png", 4) == 0) {
        e->kind = SKV_LAYOUT_READ;
        if (rest[4] != '\0')
            e->why = "begins with digits and .png, so it is scored";
        else if (number >= set->samples)
            e->why = "more samples than wanted; it is scored";
        else
            e->kind = SKV_LAYOUT_PICTURE;
        e->sample = number < set->samples ? (int)number : 0;
    } else if (digits > 0 && (strcmp(rest, ".jpg") == 0 || strcmp(rest, ".jpeg") == 0)) {
        e->why = "JPEG is not read by GenEval's own evaluator";
    }
}

void skv_layout__geneval_judge(skv_layout_entry *out, const skv_layout_set *set, const char *name,
                               bool folder)
{
    const char *slash = strchr(name, '/');
    const char *inner = slash ? slash + 1 : NULL;

    *out = (skv_layout_entry){.kind = SKV_LAYOUT_IGNORED};
    if (!slash) {
        if (folder)
            judge_folder(out, set, name);
        return;
    }
    out->prompt = strtoll(name, NULL, 10); /* inside one of our folders */
    if (strcmp(inner, "metadata.jsonl") == 0 && !folder)
        out->kind = SKV_LAYOUT_METADATA;
    else if (strcmp(inner, "samples") == 0 && folder)
        out->kind = SKV_LAYOUT_FOLDER;
    else if (strncmp(inner, "samples/", 8) == 0 && !folder)
        judge_sample(out, set, inner + 8);
}
