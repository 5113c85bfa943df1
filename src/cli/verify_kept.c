#include "cli/verify_kept.h"

#include <stdlib.h>

#include "core/mem.h"

/* Token at a position of the cache before the cut, -1 beyond it. */
static int32_t token_at(const skv_kept *k, const skv_schedule *s, int si, int32_t position)
{
    const int held = k->token ? k->n : 0;
    const int32_t first = k->token ? s->start[k->si + 1] : 0; /* of what follows them */

    if (position < 0)
        return -1;
    if (position < held)
        return k->token[position];
    position += first - held;
    return position < s->start[si + 1] ? position : -1;
}

skv_status skv_kept_follow(skv_kept *k, const skv_schedule *s, int si, const int32_t *position,
                           int n)
{
    int32_t *token = NULL;

    SKV_TRY(skv_alloc(&token, (size_t)n, sizeof *token, "kept tokens"));
    for (int i = 0; i < n; i++) {
        token[i] = token_at(k, s, si, position[i]);
        if (token[i] < 0 || (i > 0 && token[i] <= token[i - 1])) {
            free(token);
            return skv_fail(SKV_E_SHAPE, "kept position %d of scale %d is not in the cache",
                            position[i], si);
        }
    }
    free(k->token);
    *k = (skv_kept){token, n, si};
    return SKV_OK;
}

double skv_kept_overlap(const skv_kept *a, const skv_kept *b)
{
    int same = 0;

    for (int i = 0, j = 0; i < a->n && j < b->n;) {
        same += a->token[i] == b->token[j];
        if (a->token[i] <= b->token[j])
            i++;
        else
            j++;
    }
    if (a->n != b->n)
        return 0;
    return a->n > 0 ? (double)same / a->n : 1;
}

void skv_kept_clear(skv_kept *k)
{
    free(k->token);
    *k = (skv_kept){.token = NULL};
}
