#include "eval/metrics/kept_features.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/cache_folder.h"
#include "core/file.h"
#include "core/log.h"
#include "io/h5.h"

#define KEPT       "/features"
#define MEAN       "/mean"
#define COVARIANCE "/covariance"
#define PICTURES   "pictures"
#define MAX_TABLE  ((size_t)1 << 30)
#define NAME_BYTES 128

void skv_kept_features_clear(skv_kept_features *f)
{
    free(f->kept);
    free(f->mean);
    free(f->covariance);
    *f = (skv_kept_features){0};
}

skv_feature_set skv_kept_features_set(const skv_kept_features *f)
{
    return (skv_feature_set){.n = f->n,
                             .n_kept = f->n_kept,
                             .kept = f->kept,
                             .mean = f->mean,
                             .covariance = f->covariance};
}

/* *folder: where features are kept, *path: the key's file; both NULL: nowhere. */
static skv_status find_place(char **folder, char **path, const char *key)
{
    char *cache = NULL, name[NAME_BYTES];
    skv_status st;

    *folder = *path = NULL;
    SKV_TRY(skv_cache_folder(&cache));
    if (!cache)
        return SKV_OK;
    snprintf(name, sizeof name, "%s.h5", key);
    st = skv_path_join(folder, cache, "features");
    if (st == SKV_OK)
        st = skv_path_join(path, *folder, name);
    free(cache);
    return st;
}

/* ----------------------------------------------------------------------- reading */

static skv_status read_all(skv_kept_features *out, skv_h5 *f, const char *path, int d)
{
    skv_h5_layout kept = {.type = SKV_H5_F32, .n_dims = 2, .shape = {-1, d}};
    skv_h5_layout mean = {.type = SKV_H5_F64, .n_dims = 1, .shape = {d}};
    skv_h5_layout covariance = {.type = SKV_H5_F64, .n_dims = 2, .shape = {d, d}};
    bool sums = false;

    SKV_TRY(skv_h5_get_int(&out->n, f, "/", PICTURES));
    SKV_TRY(skv_h5_read(&out->kept, f, KEPT, &kept, MAX_TABLE, true));
    out->n_kept = kept.shape[0];
    SKV_TRY(skv_h5_has(&sums, f, COVARIANCE));
    if (out->n_kept < 2 || out->n_kept > out->n || (!sums && out->n_kept != out->n))
        return skv_fail(SKV_E_FORMAT, "%s: features of %lld of %lld pictures", path,
                        (long long)out->n_kept, (long long)out->n);
    if (!sums)
        return SKV_OK;
    SKV_TRY(skv_h5_read(&out->mean, f, MEAN, &mean, MAX_TABLE, true));
    return skv_h5_read(&out->covariance, f, COVARIANCE, &covariance, MAX_TABLE, true);
}

skv_status skv_kept_features_find(skv_kept_features *out, bool *found, const char *key, int d)
{
    char *folder, *path;
    skv_h5 *f = NULL;
    skv_status st;

    *out = (skv_kept_features){0};
    *found = false;
    SKV_TRY_GOTO(find_place(&folder, &path, key), done);
    if (!path)
        goto done;
    st = skv_h5_open_below(&f, path, 0);
    if (st == SKV_OK) {
        st = read_all(out, f, path, d);
        *found = st == SKV_OK;
    }
    skv_h5_close(f);
    if (st != SKV_OK && st != SKV_E_NOTFOUND && st != SKV_E_MEM)
        skv_warn("%s; the features are computed again", skv_message());
    if (!*found)
        skv_kept_features_clear(out);
    if (st != SKV_E_MEM)
        st = SKV_OK;
done:
    free(folder);
    free(path);
    return st;
}

/* ----------------------------------------------------------------------- writing */

static skv_status write_all(skv_h5 *f, int d, const skv_feature_set *set)
{
    const skv_h5_layout kept = {.type = SKV_H5_F32,
                                .n_dims = 2,
                                .shape = {set->n_kept, d},
                                .long_name = "features of pictures",
                                .units = "1"};
    const skv_h5_layout mean = {.type = SKV_H5_F64,
                                .n_dims = 1,
                                .shape = {d},
                                .long_name = "mean over all pictures",
                                .units = "1"};
    const skv_h5_layout covariance = {.type = SKV_H5_F64,
                                      .n_dims = 2,
                                      .shape = {d, d},
                                      .long_name = "covariance over all pictures",
                                      .units = "1"};

    SKV_TRY(skv_h5_set_int(f, "/", PICTURES, set->n));
    SKV_TRY(skv_h5_write(f, KEPT, &kept, set->kept));
    if (!set->covariance)
        return SKV_OK;
    SKV_TRY(skv_h5_write(f, MEAN, &mean, set->mean));
    return skv_h5_write(f, COVARIANCE, &covariance, set->covariance);
}

static skv_status write_file(const char *folder, const char *path, int d,
                             const skv_feature_set *set)
{
    skv_h5 *f = NULL;
    skv_status st;

    SKV_TRY(skv_folder_make(folder));
    SKV_TRY(skv_h5_create(&f, path));
    st = write_all(f, d, set);
    if (st == SKV_OK)
        st = skv_h5_commit(&f);
    skv_h5_close(f);
    return st;
}

skv_status skv_kept_features_keep(const char *key, int d, const skv_feature_set *set)
{
    char *folder, *path;
    skv_status st;

    SKV_TRY_GOTO(find_place(&folder, &path, key), done);
    if (!path)
        skv_warn("the features are not kept for other evaluations: none of SKV_CACHE, "
                 "XDG_CACHE_HOME and HOME is set");
    else if (write_file(folder, path, d, set) != SKV_OK)
        skv_warn("the features are not kept for other evaluations: %s", skv_message());
done:
    free(folder);
    free(path);
    return st;
}
