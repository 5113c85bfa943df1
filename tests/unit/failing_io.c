#define _DEFAULT_SOURCE /* syscall */
#include "failing_io.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

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
