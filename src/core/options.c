/* Option tables: every way a setting comes in (text of a default or a flag, JSON value) ends in one
 * setter a form, so that all of them know the same types and the same refusals. */
#include "core/json.h"
#include "core/options.h"
#include "core/options_internal.h"
#include "core/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"

#define MAX_NUMBERS 1000000 /* more in a list is a mistake */

static void *slot(const skv_option *o, void *settings)
{
    return (char *)settings + o->offset;
}

static void clear_one(const skv_option *o, void *settings)
{
    void *at = slot(o, settings);

    switch (o->type) {
    case SKV_OPT_STRING:
    case SKV_OPT_PATH:
        free(*(char **)at);
        *(char **)at = NULL;
        break;
    case SKV_OPT_REALS:
        free(((skv_reals *)at)->value);
        *(skv_reals *)at = (skv_reals){NULL, 0};
        break;
    case SKV_OPT_INTS:
        free(((skv_ints *)at)->value);
        *(skv_ints *)at = (skv_ints){NULL, 0};
        break;
    case SKV_OPT_JSON:
        json_decref(*(json_t **)at);
        *(json_t **)at = NULL;
        break;
    case SKV_OPT_BOOL:
        *(bool *)at = false;
        break;
    case SKV_OPT_INT:
        *(int64_t *)at = 0;
        break;
    case SKV_OPT_U64:
        *(uint64_t *)at = 0;
        break;
    case SKV_OPT_REAL:
        *(double *)at = 0.0;
        break;
    }
}

size_t skv_options_bytes(const skv_option *table)
{
    size_t bytes = 0;

    for (const skv_option *o = table; o->key; o++)
        if (o->offset >= bytes)
            bytes = o->offset + sizeof(skv_ints); /* no member is larger */
    return bytes;
}

const void *skv_options_value(const skv_option *table, const void *settings, const char *key)
{
    for (const skv_option *o = table; o->key; o++)
        if (strcmp(o->key, key) == 0)
            return (const char *)settings + o->offset;
    return NULL;
}

void skv_options_clear(const skv_option *table, void *settings)
{
    for (const skv_option *o = table; o->key; o++)
        clear_one(o, settings);
}

/* Whether text is a word of "auto|cpu|cuda". */
static bool is_word(const char *words, const char *text)
{
    const size_t n = strlen(text);

    if (strchr(text, '|'))
        return false;
    for (const char *w = words; w; w = strchr(w, '|') ? strchr(w, '|') + 1 : NULL)
        if (n > 0 && strncmp(w, text, n) == 0 && (w[n] == '|' || w[n] == '\0'))
            return true;
    return false;
}

/* `name` is the flag or key for messages. */
static skv_status set_string(const skv_option *o, void *settings, const char *text,
                             const char *name)
{
    char *copy = NULL;

    if (o->words && !is_word(o->words, text))
        return skv_fail(SKV_E_ARG, "%s is \"%s\", want %s", name, text, o->words);
    SKV_TRY(skv_alloc(&copy, strlen(text) + 1, 1, o->key));
    memcpy(copy, text, strlen(text) + 1);
    clear_one(o, settings);
    *(char **)slot(o, settings) = copy;
    return SKV_OK;
}

/* strtoll and strtod would skip blanks; "inf" and "nan" are not settings */
static bool starts_number(const char *text)
{
    return text[0] && strchr("+-.0123456789", text[0]);
}

/* One integer at *text; *text moves past it. */
static skv_status parse_int(int64_t *out, const char **text, const char *name)
{
    char *end = NULL;

    errno = 0;
    *out = strtoll(*text, &end, 10);
    if (end == *text || errno || !starts_number(*text))
        return skv_fail(SKV_E_ARG, "%s: \"%s\" is not a 64-bit integer", name, *text);
    *text = end;
    return SKV_OK;
}

static skv_status text_to_int(int64_t *out, const char *text, const char *name)
{
    const char *p = text;

    SKV_TRY(parse_int(out, &p, name));
    return *p ? skv_fail(SKV_E_ARG, "%s: \"%s\" is not a 64-bit integer", name, text) : SKV_OK;
}

bool skv_u64_parse(uint64_t *out, const char *text)
{
    char *end = NULL;

    errno = 0;
    *out = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

static skv_status parse_u64(uint64_t *out, const char *text, const char *name)
{
    if (!skv_u64_parse(out, text))
        return skv_fail(SKV_E_ARG, "%s: \"%s\" is not an integer from 0 to 2^64-1", name, text);
    return SKV_OK;
}

/* One number at *text; *text moves past it. */
static skv_status parse_real(double *out, const char **text, const char *name)
{
    char *end = NULL;

    *out = strtod(*text, &end);
    if (end == *text || !isfinite(*out) || !starts_number(*text))
        return skv_fail(SKV_E_ARG, "%s: \"%s\" is not a finite number", name, *text);
    *text = end;
    return SKV_OK;
}

static skv_status text_to_real(double *out, const char *text, const char *name)
{
    const char *p = text;

    SKV_TRY(parse_real(out, &p, name));
    return *p ? skv_fail(SKV_E_ARG, "%s: \"%s\" is not a number", name, text) : SKV_OK;
}

/* How many numbers a list like "3,3,4" has. */
static skv_status count_numbers(int *n, const char *text, const char *name)
{
    *n = 1;
    for (const char *c = text; *c; c++)
        *n += *c == ',';
    if (*n > MAX_NUMBERS)
        return skv_fail(SKV_E_ARG, "%s: %d numbers, want at most %d", name, *n, MAX_NUMBERS);
    return SKV_OK;
}

/* *text moves past the comma, or to the end after the last number. */
static skv_status next_number(const char **text, bool last, const char *all, const char *name)
{
    if (**text != (last ? '\0' : ','))
        return skv_fail(SKV_E_ARG, "%s: \"%s\" is not a list of numbers like 3,3,4", name, all);
    *text += !last;
    return SKV_OK;
}

/* Lists, skv_ints or skv_reals by `type` (SKV_OPT_INTS, SKV_OPT_REALS). Their numbers are equally
 * wide. */
_Static_assert(sizeof(int64_t) == sizeof(double), "numbers of lists");

/* *out = the n numbers at `value`, in place of what it owned; takes ownership. */
static void set_list(void *out, skv_option_type type, void *value, int n)
{
    if (type == SKV_OPT_INTS) {
        skv_ints *list = out;

        free(list->value);
        *list = (skv_ints){value, n};
    } else {
        skv_reals *list = out;

        free(list->value);
        *list = (skv_reals){value, n};
    }
}

static skv_status parse_list(void *out, skv_option_type type, const char *text, const char *name)
{
    const char *p = text;
    void *value = NULL;
    int n = 0;
    skv_status st;

    SKV_TRY(count_numbers(&n, text, name));
    SKV_TRY(skv_alloc(&value, (size_t)n, sizeof(double), name));
    for (int i = 0; i < n; i++) {
        st = type == SKV_OPT_INTS ? parse_int((int64_t *)value + i, &p, name)
                                  : parse_real((double *)value + i, &p, name);
        SKV_TRY_GOTO(st, done);
        SKV_TRY_GOTO(next_number(&p, i == n - 1, text, name), done);
    }
    set_list(out, type, value, n);
    return SKV_OK;
done:
    free(value);
    return st;
}

skv_status skv_ints_parse(skv_ints *out, const char *text, const char *name)
{
    return parse_list(out, SKV_OPT_INTS, text, name);
}

static skv_status text_to_json(json_t **out, const char *text, const char *name)
{
    json_error_t error;
    json_t *v = NULL;
    const skv_status st = skv_json_load(&v, &error, text, strlen(text),
                                        JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, name);

    if (st == SKV_E_FORMAT)
        return skv_fail(SKV_E_ARG, "%s: not JSON: %s", name, error.text);
    SKV_TRY(st);
    json_decref(*out);
    *out = v;
    return SKV_OK;
}

/* `name` is the flag or key for messages. */
static skv_status set_text(const skv_option *o, void *settings, const char *text, const char *name)
{
    void *at = slot(o, settings);

    switch (o->type) {
    case SKV_OPT_BOOL:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
            return skv_fail(SKV_E_ARG, "%s: \"%s\" is neither true nor false", name, text);
        *(bool *)at = text[0] == 't';
        return SKV_OK;
    case SKV_OPT_INT:
        return text_to_int(at, text, name);
    case SKV_OPT_U64:
        return parse_u64(at, text, name);
    case SKV_OPT_REAL:
        return text_to_real(at, text, name);
    case SKV_OPT_REALS:
    case SKV_OPT_INTS:
        return parse_list(at, o->type, text, name);
    case SKV_OPT_JSON:
        return text_to_json(at, text, name);
    case SKV_OPT_STRING:
    case SKV_OPT_PATH:
        break;
    }
    return set_string(o, settings, text, name);
}

skv_status skv_options_defaults(const skv_option *table, void *settings)
{
    for (const skv_option *o = table; o->key; o++)
        if (o->fallback)
            SKV_TRY(set_text(o, settings, o->fallback, o->key));
    return SKV_OK;
}

static const char *json_word(const json_t *v)
{
    static const char *const words[] = {"an object", "an array", "a string", "an integer",
                                        "a number",  "true",     "false",    "null"};

    return words[json_typeof(v)];
}

/* A list's i-th number, or the one number itself. */
static const json_t *number_at(const json_t *v, size_t i)
{
    return json_is_array(v) ? json_array_get(v, i) : v;
}

/* *n = how many numbers v is: one, or a list of them. */
static skv_status count_json(size_t *n, const json_t *v, const skv_option *o, const char *name)
{
    const bool ints = o->type == SKV_OPT_INTS;

    *n = json_is_array(v) ? json_array_size(v) : 1;
    if (*n == 0 || *n > MAX_NUMBERS)
        return skv_fail(SKV_E_FORMAT, "%s: \"%s\" has %zu numbers, want 1 to %d", name, o->key, *n,
                        MAX_NUMBERS);
    for (size_t i = 0; i < *n; i++) {
        const json_t *x = number_at(v, i);

        if (ints ? !json_is_integer(x) : !json_is_number(x))
            return skv_fail(SKV_E_FORMAT, "%s: \"%s\" holds %s, want %s or a list of them", name,
                            o->key, json_word(x), ints ? "an integer" : "a number");
    }
    return SKV_OK;
}

static skv_status json_to_list(void *out, const json_t *v, const skv_option *o, const char *name)
{
    void *value = NULL;
    size_t n = 0;

    SKV_TRY(count_json(&n, v, o, name));
    SKV_TRY(skv_alloc(&value, n, sizeof(double), o->key));
    for (size_t i = 0; i < n; i++)
        if (o->type == SKV_OPT_INTS)
            ((int64_t *)value)[i] = json_integer_value(number_at(v, i));
        else
            ((double *)value)[i] = json_number_value(number_at(v, i));
    set_list(out, o->type, value, (int)n);
    return SKV_OK;
}

static skv_status wrong_type(const skv_option *o, const json_t *v, const char *name,
                             const char *want)
{
    return skv_fail(SKV_E_FORMAT, "%s: \"%s\" is %s, want %s", name, o->key, json_word(v), want);
}

static skv_status json_to_u64(const skv_option *o, uint64_t *out, const json_t *v, const char *name)
{
    if (json_is_string(v))
        return parse_u64(out, json_string_value(v), o->key);
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return wrong_type(o, v, name, "an integer from 0 to 2^64-1 (as a string from 2^63 on)");
    *out = (uint64_t)json_integer_value(v);
    return SKV_OK;
}

static skv_status json_to_path(const skv_option *o, void *settings, const json_t *v,
                               const char *folder)
{
    const char *text = json_string_value(v);
    char *joined = NULL;

    if (!text[0] || !folder || skv_names_formula(text))
        return set_string(o, settings, text, o->key);
    SKV_TRY(skv_path_join(&joined, folder, text));
    clear_one(o, settings);
    *(char **)slot(o, settings) = joined;
    return SKV_OK;
}

static skv_status set_json(const skv_option *o, void *settings, json_t *v, const char *name,
                           const char *folder)
{
    void *at = slot(o, settings);

    switch (o->type) {
    case SKV_OPT_BOOL:
        if (!json_is_boolean(v))
            return wrong_type(o, v, name, "true or false");
        *(bool *)at = json_is_true(v);
        return SKV_OK;
    case SKV_OPT_INT:
        if (!json_is_integer(v))
            return wrong_type(o, v, name, "an integer");
        *(int64_t *)at = json_integer_value(v);
        return SKV_OK;
    case SKV_OPT_U64:
        return json_to_u64(o, at, v, name);
    case SKV_OPT_REAL:
        if (!json_is_number(v))
            return wrong_type(o, v, name, "a number");
        *(double *)at = json_number_value(v);
        return SKV_OK;
    case SKV_OPT_REALS:
    case SKV_OPT_INTS:
        return json_to_list(at, v, o, name);
    case SKV_OPT_JSON:
        json_incref(v);
        json_decref(*(json_t **)at);
        *(json_t **)at = v;
        return SKV_OK;
    case SKV_OPT_STRING:
    case SKV_OPT_PATH:
        break;
    }
    if (!json_is_string(v))
        return wrong_type(o, v, name, "a string");
    return json_to_path(o, settings, v, o->type == SKV_OPT_PATH ? folder : NULL);
}

static size_t edit_distance(const char *a, const char *b)
{
    const size_t na = strlen(a), nb = strlen(b);
    size_t row[SKV_OPTIONS__WORD + 1];

    if (na > SKV_OPTIONS__WORD || nb > SKV_OPTIONS__WORD)
        return SKV_OPTIONS__WORD;
    for (size_t j = 0; j <= nb; j++)
        row[j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            const size_t swap = diagonal + (a[i - 1] != b[j - 1]);
            const size_t gap = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

            diagonal = row[j];
            row[j] = swap < gap ? swap : gap;
        }
    }
    return row[nb];
}

/* Whether the word may be a misspelling: at most a third of it differs, or two letters, but never
 * more than half of the longer word. */
static bool is_near(const char *word, const char *name, size_t distance)
{
    const size_t third = strlen(word) / 3;
    const size_t longer = strlen(word) > strlen(name) ? strlen(word) : strlen(name);

    return distance <= (third > 2 ? third : 2) && 2 * distance <= longer;
}

/* *best = name if it is nearer to word than the best so far, at distance *least. */
static void consider(const char **best, size_t *least, const char *word, const char *name)
{
    const size_t d = edit_distance(word, name);

    if (d < *least && is_near(word, name, d)) {
        *least = d;
        *best = name;
    }
}

const char *skv_nearest(const char *word, const char *const *names)
{
    const char *best = NULL;
    size_t least = SKV_OPTIONS__WORD;

    for (; *names; names++)
        consider(&best, &least, word, *names);
    return best;
}

const char *skv_nearest_key(const skv_option *table, const char *word)
{
    const char *best = NULL;
    size_t least = SKV_OPTIONS__WORD;

    for (const skv_option *o = table; o->key; o++)
        consider(&best, &least, word, o->key);
    return best;
}

static const skv_option *find_key(const skv_option *table, const char *key)
{
    for (const skv_option *o = table; o->key; o++)
        if (strcmp(o->key, key) == 0)
            return o;
    return NULL;
}

/* Of two rows of which one may be given in place of the other: the other one; NULL: o is none. */
static const skv_option *other_of(const skv_option *table, const skv_option *o)
{
    for (const skv_option *r = table; r->key; r++)
        if ((o->instead && strcmp(o->instead, r->key) == 0) ||
            (r->instead && strcmp(r->instead, o->key) == 0))
            return r;
    return NULL;
}

/* After o was set: what an earlier source said in its place does not hold any more. *one: the row
 * of such a pair that this source, called `where` (NULL: the command line), has set so far. */
static skv_status displace(const skv_option **one, const skv_option *table, const skv_option *o,
                           void *settings, const char *where)
{
    const skv_option *other = other_of(table, o);

    if (!other)
        return SKV_OK;
    if (*one == other)
        return where ? skv_fail(SKV_E_ARG, "%s: \"%s\" and \"%s\" are both given, want one of them",
                                where, (*one)->key, o->key)
                     : skv_fail(SKV_E_ARG, "--%s and --%s are both given, want one of them",
                                (*one)->key, o->key);
    *one = o;
    clear_one(other, settings);
    return SKV_OK;
}

skv_status skv_options_from_json(const skv_option *table, void *settings, const json_t *object,
                                 const char *name, const char *folder)
{
    const skv_option *one = NULL;
    const char *key = NULL;
    json_t *v = NULL;

    if (!json_is_object(object))
        return skv_fail(SKV_E_FORMAT, "%s: want an object of options", name);
    /* jansson's iterator takes the object without const and leaves it alone */
    json_object_foreach((json_t *)(uintptr_t)object, key, v)
    {
        const skv_option *o = find_key(table, key);
        const char *near = o ? NULL : skv_nearest_key(table, key);

        if (!o && near)
            return skv_fail(SKV_E_ARG, "%s: no option \"%s\"; did you mean \"%s\"?", name, key,
                            near);
        if (!o)
            return skv_fail(SKV_E_ARG, "%s: no option \"%s\"", name, key);
        if (json_is_null(v))
            continue; /* how "not given" is printed */
        SKV_TRY(set_json(o, settings, v, name, folder));
        SKV_TRY(displace(&one, table, o, settings, name));
    }
    return SKV_OK;
}

skv_status skv_option_opened(const char *flag, skv_status st)
{
    if (st == SKV_OK)
        return st;
    if (flag)
        skv_context("%s", flag);
    return st == SKV_E_NOTFOUND || st == SKV_E_KIND || st == SKV_E_DENIED || st == SKV_E_SHAPE
               ? SKV_E_ARG
               : st;
}

/* The row of "--group-size", "--group-size=4" or "--no-dry-run" (*negated); *value is what stands
 * behind '=', or NULL. */
static skv_status find_flag(const skv_option **out, bool *negated, const char **value,
                            const skv_option *table, const char *arg)
{
    char key[SKV_OPTIONS__WORD * 2];
    char flag[SKV_OPTIONS__WORD * 2];
    const char *equals = strchr(arg, '=');
    const size_t n = equals ? (size_t)(equals - arg) - 2 : strlen(arg) - 2;
    const char *near;

    *negated = false;
    *value = equals ? equals + 1 : NULL;
    if (n >= sizeof key)
        return skv_fail(SKV_E_ARG, "no option %.40s...", arg);
    memcpy(key, arg + 2, n);
    key[n] = '\0';
    for (char *p = key; *p; p++)
        if (*p == '-')
            *p = '_';
    *out = find_key(table, key);
    if (!*out && strncmp(key, "no_", 3) == 0) {
        *out = find_key(table, key + 3);
        *negated = *out && (*out)->type == SKV_OPT_BOOL;
        if (!*negated)
            *out = NULL;
    }
    if (*out)
        return SKV_OK;
    near = skv_nearest_key(table, key);
    if (!near)
        near = skv_nearest(key, (const char *const[]){"help", NULL});
    if (!near)
        return skv_fail(SKV_E_ARG, "no option --%.*s", (int)n, arg + 2);
    skv_options__flag(flag, sizeof flag, near);
    return skv_fail(SKV_E_ARG, "no option --%.*s; did you mean %s?", (int)n, arg + 2, flag);
}

skv_status skv_options_from_args(const skv_option *table, void *settings, int argc, char **argv,
                                 const char **words, int *n_words)
{
    const skv_option *one = NULL;
    bool only_words = false;

    if (n_words)
        *n_words = 0;
    for (int i = 0; i < argc; i++) {
        const skv_option *o = NULL;
        const char *value = NULL;
        bool negated = false;
        char flag[SKV_OPTIONS__WORD * 2];

        if (only_words || strncmp(argv[i], "--", 2) != 0) {
            if (!n_words)
                return skv_fail(
                    SKV_E_ARG, "\"%s\" is not an option, and no other words are expected", argv[i]);
            words[(*n_words)++] = argv[i];
            continue;
        }
        if (!argv[i][2]) { /* "--": what follows are words */
            only_words = true;
            continue;
        }
        SKV_TRY(find_flag(&o, &negated, &value, table, argv[i]));
        skv_options__flag(flag, sizeof flag, o->key);
        if (o->type == SKV_OPT_BOOL && value && negated)
            return skv_fail(SKV_E_ARG, "%s: takes no value", argv[i]);
        if (o->type == SKV_OPT_BOOL && !value)
            value = negated ? "false" : "true";
        if (!value && ++i == argc)
            return skv_fail(SKV_E_ARG, "%s: a value is missing", flag);
        SKV_TRY(set_text(o, settings, value ? value : argv[i], flag));
        SKV_TRY(displace(&one, table, o, settings, NULL));
    }
    return SKV_OK;
}

static const skv_option *find_letter(const skv_option *switches, const char *arg)
{
    for (const skv_option *o = switches; o->key; o++)
        if (arg[0] == '-' && arg[1] && arg[1] == o->letter && !arg[2])
            return o;
    return NULL;
}

static bool is_flag(const char *arg)
{
    return strncmp(arg, "--", 2) == 0 && arg[2];
}

static skv_status take_one(bool *taken, const skv_option *switches, void *settings, const char *arg)
{
    const skv_option *o = find_letter(switches, arg);
    const char *value = NULL;
    bool negated = false;

    *taken = o || (is_flag(arg) && find_flag(&o, &negated, &value, switches, arg) == SKV_OK);
    if (!*taken)
        return SKV_OK;
    return set_text(o, settings, value ? value : negated ? "false" : "true", arg);
}

/* Whether the word behind this one is its value. */
static bool takes_next(const skv_option *table, const char *arg)
{
    const skv_option *o = NULL;
    const char *value = NULL;
    bool negated;

    return is_flag(arg) && find_flag(&o, &negated, &value, table, arg) == SKV_OK &&
           o->type != SKV_OPT_BOOL && !value;
}

skv_status skv_options_take(const skv_option *switches, void *settings, const skv_option *table,
                            int *argc, char **argv)
{
    bool only_words = false, taken;
    int n = 0;

    for (int i = 0; i < *argc; i++) {
        only_words = only_words || strcmp(argv[i], "--") == 0;
        taken = false;
        if (!only_words)
            SKV_TRY(take_one(&taken, switches, settings, argv[i]));
        if (taken)
            continue;
        argv[n++] = argv[i];
        if (!only_words && i + 1 < *argc && takes_next(table, argv[i]))
            argv[n++] = argv[++i];
    }
    *argc = n;
    return SKV_OK;
}
