#include "kernels/absorbed.h"

#include "core/mem.h"

/* Takes room for n numbers after what is taken already; returns where it begins. */
static size_t take(size_t *bytes, int64_t n, skv_dtype type)
{
    const size_t at = *bytes;

    *bytes += skv_align_up((size_t)n * skv_dtype_bytes(type));
    return at;
}

static skv_absorbed_layout layout(const skv_backend *be, int64_t at_once, int64_t tokens,
                                  int64_t longest, int64_t heads, int64_t dim)
{
    const int64_t step = skv_limits_text_step(be->limits, tokens);
    skv_absorbed_layout l = {
        .step = step,
        .text = skv_round_up(at_once * skv_round_up(longest, step), SKV_ABSORBED_STEP)};

    l.kv = take(&l.bytes, 2 * l.text * heads * dim, be->kv);
    l.bias = take(&l.bytes, l.text * heads, SKV_F32);
    l.keys = take(&l.bytes, l.text * heads * heads * dim, be->act);
    l.values = take(&l.bytes, l.text * heads * heads * dim, be->act);
    l.scores = take(&l.bytes, l.text * tokens * heads, SKV_F32);
    l.weights = take(&l.bytes, l.text * tokens * heads, be->act);
    return l;
}

size_t skv_absorbed_bytes(const skv_backend *be, int64_t at_once, int64_t tokens, int64_t longest,
                          int64_t heads, int64_t dim)
{
    return layout(be, at_once, tokens, longest, heads, dim).bytes;
}

skv_absorbed_layout skv_absorbed__layout(const skv_backend *be,
                                         const skv_absorbed_attention_args *a)
{
    return layout(be, a->at_once, a->x.shape[1], a->longest, a->kv.shape[2], a->kv.shape[3]);
}

/* Whether the row is not placed yet and its padded text has `text` tokens; text 0: any number. */
static bool waits(const skv_absorbed_attention_args *a, const bool *served, int64_t row,
                  int64_t text, int64_t step)
{
    return row < a->x.shape[0] && !served[row] && a->count[row] > 0 &&
           (text == 0 || skv_round_up(a->count[row], step) == text);
}

/* The longest run from row `first` of equally spaced rows (as the two rows of a prompt are) with
 * the same padded text length that fits `room` text tokens. */
static skv_absorbed_run run_from(const skv_absorbed_attention_args *a, const bool *served,
                                 int64_t first, int64_t room, int64_t step)
{
    const int64_t text = skv_round_up(a->count[first], step);
    skv_absorbed_run run = {.first = (int)first, .apart = 1, .text = text};
    int64_t next = first + 1;

    if (text > room)
        return run;
    while (next < a->x.shape[0] && !waits(a, served, next, text, step))
        next++;
    run.apart = (int)(next - first);
    do
        run.n++;
    while (run.n < a->at_once && (run.n + 1) * text <= room &&
           waits(a, served, first + (int64_t)run.n * run.apart, text, step));
    return run;
}

int skv_absorbed__runs(skv_absorbed_run runs[SKV_ABSORBED_ROWS], bool *served, int64_t *text,
                       const skv_absorbed_attention_args *a, const skv_absorbed_layout *l)
{
    int n = 0;

    *text = 0;
    for (int64_t r = 0; r < a->x.shape[0]; r++) {
        skv_absorbed_run run;

        if (!waits(a, served, r, 0, l->step))
            continue;
        run = run_from(a, served, r, l->text - *text, l->step);
        if (run.n == 0)
            continue;
        run.at = *text;
        for (int i = 0; i < run.n; i++)
            served[run.first + i * run.apart] = true;
        *text += run.n * run.text;
        runs[n++] = run;
    }
    return n;
}
