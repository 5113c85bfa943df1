#include "run/picture_texts.h"

#include <stdbool.h>
#include <string.h>

/* "x" or "x-<sample>". */
static bool is_made_of(const char *id, const char *given)
{
    const size_t n = strlen(given);

    return strncmp(id, given, n) == 0 && (id[n] == '\0' || id[n] == '-');
}

int skv_picture_texts(skv_png_text text[SKV_PICTURE_TEXTS], const skv_picture_facts *p)
{
    int n = 0;

    text[n++] = (skv_png_text){"id", p->id};
    if (p->given_id && p->given_id[0] && !is_made_of(p->id, p->given_id))
        text[n++] = (skv_png_text){"given_id", p->given_id};
    text[n++] = (skv_png_text){"prompt", p->prompt};
    if (p->negative && p->negative[0])
        text[n++] = (skv_png_text){"negative", p->negative};
    text[n++] = (skv_png_text){"seed", p->seed};
    text[n++] = (skv_png_text){"path", p->path};
    text[n++] = (skv_png_text){"config", p->config};
    text[n++] = (skv_png_text){"version", p->version};
    return n;
}
