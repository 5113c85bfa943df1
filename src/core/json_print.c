/* JSON as text. jansson prints all reals with one number of digits: 17 make 0.97 into
 * 0.96999999999999997, fewer lose bits; here each gets as many as it needs. */
#include "core/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHORT_DIGITS 8

typedef struct {
    FILE *to;
    skv_json_form form;
    bool failed;
} printer;

static void print(printer *p, const json_t *v, int depth);

static void new_line(printer *p, int depth)
{
    if (p->form >= SKV_JSON_INDENTED)
        fprintf(p->to, "\n%*s", 2 * depth, "");
}

/* As few of 15 to 17 digits as read as the same number, or SHORT_DIGITS; told from an integer by a
 * point or an exponent. */
static void print_real(printer *p, double v)
{
    char text[40];

    for (int digits = p->form == SKV_JSON_SHORT ? SHORT_DIGITS : 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (p->form == SKV_JSON_SHORT || strtod(text, NULL) == v)
            break;
    }
    fprintf(p->to, "%s%s", text, text[strcspn(text, ".e")] ? "" : ".0");
}

/* Strings with their escapes, integers and words are as jansson writes them. */
static void print_plain(printer *p, const json_t *v)
{
    const bool ascii = p->form == SKV_JSON_ASCII || p->form == SKV_JSON_SHORT;
    char *text = json_dumps(v, JSON_ENCODE_ANY | (ascii ? JSON_ENSURE_ASCII : 0));

    if (text)
        fputs(text, p->to);
    p->failed = p->failed || !text;
    free(text);
}

static void print_member(printer *p, const char *key, const json_t *v, int depth)
{
    json_t *name = json_string(key);

    new_line(p, depth);
    print_plain(p, name);
    fputs(p->form >= SKV_JSON_INDENTED ? ": " : ":", p->to);
    print(p, v, depth);
    json_decref(name);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void print_object(printer *p, const json_t *v, int depth)
{
    const size_t n = json_object_size(v);
    const char **keys = malloc(n * sizeof *keys);
    const char *key;
    json_t *member;
    size_t i = 0;

    if (!keys) {
        p->failed = true;
        return;
    }
    /* jansson's iterator takes the object without const and leaves it alone */
    json_object_foreach((json_t *)(uintptr_t)v, key, member) keys[i++] = key;
    if (p->form == SKV_JSON_SORTED)
        qsort(keys, n, sizeof *keys, by_bytes);
    fputc('{', p->to);
    for (i = 0; i < n; i++) {
        if (i > 0)
            fputc(',', p->to);
        print_member(p, keys[i], json_object_get(v, keys[i]), depth + 1);
    }
    new_line(p, depth);
    fputc('}', p->to);
    free((void *)keys);
}

static void print_array(printer *p, const json_t *v, int depth)
{
    fputc('[', p->to);
    for (size_t i = 0; i < json_array_size(v); i++) {
        if (i > 0)
            fputc(',', p->to);
        new_line(p, depth + 1);
        print(p, json_array_get(v, i), depth + 1);
    }
    new_line(p, depth);
    fputc(']', p->to);
}

static void print(printer *p, const json_t *v, int depth)
{
    if (json_object_size(v) > 0)
        print_object(p, v, depth);
    else if (json_array_size(v) > 0)
        print_array(p, v, depth);
    else if (json_is_real(v))
        print_real(p, json_real_value(v));
    else
        print_plain(p, v);
}

skv_status skv_json_print(char **out, const json_t *value, skv_json_form form)
{
    char *text = NULL;
    size_t bytes = 0;
    printer p = {.to = open_memstream(&text, &bytes), .form = form};

    if (p.to) {
        print(&p, value, 0);
        p.failed = ferror(p.to) || p.failed;
        p.failed = fclose(p.to) != 0 || p.failed;
    }
    if (!p.to || p.failed) {
        free(text);
        return skv_fail(SKV_E_MEM, "out of memory for JSON text");
    }
    *out = text;
    return SKV_OK;
}
