/* Prompt lists of lines, whose ends are LF, CR LF or CR, or CR CR LF, as Windows makes of CR LF
 * that is written as text; plain text is a prompt a line. */
#include "io/prompts_internal.h"

size_t skv_prompts__end_bytes(const char *at, const char *end, bool last)
{
    size_t n = 1;

    if (*at == '\n')
        return 1;
    while (n < 3 && at + n < end && at[n] == '\r')
        n++;
    if (at + n == end && !last && n < 3)
        return 0;
    return n < 3 && at + n < end && at[n] == '\n' ? n + 1 : 1;
}

bool skv_prompts__next_line(const skv_prompts__window *w, size_t *used, const char **line,
                            size_t *n)
{
    const char *at = w->bytes + *used, *end = w->bytes + w->n, *stop = at;
    size_t end_bytes = 0;

    while (stop < end && *stop != '\n' && *stop != '\r')
        stop++;
    if (stop < end)
        end_bytes = skv_prompts__end_bytes(stop, end, w->last);
    if (at == end || (!w->last && end_bytes == 0))
        return false;
    *line = at;
    *n = (size_t)(stop - at);
    *used += *n + end_bytes;
    return true;
}

skv_status skv_prompts__text(skv_prompts__builder *b, skv_prompts__place *p,
                             const skv_prompts__window *w, size_t *used)
{
    const char *line = NULL;
    size_t n = 0;

    for (*used = 0; skv_prompts__next_line(w, used, &line, &n);) {
        const skv_prompts__found found = {.text = line, .text_bytes = n};

        p->line++;
        if (n == 0)
            SKV_TRY(skv_prompts__add_bad(b, p->line, NULL, "the line is empty"));
        else
            SKV_TRY(skv_prompts__add(b, p->line, &found));
    }
    return SKV_OK;
}
