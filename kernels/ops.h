/* The operations: formula, shapes, argument structs. One CPU and one CUDA file each.
 *
 * Notation: B prompts of a group; R rows (B, or 2B with guidance: conditional rows first, then the
 * unconditional ones); L tokens of the current map; H heads of D; C = H·D; act, weight, kv: the
 * backend's types. fp32 where a shape comment says so. Tensors are contiguous unless stated.
 * skv_<op>() checks shapes, types and device once for all backends, then calls the table.
 * Host arrays (int32_t *, int) are read during the call. */
#ifndef SKV_KERNELS_OPS_H
#define SKV_KERNELS_OPS_H

#include "core/status.h"
#include "core/tensor.h"
#include "core/torch_random.h"
#include "kernels/backend.h"

/* ------------------------------------------------------------------ linear */

/* y = x·Wᵀ + b.  x (M,K) act or fp32; w (N,K) weight, packed by skv_pack_linear; y (M,N) act or
 * fp32; b (N) of y's type, or data NULL. Or x (B,M,K), y (B,M,N), first strides free. */
typedef struct {
    skv_tensor y, x, w, b;
} skv_linear_args;

/* y = gelu(x·Wᵀ + b), gelu(t) = t/2·(1 + tanh(√(2/π)·(t + 0.044715·t³))). As linear, x (M,K). */
typedef skv_linear_args skv_linear_gelu_args;

/* ------------------------------------------------------- norms, residuals */

/* y = LN(x)⊙scale + shift, LN over the last axis, statistics in fp32, eps inside the root.
 * x (R,L,C) fp32; y (R,L,C) act or fp32; scale, shift (R,C) fp32, first stride free (0 repeats one
 * row). */
typedef struct {
    skv_tensor y, x, scale, shift;
    float eps;
} skv_norm_args;

/* x += gate⊙(h + bias); y = LN(x)⊙scale + shift.  x (R,L,C) fp32; h (R,L,C) act; y (R,L,C) act or
 * fp32, may be h when of its type; gate, scale, shift (R,C) fp32, first stride free; bias (C) act:
 * the one that h's product left out, or data NULL: none. */
typedef struct {
    skv_tensor y, x, h, gate, scale, shift, bias;
    float eps;
} skv_gate_norm_args;

/* x += gate⊙h.  x (R,L,C) fp32; h (R,L,C) act; gate (R,C) fp32, first stride free. */
typedef struct {
    skv_tensor x, h, gate;
} skv_gate_add_args;

/* y = w⊙x / sqrt(mean(x²) + eps) over the last axis.  x (M,C) fp32; w (C) fp32; y (M,C) act or
 * fp32. */
typedef struct {
    skv_tensor y, x, w;
    float eps;
} skv_rms_norm_args;

/* y = x/(1 + exp(-x)), any equal shapes, fp32. */
typedef struct {
    skv_tensor y, x;
} skv_silu_args;

/* y = gelu(y)⊙x (tanh form), any equal contiguous shapes, act. */
typedef struct {
    skv_tensor y, x;
} skv_gated_gelu_args;

/* y = x + b, b repeated for every row.  x, y (M,N) fp32, y may be x; b (N) fp32. */
typedef struct {
    skv_tensor y, x, b;
} skv_add_rows_args;

/* y += x.  y fp32 or act, x act or fp32, equal contiguous shapes. */
typedef struct {
    skv_tensor y, x;
} skv_add_args;

/* Guidance in the residual stream: m = cfg·x[b] + (1-cfg)·x[B+b]; both rows become m.
 * x (2B,L,C) fp32. See src/model/README.md, Block. */
typedef struct {
    skv_tensor x;
    float cfg;
} skv_guide_mix_args;

/* --------------------------------------------------------------- attention */

/* After the QKV product, per token and head (src/model/README.md, Block):
 *   q = rope(n(qkv_q + q_bias)·scale[h]),  k = rope(n(qkv_k)),  v = qkv_v + v_bias,
 *   n(t) = t / max(‖t‖, 1e-12), rope rotates pairs (2i,2i+1) by the angle of table row l:
 *   (a,b) -> (a·cos - b·sin, a·sin + b·cos).
 * k and v of head h are stored at position base[h] + l of the K/V views; raw projections qkv_q of
 * the tokens window[0..n) go to q_raw (ScaleKV's queries).
 * qkv (R,L,3C) act; q_bias, v_bias (C) fp32; scale (H) fp32 = exp(min(scale_mul, ln 100));
 * rope (L,D/2,2) fp32 = (cos, sin); q (R,L,H,D) act; k, v (R,H,Lmax,D) kv, first strides free;
 * q_raw (R,n,H,D) fp32, n_window = 0 for none; base: H host integers. */
typedef struct {
    skv_tensor q, k, v, q_raw, qkv, q_bias, v_bias, scale, rope;
    const int32_t *base;
    const int32_t *window;
    int n_window;
} skv_qkv_rope_args;

/* o = softmax(scale·q·Kᵀ)·V over the first len[h] keys of head h; statistics in fp32.
 * q, o (R,L,H,D) act; k, v (R,H,Lmax,D) kv, first two strides free; len: H host integers >= 1. */
typedef struct {
    skv_tensor o, q, k, v;
    const int32_t *len;
    float scale;
} skv_attention_args;

/* Cross attention: row r attends to the text tokens start[r] .. start[r]+count[r]-1 of kv.
 * q, o (R,L,H,D) act; kv (T,2,H,D) kv, [t][0] = key, [t][1] = value; start, count: R host integers;
 * rows may share tokens, and a row with a count of 0 is left as it is. o may be q. */
typedef struct {
    skv_tensor o, q, kv;
    const int32_t *start;
    const int32_t *count;
    float scale;
} skv_cross_attention_args;

/* Cross attention together with its two projections, for maps that are long beside their texts:
 *   y[r,l] = Wo·concat_h softmax_t(scale·(Wq·x[r,l] + b_q)_h·k[t,h])·v[t,h],
 * t over the row's text. The text goes through the matrices instead of the map (absorption):
 *   keys[t,h] = k[t,h]·Wq_h,  values[t,h] = Wo_h·v[t,h],  score = scale·(x·keys + k·b_q,h),
 * which costs a token 4·H·count·C operations instead of 4·C²: less while count < D.
 * x, y (R,L,C) act, R <= SKV_ABSORBED_ROWS; kv, start, count as above, no count above `longest`;
 * wq, wo (C,C) weight; bq (C) act; scratch: skv_absorbed_bytes() bytes u8, so that `at_once` rows
 * with such texts are under way together. */
typedef struct {
    skv_tensor y, x, kv, wq, bq, wo, scratch;
    const int32_t *start;
    const int32_t *count;
    int at_once, longest;
    float scale;
} skv_absorbed_attention_args;
#define SKV_ABSORBED_ROWS 256

/* T5 self attention, packed prompts: o = softmax(q·Kᵀ + bias)·V within tokens start[p] ..
 * start[p+1]-1; bias of head h for key c, query r = table[bucket(c - r)][h], where
 * bucket_of[(c - r) + n_rel] (host, 2·n_rel+1 entries, offsets clamped to ±n_rel).
 * q, k, v, o (T,H,D) act; table (buckets,H) fp32; start: n_prompts+1 host integers.
 * src/model/README.md, T5.
 */
typedef struct {
    skv_tensor o, q, k, v, table;
    const int32_t *start;
    int n_prompts;
    const int32_t *bucket_of;
    int n_rel;
} skv_t5_attention_args;

/* One learned query over each row's text: o[r] = softmax(q·Kᵀ/sqrt(D))·V, D <= 256.
 * q (H,D) fp32; kv (T,2,H,D) fp32; o (R,H,D) fp32; start, count as in cross_attention. */
typedef struct {
    skv_tensor o, q, kv;
    const int32_t *start;
    const int32_t *count;
} skv_pool_attention_args;

/* fault[r mod B]: a 0 becomes `code` where a number of x's rows start[r] .. start[r]+count[r]-1 is
 * not finite.  x (T,C) fp32; fault (B) i32; start, count: n_spans host integers, a count may be 0.
 */
typedef struct {
    skv_tensor fault, x;
    const int32_t *start;
    const int32_t *count;
    int n_spans;
    int32_t code;
} skv_check_finite_args;

/* Where the queries of a map look; nothing of the size of all their probabilities is ever held.
 * p_ij = softmax_j(scale·q[r,i,h]·k[r,h,j]) in fp32, j < len, i over the n tokens `index` (NULL:
 * all L; n is L then). P: the keys j < history, those of earlier scales. Of each row and head, sums
 * in double in a fixed order, y (R,H,W) f64 has these columns, W = n_sources + 2·n_top + 2:
 *   n_sources  mean_i Σ_j p_ij, edge[s] <= j < edge[s+1]
 *   n_top      mean_i T_i, T_i = the sum of the top[t] largest p_ij of P (all where it has fewer)
 *   n_top      mean_i T_i / Σ_P p_ij, 0 for a query whose sum over P is 0
 *   1          mean_i -Σ_j p_ij·ln p_ij
 *   1          Σ_j (mean_i p_ij² - (mean_i p_ij)²)
 * q (R,L,H,D) act, strides free but the last; k (R,H,>=len,D) kv, first strides free; column
 * (R,H,len) f64, written too: Σ_i p_ij; index: n host integers < L, at most SKV_STATS_QUERIES;
 * edge: n_sources + 1 ascending ones from 0 to len, n_sources <= SKV_STATS_SOURCES; top: n_top <=
 * SKV_STATS_TOPS ones
 * >= 1. */
#define SKV_STATS_QUERIES 512
#define SKV_STATS_SOURCES 16
#define SKV_STATS_TOPS    8
typedef struct {
    skv_tensor y, q, k, column;
    const int32_t *index;
    const int32_t *edge;
    const int32_t *top;
    int n, n_sources, n_top, history, len;
    float scale;
} skv_attention_stats_args;

/* ------------------------------------------------- cache: scores, selection
 *
 * Heads may hold different numbers of tokens; one call serves all heads of a layer. len: H host
 * integers, the tokens of each head. A layer's lists, of scores and of kept positions, lie row by
 * row, head by head, without gaps (kernels/ragged.h): (R,Σ_h len[h]). Tokens near the end of every
 * head are named by their distance from its end, which is the same for all heads: 1 is a head's
 * last token. Distances are given in descending order, and one that a head is too short for names
 * nothing there. */

/* s[r,h,j] = scale·Σ_w q[r,w,h]·k[r,h,j], j < len[h] (ScaleKV's release: no softmax).
 * q (R,n,H,D) fp32, strides free but the last: the sum over w is taken first; k (R,H,Lmax,D) kv,
 * first strides free; s (R,Σ len) fp32. */
typedef struct {
    skv_tensor s, q, k;
    const int32_t *len;
    float scale;
} skv_window_scores_args;

/* s[r,h,j] = Σ_w softmax_j(scale·q[r,index[w],h]·k[r,h,j]), fp32, w ascending.
 * q (R,L,H,D) act, strides free but the last; k, s as above; index: n host integers < L. */
typedef struct {
    skv_tensor s, q, k;
    const int32_t *len;
    const int32_t *index;
    int n;
    float scale;
} skv_window_softmax_args;

/* sum[r,h,j] = mean_i softmax_j(scale·q[r,i,h]·k[r,h,j]), added to what is there for j < base[h];
 * j < len[h], i over all L queries: the columns' means of attention, of which never more is held
 * than a few queries' or keys' part. q (R,L,H,D) act, strides free but the last; k (R,H,Lmax,D) kv,
 * sum (R,H,Lmax) fp32, first strides free; norm (R,H,L) fp32: scratch; len, base: H host integers.
 */
typedef struct {
    skv_tensor sum, q, k, norm;
    const int32_t *len;
    const int32_t *base;
    float scale;
} skv_attention_columns_args;

/* s[r,h,j] = x[r,h,j], j < len[h], but +inf for the last recent[h] of a head, so that topk_keep
 * keeps these first.  x (R,H,Lmax) fp32, first strides free; s (R,Σ len) fp32; recent: H host
 * integers, none above len[h]. */
typedef struct {
    skv_tensor s, x;
    const int32_t *len;
    const int32_t *recent;
} skv_recent_first_args;

/* s[r,h,j] = bit e of kept[h], edge[e] <= number < edge[e+1], 0 where there is none; the token's
 * number is origin[r,h,j] for j < base[h], first + j - base[h] behind them.  origin (R,H,Lmax) i32,
 * first strides free; s (R,Σ len) fp32; base, kept: H host integers, edge: n_scales+1,
 * n_scales <= 31. */
typedef struct {
    skv_tensor s, origin;
    const int32_t *len;
    const int32_t *base;
    const int32_t *edge;
    const int32_t *kept;
    int first, n_scales;
} skv_source_scores_args;

/* s[r,h,j] = +inf where bit e of always[h] is set, -inf where bit e of never[h] is and not the
 * other, for the e of the token's number (as in source_scores); else it stays. So topk_keep keeps
 * the former first, and the latter only when nothing else is left.  s (R,Σ len) fp32, in place;
 * always, never: H host integers; the rest as source_scores. */
typedef struct {
    skv_tensor s, origin;
    const int32_t *len;
    const int32_t *base;
    const int32_t *edge;
    const int32_t *always;
    const int32_t *never;
    int first, n_scales;
} skv_source_order_args;

/* s[r,h,j] = Σ_d x[r,h,j,d]², j < len[h].  x (R,H,Lmax,D) kv, first strides free; s (R,Σ len) fp32.
 */
typedef struct {
    skv_tensor s, x;
    const int32_t *len;
} skv_squared_norms_args;

/* s[r,h,j] = skv_uniform(seed, stream, h, j) (core/rng.h), the same for every row.
 * s (R,Σ len) fp32. */
typedef struct {
    skv_tensor s;
    const int32_t *len;
    int heads;
    uint64_t seed;
    uint32_t stream;
} skv_random_scores_args;

/* y[r,h,j] = mean of x[r,g,j] over the heads g with len[g] > j.  x, y (R,Σ len) fp32, y not x. */
typedef struct {
    skv_tensor y, x;
    const int32_t *len;
    int heads;
} skv_mean_heads_args;

/* y[j] = max of x[j-k/2 .. j+k/2] / their sum divided by k, ascending, over the positions inside
 * [0, len[h] - unscored) but for those in `skip` (none left: -inf / 0). The last `unscored` numbers
 * of a list are neither read nor written.
 * x, y (R,Σ len) fp32, y not x; kernel odd; skip: n_skip distances from the end. */
typedef struct {
    skv_tensor y, x;
    const int32_t *len;
    int heads, unscored, kernel;
    const int32_t *skip;
    int n_skip;
} skv_pool1d_args;

/* keep[r,h,:] = the positions `always` and those others below len[h] - unscored that have the
 * highest scores, n[h] in all, ascending; of equal scores the lower position is kept. A head that
 * keeps fewer than `always` has keeps the last of them.
 * keep (R,Σ n) i32; s (R,Σ len) fp32; n: H host integers; always: n_always distances from the end.
 */
typedef struct {
    skv_tensor keep, s;
    const int32_t *len;
    const int32_t *n;
    int heads, unscored;
    const int32_t *always;
    int n_always;
} skv_topk_keep_args;

/* keep[r,h,i] = i < first ? i : len[h] - n[h] + i: the first `first` positions and the last
 * n[h] - first; the first n[h] where that is less.  keep (R,Σ n) i32; n: H host integers. */
typedef struct {
    skv_tensor keep;
    const int32_t *len;
    const int32_t *n;
    int heads, first;
} skv_keep_ends_args;

/* peak[r,h,d] = max |v[r,h,base[h]+l,d]| over the current map's L = tokens; NaN is the largest.
 * v (R,H,Lmax,D) kv, first two strides free; peak (R,H,D) fp32, first two strides free; base: H
 * host integers. */
typedef struct {
    skv_tensor peak, v;
    const int32_t *base;
    int tokens;
} skv_channel_peaks_args;

/* The ring holds token slots of D numbers, one ring for K and one for V; slot numbers are taken
 * modulo n_slots. A (layer's) block is the slots [at, at + R·Σ_h len_h): row by row, head by head,
 * token by token. kv_pop copies a block to the views (token t of head h -> position t).
 * ring_k, ring_v (n_slots,D) kv, or both e4m3 or i8; ring_origin (n_slots) i32: where a token came
 * from (its number in the sequence of all scales); k, v (R,H,Lmax,D) kv, first strides free; origin
 * (R,H,Lmax) i32. ring_sum (n_slots), sum (R,H,Lmax) fp32: a number that goes with each token; both
 * data NULL: none. len: H host integers.
 * A ring of e4m3 or i8 holds x as code(x·(1/s)), rounded and saturated as skv_from_f32 does, and
 * gives back code·s, rounded to kv; s = max(peak/limit, 2^-126), all in fp32; limit 256 of e4m3,
 * 127 of i8. The peak of K is 1 (unit vectors); that of V's number d is peak[r,h,j,d] of the scale
 * that the token is from, the last j < J with edge[j] <= origin. Codes come back as the same codes.
 * peak (R,H,J,D) fp32 and edge, J ascending host integers; of a ring of kv data NULL and unread. */
typedef struct {
    skv_tensor ring_k, ring_v, ring_origin, ring_sum, k, v, origin, sum, peak;
    int64_t at;
    const int32_t *len;
    const int32_t *edge;
} skv_kv_pop_args;

/* Copies kept positions of the views to a block; keep (R,Σ_h len_h) i32: row by row, head by head.
 * The first base[h] tokens of head h have the origins in `origin`, token base[h] + l is number
 * first + l. count[s] += kept tokens with edge[s] <= origin < edge[s+1].
 * count (n_scales) i32; base: H, edge: n_scales+1 host integers, J <= n_scales; the rest as
 * kv_pop. */
typedef struct {
    skv_tensor ring_k, ring_v, ring_origin, ring_sum, k, v, origin, sum, peak, keep, count;
    int64_t at;
    const int32_t *len;
    const int32_t *base;
    const int32_t *edge;
    int first, n_scales;
} skv_kv_push_args;

/* k_to[r,h,i] = k[r,h,keep[r,h,i]], i < n[h], and v_to[r,h,i] = v[r,h,keep[r,h,i]].
 * k, v (R,H,Lmax,D) kv and k_to, v_to (R,H,room,D) kv, first two strides free, no overlap;
 * keep (R,Σ n) i32, each below Lmax; n: H host integers, none above room. */
typedef struct {
    skv_tensor k_to, v_to, k, v, keep;
    const int32_t *n;
} skv_kv_gather_args;

/* ------------------------------------------------------------ bits and map */

/* Per prompt, token and bit: two logits l_v (v = 0, 1; index 2·bit+v), each divided by tau; with
 * guidance l = cfg·cond + (1-cfg)·uncond; p = softmax in fp32. top-p: where one value is the weaker
 * and has p <= 1 - top_p, it is dropped. Otherwise bit = 1 where p_1 / q_1 > p_0 / q_0 in fp32,
 * q_v = skv_torch_exponential number 2·(token·bits + bit) + v of the prompt's generator, moved on
 * by `offset`, that `threads` threads draw together.
 * logits (R,L,2·bits) fp32, R = B (no guidance) or 2B; bits (B,L,bits) u8 of 0/1; guided
 * (B,L,bits,2) fp32 or data NULL: the logits after tau and guidance; generator: B on the host;
 * threads: as skv_torch_threads gives it for 2·L·bits numbers.
 * fault (B) i32 or data NULL: a 0 becomes 1 + scale where one of the prompt's l_v is not finite;
 * its bits are still 0 or 1. */
typedef struct {
    skv_tensor bits, guided, logits, fault;
    const skv_generator *generator;
    uint64_t offset;
    int64_t threads;
    double top_p;
    float cfg, tau;
    int scale;
} skv_draw_bits_args;

/* z += bilinear(codes), codes = (2·bit-1)/sqrt(d); align_corners false, two taps, no antialiasing;
 * equal sizes: plain addition.  bits (B,L,d·patch²) u8, L = h·w; z (B,Hz,Wz,d) fp32. With patch 2
 * bit c·4+dy·2+dx of token (y,x) is channel c of place (2y+dy, 2x+dx) of a (2h,2w) map. */
typedef struct {
    skv_tensor z, bits;
    int h, w, patch;
} skv_codes_add_args;

/* t = bilinear(z -> (h·patch, w·patch)), then unshuffled: channel c·4+dy·2+dx.
 * z (B,Hz,Wz,d) fp32; t (B,h·w,d·patch²) fp32. */
typedef struct {
    skv_tensor t, z;
    int h, w, patch;
} skv_next_input_args;

/* ------------------------------------------------------------- VAE decoder */

/* y = conv(x, w) + b + r, 3×3, zero padding of 1, NHWC.  x (B,H,W,Ci) act; w packed by
 * skv_pack_conv; b (Co) fp32; r (B,H,W,Co) act, not y, or data NULL: none; y (B,H,W,Co) act or,
 * without r, fp32. */
typedef struct {
    skv_tensor y, x, w, b, r;
} skv_conv3x3_args;

/* y = conv3x3(up(x), w) + b, up(x)[2i+a,2j+b] = x[i,j]. The three taps of a direction fall on two
 * places of x: y[2i+a] takes x[i] through tap 1+a and x[i-1+2a], where it is inside, through tap
 * 3-3a of the sums that skv_pack_upsample_conv makes, four products a place for nine. (This is a
 * transposed convolution of stride 2.)  x (B,H,W,Ci) act; w (Ci,4,4,Co) weight; b (Co) fp32; y
 * (B,2H,2W,Co) act. */
typedef struct {
    skv_tensor y, x, w, b;
} skv_upsample_conv_args;

/* y = silu(GN(x)), groups of C/groups channels, statistics over H·W and the group, fp32 (double
 * sums on the CPU).  x, y (B,H,W,C) act; w, b (C) fp32. */
typedef struct {
    skv_tensor y, x, w, b;
    int groups;
    float eps;
} skv_group_norm_silu_args;

/* y = trunc((clamp(x,-1,1)+1)/2·255), NaN -> 0.  x (B,H,W,3) fp32; y (B,H,W,3) u8; fault (B) i32 or
 * data NULL: a 0 becomes `code` where a number of the picture is not finite. */
typedef struct {
    skv_tensor y, x, fault;
    int32_t code;
} skv_to_pixels_args;

/* --------------------------------------------- metric networks, fp32 on every backend */

/* y = max(conv(x, w) + b, 0): kh×kw, zero padding, never TF32.  x (B,H,W,Ci) fp32; w (Co,kh·kw·Ci)
 * fp32, taps row by row, channels innermost; b (Co) fp32; y (B,Ho,Wo,Co) fp32 with
 * Ho = (H + 2·pad_h - kh)/stride + 1, its places any fixed distance >= Co apart. */
typedef struct {
    skv_tensor y, x, w, b;
    int kh, kw, stride, pad_h, pad_w;
} skv_conv_relu_args;

/* y = maximum, or mean, of the cells of a kernel×kernel window that lie inside the map.
 * x (B,H,W,C) fp32; y (B,Ho,Wo,C) fp32, sides and distance of places as in conv_relu; 2·pad <=
 * kernel. */
typedef struct {
    skv_tensor y, x;
    int kernel, stride, pad;
    bool mean;
} skv_pool2d_args;

/* y = mean of x over its places.  x (B,H,W,C) fp32; y (B,C) fp32. */
typedef struct {
    skv_tensor y, x;
} skv_mean_positions_args;

/* d = mean over places of Σ_c w_c·(a_c/(‖a‖ + 1e-10) - b_c/(‖b‖ + 1e-10))², sums over places in
 * double.  a, b (B,H,W,C) fp32; w (C) fp32; d (B) fp32. eval/metrics/README.md. */
typedef struct {
    skv_tensor d, a, b, w;
} skv_lpips_layer_args;

/* y = 0 (all bytes), any contiguous tensor. */
typedef struct {
    skv_tensor y;
} skv_zero_args;

/* y = x between fp32, act and equal types; x and y contiguous, equal counts. */
typedef struct {
    skv_tensor y, x;
} skv_copy_args;

/* ---------------------------------------------------------------- the table */

/* X(op): one row an operation; the table, the prototypes and the tests are made from it. */
#define SKV_OPS(X)                                                                                 \
    X(linear)                                                                                      \
    X(linear_gelu)                                                                                 \
    X(norm)                                                                                        \
    X(gate_norm)                                                                                   \
    X(gate_add)                                                                                    \
    X(rms_norm)                                                                                    \
    X(silu)                                                                                        \
    X(gated_gelu)                                                                                  \
    X(add)                                                                                         \
    X(add_rows)                                                                                    \
    X(guide_mix)                                                                                   \
    X(qkv_rope)                                                                                    \
    X(attention)                                                                                   \
    X(cross_attention)                                                                             \
    X(absorbed_attention)                                                                          \
    X(t5_attention)                                                                                \
    X(pool_attention)                                                                              \
    X(attention_stats)                                                                             \
    X(check_finite)                                                                                \
    X(window_scores)                                                                               \
    X(window_softmax)                                                                              \
    X(attention_columns)                                                                           \
    X(recent_first)                                                                                \
    X(source_scores)                                                                               \
    X(source_order)                                                                                \
    X(squared_norms)                                                                               \
    X(random_scores)                                                                               \
    X(mean_heads)                                                                                  \
    X(maxpool1d)                                                                                   \
    X(avgpool1d)                                                                                   \
    X(topk_keep)                                                                                   \
    X(keep_ends)                                                                                   \
    X(channel_peaks)                                                                               \
    X(kv_pop)                                                                                      \
    X(kv_push)                                                                                     \
    X(kv_gather)                                                                                   \
    X(draw_bits)                                                                                   \
    X(codes_add)                                                                                   \
    X(next_input)                                                                                  \
    X(conv3x3)                                                                                     \
    X(group_norm_silu)                                                                             \
    X(upsample_conv)                                                                               \
    X(to_pixels)                                                                                   \
    X(conv_relu)                                                                                   \
    X(pool2d)                                                                                      \
    X(mean_positions)                                                                              \
    X(lpips_layer)                                                                                 \
    X(copy)                                                                                        \
    X(zero)

typedef skv_pool1d_args skv_maxpool1d_args;
typedef skv_pool1d_args skv_avgpool1d_args;

struct skv_ops {
#define X(op) skv_status (*op)(skv_backend *, const skv_##op##_args *);
    SKV_OPS(X)
#undef X
    /* memory and lifetime; kernels/backend.h has the callers */
    skv_status (*alloc)(skv_backend *, void *out, size_t bytes, const char *what);
    void (*free)(skv_backend *, void *p);
    skv_status (*upload)(skv_backend *, void *dst, const void *src, size_t bytes);
    skv_status (*download)(skv_backend *, void *dst, const void *src, size_t bytes);
    skv_status (*sync)(skv_backend *);
    skv_status (*mark)(skv_backend *, int mark);
    skv_status (*elapsed)(skv_backend *, int from, int to, double *seconds);
    skv_status (*capture)(skv_backend *); /* NULL: each operation starts by itself */
    skv_status (*launch)(skv_backend *, int slot, skv_status st);
    skv_status (*memory)(skv_backend *, size_t *free_bytes, size_t *total_bytes);
    void (*destroy)(skv_backend *);
    const char *(*describe)(const skv_backend *);
    /* weights; see skv_pack_linear */
    size_t (*packed_linear_bytes)(const skv_backend *, int64_t n, int64_t k);
    size_t (*packed_conv_bytes)(const skv_backend *, int64_t co, int64_t ci);
    skv_status (*pack_linear)(skv_backend *, skv_tensor *out, void *dst, const void *src,
                              skv_dtype src_type, int64_t n, int64_t k);
    skv_status (*pack_conv)(skv_backend *, skv_tensor *out, void *dst, const void *src,
                            skv_dtype src_type, int64_t co, int64_t ci);
};

#define X(op) SKV_MUST skv_status skv_##op(skv_backend *be, const skv_##op##_args *a);
SKV_OPS(X)
#undef X

/* Scratch of absorbed_attention: `at_once` maps of `tokens`, texts of at most `longest`. */
size_t skv_absorbed_bytes(const skv_backend *be, int64_t at_once, int64_t tokens, int64_t longest,
                          int64_t heads, int64_t dim);

/* Weights are packed once, at load, from host memory of any of the file types (any alignment).
 * The _bytes forms say how much device memory dst needs; 0 = the backend uses `src` in place when
 * it is aligned fp32 (the caller keeps it mapped), and pack then accepts dst NULL. linear: src
 * (n,k) -> *out (n,k). conv: src (co,ci,3,3) -> *out (co,3,3,ci). src NULL: *out alone, somebody
 * else fills dst. */
SKV_MUST skv_status skv_pack_linear(skv_backend *be, skv_tensor *out, void *dst, const void *src,
                                    skv_dtype src_type, int64_t n, int64_t k);
SKV_MUST skv_status skv_pack_conv(skv_backend *be, skv_tensor *out, void *dst, const void *src,
                                  skv_dtype src_type, int64_t co, int64_t ci);

/* The same for upsample_conv: src (co,ci,3,3) -> *out (ci,4,4,co), taps summed in fp32. */
size_t skv_packed_upsample_conv_bytes(const skv_backend *be, int64_t co, int64_t ci);
SKV_MUST skv_status skv_pack_upsample_conv(skv_backend *be, skv_tensor *out, void *dst,
                                           const void *src, skv_dtype src_type, int64_t co,
                                           int64_t ci);

#endif
