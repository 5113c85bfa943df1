#include "eval/metrics/recall_result.h"

#include <string.h>

#include "core/log.h"

double skv_recall_mean(const skv_recall_of *p)
{
    const int first = p->n_scales > 1 ? 1 : 0, n = (p->n_scales - first) * p->n_layers;
    double sum = 0;

    for (int i = 0; i < n; i++)
        sum += p->share[first * p->n_layers + i];
    return sum / n;
}

json_t *skv_recall_path_json(const skv_recall_of *p)
{
    skv_json_maker o = skv_json_object(), scales = skv_json_array();

    for (int si = 0; si < p->n_scales; si++) {
        skv_json_maker layers = skv_json_array();

        for (int layer = 0; layer < p->n_layers; layer++)
            skv_json_append(&layers, skv_json_finite(p->share[si * p->n_layers + layer]));
        skv_json_append(&scales, skv_json_take(&layers));
    }
    skv_json_put(&o, "name", skv_json_foreign(p->name));
    skv_json_put(&o, "digest", skv_json_foreign(p->digest));
    skv_json_put(&o, "mean", skv_json_finite(skv_recall_mean(p)));
    skv_json_put(&o, "by_scale_and_layer", skv_json_take(&scales));
    return skv_json_take(&o);
}

skv_status skv_recall_put(json_t *root, const char *config_digest, int64_t n_pictures,
                          int64_t queries, json_t *paths)
{
    skv_json_maker recall = skv_json_object(), to = skv_json_extend(root);

    skv_json_put(&recall, "pictures", json_integer(n_pictures));
    skv_json_put(&recall, "queries", json_integer(queries));
    skv_json_put(&recall, "config_digest", skv_json_foreign(config_digest));
    skv_json_put(&recall, "paths", paths);
    skv_json_put(&to, "recall", skv_json_take(&recall));
    return skv_json_finish(NULL, &to, "metrics.json");
}

skv_status skv_recall_keep(json_t *root, const json_t *earlier, const char *config_digest)
{
    json_t *recall = json_object_get(earlier, "recall");
    const char *digest = json_string_value(json_object_get(recall, "config_digest"));
    skv_json_maker to;

    if (!recall)
        return SKV_OK;
    if (!digest || strcmp(digest, config_digest) != 0) {
        skv_warn("the recall in metrics.json is dropped: it is of another configuration");
        return SKV_OK;
    }
    to = skv_json_extend(root);
    skv_json_put(&to, "recall", json_incref(recall));
    return skv_json_finish(NULL, &to, "metrics.json");
}
