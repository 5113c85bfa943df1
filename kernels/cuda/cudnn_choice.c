/* The engines that cuDNN offers for a graph, and the plan of the one that is chosen.
 *
 * A choice is an engine by its number in cuDNN, with its knobs, and the graph's variant:
 * "variant=0 engine=11 k2=5 k14=3"; or the name of our own kernels, where these compete. A refused
 * engine is not an error, the next one is tried.
 * Engines whose result may change from run to run, or that compute less exactly than fp32 sums of
 * bf16 products, are not taken. */
#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "kernels/cuda/choose.h"
#include "kernels/cuda/cudnn_plans.h"

#define OFFERED     16 /* engines asked for a graph */
#define KNOBS       CUDNN_KNOB_TYPE_COUNTS
#define KNOB_TYPES  256
#define WARM_RUNS   2
#define SCRATCH     ((int64_t)SKV_CUDA_WORKSPACE)
#define N_NOTES_MAX ((int64_t)CUDNN_NUMERICAL_NOTE_TYPE_COUNT)

typedef struct {
    skv_backend *be;
    const skv_cudnn__request *r;
    skv_cudnn__plan *plan;
    char why[256]; /* cuDNN's last refusal */
} contestant;

/* The graph of a variant, as a part of p. */
static cudnnBackendDescriptor_t graph_part(skv_cudnn__parts *p, const contestant *c, int variant)
{
    cudnnHandle_t handle = skv_cudnn__handle(c->be);
    cudnnBackendDescriptor_t op[SKV_CUDNN_OPS], graph;
    const int n_ops = c->r->kind->build(p, c->r->shape, variant, op);

    graph = skv_cudnn__part(p, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    skv_cudnn__set(p, graph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle);
    skv_cudnn__set(p, graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, n_ops,
                   op);
    skv_cudnn__finalize(p, graph);
    return graph;
}

/* At most `room` values of an attribute; returns how many. */
static int64_t get(skv_cudnn__parts *p, cudnnBackendDescriptor_t d,
                   cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t room,
                   void *values)
{
    int64_t n = 0;

    if (!p->refused)
        skv_cudnn__note(p, cudnnBackendGetAttribute(d, name, type, room, &n, values),
                        "to tell attribute", (int)name);
    return p->refused ? 0 : n < room ? n : room;
}

/* ------------------------------------------------------------------- what is offered */

/* False also where cuDNN gives no answer. */
static bool is_exact(skv_cudnn__parts *p, cudnnBackendDescriptor_t engine)
{
    cudnnBackendNumericalNote_t notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
    const int64_t n = get(p, engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                          N_NOTES_MAX, notes);

    for (int64_t i = 0; i < n; i++)
        switch (notes[i]) {
        case CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC:
        case CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION:
        case CUDNN_NUMERICAL_NOTE_WINOGRAD:
        case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4:
        case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6:
        case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13:
            return false;
        default:
            break;
        }
    return !p->refused;
}

static skv_status write_knobs(char choice[SKV_TUNING_CHOICE], skv_cudnn__parts *p,
                              cudnnBackendDescriptor_t config)
{
    cudnnBackendDescriptor_t knob[KNOBS];
    int64_t n;

    for (int i = 0; i < KNOBS; i++)
        knob[i] = skv_cudnn__part(p, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR);
    n = get(p, config, CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_TYPE_BACKEND_DESCRIPTOR, KNOBS,
            knob);
    for (int64_t i = 0; i < n && !p->refused; i++) {
        cudnnBackendKnobType_t type = CUDNN_KNOB_TYPE_COUNTS;
        int64_t value = 0;
        char name[16];

        (void)get(p, knob[i], CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, 1, &type);
        (void)get(p, knob[i], CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64, 1, &value);
        snprintf(name, sizeof name, "k%d", (int)type);
        SKV_TRY(skv_choice_add(choice, name, value));
    }
    return SKV_OK;
}

/* *good: it is an engine that may be taken, and `choice` says which. */
static skv_status write_engine(char choice[SKV_TUNING_CHOICE], bool *good,
                               cudnnBackendDescriptor_t config, int variant)
{
    skv_cudnn__parts p = {.n = 0};
    cudnnBackendDescriptor_t engine = skv_cudnn__part(&p, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    int64_t index = 0;
    skv_status st;

    choice[0] = '\0';
    (void)get(&p, config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &engine);
    (void)get(&p, engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &index);
    *good = is_exact(&p, engine);
    SKV_TRY_GOTO(skv_choice_add(choice, "variant", variant), done);
    SKV_TRY_GOTO(skv_choice_add(choice, "engine", index), done);
    SKV_TRY_GOTO(write_knobs(choice, &p, config), done);
    *good = *good && !p.refused;
done:
    skv_cudnn__close(&p);
    return st;
}

/* The engines of one of cuDNN's ways to find them, in its order. */
static skv_status write_engines(contestant *c, skv_cuda__candidates *out, skv_cudnn__parts *p,
                                int variant, cudnnBackendHeurMode_t mode)
{
    cudnnBackendDescriptor_t config[OFFERED], graph = graph_part(p, c, variant), heuristics;
    int64_t n;

    heuristics = skv_cudnn__part(p, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    skv_cudnn__set_part(p, heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
    skv_cudnn__set(p, heuristics, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
    skv_cudnn__finalize(p, heuristics);
    for (int i = 0; i < OFFERED; i++)
        config[i] = skv_cudnn__part(p, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    n = get(p, heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, OFFERED,
            config);
    for (int64_t i = 0; i < n && out->n < out->room; i++) {
        bool good = false;

        SKV_TRY(write_engine(out->choice[out->n], &good, config[i], variant));
        out->n += good;
    }
    if (p->refused) {
        snprintf(c->why, sizeof c->why, "%s", p->why);
        return skv_cuda__lost("cuDNN");
    }
    return SKV_OK;
}

/* All variants by cuDNN's own ranking, then all by its fallbacks. */
static skv_status offer(void *ctx, int round, skv_cuda__candidates *out)
{
    contestant *c = ctx;
    const int n = c->r->kind->n_variants;
    skv_cudnn__parts p = {.n = 0};
    const skv_status st = write_engines(c, out, &p, round % n,
                                        round < n ? CUDNN_HEUR_MODE_A : CUDNN_HEUR_MODE_FALLBACK);

    skv_cudnn__close(&p);
    return st;
}

/* ------------------------------------------------------------------------ its plan */

/* A finalized configuration of the engine and knobs that a choice says. */
static cudnnBackendDescriptor_t config_part(skv_cudnn__parts *p, cudnnBackendDescriptor_t graph,
                                            const char *choice, int64_t index)
{
    cudnnBackendDescriptor_t engine, config, knob[KNOBS];
    int n = 0;

    engine = skv_cudnn__part(p, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    skv_cudnn__set_part(p, engine, CUDNN_ATTR_ENGINE_OPERATION_GRAPH, graph);
    skv_cudnn__set(p, engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &index);
    skv_cudnn__finalize(p, engine);
    for (int t = 0; t < KNOB_TYPES && n < KNOBS; t++) {
        const cudnnBackendKnobType_t type = (cudnnBackendKnobType_t)t;
        int64_t value = 0;
        char name[16];

        snprintf(name, sizeof name, "k%d", t);
        if (!skv_choice_get(&value, choice, name))
            continue;
        knob[n] = skv_cudnn__part(p, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR);
        skv_cudnn__set(p, knob[n], CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, 1,
                       &type);
        skv_cudnn__set(p, knob[n], CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64, 1, &value);
        skv_cudnn__finalize(p, knob[n++]);
    }
    config = skv_cudnn__part(p, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    skv_cudnn__set_part(p, config, CUDNN_ATTR_ENGINECFG_ENGINE, engine);
    if (n > 0)
        skv_cudnn__set(p, config, CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                       n, knob);
    skv_cudnn__finalize(p, config);
    return config;
}

static skv_status take_engine(contestant *c, const char *choice, int variant, int64_t index)
{
    cudnnHandle_t handle = skv_cudnn__handle(c->be);
    skv_cudnn__parts *p = &c->plan->parts;
    cudnnBackendDescriptor_t config = config_part(p, graph_part(p, c, variant), choice, index);
    cudnnBackendDescriptor_t plan = skv_cudnn__part(p, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    int64_t bytes = 0;

    skv_cudnn__set(p, plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle);
    skv_cudnn__set_part(p, plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
    skv_cudnn__finalize(p, plan);
    (void)get(p, plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &bytes);
    if (p->refused)
        return skv_fail(SKV_E_UNSUPPORTED, "cuDNN refuses %s", p->why);
    if (bytes > SCRATCH)
        return skv_fail(SKV_E_UNSUPPORTED, "it wants %lld bytes of workspace, %lld are there",
                        (long long)bytes, (long long)SCRATCH);
    c->plan->plan = plan;
    c->plan->variant = variant;
    return SKV_OK;
}

static void drop(skv_cudnn__plan *p)
{
    skv_cudnn__close(&p->parts);
    p->plan = NULL;
}

static skv_status take(void *ctx, const char *choice)
{
    contestant *c = ctx;
    int64_t variant = 0, index = 0;
    skv_status st;

    drop(c->plan);
    if (c->r->kind->rival && strcmp(choice, c->r->kind->rival) == 0)
        return SKV_OK;
    if (!skv_choice_get(&variant, choice, "variant") || !skv_choice_get(&index, choice, "engine") ||
        variant < 0 || variant >= c->r->kind->n_variants)
        return skv_fail(SKV_E_FORMAT, "it names no engine");
    st = take_engine(c, choice, (int)variant, index);
    if (st != SKV_OK) {
        snprintf(c->why, sizeof c->why, "%s", c->plan->parts.why);
        drop(c->plan);
    }
    return st;
}

/* ------------------------------------------------------------------------ choosing */

static skv_status run(void *ctx)
{
    const contestant *c = ctx;

    if (!c->plan->plan)
        return c->r->kind->run_rival(c->be, c->r);
    return skv_cudnn__execute(c->be, c->plan, c->r);
}

static skv_status check(void *ctx, skv_cuda__difference *d)
{
    const contestant *c = ctx;
    const skv_cudnn__kind *kind = c->r->kind;
    int64_t n = 0;

    SKV_TRY(kind->plain(c->be, c->r, &n));
    return skv_cuda__compare(c->be, d, c->r->data[kind->output], skv_cuda__of(c->be)->workspace,
                             SKV_BF16, n);
}

/* "conv 4 64 64 512 512" */
static void make_key(char *key, size_t bytes, const skv_cudnn__request *r)
{
    size_t used = 0;

    snprintf(key, bytes, "%s", r->kind->name);
    for (int i = 0; i < r->kind->n_key; i++) {
        used += strlen(key + used);
        snprintf(key + used, bytes - used, " %lld", (long long)r->shape[i]);
    }
}

/* Once a kind of work, where it is work. */
static void say_ours(const contestant *c)
{
    const skv_cudnn__kind *kind = c->r->kind;
    const size_t version = skv_cuda__networks_version();

    if (kind->operations(c->r->shape) > SKV_CUDA_COSTLY && !skv_cudnn__said(c->be, kind))
        skv_warn("cuDNN %zu.%zu has no %s engine for this GPU: our own kernels serve%s%s",
                 version / 10000, version % 10000 / 100, kind->what,
                 c->why[0] ? "; it refuses " : "", c->why);
}

skv_status skv_cudnn__choose(skv_cudnn__plan *out, skv_backend *be, const skv_cudnn__request *r)
{
    const skv_cudnn__kind *kind = r->kind;
    contestant ctx = {.be = be, .r = r, .plan = out};
    char key[SKV_TUNING_KEY];
    const skv_cuda__contest contest = {.name = "cuDNN",
                                       .key = key,
                                       .ctx = &ctx,
                                       .offer = offer,
                                       .take = take,
                                       .run = run,
                                       .check = check,
                                       .n_rounds = kind->n_variants,
                                       .n_spare = kind->n_variants,
                                       .n_measured = kind->n_measured,
                                       .rival = kind->rival,
                                       .warm_runs = WARM_RUNS};
    bool ours = false;

    make_key(key, sizeof key, r);
    SKV_TRY(skv_cuda__choose(be, &contest, &ours));
    if (ours) {
        drop(out);
        say_ours(&ctx);
    }
    return SKV_OK;
}
