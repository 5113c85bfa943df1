/* How sure a path's mean is, and how far it lies from ScaleKV's at the same budget
 * (eval/report/bootstrap.h). */
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "eval/report/report_internal.h"

/* "base_tokens" of a path's settings, 0: it has none; and whether its policy is ScaleKV, with keys
 * and values as computed. */
static skv_status read_budget(int64_t *tokens, bool *scalekv, const skv_run_path *p)
{
    json_t *settings = NULL;
    const char *policy;

    SKV_TRY(skv_json_parse(&settings, p->settings, strlen(p->settings), p->name));
    *tokens = json_integer_value(json_object_get(settings, "base_tokens"));
    policy = json_string_value(json_object_get(settings, "policy"));
    *scalekv = policy && strcmp(policy, "scalekv") == 0 && !json_object_get(settings, "kv_dtype");
    json_decref(settings);
    return SKV_OK;
}

/* ScaleKV's path with the budget of each of the others, where there is one. */
static skv_status find_partners(skv_report *r)
{
    int64_t *tokens = NULL;
    bool *scalekv = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&tokens, (size_t)r->run.n_paths, sizeof *tokens, "intervals"), done);
    SKV_TRY_GOTO(skv_alloc(&scalekv, (size_t)r->run.n_paths, sizeof *scalekv, "intervals"), done);
    for (int i = 0; i < r->run.n_paths; i++)
        SKV_TRY_GOTO(read_budget(&tokens[i], &scalekv[i], &r->run.path[i]), done);
    for (int i = 0; i < r->run.n_paths; i++) {
        r->result[i].scalekv = -1;
        for (int k = r->run.n_paths - 1; k >= 0; k--)
            if (k != i && scalekv[k] && r->result[k].measured && tokens[k] > 0 &&
                tokens[k] == tokens[i])
                r->result[i].scalekv = k;
    }
done:
    free(tokens);
    free(scalekv);
    return st;
}

static const double *by_row(const skv_report_value *v)
{
    return v->row ? v->row : v->row_mean;
}

static skv_status list_series(skv_bootstrap *t, skv_report *r)
{
    for (int i = 0; i < r->run.n_paths; i++) {
        skv_report_result *result = &r->result[i];

        for (int m = 0; result->measured && m < r->n_metrics; m++) {
            skv_report_value *v = &result->value[m];
            const double *own = by_row(v);
            const double *other =
                result->scalekv >= 0 ? by_row(&r->result[result->scalekv].value[m]) : NULL;

            if (own)
                SKV_TRY(skv_bootstrap_add(t, &v->spread, own, NULL, NULL, r->run.n));
            if (own && other)
                SKV_TRY(skv_bootstrap_add(t, &v->less, own, other, NULL, r->run.n));
        }
    }
    return SKV_OK;
}

skv_status skv_report__intervals(skv_report *r)
{
    skv_bootstrap *t = NULL;
    skv_status st;

    SKV_TRY_GOTO(find_partners(r), done);
    SKV_TRY_GOTO(skv_bootstrap_open(&t, &r->run.segments), done);
    SKV_TRY_GOTO(list_series(t, r), done);
    skv_bootstrap_run(t);
done:
    skv_bootstrap_close(t);
    return st;
}
