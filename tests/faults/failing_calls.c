/* A library for LD_PRELOAD that lets one call of skv fail, and counts calls.
 *
 * SKV_FAIL="KIND N HOW": the N-th call of the kind fails once. HOW is the number of an error, 0
 * for a read or write of half the bytes, or -1: instead of the call the process is killed.
 * SKV_FAIL_COUNTS=FILE: how many calls of each kind there were, an int64 each in the order of
 * KINDS, written as they happen. SKV_FAIL_SITES=FILE: a record of each call, to tell calls of one
 * place from those of another. SKV_FAIL_RANK=R: of several ranks, only this one. SKV_FAIL_PROBE=1:
 * the process that checks HDF5 files, and not its parent.
 *
 * Every stand-in takes and hands on ten words, whatever the call takes: on x86-64 and AArch64
 * integers and pointers travel alike, and words too many do no harm. No call in the table takes
 * floating point numbers. */
#define _GNU_SOURCE /* RTLD_NEXT, dl_iterate_phdr */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* clang-format off */
#define KINDS(K)                                                                                   \
    K(write) K(read) K(open) K(close) K(fsync) K(rename) K(mkdir) K(truncate) K(unlink) K(look)    \
    K(stream) K(system) K(socket) K(h5) K(mpi) K(malloc) K(library_malloc)
/* clang-format on */

#define MAX_FRAMES 32

#define AS_NUMBER(kind) KIND_##kind,
#define AS_NAME(kind)   #kind,
typedef enum { KINDS(AS_NUMBER) N_KINDS } call_kind;
static const char *const kind_names[] = {KINDS(AS_NAME)};

/* How a call says that it failed. */
typedef enum {
    MINUS_ONE,  /* -1 and errno */
    NOTHING,    /* 0 or NULL, and errno */
    THE_NUMBER, /* errno's value itself */
    AFTERWARDS  /* the call is made, then -1: of what closes, and must not leak */
} failed_as;

typedef struct {
    uintptr_t first, end;
} code;

static code program_code, hdf5_code;
static int fail_kind = -1, fail_how;
static int64_t fail_n;
static bool counts;
static const char *places;
static _Atomic int64_t own_counts[N_KINDS], *count = own_counts; /* a file's: children's, too */

static bool is_in(const code *c, uintptr_t at)
{
    return at >= c->first && at < c->end;
}

static int find_code(struct dl_phdr_info *info, size_t size, void *ctx)
{
    (void)size;
    (void)ctx;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        const uintptr_t first = info->dlpi_addr + p->p_vaddr, end = first + p->p_memsz;

        if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
            continue;
        if (program_code.end == 0) { /* the program comes first */
            program_code.first = first;
            program_code.end = end;
        } else if (strstr(info->dlpi_name, "libhdf5_serial.")) {
            hdf5_code.first = first;
            hdf5_code.end = end;
        }
    }
    return 0;
}

static bool is_my_process(int argc, char **argv)
{
    const bool probe = argc == 2 && strcmp(argv[1], "--look-at-hdf5") == 0;
    const char *wanted = getenv("SKV_FAIL_RANK"), *rank = getenv("OMPI_COMM_WORLD_RANK");

    if (!rank)
        rank = getenv("RANK");
    return probe == (getenv("SKV_FAIL_PROBE") != NULL) &&
           (!wanted || (rank && strcmp(wanted, rank) == 0));
}

static void share_counts(const char *path)
{
    const int fd = open(path, O_RDWR | O_CREAT, 0666);

    if (fd < 0 || ftruncate(fd, sizeof own_counts) != 0)
        abort();
    count = mmap(NULL, sizeof own_counts, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (count == MAP_FAILED)
        abort();
    close(fd);
}

/* Whence a call comes: its number among its kind, and a hash of the callers in the program. */
static void record(int kind, int64_t n)
{
    static _Thread_local bool inside;
    struct {
        int32_t kind;
        uint32_t stack;
        int64_t n;
    } r = {.kind = kind, .stack = 2166136261u, .n = n};
    void *frames[MAX_FRAMES];
    int depth, fd;

    if (!places || inside)
        return;
    inside = true; /* what follows may call, too */
    depth = backtrace(frames, MAX_FRAMES);
    inside = false;
    for (int i = 0; i < depth; i++)
        if (is_in(&program_code, (uintptr_t)frames[i]))
            r.stack = (r.stack ^ (uint32_t)((uintptr_t)frames[i] - program_code.first)) * 16777619u;
    /* opened anew: the process that checks files closes what it did not open itself */
    fd = (int)syscall(SYS_openat, AT_FDCWD, places, O_WRONLY | O_CREAT | O_APPEND, 0666);
    (void)syscall(SYS_write, fd, &r, sizeof r);
    (void)syscall(SYS_close, fd);
}

__attribute__((constructor)) static void begin(int argc, char **argv)
{
    const char *fail = getenv("SKV_FAIL"), *file = getenv("SKV_FAIL_COUNTS");
    char kind[32];

    if (!is_my_process(argc, argv))
        return;
    dl_iterate_phdr(find_code, NULL);
    if (file)
        share_counts(file);
    places = getenv("SKV_FAIL_SITES");
    if (places) {
        void *frame;

        (void)backtrace(&frame, 1); /* loads what it needs */
    }
    if (fail) {
        if (sscanf(fail, "%31s %" SCNd64 " %d", kind, &fail_n, &fail_how) != 3)
            abort();
        for (int k = 0; k < N_KINDS; k++)
            if (strcmp(kind, kind_names[k]) == 0)
                fail_kind = k;
        if (fail_kind < 0)
            abort();
    }
    counts = true;
}

/* What a call is counted as: HDF5's own system calls are ours, too, its calls of itself are not. */
static int kind_of(call_kind kind, uintptr_t caller)
{
    if (is_in(&program_code, caller))
        return (int)kind;
    if (kind == KIND_malloc)
        return KIND_library_malloc;
    if (kind < KIND_h5 && is_in(&hdf5_code, caller))
        return (int)kind;
    return -1;
}

static bool must_fail(call_kind kind, const void *caller)
{
    const int k = counts ? kind_of(kind, (uintptr_t)caller) : -1;

    int64_t n;

    if (k < 0)
        return false;
    n = ++count[k];
    record(k, n);
    if (n != fail_n || k != fail_kind)
        return false;
    if (fail_how < 0)
        (void)raise(SIGKILL);
    return true;
}

/* As libc does where writing to a stream fails: whoever closes it can see that. */
static void mark_stream(call_kind kind, long stream)
{
    if (kind == KIND_stream && stream)
        ((FILE *)stream)->_flags |= _IO_ERR_SEEN; /* NOLINT(performance-no-int-to-ptr) */
}

/* Half of the bytes, which are the third argument. */
static bool is_short(call_kind kind, long bytes)
{
    return fail_how == 0 && (kind == KIND_write || kind == KIND_read) && bytes > 1;
}

#define WORDS       long, long, long, long, long, long, long, long, long, long
#define NAMED_WORDS long a, long b, long c, long d, long e, long f, long g, long h, long i, long j

typedef long call(WORDS);

/* stream: the argument that is one, if any */
#define CALL(kind, as, name) CALL_WITH(kind, as, name, 0)
#define CALL_WITH(kind, as, name, stream)                                                          \
    long stand_in_##name(WORDS) __asm__(#name);                                                    \
    long stand_in_##name(NAMED_WORDS)                                                              \
    {                                                                                              \
        static call *real;                                                                         \
                                                                                                   \
        if (!real)                                                                                 \
            real = (call *)dlsym(RTLD_NEXT, #name);                                                \
        if (!must_fail(KIND_##kind, __builtin_return_address(0)))                                  \
            return real(a, b, c, d, e, f, g, h, i, j);                                             \
        if (is_short(KIND_##kind, c))                                                              \
            return real(a, b, c / 2, d, e, f, g, h, i, j);                                         \
        if ((as) == AFTERWARDS)                                                                    \
            (void)real(a, b, c, d, e, f, g, h, i, j);                                              \
        mark_stream(KIND_##kind, stream);                                                          \
        errno = fail_how;                                                                          \
        return (as) == NOTHING ? 0 : (as) == THE_NUMBER ? fail_how : -1;                           \
    }

/* How often a rank polls is a matter of time: some ten thousand times in a tiny run, and another
 * number in each. So after a poll that came to nothing the next ones from the same place do not
 * count, until one of them is done: the program cannot tell them apart, either. The request would
 * not tell two waits apart, as its memory and often its value are those of the one before. `done`:
 * the argument that says so. */
static const void *in_vain; /* the place of the last poll, if that came to nothing */

#define POLL(name, done)                                                                           \
    long stand_in_##name(WORDS) __asm__(#name);                                                    \
    long stand_in_##name(NAMED_WORDS)                                                              \
    {                                                                                              \
        const void *const caller = __builtin_return_address(0);                                    \
        static call *real;                                                                         \
        long answer;                                                                               \
                                                                                                   \
        if (!real)                                                                                 \
            real = (call *)dlsym(RTLD_NEXT, #name);                                                \
        if (caller != in_vain && must_fail(KIND_mpi, caller))                                      \
            return fail_how;                                                                       \
        answer = real(a, b, c, d, e, f, g, h, i, j);                                               \
        in_vain = *(const int *)(done) ? NULL : caller; /* NOLINT(performance-no-int-to-ptr) */    \
        return answer;                                                                             \
    }

CALL(write, MINUS_ONE, write)
CALL(write, MINUS_ONE, pwrite)
CALL(write, MINUS_ONE, pwrite64)
CALL(write, MINUS_ONE, writev)
CALL(read, MINUS_ONE, read)
CALL(read, MINUS_ONE, pread)
CALL(read, MINUS_ONE, pread64)
CALL(read, MINUS_ONE, readv)
CALL(open, MINUS_ONE, open)
CALL(open, MINUS_ONE, open64)
CALL(open, MINUS_ONE, openat)
CALL(open, MINUS_ONE, openat64)
CALL(open, MINUS_ONE, creat)
CALL(open, NOTHING, fopen)
CALL(open, NOTHING, fopen64)
CALL(open, NOTHING, fdopen)
CALL(open, NOTHING, opendir)
CALL(open, NOTHING, fdopendir)
CALL(close, AFTERWARDS, close)
CALL(close, AFTERWARDS, closedir)
CALL(close, AFTERWARDS, fclose)
CALL(fsync, MINUS_ONE, fsync)
CALL(fsync, MINUS_ONE, fdatasync)
CALL(rename, MINUS_ONE, rename)
CALL(rename, MINUS_ONE, renameat)
CALL(rename, MINUS_ONE, link)
CALL(rename, MINUS_ONE, linkat)
CALL(mkdir, MINUS_ONE, mkdir)
CALL(mkdir, MINUS_ONE, mkdirat)
CALL(truncate, MINUS_ONE, ftruncate)
CALL(truncate, MINUS_ONE, ftruncate64)
CALL(unlink, MINUS_ONE, unlink)
CALL(unlink, MINUS_ONE, unlinkat)
CALL(unlink, MINUS_ONE, rmdir)
CALL(look, MINUS_ONE, stat)
CALL(look, MINUS_ONE, lstat)
CALL(look, MINUS_ONE, fstat)
CALL(look, MINUS_ONE, fstatat)
CALL(look, MINUS_ONE, statvfs)
CALL(look, MINUS_ONE, access)
CALL(look, MINUS_ONE, readlink)
CALL(look, MINUS_ONE, scandir)
CALL(look, MINUS_ONE, utimensat)
CALL(look, MINUS_ONE, mmap)
CALL(look, MINUS_ONE, fcntl)
CALL(look, MINUS_ONE, lseek)
CALL(look, NOTHING, readdir)
CALL(look, NOTHING, getcwd)
CALL_WITH(stream, NOTHING, fwrite, d)
CALL_WITH(stream, NOTHING, fread, d)
CALL_WITH(stream, MINUS_ONE, fflush, a)
CALL_WITH(stream, MINUS_ONE, fputs, b)
CALL_WITH(stream, MINUS_ONE, fputc, b)
CALL(system, MINUS_ONE, fork)
CALL(system, MINUS_ONE, waitpid)
CALL(system, MINUS_ONE, sigaction)
CALL(system, MINUS_ONE, getrlimit)
CALL(system, MINUS_ONE, setrlimit)
CALL(system, MINUS_ONE, gethostname)
CALL(system, MINUS_ONE, nanosleep)
CALL(system, THE_NUMBER, pthread_create)
CALL(system, THE_NUMBER, posix_spawn)
CALL(system, THE_NUMBER, pthread_cond_init)
CALL(socket, MINUS_ONE, socket)
CALL(socket, MINUS_ONE, socketpair)
CALL(socket, MINUS_ONE, connect)
CALL(socket, MINUS_ONE, bind)
CALL(socket, MINUS_ONE, listen)
CALL(socket, MINUS_ONE, accept)
CALL(socket, MINUS_ONE, send)
CALL(socket, MINUS_ONE, recv)
CALL(socket, MINUS_ONE, sendmsg)
CALL(socket, MINUS_ONE, recvmsg)
CALL(socket, MINUS_ONE, poll)
CALL(socket, MINUS_ONE, getsockopt)
CALL(socket, MINUS_ONE, setsockopt)
CALL(socket, MINUS_ONE, getsockname)

CALL(h5, MINUS_ONE, H5Acreate2)
CALL(h5, MINUS_ONE, H5Aget_space)
CALL(h5, MINUS_ONE, H5Aget_type)
CALL(h5, MINUS_ONE, H5Aopen)
CALL(h5, MINUS_ONE, H5Aopen_by_idx)
CALL(h5, MINUS_ONE, H5Aread)
CALL(h5, MINUS_ONE, H5Awrite)
CALL(h5, MINUS_ONE, H5Aexists)
CALL(h5, MINUS_ONE, H5Adelete)
CALL(h5, MINUS_ONE, H5Aget_name)
CALL(h5, MINUS_ONE, H5Dcreate2)
CALL(h5, MINUS_ONE, H5Dget_create_plist)
CALL(h5, MINUS_ONE, H5Dget_offset)
CALL(h5, MINUS_ONE, H5Dget_space)
CALL(h5, MINUS_ONE, H5Dget_type)
CALL(h5, MINUS_ONE, H5Dopen2)
CALL(h5, MINUS_ONE, H5Dread)
CALL(h5, MINUS_ONE, H5Dvlen_get_buf_size)
CALL(h5, MINUS_ONE, H5Dvlen_reclaim)
CALL(h5, MINUS_ONE, H5Dwrite)
CALL(h5, MINUS_ONE, H5Eset_auto2)
CALL(h5, MINUS_ONE, H5Fcreate)
CALL(h5, MINUS_ONE, H5Fflush)
CALL(h5, MINUS_ONE, H5Fget_file_image)
CALL(h5, MINUS_ONE, H5Fopen)
CALL(h5, MINUS_ONE, H5Gcreate2)
CALL(h5, MINUS_ONE, H5Gget_info)
CALL(h5, MINUS_ONE, H5Gopen2)
CALL(h5, MINUS_ONE, H5Iget_type)
CALL(h5, MINUS_ONE, H5Lcreate_external)
CALL(h5, MINUS_ONE, H5Lexists)
CALL(h5, MINUS_ONE, H5Lget_info)
CALL(h5, MINUS_ONE, H5Lget_name_by_idx)
CALL(h5, MINUS_ONE, H5Oget_info2)
CALL(h5, MINUS_ONE, H5Oget_info_by_name)
CALL(h5, MINUS_ONE, H5Oopen)
CALL(h5, MINUS_ONE, H5PLset_loading_state)
CALL(h5, MINUS_ONE, H5Pcreate)
CALL(h5, MINUS_ONE, H5Pget_chunk)
CALL(h5, MINUS_ONE, H5Pget_external_count)
CALL(h5, MINUS_ONE, H5Pget_filter2)
CALL(h5, MINUS_ONE, H5Pget_layout)
CALL(h5, MINUS_ONE, H5Pget_nfilters)
CALL(h5, MINUS_ONE, H5Pget_virtual_count)
CALL(h5, MINUS_ONE, H5Pget_virtual_dsetname)
CALL(h5, MINUS_ONE, H5Pget_virtual_filename)
CALL(h5, MINUS_ONE, H5Pget_virtual_vspace)
CALL(h5, MINUS_ONE, H5Pset_chunk)
CALL(h5, MINUS_ONE, H5Pset_create_intermediate_group)
CALL(h5, MINUS_ONE, H5Pset_fapl_core)
CALL(h5, MINUS_ONE, H5Pset_fclose_degree)
CALL(h5, MINUS_ONE, H5Pset_file_image)
CALL(h5, MINUS_ONE, H5Pset_file_locking)
CALL(h5, MINUS_ONE, H5Pset_fletcher32)
CALL(h5, MINUS_ONE, H5Pset_obj_track_times)
CALL(h5, MINUS_ONE, H5Pset_userblock)
CALL(h5, MINUS_ONE, H5Pset_virtual)
CALL(h5, MINUS_ONE, H5Screate)
CALL(h5, MINUS_ONE, H5Screate_simple)
CALL(h5, MINUS_ONE, H5Sget_select_bounds)
CALL(h5, MINUS_ONE, H5Sget_simple_extent_dims)
CALL(h5, MINUS_ONE, H5Sget_simple_extent_ndims)
CALL(h5, MINUS_ONE, H5Sget_simple_extent_npoints)
CALL(h5, MINUS_ONE, H5Sselect_hyperslab)
CALL(h5, MINUS_ONE, H5Tcopy)
CALL(h5, MINUS_ONE, H5Tequal)
CALL(h5, MINUS_ONE, H5Tget_class)
CALL(h5, MINUS_ONE, H5Tis_variable_str)
CALL(h5, MINUS_ONE, H5Tset_cset)
CALL(h5, MINUS_ONE, H5Tset_size)
CALL(h5, MINUS_ONE, H5dont_atexit)
CALL(h5, AFTERWARDS, H5Aclose)
CALL(h5, AFTERWARDS, H5Dclose)
CALL(h5, AFTERWARDS, H5Fclose)
CALL(h5, AFTERWARDS, H5Oclose)
CALL(h5, AFTERWARDS, H5Pclose)
CALL(h5, AFTERWARDS, H5Sclose)
CALL(h5, AFTERWARDS, H5Tclose)
CALL(h5, NOTHING, H5Dget_storage_size)
CALL(h5, NOTHING, H5Tget_size)

CALL(mpi, THE_NUMBER, MPI_Init_thread)
CALL(mpi, THE_NUMBER, MPI_Comm_dup)
CALL(mpi, THE_NUMBER, MPI_Comm_free)
CALL(mpi, THE_NUMBER, MPI_Comm_rank)
CALL(mpi, THE_NUMBER, MPI_Comm_set_errhandler)
CALL(mpi, THE_NUMBER, MPI_Comm_size)
CALL(mpi, THE_NUMBER, MPI_Comm_split_type)
CALL(mpi, THE_NUMBER, MPI_Error_string)
CALL(mpi, AFTERWARDS, MPI_Finalize)
CALL(mpi, THE_NUMBER, MPI_Get_library_version)
CALL(mpi, THE_NUMBER, MPI_Iallreduce)
CALL(mpi, THE_NUMBER, MPI_Ibcast)
CALL(mpi, THE_NUMBER, MPI_Igather)
CALL(mpi, THE_NUMBER, MPI_Irecv)
CALL(mpi, THE_NUMBER, MPI_Isend)
CALL(mpi, THE_NUMBER, MPI_Recv)
POLL(MPI_Iprobe, d)
POLL(MPI_Test, b)

CALL(malloc, NOTHING, malloc)
CALL(malloc, NOTHING, calloc)
CALL(malloc, NOTHING, realloc)
CALL(malloc, NOTHING, aligned_alloc)
CALL(malloc, NOTHING, memalign)
CALL(malloc, NOTHING, strdup)
CALL(malloc, NOTHING, strndup)
CALL(malloc, NOTHING, open_memstream)
CALL(malloc, THE_NUMBER, posix_memalign)
