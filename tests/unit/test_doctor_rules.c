/* What skv doctor makes of invented hosts. */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "job/doctor_rules.h"

#define GIB ((int64_t)1 << 30)

/* Two hosts of two GPUs, a rank for each; nothing is wrong. */
static void make(skv_host_facts rank[4])
{
    memset(rank, 0, 4 * sizeof *rank);
    for (int r = 0; r < 4; r++) {
        skv_host_facts *h = &rank[r];

        strcpy(h->host, r < 2 ? "a" : "b");
        strcpy(h->device, "NVIDIA H200");
        strcpy(h->gpu, "GPU-0");
        h->gpu[4] = (char)('0' + r);
        h->local_rank = r % 2;
        h->local_size = 2;
        h->n_gpus = 2;
        h->cores = 16;
        h->cores_host = 64;
        h->all_here = 140 * GIB;
        h->free_here = 139 * GIB;
        h->shared_memory = 8 * GIB;
        h->address_space = h->file_size = SKV_NO_LIMIT;
        h->open_files = 1024;
    }
}

static void look(skv_findings *f, const skv_host_facts *rank, int n)
{
    const skv_launch_facts mpi = {.form = "mpi"};

    skv_findings_clear(f);
    skv_doctor_launcher(f, &mpi, rank, n);
    skv_doctor_devices(f, rank, n);
    skv_doctor_cores(f, rank, n);
    skv_doctor_limits(f, rank, n);
    skv_doctor_time(f, &mpi);
    assert_int_equal(skv_findings_check(f), SKV_OK);
}

/* Exactly one trap, whose text has `words`. */
static void one_trap(const skv_host_facts *rank, int n, const char *words)
{
    skv_findings f = {0};
    int found = 0;

    look(&f, rank, n);
    assert_int_equal(f.n_traps, 1);
    for (int i = 0; i < f.n; i++)
        if (f.finding[i].trap && !strstr(f.finding[i].text, words))
            fail_msg("\"%s\" has no \"%s\"", f.finding[i].text, words);
        else
            found += f.finding[i].trap;
    assert_int_equal(found, 1);
    skv_findings_clear(&f);
}

static void sound_hosts_have_no_trap(void **state)
{
    skv_host_facts rank[4];
    skv_findings f = {0};

    (void)state;
    make(rank);
    look(&f, rank, 4);
    assert_int_equal(f.n_traps, 0);
    assert_string_equal(f.finding[0].text, "4 ranks on 2 hosts (mpi)");
    skv_findings_clear(&f);
}

static void ranks_on_one_gpu_are_a_trap_once(void **state)
{
    skv_host_facts rank[4];

    (void)state;
    make(rank);
    strcpy(rank[1].gpu, rank[0].gpu);
    one_trap(rank, 4, "2 ranks (0 to 1, a) use one GPU, GPU-0");
    make(rank);
    strcpy(rank[2].gpu, rank[0].gpu);
    strcpy(rank[3].gpu, rank[0].gpu);
    one_trap(rank, 4, "3 ranks (0 to 3, a) use one GPU");
}

static void gpus_that_no_rank_uses_are_a_trap(void **state)
{
    skv_host_facts rank[4];

    (void)state;
    make(rank);
    rank[2].n_gpus = rank[3].n_gpus = 8;
    one_trap(rank, 4, "b shows 8 GPUs to its ranks, and only 2 ranks are there");
}

static void one_visible_gpu_a_rank_is_none(void **state)
{
    skv_host_facts rank[4];
    skv_findings f = {0};

    (void)state;
    make(rank);
    for (int r = 0; r < 4; r++)
        rank[r].n_gpus = 1;
    look(&f, rank, 4);
    assert_int_equal(f.n_traps, 0);
    skv_findings_clear(&f);
}

static void a_gpu_in_use_is_a_trap(void **state)
{
    skv_host_facts rank[4];

    (void)state;
    make(rank);
    rank[3].free_here = 40 * GIB;
    one_trap(rank, 4, "rank 3 (b): 100.0 of 140.0 GiB of its GPU are in use already");
}

static void other_devices_and_none_are_traps(void **state)
{
    skv_host_facts rank[4];

    (void)state;
    make(rank);
    strcpy(rank[2].device, "NVIDIA H100");
    one_trap(rank, 4, "rank 2 (b) computes on NVIDIA H100, rank 0 (a) on NVIDIA H200");
    make(rank);
    strcpy(rank[1].failure, "this machine has no NVIDIA driver");
    one_trap(rank, 4, "rank 1 (a): this machine has no NVIDIA driver");
}

static void limits_and_cores_are_traps(void **state)
{
    skv_host_facts rank[4];

    (void)state;
    make(rank);
    rank[0].address_space = GIB;
    one_trap(rank, 4, "limited to 1024 MiB");
    make(rank);
    rank[3].file_size = GIB;
    one_trap(rank, 4, "rank 3 (b): no file may be larger than 1024 MiB");
    make(rank);
    rank[3].open_files = 64;
    one_trap(rank, 4, "at most 64 files");
    make(rank);
    rank[2].shared_memory = rank[3].shared_memory = GIB / 128;
    one_trap(rank, 4, "b: 8 MiB are free in /dev/shm");
    make(rank);
    rank[1].cores = 1;
    one_trap(rank, 4, "rank 1 (a) may use one of the host's 64 cores");
}

static void launches_and_time_are_looked_at(void **state)
{
    skv_launch_facts l = {.form = "alone", .in_slurm_job = true, .slurm_tasks = 4, .now = 1000};
    skv_host_facts rank[4];
    skv_findings f = {0};

    (void)state;
    make(rank);
    skv_doctor_launcher(&f, &l, rank, 1);
    assert_int_equal(f.n_traps, 1);
    l.end = 1000 + 3 * 3600 + 120;
    skv_doctor_time(&f, &l);
    assert_int_equal(f.n_traps, 1);
    assert_string_equal(f.finding[1].text, "3 h 02 min of the job are left");
    l.end = 1060;
    skv_doctor_time(&f, &l);
    assert_int_equal(f.n_traps, 2);
    skv_findings_clear(&f);
}

static void nccl_is_a_trap_with_its_own_reason(void **state)
{
    skv_findings f = {0};

    (void)state;
    skv_doctor_nccl(&f, "by NCCL", "", 8);
    assert_int_equal(f.n_traps, 0);
    assert_string_equal(f.finding[0].text, "a sum over 8 GPUs is right, weights would go by NCCL");
    skv_doctor_nccl(&f, "through host memory", "NCCL: ncclAllReduce: no space", 8);
    assert_int_equal(f.n_traps, 1);
    assert_string_equal(f.finding[1].text, "weights would be read once a host and go through host "
                                           "memory: NCCL: ncclAllReduce: no space");
    assert_non_null(strstr(f.finding[1].cure, "/dev/shm"));
    skv_findings_clear(&f);
}

static void a_pair_without_a_way_is_named_once_with_hosts_and_gpus(void **state)
{
    int64_t none[4] = {-1, -1, -1, -1}, pair[4] = {-1, 3, -1, 1};
    skv_spread_pairs p = {.tried = true, .partner = none};
    skv_host_facts rank[4];
    skv_findings f = {0};

    (void)state;
    make(rank);
    skv_doctor_pairs(&f, &p, rank, 4);
    assert_int_equal(f.n, 1);
    assert_string_equal(f.finding[0].text, "each of 4 GPUs reaches each other one");
    p.partner = pair;
    snprintf(p.why, sizeof p.why, "NCCL: no answer");
    snprintf(rank[1].gpu, sizeof rank[1].gpu, "GPU-b");
    snprintf(rank[3].gpu, sizeof rank[3].gpu, "GPU-d");
    snprintf(rank[1].host, sizeof rank[1].host, "node1");
    snprintf(rank[3].host, sizeof rank[3].host, "node2");
    skv_doctor_pairs(&f, &p, rank, 4);
    assert_int_equal(f.n_traps, 1);
    assert_string_equal(f.finding[1].text, "there is no way between rank 1 (node1, GPU-b) and rank "
                                           "3 (node2, GPU-d): NCCL: no answer");
    p.tried = false;
    skv_doctor_pairs(&f, &p, rank, 4);
    assert_int_equal(f.n, 2);
    skv_findings_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_hosts_have_no_trap),
        cmocka_unit_test(ranks_on_one_gpu_are_a_trap_once),
        cmocka_unit_test(gpus_that_no_rank_uses_are_a_trap),
        cmocka_unit_test(one_visible_gpu_a_rank_is_none),
        cmocka_unit_test(a_gpu_in_use_is_a_trap),
        cmocka_unit_test(other_devices_and_none_are_traps),
        cmocka_unit_test(limits_and_cores_are_traps),
        cmocka_unit_test(launches_and_time_are_looked_at),
        cmocka_unit_test(nccl_is_a_trap_with_its_own_reason),
        cmocka_unit_test(a_pair_without_a_way_is_named_once_with_hosts_and_gpus),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
