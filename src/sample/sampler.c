#include "sample/sampler.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "sample/text_features.h"

/* The rows of a group that can be computed, and their text. */
typedef struct {
    int n;      /* B */
    int *place; /* in the group */
    int64_t *prompt;
    skv_seed *seed;
    skv_text_span *spans; /* 2B */
    int32_t *ids;         /* packed tokens of all texts */
    int32_t *start;       /* n_texts + 1 */
    int n_texts;
} batch;

static void clear(batch *b)
{
    free(b->place);
    free(b->prompt);
    free(b->seed);
    free(b->spans);
    free(b->ids);
    free(b->start);
}

static void add_text(batch *b, const int32_t *token, int n, skv_text_span *span)
{
    const int32_t start = b->start[b->n_texts];

    memcpy(b->ids + start, token, (size_t)n * sizeof *token);
    *span = (skv_text_span){.start = start, .n = n};
    b->start[++b->n_texts] = start + n;
}

/* Tokens of one prompt and its negative prompt, once for all of its samples in the group. */
static void add_prompt(batch *b, const skv_row_prompt *p, skv_text_span *cond,
                       skv_text_span *uncond)
{
    add_text(b, p->token, p->n_tokens, cond);
    *uncond = (skv_text_span){.uncond = true, .n = cond->n};
    if (p->n_negative > 0)
        add_text(b, p->negative_token, p->n_negative, uncond);
}

static skv_status take_batch(batch *b, size_t n)
{
    SKV_TRY(skv_alloc(&b->place, n, sizeof *b->place, "batch"));
    SKV_TRY(skv_alloc(&b->prompt, n, sizeof *b->prompt, "batch"));
    SKV_TRY(skv_alloc(&b->seed, n, sizeof *b->seed, "batch"));
    SKV_TRY(skv_alloc(&b->spans, 2 * n, sizeof *b->spans, "batch"));
    SKV_TRY(skv_alloc(&b->start, 2 * n + 1, sizeof *b->start, "batch"));
    return skv_alloc(&b->ids, 2 * n * SKV_MAX_TOKENS, sizeof *b->ids, "batch");
}

/* Rows [first, first+n) of the span. */
static skv_status fill(batch *b, const skv_row_span *span, int64_t first, int n)
{
    skv_text_span cond = {0}, uncond = {0};
    int64_t previous = -1;
    int total = 0;

    SKV_TRY(take_batch(b, (size_t)n));
    for (int i = 0; i < n; i++)
        total += !skv_row_of(span, first + i).prompt->error;
    for (int i = 0; i < n; i++) {
        const skv_row r = skv_row_of(span, first + i);

        if (r.prompt->error)
            continue;
        if (r.prompt->n_tokens == 0)
            return skv_fail(SKV_E_FORMAT, "prompt %lld has no tokens", (long long)r.index);
        if (r.index != previous)
            add_prompt(b, r.prompt, &cond, &uncond);
        previous = r.index;
        b->place[b->n] = i;
        b->prompt[b->n] = r.index;
        b->seed[b->n] = (skv_seed){r.seed, r.before};
        b->spans[b->n] = cond;
        b->spans[total + b->n] = uncond;
        b->n++;
    }
    return SKV_OK;
}

static skv_status read_batch(batch *b, const skv_rows *rows, int64_t g)
{
    skv_row_span span = {0};
    int64_t first;
    skv_status st;
    int n;

    skv_rows_group(rows, g, &first, &n);
    SKV_TRY(skv_rows_load_group(&span, rows, g));
    st = fill(b, &span, first, n);
    skv_row_span_clear(&span);
    return st;
}

/* Rows of one text. */
static skv_tensor rows_of(const skv_tensor *text, const batch *b, int i)
{
    const int64_t shape[2] = {b->start[i + 1] - b->start[i], text->shape[1]};
    float *data = text->data;

    return skv_tensor_view(data + (int64_t)b->start[i] * text->shape[1], text->dtype, text->device,
                           2, shape);
}

/* Encodes one text at a time: batched GEMMs round differently, and features must depend on the text
 * alone. A text encoder with a stream of its own waits for the engine's, and the engine's for it:
 * it writes into the engine's memory, which the last group may still be using. */
static skv_status encode(const skv_sampler *s, const batch *b, const skv_tensor *text)
{
    skv_backend *be = s->setup->be, *text_be = skv_t5_backend(s->t5);

    if (text_be != be)
        SKV_TRY(skv_backend_sync(be));
    for (int i = 0; i < b->n_texts; i++) {
        const skv_tensor rows = rows_of(text, b, i);
        const int32_t start[2] = {0, (int32_t)rows.shape[0]};

        SKV_TRY(skv_t5_encode(s->t5, b->ids + b->start[i], start, 1, &rows,
                              skv_engine_scratch(s->engine)));
    }
    return text_be != be ? skv_backend_sync(text_be) : SKV_OK;
}

static skv_status read_texts(const skv_sampler *s, const batch *b)
{
    const size_t width = (size_t)s->setup->sources->dims.text_width;
    const int n = b->start[b->n_texts];
    float *rows = NULL;
    skv_status st = SKV_OK;

    SKV_TRY(skv_alloc(&rows, (size_t)n * width, sizeof *rows, "text features"));
    for (int i = 0; i < b->n_texts && st == SKV_OK; i++)
        st = s->texts.read(s->texts.ctx, b->ids + b->start[i], b->start[i + 1] - b->start[i],
                           rows + (size_t)b->start[i] * width);
    if (st == SKV_OK)
        st = skv_text_features(s->engine, s->setup->be, rows, n);
    free(rows);
    return st;
}

static skv_status condition(const skv_sampler *s, const batch *b)
{
    skv_tensor text;

    if (s->t5) {
        SKV_TRY(skv_engine_text(s->engine, &text, b->start[b->n_texts]));
        SKV_TRY(encode(s, b, &text));
    } else {
        SKV_TRY(read_texts(s, b));
    }
    return skv_engine_condition(s->engine, b->spans, s->setup->guided ? 2 * b->n : b->n);
}

/* Results are dense for the B computed rows; moves them to the group's places, last first. */
static void spread(uint8_t *data, const batch *b, size_t bytes)
{
    for (int i = b->n - 1; data && i >= 0; i--)
        if (b->place[i] != i) {
            memmove(data + (size_t)b->place[i] * bytes, data + (size_t)i * bytes, bytes);
            memset(data + (size_t)i * bytes, 0, bytes);
        }
}

/* Tells who looks on which rows are computed, in the order of computing. */
static void tell_seen(const skv_sampler *s, const batch *b, int n_rows)
{
    for (int i = 0; s->probe && i < n_rows; i++)
        s->seen[i] = i < b->n ? b->place[skv_engine_order(s->engine)[i]] : -1;
}

int skv_sampler_place(const skv_sampler *s, int n_rows, int row)
{
    for (int i = 0; i < n_rows && s->seen[i] >= 0; i++)
        if (s->seen[i] == row)
            return i;
    return -1;
}

static skv_status one_path(const skv_sampler *s, const batch *b, int64_t g, int path, bool first,
                           double text_seconds)
{
    skv_path_result out = {0};
    skv_result *r = NULL;
    skv_status st;

    SKV_TRY(skv_alloc(&out.fault, (size_t)b->n, sizeof *out.fault, "batch"));
    SKV_TRY_GOTO(skv_result_create(&r, s->rows, s->setup, &s->setup->paths[path], g, s->with_image),
                 done);
    out.bits = r->bits;
    out.image = r->image;
    out.kept_by_source = r->kept_by_source;
    tell_seen(s, b, r->rec.n_rows);
    if (b->n > 0)
        SKV_TRY_GOTO(
            skv_engine_path(s->engine, &s->setup->paths[path], b->n, b->seed, s->probe, &out),
            done);
    spread(r->bits, b, (size_t)r->rec.bits_bytes);
    spread(r->image, b, (size_t)r->rec.height * (size_t)r->rec.width * 3);
    for (int i = 0; i < b->n; i++)
        if (out.fault[i] != 0)
            skv_result_fail(r, b->place[i], out.fault[i]);
    r->seconds[SKV_PHASE_TEXT] = text_seconds;
    r->seconds[SKV_PHASE_TRANSFORMER] = out.transformer_seconds;
    r->seconds[SKV_PHASE_VAE] = out.vae_seconds;
    r->rec.pool_planned = (int64_t)out.pool_planned;
    r->rec.pool_peak = (int64_t)out.pool_peak;
    r->rec.first = first;
    r->rec.config_digest = s->config_digest;
    r->rec.path_digest = s->path_digest[path];
    st = s->sink(s->sink_ctx, r);
    r = NULL;
done:
    free(out.fault);
    skv_result_destroy(r);
    return st;
}

skv_status skv_sampler_group(const skv_sampler *s, int64_t g, const bool *wanted, bool first)
{
    const double start = skv_seconds();
    double text_seconds = 0;
    batch b = {0};
    skv_status st;

    SKV_TRY_GOTO(read_batch(&b, s->rows, g), done);
    if (b.n > 0)
        SKV_TRY_GOTO(condition(s, &b), done);
    text_seconds = skv_seconds() - start;
    for (int i = 0; i < s->setup->n_paths; i++)
        if (wanted[i])
            SKV_TRY_GOTO(one_path(s, &b, g, i, first, text_seconds), done);
done:
    clear(&b);
    return st;
}
