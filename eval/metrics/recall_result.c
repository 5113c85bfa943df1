#include "eval/metrics/recall_result.h"

#include <string.h>

#include "core/log.h"

json_t *skv_recall_path_json(const skv_recall_of *p)
{
    skv_json_maker o = skv_json_object(), scales = skv_json_array(), pictures = skv_json_array();

    for (int si = 0; si < p->n_scales; si++) {
        skv_json_maker layers = skv_json_array();

        for (int layer = 0; layer < p->n_layers; layer++)
            skv_json_append(&layers, skv_json_finite(p->share[si * p->n_layers + layer]));
        skv_json_append(&scales, skv_json_take(&layers));
    }
    for (int64_t i = 0; i < p->n_pictures; i++)
        skv_json_append(&pictures, skv_json_finite(p->by_picture[i]));
    skv_json_put(&o, "name", skv_json_foreign(p->name));
    skv_json_put(&o, "digest", skv_json_foreign(p->digest));
    skv_json_put(&o, "mean", skv_json_finite(p->mean));
    skv_json_put(&o, "by_picture", skv_json_take(&pictures));
    skv_json_put(&o, "by_scale_and_layer", skv_json_take(&scales));
    return skv_json_take(&o);
}

skv_status skv_recall_json(json_t **out, const skv_recall_about *about, json_t *paths)
{
    skv_json_maker recall = skv_json_object(), rows = skv_json_array();

    for (int64_t i = 0; i < about->n_pictures; i++)
        skv_json_append(&rows, json_integer(about->row[i]));
    skv_json_put(&recall, "pictures", json_integer(about->n_pictures));
    skv_json_put(&recall, "rows", skv_json_take(&rows));
    skv_json_put(&recall, "queries", json_integer(about->queries));
    skv_json_put(&recall, "config_digest", skv_json_foreign(about->config_digest));
    skv_json_put(&recall, "paths", paths);
    return skv_json_finish(out, &recall, "recall");
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
