/* Who started this process. The order matters: under mpirun inside a SLURM job all ranks inherit
 * the batch step's SLURM_PROCID=0, and under `srun -n1 torchrun` all workers see one SLURM task, so
 * SLURM's variables come last and never give a rank. */
#include "mpi/comm_impl.h"

#include <errno.h>
#include <stdlib.h>

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

skv_status skv_comm__launch(skv_launch *out, skv_comm_getenv get)
{
    bool ranks_by_hand = is_set(get, "RANK") && is_set(get, "WORLD_SIZE");

    *out = (skv_launch){SKV_LAUNCHER_NONE, 0, NULL};
    if (ranks_by_hand && is_set(get, "TORCHELASTIC_RUN_ID")) {
        out->launcher = SKV_LAUNCHER_TORCHRUN;
        out->says = "WORLD_SIZE";
    } else if (is_set(get, "OMPI_COMM_WORLD_SIZE")) {
        out->launcher = SKV_LAUNCHER_MPIRUN;
        out->says = "OMPI_COMM_WORLD_SIZE";
    } else if (is_set(get, "PMIX_RANK")) {
        out->launcher = SKV_LAUNCHER_PMIX;
        out->says = "SLURM_STEP_NUM_TASKS";
    } else if (ranks_by_hand) {
        out->launcher = SKV_LAUNCHER_TORCHRUN;
        out->says = "WORLD_SIZE";
    } else if (is_set(get, "SLURM_STEP_NUM_TASKS")) {
        /* srun without PMIx; SLURM_NTASKS says nothing here, a batch script has it too */
        out->says = "SLURM_STEP_NUM_TASKS";
    } else {
        out->says = "PMI_SIZE"; /* another MPI's mpirun: it and ours do not know each other */
    }
    return read_count(&out->promised, get, out->says);
}

skv_status skv_comm__cross_check(const skv_launch *launch, int size)
{
    if (size > 1 || launch->promised <= 1)
        return SKV_OK;
    return skv_fail(SKV_E_MPI,
                    "the environment (%s) promises %lld ranks, but this process finds itself "
                    "alone and each would do the whole job: start it with `srun --mpi=pmix` or "
                    "with the `mpirun` of the MPI it was built with",
                    launch->says, (long long)launch->promised);
}
