#include "kernels/cpu/text_attention.h"

#include <cblas.h>
#include <math.h>

#include "kernels/cpu/cpu_internal.h"

void skv_cpu__text_attention(const skv_text_attention *t, float *score)
{
    const int64_t n = t->n_k;

    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)t->n_q, (int)n, (int)t->dim, t->scale,
                t->q, (int)t->q_stride, t->k, (int)t->k_stride, 0.0f, score, (int)n);
    for (int64_t r = 0; r < t->n_q; r++) {
        float *s = score + r * n, most = -INFINITY, sum = 0;

        for (int64_t j = 0; j < n; j++) {
            if (t->bias)
                s[j] += t->bias[r * n + j];
            most = s[j] > most ? s[j] : most;
        }
        for (int64_t j = 0; j < n; j++)
            s[j] -= most;
        skv_cpu__exp(s, s, n);
        for (int64_t j = 0; j < n; j++)
            sum += s[j];
        for (int64_t j = 0; j < n; j++)
            s[j] /= sum;
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)t->n_q, (int)t->dim, (int)n, 1.0f,
                score, (int)n, t->v, (int)t->v_stride, 0.0f, t->o, (int)t->o_stride);
}
