/* The insides shared by infinity.c, stage.c, cond.c, block.c and pass.c. */
#ifndef SKV_MODEL_INFINITY_PARTS_H
#define SKV_MODEL_INFINITY_PARTS_H

#include "kernels/ops.h"
#include "model/infinity.h"

#define SKV_NORM_EPS 1e-6f

/* The six modulation vectors of a block, in the checkpoint's order. */
enum { MOD_G1 = 0, MOD_G2 = 1, MOD_S1 = 2, MOD_S2 = 3, MOD_B1 = 4, MOD_B2 = 5, N_MODS = 6 };

typedef struct {
    skv_tensor qkv;                  /* (3C,C) weight */
    skv_tensor q_bias, v_bias;       /* (C) fp32 */
    skv_tensor scale;                /* (H) fp32: exp(min(scale_mul, ln 100)) */
    skv_tensor proj, proj_bias;      /* (C,C) weight, (C) act, as the biases below */
    skv_tensor ca_norm_w, ca_norm_b; /* (1,C) fp32 */
    skv_tensor ca_q, ca_q_bias;      /* (C,C) weight, (C) */
    skv_tensor ca_kv, ca_kv_bias;    /* (2C,C) weight, (2C) = [0, v_bias] */
    skv_tensor ca_proj, ca_proj_bias;
    skv_tensor fc1, fc1_bias; /* (hidden,C) */
    skv_tensor fc2, fc2_bias; /* (C,hidden) */
    skv_tensor gss;           /* (6C) fp32 */
} skv_block_weights;

struct skv_infinity {
    skv_backend *be;
    skv_dims dims;
    void *memory, *derived_memory; /* of the arenas below */
    skv_arena weights, derived;
    skv_block_weights block[SKV_MAX_DEPTH];
    skv_tensor cfg_uncond;                    /* (max_text,Ct5) fp32 */
    skv_tensor text_norm;                     /* (Ct5) fp32 */
    skv_tensor pool_q, pool_kv, pool_kv_bias; /* (Hp,Dp) (2C,Ct5) (2C) = [0, v_bias] */
    skv_tensor pool_proj, pool_proj_bias;     /* (C,C) (C) */
    skv_tensor text_fc1, text_fc1_bias, text_fc2, text_fc2_bias;
    skv_tensor pos_start;                       /* (C) */
    skv_tensor lvl_embed;                       /* (levels,C) */
    skv_tensor lvl_word_bias;                   /* (levels,C): word_embed.bias + lvl_embed */
    skv_tensor first_bias;                      /* (C): pos_start + lvl_embed[0] */
    skv_tensor word_embed, word_embed_bias;     /* (C,token bits) (C) */
    skv_tensor ada_lin, ada_lin_bias, six_ones; /* (6C,C) (6C) (6C): 1 on s1 and s2 */
    skv_tensor head_ada_lin, head_ada_lin_bias, head_ones; /* (2C,C) (2C) (2C): 1 on the scale */
    skv_tensor head, head_bias;                            /* (2·bits,C) */
    skv_tensor ones;                                       /* (1,C) */
};

struct skv_stage {
    skv_schedule schedule;
    skv_tensor rope[SKV_MAX_SCALES]; /* (L,D/2,2) fp32 */
};

struct skv_cond {
    int n_rows, n_text, n_uncond; /* tokens: T = n_text + n_uncond */
    int32_t *start, *count;       /* per row, of the T tokens */
    skv_tensor kv[SKV_MAX_DEPTH]; /* (T,2,H,D) kv: the group's text, then cfg_uncond */
    skv_tensor mods;              /* (depth,R,6C) fp32, 1 added to s1 and s2 */
    skv_tensor head_mods;         /* (R,2C) fp32, 1 added to the scale */
    skv_tensor first;             /* (R,C) fp32: sos + pos_start + lvl_embed[0] */
};

struct skv_pass {
    skv_pass_setup setup;
    int n_rows;
    skv_tensor bits[SKV_MAX_SCALES]; /* (B,L,token bits) u8 */
    skv_tensor z;                    /* (B,Hz,Wz,d) fp32 */
    char *x;                         /* (R,L,C) fp32: the residual stream */
    char *normed;                    /* (R,L,C) act: norm outputs, attention outputs; before and
                                      * after the blocks (B,L,token bits) fp32: the input before
                                      * word_embed, and twice that: guided logits for a probe */
    char *work;                      /* (R,L,C) act, then qkv, hidden layer or logits */
    char *q_raw;                     /* (R,window,H,D) fp32 */
    skv_arena select;                /* scratch of the policy */
    int32_t window[SKV_MAX_WINDOW];  /* of the scale at hand */
    int n_window;
    skv_queries queries;
    const skv_cond *cond; /* of the run at hand */
    skv_kv *kv;
    const skv_probe *probe;
};

/* Modulation `which` of a layer for all rows: (R,C), row stride 6C. */
skv_tensor skv_cond__mod(const skv_cond *c, int layer, int which, int width);
skv_tensor skv_cond__head_mod(const skv_cond *c, int which, int width);

/* One layer: p->normed holds the modulated norm of x on entry, the next layer's (or, after the
 * last, nothing) on return. */
SKV_MUST skv_status skv_block__forward(skv_pass *p, int layer, int si);

/* *y (in the work buffer) = CA of p->normed without its last bias, each row with its own text;
 * p->normed is used up. */
SKV_MUST skv_status skv_block__cross_attention(skv_pass *p, int layer, int si, skv_tensor *y);

#endif
