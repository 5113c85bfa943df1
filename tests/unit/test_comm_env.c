#include "mpi/comm_impl.h"

#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

/* The environment the code under test sees: "NAME=value" lines. */
static const char *const *fake;

static const char *fake_get(const char *name)
{
    size_t n = strlen(name);

    for (const char *const *line = fake; *line; line++)
        if (strncmp(*line, name, n) == 0 && (*line)[n] == '=')
            return *line + n + 1;
    return NULL;
}

static skv_launch launch_in(const char *const *environment)
{
    skv_launch launch;

    fake = environment;
    assert_int_equal(skv_comm__launch(&launch, fake_get), SKV_OK);
    return launch;
}

static void nothing_set_means_alone(void **state)
{
    const char *const env[] = {"HOME=/root", "WORLD_SIZE=", NULL};
    skv_launch launch = launch_in(env);

    (void)state;
    assert_int_equal(launch.launcher, SKV_LAUNCHER_NONE);
    assert_int_equal(launch.promised, 0);
    assert_int_equal(skv_comm__cross_check(&launch, 1), SKV_OK);
}

static void mpirun_inside_a_slurm_job_is_mpirun(void **state)
{
    const char *const env[] = {"SLURM_PROCID=0",
                               "SLURM_NTASKS=2",
                               "SLURM_STEP_NUM_TASKS=1",
                               "PMIX_RANK=1",
                               "OMPI_COMM_WORLD_SIZE=2",
                               "OMPI_COMM_WORLD_RANK=1",
                               "WORLD_SIZE=5",
                               "RANK=4",
                               NULL};
    skv_launch launch = launch_in(env);

    (void)state;
    assert_int_equal(launch.launcher, SKV_LAUNCHER_MPIRUN);
    assert_int_equal(launch.promised, 2);
    assert_int_equal(skv_comm__cross_check(&launch, 2), SKV_OK);
    assert_int_equal(skv_comm__cross_check(&launch, 1), SKV_E_MPI);
    assert_non_null(strstr(skv_message(), "promises 2 ranks"));
    assert_non_null(strstr(skv_message(), "OMPI_COMM_WORLD_SIZE"));
}

static void torchrun_inside_srun_is_torchrun(void **state)
{
    const char *const env[] = {"SLURM_PROCID=0", "SLURM_STEP_NUM_TASKS=1", "PMIX_RANK=0", "RANK=3",
                               "WORLD_SIZE=8",   "TORCHELASTIC_RUN_ID=x",  NULL};
    skv_launch launch = launch_in(env);

    (void)state;
    assert_int_equal(launch.launcher, SKV_LAUNCHER_TORCHRUN);
    assert_int_equal(launch.promised, 8);
}

static void ranks_set_by_hand_come_after_mpi(void **state)
{
    const char *const env[] = {"RANK=3", "WORLD_SIZE=8", NULL};
    skv_launch launch = launch_in(env);

    (void)state;
    assert_int_equal(launch.launcher, SKV_LAUNCHER_TORCHRUN);
    assert_int_equal(launch.rank, 3);
    assert_string_equal(launch.job, "by-hand");
}

static void half_of_what_ranks_by_hand_need_is_refused(void **state)
{
    const char *const half[] = {"WORLD_SIZE=4", NULL};
    const char *const one[] = {"WORLD_SIZE=1", NULL};
    skv_launch launch;

    (void)state;
    fake = half;
    assert_int_equal(skv_comm__launch(&launch, fake_get), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "RANK is not set"));
    assert_int_equal(launch_in(one).launcher, SKV_LAUNCHER_NONE);
}

static void a_rank_that_is_none_is_refused(void **state)
{
    static const char *const wrong[] = {"4", "-1", "two", "1x", NULL};
    char line[64];
    const char *const env[] = {line, "WORLD_SIZE=4", NULL};
    skv_launch launch;

    (void)state;
    for (const char *const *value = wrong; *value; value++) {
        snprintf(line, sizeof line, "RANK=%s", *value);
        fake = env;
        assert_int_equal(skv_comm__launch(&launch, fake_get), SKV_E_ARG);
        assert_non_null(strstr(skv_message(), "RANK"));
    }
}

/* torchrun calls a job "none" that the user gave no id. */
static void a_torchrun_job_is_named_by_its_id_or_its_master(void **state)
{
    const char *const named[] = {"RANK=1",        "WORLD_SIZE=2",  "TORCHELASTIC_RUN_ID=my-job",
                                 "MASTER_ADDR=a", "MASTER_PORT=5", NULL};
    const char *const none[] = {"RANK=1",        "WORLD_SIZE=2",  "TORCHELASTIC_RUN_ID=none",
                                "MASTER_ADDR=a", "MASTER_PORT=5", NULL};

    (void)state;
    assert_string_equal(launch_in(named).job, "my-job");
    assert_string_equal(launch_in(none).job, "a:5");
}

static void srun_with_pmix_promises_the_tasks_of_its_step(void **state)
{
    const char *const env[] = {"PMIX_RANK=0", "PMIX_NAMESPACE=slurm.pmix.7.0",
                               "SLURM_STEP_NUM_TASKS=4", "SLURM_NTASKS=16", NULL};
    skv_launch launch = launch_in(env);

    (void)state;
    assert_int_equal(launch.launcher, SKV_LAUNCHER_PMIX);
    assert_int_equal(launch.promised, 4);
}

static void srun_without_pmix_gives_ranks_of_its_step(void **state)
{
    const char *const env[] = {"SLURM_PROCID=1", "SLURM_STEP_NUM_TASKS=2", "SLURM_JOB_ID=17",
                               "SLURM_STEP_ID=3", NULL};
    const char *const no_rank[] = {"SLURM_STEP_NUM_TASKS=2", NULL};
    skv_launch launch = launch_in(env);

    (void)state;
    assert_int_equal(launch.launcher, SKV_LAUNCHER_SRUN);
    assert_int_equal(launch.rank, 1);
    assert_int_equal(launch.promised, 2);
    assert_string_equal(launch.job, "slurm-17.3");
    launch = launch_in(no_rank);
    assert_int_equal(launch.launcher, SKV_LAUNCHER_NONE);
    assert_int_equal(skv_comm__cross_check(&launch, 1), SKV_E_MPI);
}

static void a_batch_script_of_a_larger_job_may_run_alone(void **state)
{
    const char *const env[] = {"SLURM_PROCID=0", "SLURM_NTASKS=2", NULL};
    skv_launch launch = launch_in(env);

    (void)state;
    assert_int_equal(launch.launcher, SKV_LAUNCHER_NONE);
    assert_int_equal(skv_comm__cross_check(&launch, 1), SKV_OK);
}

static void another_mpis_mpirun_is_refused(void **state)
{
    const char *const env[] = {"PMI_RANK=0", "PMI_SIZE=2", NULL};
    const char *const hydra[] = {"MPI_LOCALRANKID=0", "MPI_LOCALNRANKS=2", NULL};
    skv_launch launch = launch_in(env);

    (void)state;
    assert_int_equal(skv_comm__cross_check(&launch, 1), SKV_E_MPI);
    launch = launch_in(hydra);
    assert_int_equal(skv_comm__cross_check(&launch, 1), SKV_E_MPI);
    assert_non_null(strstr(skv_message(), "MPI_LOCALNRANKS"));
}

static void a_count_that_is_none_is_refused_by_name(void **state)
{
    static const char *const wrong[] = {"two", "0", "-1", "2x", "99999999999999999999", NULL};
    char line[64];
    const char *const env[] = {line, NULL};
    skv_launch launch;

    (void)state;
    for (const char *const *value = wrong; *value; value++) {
        snprintf(line, sizeof line, "OMPI_COMM_WORLD_SIZE=%s", *value);
        fake = env;
        assert_int_equal(skv_comm__launch(&launch, fake_get), SKV_E_ARG);
        assert_non_null(strstr(skv_message(), "OMPI_COMM_WORLD_SIZE"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_set_means_alone),
        cmocka_unit_test(mpirun_inside_a_slurm_job_is_mpirun),
        cmocka_unit_test(torchrun_inside_srun_is_torchrun),
        cmocka_unit_test(ranks_set_by_hand_come_after_mpi),
        cmocka_unit_test(srun_with_pmix_promises_the_tasks_of_its_step),
        cmocka_unit_test(srun_without_pmix_gives_ranks_of_its_step),
        cmocka_unit_test(half_of_what_ranks_by_hand_need_is_refused),
        cmocka_unit_test(a_rank_that_is_none_is_refused),
        cmocka_unit_test(a_torchrun_job_is_named_by_its_id_or_its_master),
        cmocka_unit_test(a_batch_script_of_a_larger_job_may_run_alone),
        cmocka_unit_test(another_mpis_mpirun_is_refused),
        cmocka_unit_test(a_count_that_is_none_is_refused_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
