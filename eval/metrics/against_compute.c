/* A folder's pictures shared out over the ranks: first their contents' digests, then, in rounds,
 * their features, which rank 0 adds up in the pictures' order. One picture at a time is in memory
 * for each thread, however large they are. */
#include "eval/metrics/against.h"

#include <stdlib.h>

#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/parallel.h"
#include "eval/metrics/feature_pool.h"
#include "io/picture_file.h"

#define ROUND    2048 /* pictures; a block of the moments, as in evaluate.c */
#define MAX_FILE ((size_t)1 << 30)

/* Pictures [first, first + n) of the folder: one rank's. */
typedef struct {
    const skv_against_wish *wish;
    const skv_picture_folder *folder;
    int64_t first, n;
    skv_digest *digest; /* (n) */
    float *input;       /* (batch, inputs of the network) */
    float *feature;     /* (n, features) */
    int64_t at;         /* of the batch, in the share */
} share;

/* Pictures of rank r of n in all that begin at `first`. */
static share take_share(const skv_against_wish *w, const skv_picture_folder *folder, int64_t first,
                        int64_t n, int rank)
{
    const int size = skv_comm_size(w->comm);
    const int64_t from = n * rank / size;

    return (share){
        .wish = w, .folder = folder, .first = first + from, .n = n * (rank + 1) / size - from};
}

static skv_status check_stop(const skv_against_wish *w)
{
    if (!w->stop || !*w->stop)
        return SKV_OK;
    return skv_fail(SKV_E_STOPPED,
                    "stopped while the pictures of %s were seen: run the same command again",
                    w->path);
}

/* Each rank's bytes at rank 0, in order of the ranks; `st`: how this rank's work ended. */
static skv_status collect(skv_blob **out, const skv_against_wish *w, skv_status st,
                          const void *data, size_t bytes)
{
    *out = NULL;
    SKV_TRY(skv_comm_agree(w->comm, st));
    return skv_comm_gather_blobs(out, w->comm, data, bytes);
}

/* ---------------------------------------------------------------------- digests */

static skv_status digest_one(void *ctx, int64_t i)
{
    const share *s = ctx;
    char *data = NULL;
    size_t bytes = 0;

    SKV_TRY(check_stop(s->wish));
    SKV_TRY(skv_file_read(&data, &bytes, s->folder->picture[s->first + i].file, MAX_FILE));
    s->digest[i] = skv_digest_of(data, bytes);
    free(data);
    return SKV_OK;
}

skv_status skv_against__digest(skv_digest *out, const skv_against_wish *wish,
                               const skv_picture_folder *folder)
{
    share s = take_share(wish, folder, 0, folder->n, skv_comm_rank(wish->comm));
    skv_digest all = {0};
    skv_blob *blobs = NULL;
    skv_status st = skv_alloc(&s.digest, (size_t)s.n + 1, sizeof *s.digest, "digests");

    if (st == SKV_OK)
        st = skv_parallel(wish->threads, s.n, digest_one, &s);
    st = collect(&blobs, wish, st, s.digest, (size_t)s.n * sizeof *s.digest);
    for (int rank = 0; blobs && rank < skv_comm_size(wish->comm); rank++) {
        const skv_digest *part = blobs[rank].data;

        for (size_t i = 0; i < blobs[rank].bytes / sizeof *part; i++)
            all = skv_digest_add(all, &part[i], sizeof part[i]);
    }
    *out = all;
    free(blobs);
    free(s.digest);
    return st;
}

/* --------------------------------------------------------------------- features */

static skv_status prepare_one(void *ctx, int64_t i)
{
    const share *s = ctx;
    const skv_metric_network *network = s->wish->network;
    const char *file = s->folder->picture[s->first + s->at + i].file;
    skv_picture picture;
    skv_status st;

    SKV_TRY(skv_picture_read(&picture, file));
    st = network->prepare(s->input + (size_t)i * network->n_inputs, picture.rgb, picture.height,
                          picture.width);
    free(picture.rgb);
    return st;
}

static skv_status compute_share(share *s)
{
    const skv_metric_network *network = s->wish->network;
    const int64_t batch = 4 * (int64_t)s->wish->threads;
    skv_status st = SKV_OK;

    SKV_TRY(skv_alloc(&s->input, (size_t)batch * network->n_inputs, sizeof *s->input,
                      "inputs of a network"));
    for (s->at = 0; s->at < s->n && st == SKV_OK; s->at += batch) {
        const int64_t n = s->n - s->at < batch ? s->n - s->at : batch;

        st = check_stop(s->wish);
        if (st == SKV_OK)
            st = skv_parallel(s->wish->threads, n, prepare_one, s);
        for (int64_t i = 0; i < n && st == SKV_OK; i++)
            st = network->extract(s->feature + (s->at + i) * network->n_features, s->wish->state,
                                  s->input + (size_t)i * network->n_inputs);
    }
    free(s->input);
    s->input = NULL;
    return st;
}

/* A round of n pictures from `first` on, added to rank 0's pool. */
static skv_status run_round(skv_feature_pool *pool, const skv_against_wish *w,
                            const skv_picture_folder *folder, int64_t first, int64_t n)
{
    const size_t d = (size_t)w->network->n_features;
    share s = take_share(w, folder, first, n, skv_comm_rank(w->comm));
    skv_blob *blobs = NULL;
    skv_status st = skv_alloc(&s.feature, (size_t)s.n * d + 1, sizeof *s.feature, "features");

    if (st == SKV_OK)
        st = compute_share(&s);
    st = collect(&blobs, w, st, s.feature, (size_t)s.n * d * sizeof *s.feature);
    free(s.feature);
    SKV_TRY(st);
    for (int rank = 0; blobs && rank < skv_comm_size(w->comm); rank++) {
        const float *feature = blobs[rank].data;

        for (size_t i = 0; i < blobs[rank].bytes / (d * sizeof *feature) && st == SKV_OK; i++)
            st = skv_feature_pool_add(pool, feature + i * d, d);
    }
    if (blobs && st == SKV_OK)
        st = skv_feature_pool_end_round(pool);
    free(blobs);
    return skv_comm_agree(w->comm, st);
}

skv_status skv_against__compute(skv_kept_features *out, const skv_against_wish *wish,
                                const skv_picture_folder *folder)
{
    const bool root = skv_comm_rank(wish->comm) == 0;
    skv_feature_pool *pool = NULL;
    skv_status st = SKV_OK;

    if (root)
        st = skv_feature_pool_create(&pool, wish->network->n_features, 1, folder->n);
    SKV_TRY_GOTO(skv_comm_agree(wish->comm, st), done);
    for (int64_t first = 0; first < folder->n; first += ROUND) {
        const int64_t n = folder->n - first < ROUND ? folder->n - first : ROUND;

        SKV_TRY_GOTO(run_round(pool, wish, folder, first, n), done);
        if (root && folder->n > ROUND)
            skv_info("%s: %lld of %lld pictures seen", wish->path, (long long)(first + n),
                     (long long)folder->n);
    }
    if (root)
        st = skv_feature_pool_finish(pool);
    if (root && st == SKV_OK)
        skv_feature_pool_take(out, pool);
    st = skv_comm_agree(wish->comm, st);
done:
    skv_feature_pool_destroy(pool);
    return st;
}
