#include "cli/help_lists.h"

#include "cache/kv_dtype.h"
#include "cache/policy.h"
#include "core/text.h"
#include "eval/layout/layout.h"
#include "eval/metrics/metric.h"
#include "eval/metrics/networks.h"

void skv_help_policies(FILE *to)
{
    fprintf(to, "\nPolicies, and what path_definitions may set in their \"options\":\n");
    for (const skv_policy *const *p = skv_policies; *p; p++) {
        fprintf(to, "  %-14s %s\n", (*p)->name, (*p)->help);
        for (const skv_option *o = (*p)->options; o && o->key; o++)
            fprintf(to, "    %-12s %s%s%s%s\n", o->key, o->help, o->fallback ? " (" : "",
                    o->fallback ? o->fallback : "", o->fallback ? ")" : "");
    }
    fprintf(to, "\nHow a path's cache is held between scales: \"kv_dtype\", or behind the path's "
                "name, full-fp8:\n");
    for (int t = 0; t < SKV_KV_N_DTYPES; t++)
        fprintf(to, "  %-14s %s\n", skv_kv_dtype_name((skv_kv_dtype)t),
                skv_kv_dtype_help((skv_kv_dtype)t));
}

void skv_help_layouts(FILE *to)
{
    fprintf(to, "\nLayouts:\n");
    for (const skv_layout *l = skv_layouts; l->name; l++) {
        fprintf(to, "  %-13s %s: %s; ", l->name, l->benchmark, l->summary);
        if (l->prompts > 0)
            fprintf(to, "%d prompt%s, ", l->prompts, skv_s(l->prompts));
        if (l->samples > 0)
            fprintf(to, "%d sample%s of each\n", l->samples, skv_s(l->samples));
        else
            fprintf(to, "all samples of each\n");
    }
}

static void print_files(FILE *to, const skv_metric_network *network)
{
    for (int i = 0; i < SKV_NETWORK_FILES && network->file[i].option; i++)
        fprintf(to, "  --%-12s %s: %s, %s\n", network->file[i].option, network->file[i].name,
                network->file[i].what, network->file[i].from);
}

void skv_help_metrics(FILE *to)
{
    fprintf(to, "\nMetrics:\n");
    for (const skv_metric *const *m = skv_metrics; *m; m++)
        fprintf(to, "  %-12s %s%s%s\n", (*m)->title, (*m)->long_name,
                (*m)->network ? "; needs weights: " : "", (*m)->network ? (*m)->network->name : "");
    fprintf(to, "\nWeights, looked for in weights/ of the current folder, then in ../weights and "
                "weights of the program's folder:\n");
    for (const skv_metric *const *m = skv_metrics; *m; m++) {
        const skv_metric *const *first = skv_metrics;

        while ((*first)->network != (*m)->network)
            first++;
        if ((*m)->network && first == m)
            print_files(to, (*m)->network);
    }
}
