#include "job/doctor.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/build.h"
#include "core/mem.h"
#include "job/compare_ranks.h"
#include "job/doctor_folder.h"
#include "job/doctor_run.h"
#include "job/doctor_rules.h"
#include "job/doctor_tuning.h"
#include "mpi/spread.h"

static int64_t number_of(const char *variable)
{
    const char *text = getenv(variable);

    return text ? strtoll(text, NULL, 10) : 0;
}

static skv_launch_facts launch_facts(const skv_comm *comm)
{
    return (skv_launch_facts){.form = skv_comm_form(comm),
                              .in_slurm_job = getenv("SLURM_JOB_ID") != NULL,
                              .slurm_tasks = number_of("SLURM_NTASKS"),
                              .now = (int64_t)time(NULL),
                              .end = number_of("SLURM_JOB_END_TIME")};
}

/* Facts are sent as they lie in memory: all ranks must be of one build. */
static skv_status compare_builds(bool *same, skv_findings *f, skv_comm *comm)
{
    char difference[SKV_DIFFERENCE_BYTES];
    skv_facts build = {0};
    skv_status st;

    SKV_TRY_GOTO(skv_comm_agree(comm, skv_facts_add(&build, "the build of skv", skv_build())),
                 done);
    SKV_TRY_GOTO(skv_ranks_compare(difference, comm, &build), done);
    *same = difference[0] == '\0';
    if (skv_comm_rank(comm) == 0 && *same)
        skv_findings_fact(f, "build", "%s", skv_build());
    else if (skv_comm_rank(comm) == 0)
        skv_findings_trap(f, "build", "put one program on all hosts", "%s", difference);
done:
    skv_facts_clear(&build);
    return st;
}

static skv_device_wish own_wish(const skv_doctor *d)
{
    skv_device_wish wish = d->wish;

    wish.local_rank = skv_comm_local_rank(d->comm);
    wish.local_size = skv_comm_local_size(d->comm);
    return wish;
}

/* *out on rank 0: the facts of all, by rank. *n_gpus: ranks that have one. */
static skv_status collect(skv_host_facts **out, int64_t *n_gpus, const skv_doctor *d)
{
    const int n = skv_comm_size(d->comm);
    const skv_device_wish wish = own_wish(d);
    skv_host_facts mine;
    skv_blob *all = NULL;
    skv_status st = SKV_OK;

    skv_host_facts_look(&mine, d->comm, &wish);
    *n_gpus = mine.gpu[0] != '\0';
    SKV_TRY(skv_comm_sum_i64(d->comm, n_gpus, 1));
    SKV_TRY(skv_comm_gather_blobs(&all, d->comm, &mine, sizeof mine));
    if (all)
        st = skv_alloc(out, (size_t)n, sizeof **out, "what ranks say of their hosts");
    for (int r = 0; all && st == SKV_OK && r < n; r++)
        memcpy(&(*out)[r], all[r].data, sizeof mine);
    free(all);
    return skv_comm_agree(d->comm, st);
}

/* How weights would go from GPU to GPU. rank: the facts of all, on rank 0. */
static skv_status try_nccl(skv_findings *f, const skv_doctor *d, const skv_host_facts *rank)
{
    const skv_device_wish wish = own_wish(d);
    const int n = skv_comm_size(d->comm);
    skv_spread_pairs pairs = {0};
    skv_spread *s = NULL;
    skv_backend *be = NULL;
    skv_device_choice choice;
    skv_status st;

    st = skv_alloc(&pairs.partner, (size_t)n, sizeof *pairs.partner, "pairs of GPUs");
    if (st == SKV_OK)
        st = skv_backend_choose(&be, &choice, &wish);
    SKV_TRY_GOTO(skv_comm_agree(d->comm, st), done);
    SKV_TRY_GOTO(skv_spread_open(&s, d->comm, be, true), done);
    if (rank && (skv_spread_why(s)[0] || skv_spread_by_nccl(s)))
        skv_doctor_nccl(f, skv_spread_way(s), skv_spread_why(s), n);
    SKV_TRY_GOTO(skv_spread_try_pairs(&pairs, s), done);
    if (rank)
        skv_doctor_pairs(f, &pairs, rank, n);
done:
    free(pairs.partner);
    skv_spread_close(s);
    skv_backend_destroy(be);
    return st;
}

skv_status skv_doctor_examine(skv_findings *f, skv_doctor_facts *out, const skv_doctor *d)
{
    const skv_launch_facts launch = launch_facts(d->comm);
    const int n = skv_comm_size(d->comm);
    int64_t n_gpus = 0;

    *out = (skv_doctor_facts){.free_disk = SKV_NO_LIMIT};
    SKV_TRY(compare_builds(&out->one_build, f, d->comm));
    if (!out->one_build)
        return SKV_OK;
    SKV_TRY(collect(&out->rank, &n_gpus, d));
    if (out->rank) {
        skv_doctor_launcher(f, &launch, out->rank, n);
        skv_doctor_devices(f, out->rank, n);
        skv_doctor_cores(f, out->rank, n);
        skv_doctor_limits(f, out->rank, n);
        skv_doctor_time(f, &launch);
        skv_doctor_tuning(f, &out->rank[0]);
    }
    if (n > 1 && n_gpus == n)
        SKV_TRY(try_nccl(f, d, out->rank));
    if (d->run && skv_comm_rank(d->comm) == 0)
        skv_doctor_run(f, d->run);
    if (d->run)
        SKV_TRY(skv_doctor_folder(f, &out->free_disk, d->comm, d->run));
    return skv_comm_agree(d->comm, skv_findings_check(f));
}
