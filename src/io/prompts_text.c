/* Prompt lists of lines, whose ends are LF, CR LF or CR; plain text is a prompt a line. */
#include "io/prompts_internal.h"

bool skv_prompts__next_line(const skv_prompts__window *w, size_t *used, const char **line,
                            size_t *n)
{
    const char *at = w->bytes + *used, *end = w->bytes + w->n, *stop = at;

    while (stop < end && *stop != '\n' && *stop != '\r')
        stop++;
    if (at == end || (!w->last && (stop == end || (*stop == '\r' && stop + 1 == end))))
        return false;
    *line = at;
    *n = (size_t)(stop - at);
    *used += *n;
    if (stop < end)
        *used += *stop == '\r' && stop + 1 < end && stop[1] == '\n' ? 2 : 1;
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
