#include "sample/text_features.h"

#include <stdlib.h>

#include "core/mem.h"
#include "io/formula.h"

skv_status skv_text_features(skv_engine *e, skv_backend *be, const float *features, int n_tokens)
{
    float *made_up = NULL;
    skv_tensor text;
    skv_status st;
    size_t bytes;

    SKV_TRY(skv_engine_text(e, &text, n_tokens));
    bytes = skv_tensor_bytes(&text);
    if (features)
        return skv_backend_upload(be, text.data, features, bytes);
    SKV_TRY(skv_alloc(&made_up, bytes, 1, "text features"));
    skv_formula_text(made_up, (int64_t)n_tokens * text.shape[1]);
    st = skv_backend_upload(be, text.data, made_up, bytes);
    free(made_up);
    return st;
}
