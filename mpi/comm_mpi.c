/* The MPI form, over MPI_COMM_WORLD. One thread calls it.
 *
 * A blocking call of MPI spins a whole core until the last rank arrives, and for ever if it does
 * not. So the words that ranks meet by are messages without data, polled between naps, and the data
 * move by non-blocking calls when all are there. Counts are ints: larger data go in pieces. */
#include "mpi/comm_impl.h"

#include <mpi.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"

#define PIECE_BYTES ((size_t)1 << 26)
#define SPIN        2.0 /* s: data that are moving are worth a core */

static skv_status mpi_failed(int code, const char *call, const char *file, int line)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int n = 0;

    if (MPI_Error_string(code, text, &n) != MPI_SUCCESS)
        n = 0;
    text[n < MPI_MAX_ERROR_STRING ? n : MPI_MAX_ERROR_STRING - 1] = '\0';
    return skv_fail_at(SKV_E_MPI, file, line, "%s: %s (error %d)", call, text, code);
}

/* A foreign call; returns from the calling function with MPI's own text when it fails. */
#define SKV_MPI(x)                                                                                 \
    do {                                                                                           \
        int skv_mpi_code = (x);                                                                    \
        if (skv_mpi_code != MPI_SUCCESS)                                                           \
            return mpi_failed(skv_mpi_code, #x, __FILE__, __LINE__);                               \
    } while (0)

typedef struct {
    MPI_Comm words; /* apart from the data: words are taken from whoever sends one */
} mpi_state;

static void mpi_nap(skv_comm *c, long ns)
{
    const struct timespec nap = {0, ns};

    (void)c;
    (void)nanosleep(&nap, NULL); /* waking early does no harm */
}

/* Until a piece of data, or a word, has moved between this rank and `whom` (skv_wait). */
static skv_status finish(skv_comm *c, MPI_Request *request, int whom)
{
    int done = 0;
    skv_wait w;

    SKV_MPI(MPI_Test(request, &done, MPI_STATUS_IGNORE));
    if (done)
        return SKV_OK;
    skv_comm__wait_begin(&w, c, whom);
    while (!done) {
        SKV_TRY(skv_comm__wait_check(&w, c));
        if (skv_seconds() - w.start > SPIN)
            mpi_nap(c, 1000000);
        else
            sched_yield();
        SKV_MPI(MPI_Test(request, &done, MPI_STATUS_IGNORE));
    }
    return SKV_OK;
}

static skv_status mpi_tell(skv_comm *c, int to, skv_word word)
{
    const mpi_state *m = c->state;
    MPI_Request request;

    SKV_MPI(MPI_Isend(NULL, 0, MPI_BYTE, to, (int)word, m->words, &request));
    return finish(c, &request, to);
}

static skv_status mpi_heard(skv_comm *c, int *from, skv_word *word)
{
    const mpi_state *m = c->state;
    MPI_Status status;
    int there = 0;

    *word = SKV_WORD_NONE;
    SKV_MPI(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, m->words, &there, &status));
    if (!there)
        return SKV_OK;
    *from = status.MPI_SOURCE;
    *word = (skv_word)status.MPI_TAG;
    SKV_MPI(MPI_Recv(NULL, 0, MPI_BYTE, *from, status.MPI_TAG, m->words, MPI_STATUS_IGNORE));
    return SKV_OK;
}

static int piece(size_t left)
{
    return (int)(left < PIECE_BYTES ? left : PIECE_BYTES);
}

static skv_status mpi_broadcast(skv_comm *c, void *data, size_t bytes, int root)
{
    MPI_Request request;
    char *at = data;

    for (size_t left = bytes; left > 0;) {
        int n = piece(left);

        SKV_MPI(MPI_Ibcast(at, n, MPI_BYTE, root, MPI_COMM_WORLD, &request));
        SKV_TRY(finish(c, &request, SKV_WAIT_UNKNOWN));
        at += n;
        left -= (size_t)n;
    }
    return SKV_OK;
}

static skv_status mpi_reduce_i64(skv_comm *c, int64_t *values, size_t n, bool is_max)
{
    MPI_Op op = is_max ? MPI_MAX : MPI_SUM;
    MPI_Request request;

    while (n > 0) {
        int now = piece(n * sizeof *values) / (int)sizeof *values;

        SKV_MPI(
            MPI_Iallreduce(MPI_IN_PLACE, values, now, MPI_INT64_T, op, MPI_COMM_WORLD, &request));
        SKV_TRY(finish(c, &request, SKV_WAIT_UNKNOWN));
        values += now;
        n -= (size_t)now;
    }
    return SKV_OK;
}

static skv_status mpi_send(skv_comm *c, const void *data, size_t bytes, int to)
{
    const char *at = data;
    MPI_Request request;

    for (size_t left = bytes; left > 0;) {
        int n = piece(left);

        SKV_MPI(MPI_Isend(at, n, MPI_BYTE, to, 0, MPI_COMM_WORLD, &request));
        SKV_TRY(finish(c, &request, to));
        at += n;
        left -= (size_t)n;
    }
    return SKV_OK;
}

static skv_status mpi_recv(skv_comm *c, void *data, size_t bytes, int from)
{
    MPI_Request request;
    char *at = data;

    for (size_t left = bytes; left > 0;) {
        int n = piece(left);

        SKV_MPI(MPI_Irecv(at, n, MPI_BYTE, from, 0, MPI_COMM_WORLD, &request));
        SKV_TRY(finish(c, &request, from));
        at += n;
        left -= (size_t)n;
    }
    return SKV_OK;
}

static void mpi_end_all(skv_comm *c, int code)
{
    (void)c;
    (void)MPI_Abort(MPI_COMM_WORLD, code);
}

/* MPI_Finalize waits for all ranks, so not where some are lost. */
static void mpi_close(skv_comm *c)
{
    if (!c->lost)
        (void)MPI_Finalize();
    free(c->state);
}

static const skv_comm_ops mpi_ops = {
    .name = "mpi",
    .tell = mpi_tell,
    .heard = mpi_heard,
    .nap = mpi_nap,
    .broadcast = mpi_broadcast,
    .reduce_i64 = mpi_reduce_i64,
    .send = mpi_send,
    .recv = mpi_recv,
    .end_all = mpi_end_all,
    .close = mpi_close,
};

static skv_status find_local_rank(skv_comm *c)
{
    MPI_Comm local;

    SKV_MPI(
        MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, c->rank, MPI_INFO_NULL, &local));
    SKV_MPI(MPI_Comm_rank(local, &c->local_rank));
    SKV_MPI(MPI_Comm_size(local, &c->local_size));
    SKV_MPI(MPI_Comm_free(&local));
    return SKV_OK;
}

/* Rank 0 gets the names of all, the others its name. */
static skv_status exchange_hosts(skv_comm *c)
{
    MPI_Request request;

    SKV_MPI(MPI_Igather(c->host, SKV_HOST_BYTES, MPI_CHAR, c->hosts, SKV_HOST_BYTES, MPI_CHAR, 0,
                        MPI_COMM_WORLD, &request));
    SKV_TRY(finish(c, &request, SKV_WAIT_UNKNOWN));
    SKV_MPI(MPI_Ibcast(c->hosts, SKV_HOST_BYTES, MPI_CHAR, 0, MPI_COMM_WORLD, &request));
    return finish(c, &request, SKV_WAIT_UNKNOWN);
}

skv_status skv_comm__open_mpi(skv_comm *c)
{
    mpi_state *m = NULL;
    int level = 0;

    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level) != MPI_SUCCESS)
        return skv_fail(SKV_E_MPI, "MPI cannot start"); /* and explains no error before it has */
    c->ops = &mpi_ops;                                  /* from here on closing finalizes */
    SKV_MPI(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
    SKV_MPI(MPI_Comm_rank(MPI_COMM_WORLD, &c->rank));
    SKV_MPI(MPI_Comm_size(MPI_COMM_WORLD, &c->size));
    if (level < MPI_THREAD_FUNNELED)
        return skv_fail(SKV_E_MPI, "this MPI does not allow a process to have threads");
    SKV_TRY(skv_comm__alloc_ranks(c));
    SKV_TRY(skv_alloc(&m, 1, sizeof *m, "the MPI form"));
    c->state = m;
    SKV_MPI(MPI_Comm_dup(MPI_COMM_WORLD, &m->words));
    SKV_TRY(find_local_rank(c));
    return exchange_hosts(c);
}

bool skv_comm__has_mpi(void)
{
    return true;
}

/* The only call that MPI allows before its start. Its text goes on after a comma, or a line. */
int skv_comm__mpi_library(skv_library *out)
{
    char text[MPI_MAX_LIBRARY_VERSION_STRING] = "", built[48];
    int n = 0;

    snprintf(built, sizeof built, "standard %d.%d", MPI_VERSION, MPI_SUBVERSION);
    if (MPI_Get_library_version(text, &n) != MPI_SUCCESS)
        text[0] = '\0';
    text[strcspn(text, ",\n")] = '\0';
    *out = skv_library_of("MPI", built, text);
    return 1;
}
