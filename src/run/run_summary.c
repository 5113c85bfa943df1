#include "run/run_summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "run/schema.h"

#define MAX_TABLE ((size_t)1 << 30)

static const skv_extents unknown = {-1, -1, -1, -1, -1, -1, -1, -1, -1};

static skv_status read_table(int64_t **out, skv_h5_layout *layout, skv_h5 *h5, skv_set set,
                             const char *path)
{
    return skv_h5_read(out, h5, skv_schema_in_run(set, path).text, layout, MAX_TABLE, true);
}

static skv_status sum_up_cache(skv_path_summary *out, skv_h5 *h5, const char *path)
{
    skv_h5_layout l = skv_schema_run_layout(SKV_SET_CACHE_LENGTH, &unknown);
    int64_t *length = NULL, *bytes = NULL;
    int64_t n_cuts, n_layers;
    double sum = 0;
    skv_status st;

    SKV_TRY_GOTO(read_table(&length, &l, h5, SKV_SET_CACHE_LENGTH, path), done);
    SKV_TRY_GOTO(read_table(&bytes, &l, h5, SKV_SET_CACHE_BYTES, path), done);
    n_cuts = l.shape[0];
    n_layers = l.shape[1];
    for (int64_t si = 0; si < n_cuts; si++) {
        int64_t all = 0;

        for (int64_t layer = 0; layer < n_layers; layer++)
            all += bytes[si * n_layers + layer];
        out->cache_bytes = all > out->cache_bytes ? all : out->cache_bytes;
    }
    for (int64_t i = (n_cuts - 1) * n_layers; n_cuts > 0 && i < n_cuts * n_layers; i++)
        sum += (double)length[i];
    out->tokens_kept = n_layers > 0 ? sum / (double)n_layers : 0;
done:
    free(length);
    free(bytes);
    return st;
}

/* Place of a name in "text,transformer,vae", -1: none. */
static int64_t find_phase(const char *phases, const char *name)
{
    const size_t n = strlen(name);

    for (int64_t i = 0; phases; i++) {
        const char *comma = strchr(phases, ',');

        if (strncmp(phases, name, n) == 0 && (phases[n] == ',' || phases[n] == '\0'))
            return i;
        phases = comma ? comma + 1 : NULL;
    }
    return -1;
}

/* Of a group that is not there NaN stands in its place. */
static double sum_of(const double *seconds, const skv_h5_layout *l, int64_t phase)
{
    double sum = 0;

    for (int64_t g = 0; phase >= 0 && phase < l->shape[1] && g < l->shape[0]; g++)
        if (!isnan(seconds[g * l->shape[1] + phase]))
            sum += seconds[g * l->shape[1] + phase];
    return sum;
}

static skv_status sum_up_seconds(skv_path_summary *out, skv_h5 *h5, const char *path)
{
    const skv_schema_name name = skv_schema_in_run(SKV_SET_SECONDS, path);
    skv_h5_layout l = skv_schema_run_layout(SKV_SET_SECONDS, &unknown);
    double *seconds = NULL;
    char *phases = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_h5_read(&seconds, h5, name.text, &l, MAX_TABLE, false), done);
    SKV_TRY_GOTO(skv_h5_get_text(&phases, h5, name.text, SKV_ATTR_PHASES), done);
    out->transformer_seconds = sum_of(seconds, &l, find_phase(phases, "transformer"));
    out->vae_seconds = sum_of(seconds, &l, find_phase(phases, "vae"));
done:
    free(seconds);
    free(phases);
    return st;
}

skv_status skv_path_summary_read(skv_path_summary *out, skv_h5 *h5, const char *path)
{
    *out = (skv_path_summary){0};
    SKV_TRY(sum_up_cache(out, h5, path));
    return sum_up_seconds(out, h5, path);
}
