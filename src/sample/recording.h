/* Recorded runs: what a reference computed for given text, bits and weights. Two forms: the tiny
 * models', with everything recorded, and the full-size models', with samples of it
 * (src/sample/README.md, Recordings). */
#ifndef SKV_SAMPLE_RECORDING_H
#define SKV_SAMPLE_RECORDING_H

#include "cache/budget.h"
#include "model/infinity.h"

#define SKV_RECORDING_ROWS 16

typedef struct {
    int64_t tokens, bits;         /* of the scale; bits a token */
    uint8_t *bit;                 /* (tokens,bits) 0/1 */
    int64_t n_logits;             /* tokens with recorded logits */
    int32_t *token;               /* (n_logits) indices of those tokens; NULL: all */
    float *logits;                /* (n_logits,bits,2) */
    float *logits_scalekv;        /* full-size form: the same of the ScaleKV run */
    float *block0;                /* (rows,tokens,C) or NULL */
    double nmse, nmse_scalekv;    /* full-size form: the reference's own bf16 error */
    int32_t *kept[SKV_MAX_DEPTH]; /* (rows,heads,n) or full-size (n_heads,n); NULL: nothing cut */
    int64_t kept_shape[SKV_MAX_DEPTH][3];
} skv_recorded_scale;

typedef struct {
    bool full_size;
    char model[32]; /* "infinity_2b"; "" for the tiny form */
    skv_schedule schedule;
    skv_guidance guidance;
    bool guided;
    int n_text, n_negative, text_width;
    float *text, *negative; /* (n,Ct5); NULL: made by the formula, or none */
    bool scalekv;           /* tiny form: the run is ScaleKV's */
    int base;
    int drafters[SKV_MAX_DEPTH], n_drafters;
    skv_budget_row budget[SKV_RECORDING_ROWS];
    int n_budget;
    skv_recorded_scale scale[SKV_MAX_SCALES];
    float *z; /* (d,Hz,Wz) or NULL */
    int64_t z_shape[3];
    float *decoded; /* (3,H/step,W/step), clamped to [-1,1] */
    int64_t decoded_shape[3];
    int step;
    uint8_t *rgb;     /* (H,W,3) or NULL */
    double image_mse; /* full-size form: the reference's own bf16 error */
} skv_recording;

SKV_MUST skv_status skv_recording_read(skv_recording *out, const char *path);
void skv_recording_clear(skv_recording *r);

#endif
