#include "eval/metrics/against.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/log.h"
#include "core/text.h"
#include "eval/metrics/statistics_file.h"

#define FORM        1 /* of the features: pixels to inputs, network, what is kept */
#define MAX_WEIGHTS ((size_t)4 << 30)

void skv_against_clear(skv_against *a)
{
    skv_picture_folder_clear(&a->folder);
    skv_kept_features_clear(&a->features);
    *a = (skv_against){0};
}

bool skv_against_is_folder(const skv_against *a)
{
    return a->folder.n > 0;
}

/* ------------------------------------------------------------------- statistics */

static skv_status open_statistics(skv_against *a, const skv_against_wish *w)
{
    const int d = w->network->n_features;
    const size_t n = (size_t)d;
    skv_digest digest;

    SKV_TRY(skv_statistics_read(&a->features, w->path, d));
    digest = skv_digest_of(a->features.mean, n * sizeof(double));
    digest = skv_digest_add(digest, a->features.covariance, n * n * sizeof(double));
    skv_digest_text(a->digest, digest);
    return SKV_OK;
}

/* --------------------------------------------------------------------- a folder */

static skv_status list_folder(skv_against *a, const skv_against_wish *w, bool is_folder)
{
    if (!is_folder)
        return SKV_OK;
    SKV_TRY(skv_picture_folder_list(&a->folder, w->path));
    if (a->folder.n < 2)
        return skv_fail(SKV_E_ARG, "%s holds one picture, FID needs two at least", w->path);
    return SKV_OK;
}

/* Ranks that see other pictures would take other shares of them. */
static skv_status compare_lists(const skv_against *a, const skv_against_wish *w)
{
    skv_digest d = {0};
    int64_t names, most[4];

    for (int64_t i = 0; i < a->folder.n; i++)
        d = skv_digest_add(d, a->folder.picture[i].file, strlen(a->folder.picture[i].file));
    names = (int64_t)(d.low >> 1);
    most[0] = a->folder.n;
    most[1] = -a->folder.n;
    most[2] = names;
    most[3] = -names;
    SKV_TRY(skv_comm_max_i64(w->comm, most, 4));
    if (most[0] == -most[1] && most[2] == -most[3])
        return SKV_OK;
    return skv_fail(SKV_E_NOTFOUND,
                    "%s: the ranks see different pictures there: put it on a shared file system",
                    w->path);
}

static skv_status weights_digest(skv_digest *out, const skv_against_wish *w)
{
    char *data = NULL;
    size_t bytes = 0;

    if (strcmp(w->weights, SKV_WEIGHTS_FORMULA) == 0) {
        *out = skv_digest_of(w->weights, strlen(w->weights));
        return SKV_OK;
    }
    SKV_TRY(skv_file_read(&data, &bytes, w->weights, MAX_WEIGHTS));
    *out = skv_digest_of(data, bytes);
    free(data);
    return SKV_OK;
}

/* Sets a->digest, and takes the features from the cache if they are there. */
static skv_status look_up(skv_against *a, const skv_against_wish *w, skv_digest pictures,
                          bool *found)
{
    const int32_t form = FORM;
    skv_digest d;

    SKV_TRY(weights_digest(&d, w));
    d = skv_digest_add(d, &form, sizeof form);
    d = skv_digest_add(d, w->device, strlen(w->device));
    d = skv_digest_add(d, &pictures, sizeof pictures);
    skv_digest_text(a->digest, d);
    SKV_TRY(skv_kept_features_find(&a->features, found, a->digest, w->network->n_features));
    if (*found)
        skv_info("%s: the features of its %lld picture%s are those of an earlier evaluation",
                 w->path, (long long)a->features.n, skv_s(a->features.n));
    return SKV_OK;
}

static skv_status open_folder(skv_against *a, const skv_against_wish *w)
{
    const bool root = skv_comm_rank(w->comm) == 0;
    skv_digest pictures;
    skv_feature_set set;
    skv_status st = SKV_OK;
    bool found = false;

    SKV_TRY(compare_lists(a, w));
    SKV_TRY(skv_against__digest(&pictures, w, &a->folder));
    if (root)
        st = look_up(a, w, pictures, &found);
    SKV_TRY(skv_comm_agree(w->comm, st));
    SKV_TRY(skv_comm_broadcast(w->comm, &found, sizeof found, 0));
    if (found)
        return SKV_OK;
    SKV_TRY(skv_against__compute(&a->features, w, &a->folder));
    set = skv_kept_features_set(&a->features);
    if (root)
        st = skv_kept_features_keep(a->digest, w->network->n_features, &set);
    return skv_comm_agree(w->comm, st);
}

skv_status skv_against_open(skv_against *out, const skv_against_wish *wish)
{
    struct stat info;
    const bool is_folder = stat(wish->path, &info) == 0 && S_ISDIR(info.st_mode);
    int64_t most[2] = {is_folder, -(int64_t)is_folder};
    skv_status st;

    *out = (skv_against){.name = wish->path, .network = wish->network};
    SKV_TRY(skv_comm_agree(wish->comm, list_folder(out, wish, is_folder)));
    SKV_TRY(skv_comm_max_i64(wish->comm, most, 2));
    if (most[0] > 0)
        return open_folder(out, wish);
    st = skv_comm_rank(wish->comm) == 0 ? open_statistics(out, wish) : SKV_OK;
    return skv_comm_agree(wish->comm, st);
}
