/* What all readers of results take their texts apart with, and put their categories into. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "eval/scores/scores_internal.h"

#define MAX_CATEGORIES 256

char *skv_scores__line(char **at)
{
    char *line = *at, *end;

    if (*line == '\0')
        return NULL;
    end = line + strcspn(line, "\n");
    *at = end + (*end == '\n');
    if (end > line && end[-1] == '\r')
        end[-1] = '\0';
    *end = '\0';
    return line;
}

skv_status skv_scores__parse(json_t **out, const char *text, const char *file, int64_t line)
{
    json_error_t error;
    const skv_status st =
        skv_json_load(out, &error, text, strlen(text), JSON_REJECT_DUPLICATES, file);

    if (st != SKV_E_FORMAT)
        return st;
    return skv_fail(st, "%s: line %lld: %s", file, (long long)line, error.text);
}

bool skv_scores__number(double *out, const char *text, double low, double high)
{
    char *end;

    if (text[0] == '\0' || text[strspn(text, "0123456789.eE+-")] != '\0')
        return false;
    *out = strtod(text, &end);
    return *end == '\0' && *out >= low && *out <= high;
}

skv_status skv_scores__category(skv_score *out, const char *name, bool fine, double value,
                                int64_t n)
{
    skv_score_category *c;

    if (out->n_categories == MAX_CATEGORIES)
        return skv_fail(SKV_E_FORMAT, "more than %d categories", MAX_CATEGORIES);
    if (!out->category)
        SKV_TRY(skv_alloc(&out->category, MAX_CATEGORIES, sizeof *out->category, "categories"));
    c = &out->category[out->n_categories++];
    *c = (skv_score_category){.fine = fine, .value = value, .n = n};
    snprintf(c->name, sizeof c->name, "%s", name);
    return SKV_OK;
}
