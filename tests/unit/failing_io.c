#define _DEFAULT_SOURCE /* syscall */
#include "failing_io.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/file.h"

#define MANY      ((size_t)1 << 20)
#define OPEN_FLAG 20 /* in an HDF5 file: somebody writes it; readers do not care */

static long writes_left; /* until one fails; 0: none will */
static int write_error;
static bool came;
static const int *read_errors;
static int n_reads;

ssize_t pwrite64(int fd, const void *from, size_t bytes, off_t at);

void failing_write(long n, int error)
{
    writes_left = n;
    write_error = error;
    came = false;
}

bool failing_write_came(void)
{
    return came;
}

void failing_reads(const int *errors, int n)
{
    read_errors = errors;
    n_reads = n;
}

static bool is_file(int fd)
{
    struct stat info;

    return fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

static bool write_fails(int fd)
{
    if (writes_left == 0 || !is_file(fd) || --writes_left > 0)
        return false;
    came = true;
    errno = write_error;
    return true;
}

ssize_t write(int fd, const void *from, size_t bytes)
{
    if (write_fails(fd))
        return errno ? -1 : (ssize_t)bytes;
    return syscall(SYS_write, fd, from, bytes);
}

ssize_t pwrite(int fd, const void *from, size_t bytes, off_t at)
{
    if (write_fails(fd))
        return errno ? -1 : (ssize_t)bytes;
    return syscall(SYS_pwrite64, fd, from, bytes, at);
}

ssize_t pwrite64(int fd, const void *from, size_t bytes, off_t at)
{
    return pwrite(fd, from, bytes, at);
}

ssize_t read(int fd, void *to, size_t bytes)
{
    if (n_reads > 0 && is_file(fd)) {
        n_reads--;
        errno = *read_errors++;
        if (errno != 0)
            return -1;
        bytes = (bytes + 1) / 2;
    }
    return syscall(SYS_read, fd, to, bytes);
}

/* In a child: 0 no write was lost, 1 seen, 2 not seen. */
static int lose_one_write(skv_status (*make)(void), long n)
{
    failing_write(n, 0);
    if (make() != SKV_OK)
        return 1;
    return failing_write_came() ? 2 : 0;
}

int lose_each_write(skv_status (*make)(void), const char *path)
{
    char *right = NULL, *found = NULL;
    size_t n_right = 0, n_found = 0;
    int how = 1, n_seen = 0;

    assert_int_equal(make(), SKV_OK);
    assert_int_equal(skv_file_read(&right, &n_right, path, MANY), SKV_OK);
    for (long n = 1; how != 0; n++) {
        const pid_t child = fork();

        if (child == 0)
            _exit(lose_one_write(make, n)); /* what is the parent's is no leak of the child's */
        assert_true(child > 0 && waitpid(child, &how, 0) == child && WIFEXITED(how));
        how = WEXITSTATUS(how);
        n_seen += how == 1;
        assert_int_equal(skv_file_read(&found, &n_found, path, MANY), SKV_OK);
        assert_int_equal(n_found, n_right);
        found[OPEN_FLAG] = right[OPEN_FLAG];
        assert_memory_equal(found, right, n_right);
        free(found);
    }
    free(right);
    return n_seen;
}
