/* The communicator's promises, by every rank at once, over the form that started it. Data are
 * integers, so sums are compared with ==. A failed check ends all ranks: the others would wait for
 * this one in the next collective. SKV_TEST_RUN, _PORT, _NOTICE and _LIMIT are the wish. */
#include "mpi/spread.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mpi_state.h"

#define HALF ((size_t)8 << 20) /* of the window between ranks of a host */

static skv_comm *comm;

static void check(int ok, const char *what, const char *test, int line)
{
    if (ok)
        return;
    fprintf(stderr, "rank %d: %s, line %d: %s (last message: %s)\n",
            comm ? skv_comm_rank(comm) : -1, test, line, what, skv_message());
    skv_comm_abort(comm, 1);
    exit(1);
}

#define CHECK(x)    check((x) != 0, #x, __func__, __LINE__)
#define CHECK_OK(x) check((x) == SKV_OK, #x, __func__, __LINE__)

static double from_env(const char *name, double fallback)
{
    const char *text = getenv(name);

    return text ? strtod(text, NULL) : fallback;
}

static skv_status open_comm(void)
{
    return skv_comm_open(&comm, &(skv_comm_wish){.run = getenv("SKV_TEST_RUN"),
                                                 .port = (int)from_env("SKV_TEST_PORT", 0),
                                                 .wait_notice = from_env("SKV_TEST_NOTICE", 60),
                                                 .wait_limit = from_env("SKV_TEST_LIMIT", 600)});
}

static unsigned char pattern(size_t i, int root)
{
    return (unsigned char)(i * 31 + i / 65536 + (size_t)root * 7 + 1);
}

static void ranks_are_a_permutation_and_hosts_agree(void)
{
    int size = skv_comm_size(comm), rank = skv_comm_rank(comm);
    int64_t seen[64] = {0}, locals = skv_comm_local_size(comm);

    CHECK(size <= 64 && rank >= 0 && rank < size);
    seen[rank] = 1;
    CHECK_OK(skv_comm_sum_i64(comm, seen, 64));
    for (int r = 0; r < 64; r++)
        CHECK(seen[r] == (r < size));
    CHECK_OK(skv_comm_max_i64(comm, &locals, 1));
    CHECK(locals == size); /* the test runs on one host */
    CHECK(skv_comm_local_rank(comm) == rank);
    CHECK(strlen(skv_comm_host(comm)) > 0);
}

static void sums_and_maxima_are_exact(void)
{
    int size = skv_comm_size(comm), rank = skv_comm_rank(comm);
    int64_t v[3] = {rank + 1, ((int64_t)1 << 53) + rank, -rank}, m[2] = {-5 - rank, rank * 10};

    CHECK_OK(skv_comm_sum_i64(comm, v, 3));
    CHECK(v[0] == (int64_t)size * (size + 1) / 2);
    CHECK(v[1] == ((int64_t)1 << 53) * size + (int64_t)size * (size - 1) / 2);
    CHECK(v[2] == -(int64_t)size * (size - 1) / 2);
    CHECK_OK(skv_comm_max_i64(comm, m, 2));
    CHECK(m[0] == -5 && m[1] == (size - 1) * 10);
}

/* Larger than two pieces of the MPI form, and not a multiple of one. */
static void large_broadcasts_arrive_whole_from_any_root(void)
{
    size_t bytes = ((size_t)1 << 27) + 12345;
    int size = skv_comm_size(comm), rank = skv_comm_rank(comm);
    unsigned char *data = malloc(bytes);

    CHECK(data != NULL);
    for (int root = 0; root<size; root += size> 1 ? size - 1 : 1) {
        for (size_t i = 0; i < bytes; i++)
            data[i] = rank == root ? pattern(i, root) : 0;
        CHECK_OK(skv_comm_broadcast(comm, data, bytes, root));
        for (size_t i = 0; i < bytes; i++)
            if (data[i] != pattern(i, root))
                check(0, "a byte differs", __func__, __LINE__);
    }
    free(data);
    CHECK_OK(skv_comm_broadcast(comm, NULL, 0, 0));
    CHECK(skv_comm_broadcast(comm, NULL, 0, size) == SKV_E_ARG);
}

static void a_blob_only_the_root_knows_reaches_all(void)
{
    int size = skv_comm_size(comm), rank = skv_comm_rank(comm);

    for (int root = 0; root < size; root++)
        for (size_t want = 0; want < 3000; want += 1499) {
            unsigned char *mine = malloc(want + 1);
            void *data = rank == root ? mine : NULL;
            size_t bytes = rank == root ? want : 77;

            for (size_t i = 0; i < want; i++)
                mine[i] = pattern(i, root);
            CHECK_OK(skv_comm_broadcast_blob(comm, &data, &bytes, root));
            CHECK(bytes == want && data != NULL);
            for (size_t i = 0; i < want; i++)
                CHECK(((unsigned char *)data)[i] == pattern(i, root));
            if (rank != root) {
                CHECK(((char *)data)[want] == '\0');
                free(data);
            }
            free(mine);
        }
}

/* Rank r sends r·40000 + 3 bytes, the last one nothing. */
static void blobs_of_uneven_size_gather_in_rank_order(void)
{
    int size = skv_comm_size(comm), rank = skv_comm_rank(comm);
    size_t bytes = rank == size - 1 ? 0 : (size_t)rank * 40000 + 3;
    unsigned char *mine = malloc(bytes + 1);
    skv_blob *blobs = NULL;

    for (size_t i = 0; i < bytes; i++)
        mine[i] = pattern(i, rank);
    CHECK_OK(skv_comm_gather_blobs(&blobs, comm, mine, bytes));
    CHECK((blobs != NULL) == (rank == 0));
    for (int r = 0; blobs && r < size; r++) {
        CHECK(blobs[r].bytes == (r == size - 1 ? 0 : (size_t)r * 40000 + 3));
        for (size_t i = 0; i < blobs[r].bytes; i++)
            CHECK(((unsigned char *)blobs[r].data)[i] == pattern(i, r));
        CHECK(((char *)blobs[r].data)[blobs[r].bytes] == '\0');
    }
    free(blobs);
    free(mine);
}

/* Rank 0 has r·40000 + 3 bytes for rank r, nothing for the last one. */
static void each_rank_gets_its_blob_of_rank_0s(void)
{
    int size = skv_comm_size(comm), rank = skv_comm_rank(comm);
    skv_blob all[64], mine;

    for (int r = 0; rank == 0 && r < size; r++) {
        all[r].bytes = r == size - 1 ? 0 : (size_t)r * 40000 + 3;
        all[r].data = malloc(all[r].bytes + 1);
        for (size_t i = 0; i < all[r].bytes; i++)
            ((unsigned char *)all[r].data)[i] = pattern(i, r);
    }
    CHECK_OK(skv_comm_scatter_blobs(&mine, comm, rank == 0 ? all : NULL));
    CHECK(mine.bytes == (rank == size - 1 ? 0 : (size_t)rank * 40000 + 3));
    for (size_t i = 0; i < mine.bytes; i++)
        CHECK(((unsigned char *)mine.data)[i] == pattern(i, rank));
    CHECK(((char *)mine.data)[mine.bytes] == '\0');
    free(mine.data);
    for (int r = 0; rank == 0 && r < size; r++)
        free(all[r].data);
}

static int fails_at; /* the how-manieth allocation of ours from now on fails; 0: none does */
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
    return fails_at > 0 && --fails_at == 0 ? NULL : __real_calloc(n, size);
}

/* The status of all, which must be the same; the bytes sent from rank 0 are few. */
static skv_status blob_status(void)
{
    int rank = skv_comm_rank(comm);
    char text[] = "text";
    void *data = rank == 0 ? text : NULL;
    size_t bytes = rank == 0 ? sizeof text : 0;
    skv_status st = skv_comm_broadcast_blob(comm, &data, &bytes, 0);

    if (rank > 0)
        free(data);
    fails_at = 0;
    return st;
}

static skv_status gather_status(void)
{
    skv_blob *blobs = NULL;
    skv_status st = skv_comm_gather_blobs(&blobs, comm, "text", 5);

    CHECK(st == SKV_OK || blobs == NULL);
    free(blobs);
    fails_at = 0;
    return st;
}

static skv_status scatter_status(void)
{
    skv_blob all[64], mine;
    skv_status st;

    for (int r = 0; r < skv_comm_size(comm); r++)
        all[r] = (skv_blob){"text", 5};
    st = skv_comm_scatter_blobs(&mine, comm, skv_comm_rank(comm) == 0 ? all : NULL);
    CHECK(st == SKV_OK || mine.data == NULL);
    free(mine.data);
    fails_at = 0;
    return st;
}

static void a_rank_without_memory_fails_all(void)
{
    int size = skv_comm_size(comm), rank = skv_comm_rank(comm);

    for (int bad = 0; bad < size; bad++) {
        fails_at = rank == bad;
        CHECK(blob_status() == (bad == 0 ? SKV_OK : SKV_E_MEM)); /* rank 0 has its bytes */
        fails_at = rank == bad;
        CHECK(gather_status() == (bad == 0 ? SKV_E_MEM : SKV_OK)); /* the others have theirs */
        fails_at = rank == bad;
        CHECK(scatter_status() == SKV_E_MEM);
    }
    fails_at = rank == 0 ? 2 : 0; /* rank 0 has room for the sizes, but not for the bytes */
    CHECK(gather_status() == SKV_E_MEM);
    fails_at = rank == 0 ? 2 : 0;
    CHECK(scatter_status() == SKV_E_MEM);
    CHECK_OK(gather_status());
    CHECK_OK(scatter_status());
}

static void all_leave_with_the_failing_ranks_message(void)
{
    int size = skv_comm_size(comm), rank = skv_comm_rank(comm);
    char want[64];

    for (int bad = 0; bad < size; bad++) {
        skv_status st = SKV_OK;

        if (rank == bad)
            st = skv_fail_at(SKV_E_FORMAT, "weights.c", 42, "file %d is cut short", bad);
        CHECK(skv_comm_agree(comm, st) == SKV_E_FORMAT);
        snprintf(want, sizeof want, "file %d is cut short", bad);
        CHECK(strstr(skv_message(), want) != NULL);
        CHECK((strncmp(skv_message(), "rank ", 5) == 0) == (bad > 0));
        CHECK(strcmp(skv_origin(), "weights.c:42") == 0);
    }
    CHECK_OK(skv_comm_agree(comm, SKV_OK));
}

static void a_failure_outranks_a_stop_and_the_lowest_rank_speaks(void)
{
    int size = skv_comm_size(comm), rank = skv_comm_rank(comm);
    skv_status st = skv_fail(SKV_E_STOPPED, "asked to stop");

    CHECK(skv_comm_agree(comm, st) == SKV_E_STOPPED);
    if (size < 3)
        return;
    if (rank >= 1)
        st = skv_fail(rank == 1 ? SKV_E_IO : SKV_E_ARG, "from %d", rank);
    CHECK(skv_comm_agree(comm, st) == SKV_E_IO);
    CHECK(strstr(skv_message(), "from 1") != NULL);
}

/* On the CPU, or on the GPUs with SKV_TEST_DEVICE=cuda: a rank a GPU, and more ranks share them. */
static skv_backend *open_backend(void)
{
    const char *device = getenv("SKV_TEST_DEVICE");
    skv_backend *be = NULL;
    int n = 0;

    if (device && strcmp(device, "cuda") == 0) {
        CHECK_OK(skv_cuda_count(&n));
        CHECK_OK(skv_backend_open_cuda(
            &be, &(skv_cuda_options){.device = skv_comm_local_rank(comm) % n, .type = SKV_F32}));
    } else {
        CHECK_OK(skv_backend_open_cpu(&be, 1));
    }
    return be;
}

/* What a reader has, and what the others have once it is sent. */
static void send_once(skv_spread *s, skv_backend *be, unsigned char *host, void *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        host[i] = skv_spread_reads(s) ? pattern(i, 1) : 0;
    CHECK_OK(skv_backend_upload(be, data, host, bytes));
    CHECK_OK(skv_spread_send(s, SKV_OK, be, data, bytes));
    memset(host, 0, bytes);
    CHECK_OK(skv_backend_download(be, host, data, bytes));
    for (size_t i = 0; i < bytes; i++)
        if (host[i] != pattern(i, 1))
            check(0, "a byte differs", __func__, __LINE__);
}

/* Ranks from `first` on take part; the others only keep time. */
static void device_memory_reaches_those_that_take(int first, size_t bytes)
{
    const bool takes = skv_comm_rank(comm) >= first;
    unsigned char *host = malloc(bytes);
    skv_backend *be = open_backend();
    skv_spread *s = NULL;
    int64_t readers;
    void *data = NULL;

    CHECK(host != NULL);
    CHECK_OK(skv_spread_open(&s, comm, be, takes));
    readers = skv_spread_reads(s);
    CHECK(takes || readers == 0);
    CHECK_OK(skv_comm_sum_i64(comm, &readers, 1));
    CHECK(readers == 1); /* all ranks are of one host */
    if (takes) {
        CHECK_OK(skv_backend_alloc(be, &data, bytes, "test"));
        for (int i = 0; i < 2; i++)
            send_once(s, be, host, data, bytes);
    }
    CHECK_OK(skv_spread_end(s, SKV_OK));
    if (skv_comm_rank(comm) == 0)
        printf("device memory went %s\n", skv_spread_way(s));
    skv_spread_close(s);
    skv_backend_free(be, data);
    skv_backend_destroy(be);
    free(host);
}

/* A rank that failed on its way here may join with its failure, or by agreeing on it. */
static void a_failure_before_a_sending_is_everybodys(void)
{
    const int last = skv_comm_size(comm) - 1;
    unsigned char byte = 7;
    skv_backend *be = open_backend();
    skv_spread *s = NULL;
    skv_status st = SKV_OK;

    CHECK_OK(skv_spread_open(&s, comm, be, true));
    if (skv_comm_rank(comm) == 0)
        st = skv_fail(SKV_E_IO, "checkpoint is cut short");
    st = skv_spread_send(s, st, be, &byte, 1);
    CHECK(st == SKV_E_IO && strstr(skv_message(), "checkpoint is cut short") && byte == 7);
    CHECK(skv_spread_end(s, st) == SKV_E_IO);
    skv_spread_close(s);

    s = NULL;
    CHECK_OK(skv_spread_open(&s, comm, be, true));
    if (skv_comm_rank(comm) == last)
        st = skv_spread_end(s, skv_fail(SKV_E_MEM, "no room"));
    else
        st = skv_spread_end(s, skv_spread_send(s, SKV_OK, be, &byte, 1));
    CHECK(st == SKV_E_MEM && strstr(skv_message(), "no room") != NULL);
    skv_spread_close(s);
    skv_backend_destroy(be);
}

/* As with an older kind of GPU beside a newer one: what is packed may differ in size. */
static void sizes_that_differ_are_refused_on_all_ranks(void)
{
    unsigned char bytes[2] = {1, 2};
    skv_backend *be = open_backend();
    skv_spread *s = NULL;

    if (skv_comm_size(comm) > 1) {
        CHECK_OK(skv_spread_open(&s, comm, be, true));
        CHECK(skv_spread_send(s, SKV_OK, be, bytes, skv_comm_rank(comm) == 0 ? 1 : 2) ==
              SKV_E_UNSUPPORTED);
        skv_spread_close(s);
    }
    skv_backend_destroy(be);
}

/* A barrier with one rank half a second late costs the early ones next to no processor time. */
static void waiting_for_a_late_rank_sleeps(void)
{
    struct timespec half = {0, 500000000}, a, b;
    double used;

    CHECK_OK(skv_comm_barrier(comm));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
    if (skv_comm_rank(comm) == 0)
        nanosleep(&half, NULL);
    CHECK_OK(skv_comm_barrier(comm));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
    used = (double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec);
    CHECK(used < 0.25); /* spinning would take the whole 0.5 s; measured: 0.01 s */
}

static int run_all(const char *form)
{
    CHECK_OK(open_comm());
    CHECK(strcmp(skv_comm_form(comm), form) == 0);
    ranks_are_a_permutation_and_hosts_agree();
    sums_and_maxima_are_exact();
    large_broadcasts_arrive_whole_from_any_root();
    a_blob_only_the_root_knows_reaches_all();
    blobs_of_uneven_size_gather_in_rank_order();
    each_rank_gets_its_blob_of_rank_0s();
    a_rank_without_memory_fails_all();
    all_leave_with_the_failing_ranks_message();
    device_memory_reaches_those_that_take(0, 3 * HALF + 54321);
    device_memory_reaches_those_that_take(skv_comm_size(comm) > 2, HALF);
    device_memory_reaches_those_that_take(skv_comm_size(comm) - 1, 1);
    a_failure_before_a_sending_is_everybodys();
    sizes_that_differ_are_refused_on_all_ranks();
    a_failure_outranks_a_stop_and_the_lowest_rank_speaks();
    waiting_for_a_late_rank_sleeps();
    CHECK_OK(skv_comm_leave(comm));
    CHECK(!skv_comm_is_lost(comm));
    skv_comm_close(comm);
    return 0;
}

static int run_alone(void)
{
    CHECK_OK(open_comm());
    CHECK(strcmp(skv_comm_form(comm), "alone") == 0);
    CHECK(!mpi_was_started());
    ranks_are_a_permutation_and_hosts_agree();
    sums_and_maxima_are_exact();
    a_blob_only_the_root_knows_reaches_all();
    blobs_of_uneven_size_gather_in_rank_order();
    each_rank_gets_its_blob_of_rank_0s();
    all_leave_with_the_failing_ranks_message();
    CHECK_OK(skv_comm_barrier(comm));
    skv_comm_abort(comm, 9); /* nobody else to end */
    skv_comm_close(comm);
    return 0;
}

/* The last rank gives up while the others wait for it: all must be gone at once, with its code. */
static int run_abort(void)
{
    CHECK_OK(open_comm());
    if (skv_comm_rank(comm) == skv_comm_size(comm) - 1)
        skv_comm_abort(comm, 9);
    CHECK_OK(skv_comm_barrier(comm));
    skv_comm_close(comm);
    return 0;
}

/* As main does. */
static int leave(skv_status st)
{
    if (st == SKV_OK)
        return 0;
    if (!comm || skv_comm_reports(comm))
        fprintf(stderr, "%s: %s\n", skv_status_name(st), skv_message());
    if (comm && skv_comm_is_lost(comm)) {
        CHECK(skv_comm_agree(comm, SKV_OK) == st); /* at once, with the same sentence */
        skv_comm_abort(comm, 1);
    }
    skv_comm_close(comm);
    return 1;
}

/* A rank gets a signal while the others wait for it, or (leaves) goes without a word. */
static int run_lost(const char *how, int victim)
{
    skv_status st = open_comm();

    if (st == SKV_OK)
        st = skv_comm_barrier(comm);
    if (st == SKV_OK && skv_comm_rank(comm) == victim) {
        if (strcmp(how, "leaves") == 0)
            return 0;
        raise(strcmp(how, "stops") == 0 ? SIGSTOP : SIGKILL);
    }
    if (st == SKV_OK)
        st = skv_comm_leave(comm);
    if (st == SKV_OK)
        skv_comm_close(comm);
    return leave(st);
}

/* Rank 0 works by itself, longer than the others wait, and says that it is there. */
static int run_busy(void)
{
    const struct timespec nap = {.tv_nsec = 100000000};

    CHECK_OK(open_comm());
    CHECK_OK(skv_comm_barrier(comm));
    for (int i = 0; skv_comm_rank(comm) == 0 && i < 60; i++) {
        skv_comm_here(comm);
        nanosleep(&nap, NULL);
    }
    CHECK_OK(skv_comm_barrier(comm));
    skv_comm_close(comm);
    return 0;
}

/* Ranks that make different calls. */
static int run_astray(void)
{
    int64_t one = 1;
    skv_status st;

    CHECK_OK(open_comm());
    if (skv_comm_rank(comm) == 1)
        st = skv_comm_sum_i64(comm, &one, 1);
    else
        st = skv_comm_barrier(comm);
    if (st == SKV_OK)
        st = skv_comm_barrier(comm);
    return leave(st);
}

static int run_refused(skv_status want)
{
    CHECK(open_comm() == want);
    CHECK(comm == NULL);
    printf("refused: %s\n", skv_message());
    return 0;
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "mpi";

    if (strcmp(mode, "alone") == 0)
        return run_alone();
    if (strcmp(mode, "abort") == 0)
        return run_abort();
    if (strcmp(mode, "lost") == 0)
        return run_lost(argv[2], atoi(argv[3]));
    if (strcmp(mode, "busy") == 0)
        return run_busy();
    if (strcmp(mode, "astray") == 0)
        return run_astray();
    if (strcmp(mode, "refused") == 0)
        return run_refused((skv_status)atoi(argv[2]));
    return run_all(mode);
}
