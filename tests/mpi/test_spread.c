/* Which way weights go where NCCL works, fails, or never comes back on one rank: never is the job
 * ended by it, and all ranks go the same way. NCCL is a stub (stub_nccl.h); "device memory" is the
 * host's. */
#include "mpi/spread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stub_nccl.h"

#define BYTES 100000

static skv_comm *comm;
static skv_backend *be;

static void check(int ok, const char *what, const char *test, int line)
{
    if (ok)
        return;
    fprintf(stderr, "rank %d: %s, line %d: %s (last message: %s)\n", skv_comm_rank(comm), test,
            line, what, skv_message());
    skv_comm_abort(comm, 1);
    exit(1);
}

#define CHECK(x) check((x) != 0, #x, __func__, __LINE__)

static void set_fault(stub_fault fault, int rank)
{
    stub_nccl = fault;
    stub_nccl_rank = rank;
}

/* All ranks but `idle` take part. */
static skv_spread *open_spread(int idle)
{
    skv_spread *s = NULL;

    CHECK(skv_spread_open(&s, comm, be, skv_comm_rank(comm) != idle) == SKV_OK);
    return s;
}

static void send_one(skv_spread *s, int seed)
{
    unsigned char data[BYTES];

    for (size_t i = 0; i < BYTES; i++)
        data[i] = skv_spread_reads(s) ? (unsigned char)(i * 7 + i / 251 + (size_t)seed) : 0;
    CHECK(skv_spread_send(s, SKV_OK, be, data, BYTES) == SKV_OK);
    for (size_t i = 0; i < BYTES; i++)
        CHECK(data[i] == (unsigned char)(i * 7 + i / 251 + (size_t)seed));
}

static void end_spread(skv_spread *s, int idle)
{
    if (skv_comm_rank(comm) != idle)
        for (int i = 0; i < 2; i++)
            send_one(s, i);
    CHECK(skv_spread_end(s, SKV_OK) == SKV_OK);
    CHECK(stub_nccl_open == 0);
    skv_spread_close(s);
}

/* `way`, with this in the reason ("": none), and one reader. */
static void expect(const skv_spread *s, const char *way, const char *why)
{
    int64_t readers = skv_spread_reads(s);

    CHECK(strcmp(skv_spread_way(s), way) == 0);
    CHECK(why[0] ? strstr(skv_spread_why(s), why) != NULL : skv_spread_why(s)[0] == '\0');
    CHECK(skv_comm_sum_i64(comm, &readers, 1) == SKV_OK && readers == 1);
    CHECK(stub_nccl_open == 0);
}

static void nccl_runs_between_the_ranks_with_work_alone(void)
{
    for (int idle = 0; idle <= skv_comm_size(comm); idle++) { /* the last: all take part */
        skv_spread *s;

        set_fault(STUB_GOOD, 0);
        s = open_spread(idle);
        expect(s, "by NCCL", "");
        end_spread(s, idle);
    }
}

static void a_gpu_that_ranks_share_is_no_place_for_nccl(void)
{
    const int before = stub_nccl_made;
    skv_spread *s;

    set_fault(STUB_GOOD, 0);
    stub_one_gpu = 1;
    s = open_spread(-1);
    stub_one_gpu = 0;
    expect(s, "through host memory", "");
    CHECK(stub_nccl_made == before);
    end_spread(s, -1);
}

static void a_failure_of_one_rank_is_a_warning_and_all_take_the_other_way(void)
{
    static const struct {
        stub_fault fault;
        const char *why;
    } faults[] = {
        {STUB_NO_ID, "NCCL: ncclGetUniqueId: unhandled system error: the stub's reason"},
        {STUB_NO_INIT, "NCCL: ncclCommInitRankConfig: unhandled system error"},
        {STUB_NEVER, "NCCL: ncclCommInitRankConfig does not end within 2 s"},
        {STUB_WRONG_SUM, "want 6"},
    };

    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        for (int rank = 0; rank < 2; rank++) {
            skv_spread *s;

            set_fault(faults[i].fault, rank);
            s = open_spread(-1);
            expect(s, "through host memory", faults[i].why);
            end_spread(s, -1);
        }
}

static void what_was_read_for_nccl_arrives_though_it_fails_then(void)
{
    skv_spread *s;

    set_fault(STUB_LATE, 1);
    s = open_spread(skv_comm_size(comm) - 1);
    expect(s, "by NCCL", "");
    end_spread(s, skv_comm_size(comm) - 1);
}

/* One of the two, or both, say that they do not reach the other; a, b -1: nobody does. */
static void expect_pair(const skv_spread_pairs *p, int a, int b)
{
    int n = 0;

    for (int r = 0; r < 3; r++) {
        CHECK(p->partner[r] == -1 || (r == a && p->partner[r] == b) ||
              (r == b && p->partner[r] == a));
        n += p->partner[r] != -1;
    }
    CHECK((n > 0) == (a >= 0));
}

static void a_pair_that_cannot_reach_one_another_is_told(void)
{
    int64_t partner[3];
    skv_spread_pairs p = {.partner = partner};
    skv_spread *s;

    set_fault(STUB_GOOD, 0);
    s = open_spread(-1);
    CHECK(skv_spread_try_pairs(&p, s) == SKV_OK && p.tried && !p.why[0]);
    expect_pair(&p, -1, -1);
    for (int rank = 0; rank < 3; rank++) {
        set_fault(STUB_WRONG_PAIR, rank);
        CHECK(skv_spread_try_pairs(&p, s) == SKV_OK);
        CHECK(strstr(p.why, "NCCL: a number that was sent as ") != NULL);
        expect_pair(&p, rank, (rank + 1) % 3);
        set_fault(STUB_DEAF, rank);
        CHECK(skv_spread_try_pairs(&p, s) == SKV_OK);
        CHECK(strstr(p.why, "NCCL: ncclRecv does not end within ") != NULL);
        expect_pair(&p, rank, (rank + 1) % 3);
    }
    set_fault(STUB_NO_INIT, 1);
    CHECK(skv_spread_try_pairs(&p, s) == SKV_OK && strstr(p.why, "ncclCommInitRankConfig"));
    expect_pair(&p, -1, -1);
    CHECK(stub_nccl_open == 0);
    skv_spread_close(s);
    stub_one_gpu = 1;
    s = open_spread(-1);
    stub_one_gpu = 0;
    CHECK(skv_spread_try_pairs(&p, s) == SKV_OK && !p.tried);
    skv_spread_close(s);
}

static void a_stop_is_heard_while_nccl_never_ends(void)
{
    skv_flag stop = skv_comm_rank(comm) == 1;
    skv_spread *s = NULL;

    set_fault(STUB_NEVER, 0);
    be->stop = &stop;
    CHECK(skv_spread_open(&s, comm, be, true) == SKV_E_STOPPED);
    CHECK(stub_nccl_open == 0 && !s);
    be->stop = NULL;
}

int main(int argc, char **argv)
{
    const skv_comm_wish wish = {.run = getenv("SKV_TEST_RUN"), .wait_notice = 60, .wait_limit = 4};

    if (argc != 2 || skv_comm_open(&comm, &wish) != SKV_OK || skv_comm_size(comm) != 3) {
        fprintf(stderr, "wants 3 ranks, and a folder: %s\n", skv_message());
        return 1;
    }
    stub_folder = argv[1];
    CHECK(skv_backend_open_cpu(&be, 1) == SKV_OK);
    be->device = SKV_CUDA_DEVICE;
    nccl_runs_between_the_ranks_with_work_alone();
    a_gpu_that_ranks_share_is_no_place_for_nccl();
    a_failure_of_one_rank_is_a_warning_and_all_take_the_other_way();
    what_was_read_for_nccl_arrives_though_it_fails_then();
    a_pair_that_cannot_reach_one_another_is_told();
    a_stop_is_heard_while_nccl_never_ends();
    CHECK(!skv_comm_is_lost(comm));
    be->device = SKV_HOST;
    skv_backend_destroy(be);
    skv_comm_close(comm);
    return 0;
}
