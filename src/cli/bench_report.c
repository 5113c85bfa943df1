#include "cli/bench_report.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/json.h"

#define MIB ((double)(1 << 20))

static int by_seconds(const void *a, const void *b)
{
    const double x = ((const skv_bench_group *)a)->seconds;
    const double y = ((const skv_bench_group *)b)->seconds;

    return (x > y) - (x < y);
}

/* --------------------------------------------------------------------- phases */

typedef struct {
    skv_json_maker rows;
    double total, gemm; /* seconds of the whole, FLOP/s of the yardstick */
} phases;

static void print_phase(phases *p, const char *phase, double seconds, int64_t flops)
{
    const double gflops = (double)flops * 1e-9, rate = seconds > 0 ? gflops / seconds : 0;

    printf("%-12s %10.4f %12.1f %10.1f %8.1f %10.1f\n", phase, seconds, gflops, rate,
           100 * seconds / p->total, 100 * rate * 1e9 / p->gemm);
    skv_json_append(&p->rows, json_pack("{s:s, s:f, s:f, s:f, s:f}", "phase", phase, "seconds",
                                        seconds, "gflop", gflops, "share", seconds / p->total,
                                        "of_gemm", rate * 1e9 / p->gemm));
}

static json_t *report_phases(const skv_bench_result *r, const skv_bench_group *g)
{
    phases p = {skv_json_array(), g->seconds, r->gemm};
    char name[32], of[32];

    snprintf(of, sizeof of, "of %s", r->gemm_name);
    printf("%-12s %10s %12s %10s %8s %10s\n%-12s %10s %12s %10s %8s %10s\n", "phase", "seconds",
           "work", "rate", "share", of, "", "s", "GFLOP", "GFLOP/s", "%", "%");
    print_phase(&p, "text", g->text, g->text_flops);
    for (int si = 0; si < r->setup->schedule.n_scales; si++) {
        snprintf(name, sizeof name, "scale %d", si);
        print_phase(&p, name, g->scale[si].seconds, g->scale[si].flops);
    }
    print_phase(&p, "VAE", g->vae, g->vae_flops);
    print_phase(&p, "all", g->seconds, g->text_flops + g->transformer_flops + g->vae_flops);
    printf("cache pool: %zu bytes held at most\n", g->pool_peak);
    return skv_json_take(&p.rows);
}

/* ---------------------------------------------------------------------- floor */

/* Ours beside the floor; text has none and counts against us. */
static json_t *report_floor(const skv_bench_result *r, const skv_bench_group *g)
{
    const double all = r->floor.transformer + r->floor.vae;
    const struct {
        const char *what;
        double floor, ours;
    } rows[] = {{"transformer", r->floor.transformer, g->transformer},
                {"VAE", r->floor.vae, g->vae},
                {"all", all, g->seconds}};

    if (all <= 0)
        return json_null();
    printf("floor (the same GEMMs, attention, convolutions alone)\n%-12s %10s %10s %10s\n"
           "%-12s %10s %10s %10s\n",
           "phase", "floor", "median", "reached", "", "s", "s", "%");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        printf("%-12s %10.4f %10.4f %10.1f\n", rows[i].what, rows[i].floor, rows[i].ours,
               100 * rows[i].floor / rows[i].ours);
    return json_pack("{s:f, s:f, s:f, s:f, s:f}", "transformer", r->floor.transformer, "vae",
                     r->floor.vae, "seconds", all, "share", all / g->seconds, "gflop",
                     (double)r->floor.flops * 1e-9);
}

/* --------------------------------------------------------------------- memory */

static void print_bytes(skv_json_maker *out, const char *key, const char *what, size_t bytes)
{
    printf("%-38s %16zu %12.1f\n", what, bytes, (double)bytes / MIB);
    skv_json_put(out, key, json_integer((json_int_t)bytes));
}

/* Beyond weights: what was taken where the device tells, what was planned where it does not. */
static json_t *report_memory(const skv_bench_result *r)
{
    const skv_memory_plan *m = &r->plan;
    const int64_t weights = (int64_t)(m->transformer + m->vae);
    const int64_t all = (int64_t)r->own + (r->taken >= 0 ? r->taken : (int64_t)m->total);
    skv_json_maker out = skv_json_object();

    printf("%-38s %16s %12s\n%-38s %16s %12s\n", "memory (T5 apart: not loaded)", "size", "size",
           "", "bytes", "MiB");
    print_bytes(&out, "transformer", "transformer weights", m->transformer);
    print_bytes(&out, "vae", "VAE weights", m->vae);
    print_bytes(&out, "pool", "cache pool", m->pool);
    print_bytes(&out, "scratch", "scratch", m->scratch);
    print_bytes(&out, "rest", "rest: text, a layer's cache, results",
                m->total - m->transformer - m->vae - m->pool - m->scratch);
    print_bytes(&out, "planned", "all that is planned", m->total);
    print_bytes(&out, "workspace", "libraries' workspace", r->own);
    if (r->taken >= 0) {
        print_bytes(&out, "loaded", "taken when ready", (size_t)r->loaded);
        print_bytes(&out, "taken", "taken after the timed groups", (size_t)r->taken);
    } else {
        skv_json_put(&out, "loaded", json_null());
        skv_json_put(&out, "taken", json_null());
    }
    print_bytes(&out, "beyond_weights",
                r->taken >= 0 ? "beyond weights, taken" : "beyond weights, planned",
                all > weights ? (size_t)(all - weights) : 0);
    return skv_json_take(&out);
}

void skv_bench_print_tokens(const skv_ints *text_tokens)
{
    for (int i = 0; i < text_tokens->n; i++)
        printf("%s%lld", i > 0 ? "," : "", (long long)text_tokens->value[i]);
}

static json_t *report_texts(const skv_ints *text_tokens)
{
    skv_json_maker list = skv_json_array();

    printf("texts of ");
    skv_bench_print_tokens(text_tokens);
    printf(" tokens\n");
    for (int i = 0; i < text_tokens->n; i++)
        skv_json_append(&list, json_integer((json_int_t)text_tokens->value[i]));
    return skv_json_take(&list);
}

skv_status skv_bench_report(json_t **out, skv_bench_result *r)
{
    const int n = r->n_groups, batch = r->setup->max_prompts;
    const skv_bench_group *median = &r->group[(n - 1) / 2];
    const skv_bench_group *p95 = &r->group[(int)(0.95 * (n - 1) + 0.5)];
    json_t *texts, *rows, *floor, *memory;

    qsort(r->group, (size_t)n, sizeof *r->group, by_seconds);
    printf("\npath %s, batch %d: first %.3f s, then min %.3f, median %.3f, p95 %.3f s, %.3f "
           "images/s\n",
           r->setup->paths->name, batch, r->first, r->group[0].seconds, median->seconds,
           p95->seconds, batch / median->seconds);
    texts = report_texts(r->text_tokens);
    rows = report_phases(r, median);
    floor = report_floor(r, median);
    memory = report_memory(r);
    fflush(stdout);
    *out =
        json_pack("{s:s, s:i, s:o, s:f, s:f, s:f, s:f, s:f, s:I, s:o, s:o, s:o}", "path",
                  r->setup->paths->name, "batch", batch, "text_tokens", texts, "first", r->first,
                  "min", r->group[0].seconds, "median", median->seconds, "p95", p95->seconds,
                  "images_per_second", batch / median->seconds, "pool_peak_bytes",
                  (json_int_t)median->pool_peak, "phases", rows, "floor", floor, "memory", memory);
    return *out ? SKV_OK : skv_fail(SKV_E_MEM, "bench: out of memory");
}
