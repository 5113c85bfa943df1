/* The MPI form, over MPI_COMM_WORLD. One thread calls it.
 *
 * A blocking collective of Open MPI spins a whole core until the last rank arrives. So every
 * operation first meets the others in a barrier that is polled between naps; the data moves only
 * when all are there. Counts are ints: larger data go in pieces. */
#include "mpi/comm_impl.h"

#include <mpi.h>
#include <time.h>

#define PIECE_BYTES ((size_t)1 << 26)
#define NAP_FIRST   20000L   /* ns */
#define NAP_LAST    5000000L /* ns: what a collective may cost a rank that came first */

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

static skv_status wait_politely(MPI_Request *request)
{
    struct timespec nap = {0, NAP_FIRST};
    int done = 0;

    for (;;) {
        SKV_MPI(MPI_Test(request, &done, MPI_STATUS_IGNORE));
        if (done)
            return SKV_OK;
        (void)nanosleep(&nap, NULL); /* waking early does no harm */
        if (nap.tv_nsec < NAP_LAST)
            nap.tv_nsec += nap.tv_nsec / 4;
    }
}

static skv_status mpi_barrier(skv_comm *c)
{
    MPI_Request request;

    (void)c;
    SKV_MPI(MPI_Ibarrier(MPI_COMM_WORLD, &request));
    return wait_politely(&request);
}

static int piece(size_t left)
{
    return (int)(left < PIECE_BYTES ? left : PIECE_BYTES);
}

static skv_status mpi_broadcast(skv_comm *c, void *data, size_t bytes, int root)
{
    char *at = data;

    SKV_TRY(mpi_barrier(c));
    for (size_t left = bytes; left > 0;) {
        int n = piece(left);

        SKV_MPI(MPI_Bcast(at, n, MPI_BYTE, root, MPI_COMM_WORLD));
        at += n;
        left -= (size_t)n;
    }
    return SKV_OK;
}

static skv_status mpi_reduce_i64(skv_comm *c, int64_t *values, size_t n, bool is_max)
{
    SKV_TRY(mpi_barrier(c));
    while (n > 0) {
        int now = piece(n * sizeof *values) / (int)sizeof *values;

        SKV_MPI(MPI_Allreduce(MPI_IN_PLACE, values, now, MPI_INT64_T, is_max ? MPI_MAX : MPI_SUM,
                              MPI_COMM_WORLD));
        values += now;
        n -= (size_t)now;
    }
    return SKV_OK;
}

enum { TAG_DATA = 0, TAG_GO = 1 };

/* The sender naps until the receiver says go: its data then move at full speed. */
static skv_status mpi_send(skv_comm *c, const void *data, size_t bytes, int to)
{
    const char *at = data;
    MPI_Request request;

    (void)c;
    SKV_MPI(MPI_Irecv(NULL, 0, MPI_BYTE, to, TAG_GO, MPI_COMM_WORLD, &request));
    SKV_TRY(wait_politely(&request));
    for (size_t left = bytes; left > 0;) {
        int n = piece(left);

        SKV_MPI(MPI_Send(at, n, MPI_BYTE, to, TAG_DATA, MPI_COMM_WORLD));
        at += n;
        left -= (size_t)n;
    }
    return SKV_OK;
}

static skv_status mpi_recv(skv_comm *c, void *data, size_t bytes, int from)
{
    char *at = data;

    (void)c;
    SKV_MPI(MPI_Send(NULL, 0, MPI_BYTE, from, TAG_GO, MPI_COMM_WORLD));
    for (size_t left = bytes; left > 0;) {
        int n = piece(left);

        SKV_MPI(MPI_Recv(at, n, MPI_BYTE, from, TAG_DATA, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
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

/* MPI_Finalize waits for all ranks too, and spins. */
static void mpi_close(skv_comm *c)
{
    if (c->size > 1)
        (void)mpi_barrier(c);
    (void)MPI_Finalize();
}

static const skv_comm_ops mpi_ops = {
    .name = "mpi",
    .barrier = mpi_barrier,
    .broadcast = mpi_broadcast,
    .reduce_i64 = mpi_reduce_i64,
    .send = mpi_send,
    .recv = mpi_recv,
    .end_all = mpi_end_all,
    .close = mpi_close,
};

skv_status skv_comm__open_mpi(skv_comm *c)
{
    MPI_Comm local;
    int level = 0;

    SKV_MPI(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level));
    c->ops = &mpi_ops; /* from here on closing finalizes */
    SKV_MPI(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
    SKV_MPI(MPI_Comm_rank(MPI_COMM_WORLD, &c->rank));
    SKV_MPI(MPI_Comm_size(MPI_COMM_WORLD, &c->size));
    if (level < MPI_THREAD_FUNNELED)
        return skv_fail(SKV_E_MPI, "this MPI does not allow a process to have threads");
    SKV_MPI(
        MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, c->rank, MPI_INFO_NULL, &local));
    SKV_MPI(MPI_Comm_rank(local, &c->local_rank));
    SKV_MPI(MPI_Comm_size(local, &c->local_size));
    SKV_MPI(MPI_Comm_free(&local));
    return SKV_OK;
}
