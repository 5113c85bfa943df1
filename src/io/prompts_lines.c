/* Prompt lists of lines: plain text and JSON Lines. */
#include "io/prompts_internal.h"

#include <string.h>
#include <jansson.h>

#include "io/prompts_json.h"

/* Escapes may make a line six times as long as its prompt. */
#define MAX_LINE_BYTES (8 * SKV_PROMPT_MAX_BYTES)

typedef struct {
    const char *at, *end; /* what is left */
    size_t line;          /* number of the line given last, from 1 */
} line_reader;

/* Reader without the empty lines at the end; *n_lines: how many there are. */
static line_reader start_lines(size_t *n_lines, const char *bytes, size_t n)
{
    line_reader r = {bytes, bytes + n, 0};

    while (r.end > bytes && (r.end[-1] == '\n' || r.end[-1] == '\r'))
        r.end--;
    *n_lines = r.end > bytes;
    for (const char *p = bytes; (p = memchr(p, '\n', (size_t)(r.end - p))) != NULL; p++)
        (*n_lines)++;
    return r;
}

static bool next_line(line_reader *r, const char **line, size_t *n)
{
    const char *lf;

    if (r->at >= r->end)
        return false;
    lf = memchr(r->at, '\n', (size_t)(r->end - r->at));
    *line = r->at;
    *n = (size_t)((lf ? lf : r->end) - r->at);
    r->at = lf ? lf + 1 : r->end;
    r->line++;
    if (*n > 0 && (*line)[*n - 1] == '\r')
        (*n)--;
    return true;
}

skv_status skv_prompts__text(skv_prompts__builder *b, const char *bytes, size_t n)
{
    size_t n_lines = 0;
    line_reader r = start_lines(&n_lines, bytes, n);
    const char *line = NULL;

    SKV_TRY(skv_prompts__reserve(b, n_lines));
    while (next_line(&r, &line, &n)) {
        if (n == 0)
            SKV_TRY(skv_prompts__add_bad(b, r.line, NULL, "the line is empty"));
        else
            SKV_TRY(
                skv_prompts__add(b, r.line, &(skv_prompts__found){.text = line, .text_bytes = n}));
    }
    return SKV_OK;
}

skv_status skv_prompts__jsonl(skv_prompts__builder *b, const char *bytes, size_t n, bool folder)
{
    size_t n_lines = 0;
    line_reader r = start_lines(&n_lines, bytes, n);
    const char *line = NULL;
    json_error_t error;

    SKV_TRY(skv_prompts__reserve(b, n_lines));
    while (next_line(&r, &line, &n)) {
        skv_status st;
        json_t *v = NULL;

        if (n > MAX_LINE_BYTES) {
            SKV_TRY(
                skv_prompts__add_bad(b, r.line, NULL, "%zu bytes, at most %zu", n, MAX_LINE_BYTES));
            continue;
        }
        v = json_loadb(line, n, JSON_REJECT_DUPLICATES, &error);
        if (!v)
            st = skv_prompts__add_bad(b, r.line, NULL, "not JSON: %s", error.text);
        else
            st = skv_prompts__add_json(b, r.line, v, folder);
        json_decref(v);
        SKV_TRY(st);
    }
    return SKV_OK;
}
