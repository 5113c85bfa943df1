/* The thread's message lives in fixed buffers: reporting an error never allocates. */
#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_BYTES 2048

static _Thread_local char message[MESSAGE_BYTES];
static _Thread_local char origin[96];

skv_status skv_fail_at(skv_status code, const char *file, int line, const char *fmt, ...)
{
    char text[MESSAGE_BYTES]; /* the arguments may quote the old message */
    const char *base = strrchr(file, '/');
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    memcpy(message, text, sizeof message);
    snprintf(origin, sizeof origin, "%s:%d", base ? base + 1 : file, line);
    return code;
}

void skv_context(const char *fmt, ...)
{
    char prefix[MESSAGE_BYTES / 2];
    va_list args;
    size_t n;

    va_start(args, fmt);
    vsnprintf(prefix, sizeof prefix - 2, fmt, args);
    va_end(args);
    strcat(prefix, ": ");
    n = strlen(prefix);
    memmove(message + n, message, sizeof message - n - 1);
    memcpy(message, prefix, n);
}

const char *skv_message(void)
{
    return message;
}

const char *skv_origin(void)
{
    return origin;
}

const char *skv_status_name(skv_status st)
{
    switch (st) {
    case SKV_OK:
        return "SKV_OK";
    case SKV_E_ARG:
        return "SKV_E_ARG";
    case SKV_E_IO:
        return "SKV_E_IO";
    case SKV_E_FORMAT:
        return "SKV_E_FORMAT";
    case SKV_E_SHAPE:
        return "SKV_E_SHAPE";
    case SKV_E_MEM:
        return "SKV_E_MEM";
    case SKV_E_NOTFOUND:
        return "SKV_E_NOTFOUND";
    case SKV_E_UNSUPPORTED:
        return "SKV_E_UNSUPPORTED";
    case SKV_E_CUDA:
        return "SKV_E_CUDA";
    case SKV_E_BLAS:
        return "SKV_E_BLAS";
    case SKV_E_NCCL:
        return "SKV_E_NCCL";
    case SKV_E_MPI:
        return "SKV_E_MPI";
    case SKV_E_H5:
        return "SKV_E_H5";
    case SKV_E_PEER:
        return "SKV_E_PEER";
    case SKV_E_STOPPED:
        return "SKV_E_STOPPED";
    case SKV_E_NOT_FINITE:
        return "SKV_E_NOT_FINITE";
    case SKV_E_KIND:
        return "SKV_E_KIND";
    case SKV_E_DENIED:
        return "SKV_E_DENIED";
    }
    return "unknown status";
}
