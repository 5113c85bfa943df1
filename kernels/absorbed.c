#include "kernels/absorbed.h"

#include "core/mem.h"

#define TEXT_STEP 8 /* also what keeps rows of weights aligned to 16 bytes */

/* Room for n numbers behind what is taken. */
static size_t take(size_t *bytes, int64_t n, skv_dtype type)
{
    const size_t at = *bytes;

    *bytes += skv_align_up((size_t)n * skv_dtype_bytes(type));
    return at;
}

skv_absorbed_layout skv_absorbed__layout(const skv_backend *be, int64_t rows, int64_t tokens,
                                         int64_t count, int64_t heads, int64_t dim)
{
    skv_absorbed_layout l = {.text = (count + TEXT_STEP - 1) / TEXT_STEP * TEXT_STEP};
    const int64_t n = rows * l.text * heads;

    l.kv = take(&l.bytes, 2 * n * dim, be->kv);
    l.bias = take(&l.bytes, n, SKV_F32);
    l.keys = take(&l.bytes, n * heads * dim, be->act);
    l.values = take(&l.bytes, n * heads * dim, be->act);
    l.scores = take(&l.bytes, n * tokens, SKV_F32);
    l.weights = take(&l.bytes, n * tokens, be->act);
    return l;
}

size_t skv_absorbed_bytes(const skv_backend *be, int64_t rows, int64_t tokens, int64_t count,
                          int64_t heads, int64_t dim)
{
    return skv_absorbed__layout(be, rows, tokens, count, heads, dim).bytes;
}

int64_t skv_absorbed__longest(const skv_absorbed_attention_args *a)
{
    int64_t most = 0;

    for (int64_t r = 0; r < a->x.shape[0]; r++)
        most = a->count[r] > most ? a->count[r] : most;
    return most;
}
