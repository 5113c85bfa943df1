#include "failing_open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

int __real_openat(int folder, const char *name, int how, ...);
int __wrap_openat(int folder, const char *name, int how, ...);

static const char *failing;

void failing_open(const char *name)
{
    failing = name;
}

bool failing_open_came(void)
{
    return !failing;
}

int __wrap_openat(int folder, const char *name, int how, ...)
{
    va_list rest;
    unsigned mode;

    va_start(rest, how);
    mode = how & O_CREAT ? va_arg(rest, unsigned) : 0;
    va_end(rest);
    if (!failing || strcmp(name, failing) != 0)
        return __real_openat(folder, name, how, mode);
    failing = NULL;
    errno = EMFILE;
    return -1;
}
