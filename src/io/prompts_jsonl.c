/* JSON Lines: an object or a string a line. */
#include "io/prompts_internal.h"

#include <jansson.h>

#include "core/json.h"
#include "io/prompts_json.h"

/* Escapes may make a line six times as long as its prompt. */
#define MAX_LINE_BYTES (8 * SKV_PROMPT_MAX_BYTES)

static skv_status add_json_line(skv_prompts__builder *b, const skv_prompts__place *p,
                                const char *line, size_t n)
{
    json_error_t error;
    json_t *v = NULL;
    skv_status st;

    if (skv_prompts__is_blank(line, n))
        return skv_prompts__add_bad(b, p->line, NULL, "the line is empty");
    if (n > MAX_LINE_BYTES)
        return skv_prompts__add_bad(b, p->line, NULL, "%zu bytes, at most %zu", n, MAX_LINE_BYTES);
    st = skv_prompts__load(&v, &error, line, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, "a line");
    if (st == SKV_E_FORMAT)
        st = skv_prompts__add_bad(b, p->line, NULL, "not JSON: %s", error.text);
    else if (st == SKV_OK && json_is_string(v))
        st = skv_prompts__add_entry(b, p->line, v, NULL);
    else if (st == SKV_OK)
        st = skv_prompts__add_json(b, p->line, v, NULL, p->form == SKV_PROMPTS_FOLDER);
    json_decref(v);
    return st;
}

skv_status skv_prompts__jsonl(skv_prompts__builder *b, skv_prompts__place *p,
                              const skv_prompts__window *w, size_t *used)
{
    const char *line = NULL;
    size_t n = 0;

    for (*used = 0; skv_prompts__next_line(w, used, &line, &n);) {
        p->line++;
        SKV_TRY(add_json_line(b, p, line, n));
    }
    return SKV_OK;
}
