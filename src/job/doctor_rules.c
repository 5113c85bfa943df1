#include "job/doctor_rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"

#define MIB ((int64_t)1 << 20)
#define GIB ((int64_t)1 << 30)

/* NCCL's buffers between ranks of one host: some MiB for each pair of neighbours. */
#define SHARED_MEMORY_A_RANK (32 * MIB)

/* A rank has a few dozen files, sockets and libraries open; Open MPI hangs below 48 (measured). */
#define OPEN_FILES 256

/* Seconds: loading alone takes about as long. */
#define LEAST_TIME 120

static bool same_host(const skv_host_facts *a, const skv_host_facts *b)
{
    return strcmp(a->host, b->host) == 0;
}

static bool first_of_host(const skv_host_facts *rank, int r)
{
    for (int before = 0; before < r; before++)
        if (same_host(&rank[before], &rank[r]))
            return false;
    return true;
}

static int count_hosts(const skv_host_facts *rank, int n)
{
    int hosts = 0;

    for (int r = 0; r < n; r++)
        hosts += first_of_host(rank, r);
    return hosts;
}

void skv_doctor_launcher(skv_findings *f, const skv_launch_facts *l, const skv_host_facts *rank,
                         int n)
{
    const int hosts = count_hosts(rank, n);

    if (strcmp(l->form, "alone") == 0 && l->in_slurm_job && l->slurm_tasks > 1)
        skv_findings_trap(f, "launcher", "start it by srun or by mpirun",
                          "one process alone in a SLURM job of %" PRId64 " tasks", l->slurm_tasks);
    else
        skv_findings_fact(f, "launcher", "%d rank%s on %d host%s (%s)", n, skv_s(n), hosts,
                          skv_s(hosts), l->form);
}

/* ------------------------------------------------------------------------- devices */

/* Ranks that use the GPU of rank r as well, and come after it. */
static void shared_gpu(skv_findings *f, const skv_host_facts *rank, int n, int r)
{
    int others = 0, last = r;

    if (!rank[r].gpu[0])
        return;
    for (int before = 0; before < r; before++)
        if (strcmp(rank[before].gpu, rank[r].gpu) == 0)
            return;
    for (int after = r + 1; after < n; after++)
        if (strcmp(rank[after].gpu, rank[r].gpu) == 0) {
            others++;
            last = after;
        }
    if (others > 0)
        skv_findings_trap(
            f, "GPUs", "start one rank for each GPU, on every host",
            "%d ranks (%d to %d, %s) use one GPU, %s: it gets no faster, and each has "
            "a share of its memory",
            others + 1, r, last, rank[r].host, rank[r].gpu);
}

/* Memory of the GPU that other processes hold, beyond what a driver takes. */
static void taken_gpu(skv_findings *f, const skv_host_facts *rank, int r)
{
    const int64_t taken = rank[r].all_here - rank[r].free_here;

    if (rank[r].gpu[0] && taken > rank[r].all_here / 10)
        skv_findings_trap(f, "GPUs", "see nvidia-smi for who uses it",
                          "rank %d (%s): %.1f of %.1f GiB of its GPU are in use already", r,
                          rank[r].host, (double)taken / (double)GIB,
                          (double)rank[r].all_here / (double)GIB);
}

static void idle_gpus(skv_findings *f, const skv_host_facts *rank, int n, int r)
{
    int used = 0;

    if (!first_of_host(rank, r) || !rank[r].gpu[0])
        return;
    for (int other = 0; other < n; other++)
        used += same_host(&rank[other], &rank[r]);
    if (rank[r].n_gpus > used)
        skv_findings_trap(f, "GPUs", "start one rank for each GPU, on every host",
                          "%s shows %d GPUs to its ranks, and only %d rank%s there", rank[r].host,
                          rank[r].n_gpus, used, used == 1 ? " is" : "s are");
}

void skv_doctor_devices(skv_findings *f, const skv_host_facts *rank, int n)
{
    const int before = f->n;

    for (int r = 0; r < n; r++) {
        if (rank[r].failure[0]) {
            skv_findings_trap(f, "device", NULL, "rank %d (%s): %s", r, rank[r].host,
                              rank[r].failure);
            continue;
        }
        if (strcmp(rank[r].device, rank[0].device) != 0 && !rank[0].failure[0])
            skv_findings_trap(f, "device", "one kind of node for a run, or --allow-other-device",
                              "rank %d (%s) computes on %s, rank 0 (%s) on %s: pictures would "
                              "depend on the rank",
                              r, rank[r].host, rank[r].device, rank[0].host, rank[0].device);
        shared_gpu(f, rank, n, r);
        taken_gpu(f, rank, r);
        idle_gpus(f, rank, n, r);
    }
    if (f->n == before)
        skv_findings_fact(f, "device", "all ranks: %s", rank[0].device);
}

/* --------------------------------------------------------------------------- hosts */

void skv_doctor_cores(skv_findings *f, const skv_host_facts *rank, int n)
{
    const int before = f->n;

    for (int r = 0; r < n; r++)
        if (rank[r].cores < 2 && rank[r].cores_host > rank[r].local_size)
            skv_findings_trap(f, "cores", "mpirun --bind-to none; srun --cpus-per-task=8",
                              "rank %d (%s) may use one of the host's %d cores: writing files and "
                              "encoding pictures hold up its computing",
                              r, rank[r].host, rank[r].cores_host);
    if (f->n == before)
        skv_findings_fact(f, "cores", "rank 0 may use %d of the %d of its host", rank[0].cores,
                          rank[0].cores_host);
}

static void limit(skv_findings *f, const skv_host_facts *rank, int r)
{
    const skv_host_facts *h = &rank[r];

    if (h->address_space != SKV_NO_LIMIT)
        skv_findings_trap(
            f, "limits", "ulimit -v unlimited",
            "rank %d (%s): its address space is limited to %" PRId64
            " MiB; libraries reserve more than they use, and some never end when they "
            "get none",
            r, h->host, h->address_space / MIB);
    if (h->file_size != SKV_NO_LIMIT)
        skv_findings_trap(f, "limits", "ulimit -f unlimited",
                          "rank %d (%s): no file may be larger than %" PRId64 " MiB", r, h->host,
                          h->file_size / MIB);
    if (h->open_files < OPEN_FILES)
        skv_findings_trap(f, "limits", "ulimit -n 1024",
                          "rank %d (%s): at most %" PRId64 " files may be open at once", r, h->host,
                          h->open_files);
    if (h->gpu[0] && first_of_host(rank, r) && h->local_size > 1 &&
        h->shared_memory < h->local_size * SHARED_MEMORY_A_RANK)
        skv_findings_trap(f, "limits", "docker run --shm-size=1g, or NCCL_SHM_DISABLE=1",
                          "%s: %" PRId64 " MiB are free in /dev/shm, and NCCL uses it between its "
                          "%d ranks",
                          h->host, h->shared_memory / MIB, h->local_size);
}

void skv_doctor_limits(skv_findings *f, const skv_host_facts *rank, int n)
{
    const int before = f->n;

    for (int r = 0; r < n; r++)
        limit(f, rank, r);
    if (f->n == before)
        skv_findings_fact(f, "limits",
                          "of address space, file size and open files: none "
                          "that hinders");
}

void skv_doctor_time(skv_findings *f, const skv_launch_facts *l)
{
    const int64_t left = l->end - l->now;

    if (l->end > 0 && left < LEAST_TIME)
        skv_findings_trap(f, "time", "ask for a longer job", "%" PRId64 " s of the job are left",
                          left);
    else if (l->end > 0)
        skv_findings_fact(f, "time", "%" PRId64 " h %02" PRId64 " min of the job are left",
                          left / 3600, left % 3600 / 60);
    else if (l->in_slurm_job)
        skv_findings_fact(f, "time",
                          "this SLURM does not tell jobs when they end: squeue -h "
                          "-j $SLURM_JOB_ID -o %%L");
}

#define NCCL_CURE                                                                                  \
    "a larger /dev/shm (docker: --shm-size), NCCL_SOCKET_IFNAME, one version on all hosts; "       \
    "NCCL_DEBUG=INFO says more"

void skv_doctor_nccl(skv_findings *f, const char *way, const char *why, int n)
{
    if (why[0])
        skv_findings_trap(f, "NCCL", NCCL_CURE, "weights would be read once a host and go %s: %s",
                          way, why);
    else
        skv_findings_fact(f, "NCCL", "a sum over %d GPUs is right, weights would go %s", n, way);
}

void skv_doctor_pairs(skv_findings *f, const skv_spread_pairs *p, const skv_host_facts *rank, int n)
{
    if (!p->tried)
        return;
    if (!p->why[0])
        skv_findings_fact(f, "NCCL", "each of %d GPUs reaches each other one", n);
    for (int r = 0; r < n; r++) {
        const int64_t other = p->partner[r];

        if (other < 0 || (other < r && p->partner[other] == r)) /* said by the other one */
            continue;
        skv_findings_trap(
            f, "NCCL", NCCL_CURE,
            "there is no way between rank %d (%s, %s) and rank %" PRId64 " (%s, %s): %s", r,
            rank[r].host, rank[r].gpu, other, rank[other].host, rank[other].gpu, p->why);
    }
}
