/* Who started this process. The order matters: under mpirun inside a SLURM job all ranks inherit
 * the batch step's SLURM_PROCID=0, and under `srun -n1 torchrun` all workers see one SLURM task, so
 * SLURM's variables come last. */
#include "mpi/comm_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* *out = the variable as a count, 0 when it is not set. */
static skv_status read_count(int64_t *out, skv_comm_getenv get, const char *name)
{
    const char *text = get(name);
    char *end;
    long value;

    *out = 0;
    if (!text || !*text)
        return SKV_OK;
    errno = 0;
    value = strtol(text, &end, 10);
    if (errno || *end || value < 1 || value > INT32_MAX)
        return skv_fail(SKV_E_ARG, "environment variable %s is \"%s\", want a count of ranks", name,
                        text);
    *out = value;
    return SKV_OK;
}

static bool is_set(skv_comm_getenv get, const char *name)
{
    const char *text = get(name);

    return text && *text;
}

/* The rank of a launch that gives ranks by the environment; `says` is its count. */
static skv_status read_rank(skv_launch *l, skv_comm_getenv get, const char *name)
{
    const char *text = get(name);
    char *end;

    errno = 0;
    l->rank = strtol(text, &end, 10);
    if (errno || end == text || *end || l->rank < 0 || l->rank >= l->promised)
        return skv_fail(SKV_E_ARG, "environment variable %s is \"%s\", want a rank below %s, %lld",
                        name, text, l->says, (long long)l->promised);
    return SKV_OK;
}

/* torchrun without --rdzv-id calls every job "none". */
static void name_torchrun_job(skv_launch *l, skv_comm_getenv get)
{
    const char *id = get("TORCHELASTIC_RUN_ID"), *addr = get("MASTER_ADDR"),
               *port = get("MASTER_PORT");

    if (id && *id && strcmp(id, "none") != 0)
        snprintf(l->job, sizeof l->job, "%s", id);
    else if (addr && *addr && port && *port)
        snprintf(l->job, sizeof l->job, "%s:%s", addr, port);
    else
        snprintf(l->job, sizeof l->job, "by-hand");
}

static skv_status read_step(skv_launch *l, skv_comm_getenv get)
{
    const char *job = get("SLURM_JOB_ID"), *step = get("SLURM_STEP_ID");

    snprintf(l->job, sizeof l->job, "slurm-%s.%s", job ? job : "", step ? step : "");
    return read_rank(l, get, "SLURM_PROCID");
}

/* Nobody that this program knows: half of what ranks by hand need, or another MPI's mpirun, which
 * does not know ours. */
static skv_status read_strangers(skv_launch *l, skv_comm_getenv get)
{
    static const char *const counts[] = {"SLURM_STEP_NUM_TASKS", "PMI_SIZE", "MPI_LOCALNRANKS"};
    int64_t size = 0;

    SKV_TRY(read_count(&size, get, "WORLD_SIZE"));
    if (size > 1)
        return skv_fail(SKV_E_ARG,
                        "WORLD_SIZE is %lld, but RANK is not set, so this process does not know "
                        "which rank it is: set RANK for each process, or unset WORLD_SIZE",
                        (long long)size);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0] && l->promised <= 1; i++) {
        l->says = counts[i];
        SKV_TRY(read_count(&l->promised, get, l->says));
    }
    return SKV_OK;
}

skv_status skv_comm__launch(skv_launch *out, skv_comm_getenv get)
{
    const bool by_hand = is_set(get, "RANK") && is_set(get, "WORLD_SIZE");
    const bool step = is_set(get, "SLURM_PROCID") && is_set(get, "SLURM_STEP_NUM_TASKS");

    *out = (skv_launch){.rank = -1};
    if (by_hand && is_set(get, "TORCHELASTIC_RUN_ID")) {
        out->launcher = SKV_LAUNCHER_TORCHRUN;
    } else if (is_set(get, "OMPI_COMM_WORLD_SIZE")) {
        out->launcher = SKV_LAUNCHER_MPIRUN;
        out->says = "OMPI_COMM_WORLD_SIZE";
        return read_count(&out->promised, get, out->says);
    } else if (is_set(get, "PMIX_RANK")) {
        out->launcher = SKV_LAUNCHER_PMIX;
    } else if (by_hand) {
        out->launcher = SKV_LAUNCHER_TORCHRUN;
    } else if (step) {
        out->launcher = SKV_LAUNCHER_SRUN;
    } else {
        return read_strangers(out, get);
    }
    out->says = out->launcher == SKV_LAUNCHER_TORCHRUN ? "WORLD_SIZE" : "SLURM_STEP_NUM_TASKS";
    SKV_TRY(read_count(&out->promised, get, out->says));
    if (out->launcher == SKV_LAUNCHER_TORCHRUN) {
        name_torchrun_job(out, get);
        return read_rank(out, get, "RANK");
    }
    return step ? read_step(out, get) : SKV_OK;
}

skv_status skv_comm__cross_check(const skv_launch *launch, int size)
{
    if (size > 1 || launch->promised <= 1)
        return SKV_OK;
    return skv_fail(SKV_E_MPI,
                    "the environment (%s) promises %lld ranks, but this process finds itself "
                    "alone and each would do the whole job: start it by `srun`, by torchrun, or by "
                    "the `mpirun` of the MPI it was built with",
                    launch->says, (long long)launch->promised);
}
