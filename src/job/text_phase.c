/* Texts are encoded in rounds of a few texts a rank, which bounds what rank 0 gathers at once.
 * Every rank takes part in every round, with or without a text. */
#include "job/text_phase.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/text.h"
#include "job/share_weights.h"
#include "job/stop.h"
#include "core/clock.h"
#include "core/log.h"
#include "run/run_lock.h"

#define CLAIMS        ".claims" /* behind the file's name */
#define WAIT_SECONDS  86400     /* for another job that encodes, which may take long */
#define TEXTS_A_ROUND 4         /* of a rank: at most 16 MiB of features of flan-t5-xl */

/* The encoder and its memory. */
typedef struct {
    skv_t5 *t5;
    skv_backend *be;
    void *memory;
    skv_arena arena;
    skv_tensor out; /* (longest,width) */
} encoder;

static const char *path_of(const skv_text_phase *p)
{
    return p->setup->settings->text_cache;
}

/* *out = NULL where there is no file yet. */
static skv_status open_old(skv_text_file **out, const skv_text_phase *p)
{
    const skv_status st = skv_text_file_open(out, path_of(p), &p->origin);

    return st == SKV_E_NOTFOUND ? SKV_OK : skv_option_opened("--text-cache", st);
}

/* On rank 0: texts that the file lacks; *old is the file, or NULL. */
static skv_status look(skv_text_list *list, skv_text_file **old, const skv_text_phase *p,
                       const uint8_t *work)
{
    if (skv_comm_rank(p->comm) != 0)
        return SKV_OK;
    SKV_TRY(open_old(old, p));
    return skv_text_list_make(list, &p->setup->rows, *old, work, p->setup->paths.n);
}

skv_status skv_text_phase_plan(skv_text_phase *p)
{
    const skv_run_setup *s = p->setup;
    skv_text_list list = {0};
    skv_text_file *old = NULL;
    int64_t lacking[2];
    skv_status st;

    p->origin =
        (skv_text_origin){.t5 = skv_digest_text(p->t5_digest, skv_weights_digest(s->t5_weights)),
                          .device = skv_backend_describe(s->text_be),
                          .width = s->t5_dims.d_model,
                          .any_device = s->settings->allow_other_device};
    SKV_TRY_GOTO(skv_comm_agree(p->comm, look(&list, &old, p, NULL)), done);
    lacking[0] = list.n;
    lacking[1] = list.longest;
    SKV_TRY_GOTO(skv_comm_broadcast(p->comm, lacking, sizeof lacking, 0), done);
    st = skv_comm_agree(p->comm, skv_run_setup_text_apart(p->setup, lacking[0], (int)lacking[1]));
done:
    skv_text_list_clear(&list);
    skv_text_file_close(old);
    return st;
}

/* ---------------------------------------------------------------- encoding */

static void unload(encoder *e)
{
    skv_t5_destroy(e->t5);
    skv_backend_free(e->be, e->memory);
}

static skv_status take_memory(encoder *e, const skv_run_setup *s, int longest)
{
    const int64_t shape[2] = {longest, s->t5_dims.d_model};
    const skv_tensor out = skv_tensor_view(NULL, SKV_F32, e->be->device, 2, shape);
    const size_t features = skv_align_up(skv_tensor_bytes(&out));
    const size_t bytes = features + skv_t5_scratch_bytes(&s->t5_dims, e->be, longest);

    SKV_TRY(skv_backend_alloc(e->be, &e->memory, bytes, "text features"));
    skv_arena_init(&e->arena, "text features", e->memory, bytes);
    e->out = out;
    return skv_arena_take(&e->out.data, &e->arena, features);
}

/* Collective: all ranks load the same, so one of them reads. */
static skv_status load(encoder *e, const skv_text_phase *p, int longest)
{
    skv_run_setup *s = p->setup;
    skv_weights_sharing sharing;
    skv_status st;

    e->be = s->text_be;
    SKV_TRY(skv_weights_sharing_open(&sharing, p->comm, e->be, true));
    skv_weights_sharing_use(&sharing, s->t5_weights);
    st = skv_t5_create(&e->t5, e->be, s->t5_weights, &s->t5_dims);
    skv_weights_set_share(s->t5_weights, NULL);
    st = skv_weights_sharing_agree(&sharing, st);
    skv_weights_sharing_close(&sharing);
    SKV_TRY(st);
    return skv_comm_agree(p->comm, take_memory(e, s, longest));
}

static skv_status encode(encoder *e, const skv_rows *rows, const skv_text *text, float *out)
{
    const int32_t start[2] = {0, (int32_t)text->n};
    skv_tensor features = e->out;
    int32_t ids[SKV_MAX_TOKENS];
    int n = 0;

    SKV_TRY(skv_text_ids(rows, text->text, ids, &n));
    features.shape[0] = n;
    SKV_TRY(skv_t5_encode(e->t5, ids, start, 1, &features, &e->arena));
    return skv_backend_download(e->be, out, features.data, skv_tensor_bytes(&features));
}

/* This rank's texts of a round: [*first, *first + *n). */
static void share_of(int64_t *first, int64_t *n, const skv_text_list *list, int64_t round, int rank,
                     int size)
{
    const int64_t at = (round * size + rank) * TEXTS_A_ROUND;

    *first = at < list->n ? at : list->n;
    *n = list->n - *first < TEXTS_A_ROUND ? list->n - *first : TEXTS_A_ROUND;
}

/* Features of a rank's texts of a round, one text after another. */
static skv_status encode_share(skv_blob *out, encoder *e, const skv_text_phase *p,
                               const skv_text_list *list, int64_t round)
{
    const size_t width = (size_t)p->setup->t5_dims.d_model;
    int64_t first, n, tokens = 0;
    float *at = NULL;

    share_of(&first, &n, list, round, skv_comm_rank(p->comm), skv_comm_size(p->comm));
    for (int64_t i = first; i < first + n; i++)
        tokens += list->texts[i].n;
    out->bytes = (size_t)tokens * width * sizeof *at;
    SKV_TRY(skv_alloc(&out->data, out->bytes, 1, "text features"));
    at = out->data;
    for (int64_t i = first; i < first + n; i++) {
        SKV_TRY(encode(e, &p->setup->rows, &list->texts[i], at));
        at += (size_t)list->texts[i].n * width;
    }
    return SKV_OK;
}

static skv_status add_share(skv_text_writer *w, const skv_text_phase *p, const skv_text_list *list,
                            int64_t first, int64_t n, const skv_blob *features)
{
    const size_t width = (size_t)p->setup->t5_dims.d_model;
    const float *at = features->data;
    int32_t ids[SKV_MAX_TOKENS];

    for (int64_t i = first; i < first + n; i++) {
        int tokens = 0;

        SKV_TRY(skv_text_ids(&p->setup->rows, list->texts[i].text, ids, &tokens));
        SKV_TRY(skv_text_writer_add(w, ids, tokens, at));
        at += (size_t)tokens * width;
    }
    return SKV_OK;
}

/* Rank 0 adds what all have encoded. */
static skv_status add_round(skv_text_writer *w, const skv_text_phase *p, const skv_text_list *list,
                            int64_t round, const skv_blob *shares)
{
    const int size = skv_comm_size(p->comm);

    for (int rank = 0; rank < size; rank++) {
        int64_t first, n;

        share_of(&first, &n, list, round, rank, size);
        SKV_TRY(add_share(w, p, list, first, n, &shares[rank]));
    }
    return SKV_OK;
}

/* w: on rank 0. */
static skv_status one_round(skv_text_writer *w, encoder *e, const skv_text_phase *p,
                            const skv_text_list *list, int64_t round)
{
    skv_blob mine = {0}, *shares = NULL;
    skv_status st = SKV_OK;

    if (*p->stop)
        st = skv_fail(SKV_E_STOPPED, "stopped by %s while prompts were encoded",
                      skv_stop_name(skv_stop_why()));
    if (st == SKV_OK)
        st = encode_share(&mine, e, p, list, round);
    SKV_TRY_GOTO(skv_comm_agree(p->comm, st), done);
    SKV_TRY_GOTO(skv_comm_gather_blobs(&shares, p->comm, mine.data, mine.bytes), done);
    if (w)
        st = add_round(w, p, list, round, shares);
    st = skv_comm_agree(p->comm, st);
done:
    free(mine.data);
    free(shares);
    return st;
}

static skv_status all_rounds(skv_text_writer *w, const skv_text_phase *p, const skv_text_list *list)
{
    const int64_t a_round = (int64_t)skv_comm_size(p->comm) * TEXTS_A_ROUND;
    encoder e = {0};
    skv_status st;

    SKV_TRY_GOTO(load(&e, p, list->longest), done);
    for (int64_t round = 0; round * a_round < list->n && st == SKV_OK; round++)
        st = one_round(w, &e, p, list, round);
done:
    unload(&e);
    return st;
}

/* Rank 0: the new file, also of a run that was asked to stop. */
static skv_status keep(skv_text_writer **w, skv_status st)
{
    if (*w && st == SKV_OK)
        return skv_text_writer_commit(w);
    if (*w && st == SKV_E_STOPPED && skv_text_writer_commit(w) != SKV_OK)
        skv_warn("%s", skv_message());
    return st;
}

static skv_status encode_list(skv_text_phase *p, const skv_text_list *list, skv_text_file *old)
{
    const bool root = skv_comm_rank(p->comm) == 0;
    const double start = skv_seconds();
    skv_text_writer *w = NULL;
    skv_status st = SKV_OK;

    if (root) {
        skv_info("encoding %" PRId64 " text%s not in %s yet", list->n,
                 list->n == 1 ? " that is" : "s that are", path_of(p));
        st = skv_text_writer_create(&w, path_of(p), &p->origin, old, list->n, list->n_tokens);
    }
    SKV_TRY_GOTO(skv_comm_agree(p->comm, st), done);
    st = all_rounds(w, p, list);
    if (st == SKV_OK) {
        st = skv_comm_agree(p->comm, keep(&w, st));
        if (st == SKV_OK && root)
            skv_info("encoded in %.1f s; the text encoder's memory is free again",
                     skv_seconds() - start);
    } else {
        st = keep(&w, st);
        if (root && st == SKV_E_STOPPED)
            skv_info("texts that were encoded are kept in %s", path_of(p));
    }
done:
    skv_text_writer_destroy(w);
    return st;
}

static void alive(void *comm)
{
    skv_comm_here(comm);
}

/* Opens the file's claims, and removes what killed jobs left there and beside the file. */
static skv_status open_claims(skv_claims **out, const skv_text_phase *p)
{
    const char *slash = strrchr(path_of(p), '/');
    char folder[4096];

    if (snprintf(folder, sizeof folder, "%s" CLAIMS, path_of(p)) >= (int)sizeof folder)
        return skv_fail(SKV_E_ARG, "--text-cache: the file's name is too long");
    SKV_TRY(skv_claims_open(out, folder, 0));
    if (slash)
        folder[slash - path_of(p) + 1] = '\0';
    if (skv_run_sweep(*out, slash ? folder : ".") != SKV_OK)
        skv_debug("%s", skv_message());
    return SKV_OK;
}

/* Nothing is lacking, so nobody needs the claims that a killed job may have left. */
static void sweep_claims(const skv_text_phase *p)
{
    char folder[4096];
    skv_claims *c = NULL;

    if (snprintf(folder, sizeof folder, "%s" CLAIMS, path_of(p)) >= (int)sizeof folder ||
        access(folder, F_OK) != 0)
        return;
    if (open_claims(&c, p) != SKV_OK)
        skv_debug("%s", skv_message());
    skv_claims_close(c);
}

/* On rank 0, where texts are lacking: looks again when no other job encodes any more. */
static skv_status look_alone(skv_text_list *list, skv_text_file **old, skv_text_phase *p,
                             const uint8_t *work)
{
    const skv_claims_patience patience = {
        .seconds = WAIT_SECONDS, .stop = p->stop, .alive = alive, .ctx = p->comm};
    char what[4096 + 64];

    if (skv_comm_rank(p->comm) != 0)
        return SKV_OK;
    SKV_TRY(look(list, old, p, work));
    if (list->n == 0) {
        sweep_claims(p);
        return SKV_OK;
    }
    SKV_TRY(open_claims(&p->claims, p));
    snprintf(what, sizeof what, "%s: another skv encodes into this file", path_of(p));
    SKV_TRY(skv_claims_wait(p->claims, "encoding", what, &patience));
    skv_text_list_clear(list);
    skv_text_file_close(*old);
    *old = NULL;
    return look(list, old, p, work);
}

static void leave(skv_text_phase *p)
{
    if (!p->claims)
        return;
    skv_claims_drop(p->claims, "encoding");
    skv_claims_close(p->claims);
    p->claims = NULL;
}

skv_status skv_text_phase_run(skv_text_phase *p, const uint8_t *work)
{
    skv_text_list list = {0};
    skv_text_file *old = NULL;
    size_t bytes = 0;
    skv_status st;

    SKV_TRY_GOTO(skv_comm_agree(p->comm, look_alone(&list, &old, p, work)), done);
    bytes = (size_t)list.n * sizeof *list.texts;
    SKV_TRY_GOTO(skv_comm_broadcast_blob(p->comm, (void **)&list.texts, &bytes, 0), done);
    skv_text_list_count(&list, (int64_t)(bytes / sizeof *list.texts));
    if (list.n > 0)
        st = encode_list(p, &list, old);
done:
    leave(p);
    skv_text_list_clear(&list);
    skv_text_file_close(old);
    return st;
}

/* ---------------------------------------------------------------- reading */

skv_status skv_text_phase_open(skv_text_phase *p)
{
    return skv_text_file_open(&p->file, path_of(p), &p->origin);
}

skv_status skv_text_phase_read(void *phase, const int32_t *ids, int n, float *out)
{
    skv_text_phase *p = phase;
    skv_status st;

    if (p->writer)
        skv_writer_hold(p->writer);
    st = skv_text_file_read(p->file, ids, n, out);
    if (p->writer)
        skv_writer_release(p->writer);
    return st;
}

void skv_text_phase_close(skv_text_phase *p)
{
    skv_text_file_close(p->file);
    p->file = NULL;
}
