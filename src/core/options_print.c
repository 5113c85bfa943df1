/* The printed forms of option tables: the settings as resolved, and the help. */
#include "core/options.h"
#include "core/options_internal.h"
#include "core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/folder.h"
#include "core/json.h"

void skv_options__flag(char *out, size_t bytes, const char *key)
{
    snprintf(out, bytes, "--%s", key);
    for (char *p = out; *p; p++)
        if (*p == '_')
            *p = '-';
}

static const void *const_slot(const skv_option *o, const void *settings)
{
    return (const char *)settings + o->offset;
}

static json_t *reals_to_json(const skv_reals *r)
{
    skv_json_maker list;

    if (r->n == 0)
        return json_null();
    if (r->n == 1)
        return json_real(r->value[0]);
    list = skv_json_array();
    for (int i = 0; i < r->n; i++)
        skv_json_append(&list, json_real(r->value[i]));
    return skv_json_take(&list);
}

static json_t *ints_to_json(const skv_ints *r)
{
    skv_json_maker list;

    if (r->n == 0)
        return json_null();
    list = skv_json_array();
    for (int i = 0; i < r->n; i++)
        skv_json_append(&list, json_integer(r->value[i]));
    return skv_json_take(&list);
}

static json_t *u64_to_json(uint64_t v)
{
    char text[24];

    if (v <= INT64_MAX)
        return json_integer((json_int_t)v);
    snprintf(text, sizeof text, "%llu", (unsigned long long)v);
    return json_string(text);
}

/* New reference, NULL when out of memory or when a string is not UTF-8. */
static json_t *value_to_json(const skv_option *o, const void *settings)
{
    const void *at = const_slot(o, settings);

    switch (o->type) {
    case SKV_OPT_BOOL:
        return json_boolean(*(const bool *)at);
    case SKV_OPT_INT:
        return json_integer(*(const int64_t *)at);
    case SKV_OPT_U64:
        return u64_to_json(*(const uint64_t *)at);
    case SKV_OPT_REAL:
        return json_real(*(const double *)at);
    case SKV_OPT_REALS:
        return reals_to_json(at);
    case SKV_OPT_INTS:
        return ints_to_json(at);
    case SKV_OPT_JSON:
        return *(json_t *const *)at ? json_deep_copy(*(json_t *const *)at) : json_null();
    case SKV_OPT_STRING:
    case SKV_OPT_PATH:
        break;
    }
    return skv_json_text(*(char *const *)at);
}

skv_status skv_options_to_json(json_t **out, const skv_option *table, const void *settings)
{
    skv_json_maker root = skv_json_object();

    for (const skv_option *o = table; o->key; o++)
        skv_json_put(&root, o->key, value_to_json(o, settings));
    return skv_json_finish(out, &root, "settings");
}

/* A PATH that is a file's name; "-" is standard input. */
static bool names_file(const skv_option *o, const char *text)
{
    return o->type == SKV_OPT_PATH && text && text[0] && strcmp(text, "-") != 0 &&
           !skv_names_formula(text);
}

static skv_status make_absolute(json_t *settings, const char *key, const char *path)
{
    skv_json_maker record;
    char *absolute = NULL;

    SKV_TRY(skv_path_absolute(&absolute, path));
    record = skv_json_extend(settings);
    skv_json_put(&record, key, skv_json_foreign(absolute));
    free(absolute);
    return skv_json_finish(NULL, &record, "settings");
}

skv_status skv_options_to_record(json_t **out, const skv_option *table, const void *settings)
{
    json_t *all = NULL;
    skv_status st = skv_options_to_json(&all, table, settings);

    for (const skv_option *o = table; o->key && st == SKV_OK; o++) {
        const char *text = json_string_value(json_object_get(all, o->key));

        if (names_file(o, text))
            st = make_absolute(all, o->key, text);
    }
    if (st == SKV_OK)
        *out = all;
    else
        json_decref(all);
    return st;
}

static const char *value_word(const skv_option *o)
{
    switch (o->type) {
    case SKV_OPT_BOOL:
        return "";
    case SKV_OPT_INT:
    case SKV_OPT_U64:
        return "N";
    case SKV_OPT_REAL:
        return "X";
    case SKV_OPT_STRING:
        return o->words ? o->words : "TEXT";
    case SKV_OPT_PATH:
        return "PATH";
    case SKV_OPT_REALS:
        return "X[,X...]";
    case SKV_OPT_INTS:
        return "N[,N...]";
    case SKV_OPT_JSON:
        return "JSON";
    }
    return "";
}

void skv_option_usage(char *out, size_t bytes, const skv_option *o)
{
    char flag[SKV_OPTIONS__WORD * 2];

    skv_options__flag(flag, sizeof flag, o->key);
    if (o->type == SKV_OPT_BOOL)
        snprintf(out, bytes, "--[no-]%s", flag + 2);
    else
        snprintf(out, bytes, "%s %s", flag, value_word(o));
}

#define HELP_COLUMNS 80 /* of a terminal */
#define HELP_INDENT  28 /* where the text about an option stands */

/* The text in lines that end before HELP_COLUMNS; `at`: columns of the first that are taken. */
static void print_wrapped(FILE *f, const char *text, int at)
{
    int column = HELP_INDENT;

    if (at + 2 > HELP_INDENT)
        fprintf(f, "\n%*s", HELP_INDENT, "");
    else
        fprintf(f, "%*s", HELP_INDENT - at, "");
    for (const char *word = text; *word; word += strspn(word, " ")) {
        const int n = (int)strcspn(word, " ");

        if (column > HELP_INDENT && column + 1 + n > HELP_COLUMNS)
            column = fprintf(f, "\n%*s", HELP_INDENT, "") - 1;
        column += fprintf(f, "%s%.*s", column > HELP_INDENT ? " " : "", n, word);
        word += n;
    }
    fprintf(f, "\n");
}

skv_status skv_options_help(char **out, const skv_option *table)
{
    char *text = NULL;
    size_t bytes = 0;
    char usage[SKV_OPTION_USAGE], help[2048];
    const char *group = NULL;
    FILE *f = open_memstream(&text, &bytes);

    if (!f)
        return skv_fail(SKV_E_MEM, "out of memory for the help");
    for (const skv_option *o = table; o->key; o++) {
        const bool shows = o->fallback && strcmp(o->fallback, "false") != 0;

        if (o->group && (!group || strcmp(group, o->group) != 0))
            fprintf(f, "%s%s:\n", group ? "\n" : "", o->group);
        group = o->group ? o->group : group;
        skv_option_usage(usage, sizeof usage, o);
        if (shows)
            snprintf(help, sizeof help, "%s (%s)", o->help, o->fallback[0] ? o->fallback : "empty");
        else
            snprintf(help, sizeof help, "%s", o->help);
        print_wrapped(f, help, fprintf(f, "  %s", usage));
    }
    if (fclose(f) != 0) {
        free(text);
        return skv_fail(SKV_E_MEM, "out of memory for the help");
    }
    *out = text;
    return SKV_OK;
}
