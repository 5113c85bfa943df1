/* Status codes and the thread's error message.
 *
 * Everything that can fail returns skv_status; the message is set once, at the origin, by
 * skv_fail(). Callers pass the status up with SKV_TRY and may add one prefix a layer with
 * skv_context(). */
#ifndef SKV_CORE_STATUS_H
#define SKV_CORE_STATUS_H

#include <stdbool.h>

typedef enum {
    SKV_OK = 0,
    SKV_E_ARG = -1,         /* a caller's or user's argument, option or config value */
    SKV_E_IO = -2,          /* open, read, write, sync, rename */
    SKV_E_FORMAT = -3,      /* a file's content is not what its format says */
    SKV_E_SHAPE = -4,       /* does not fit: a tensor's shape or dtype, a file of another model */
    SKV_E_MEM = -5,         /* out of host or device memory */
    SKV_E_NOTFOUND = -6,    /* a file, key, tensor or name that is not there */
    SKV_E_UNSUPPORTED = -7, /* understood, but not available in this build or model */
    SKV_E_CUDA = -8,
    SKV_E_BLAS = -9,
    SKV_E_NCCL = -10,
    SKV_E_MPI = -11,
    SKV_E_H5 = -12,
    SKV_E_PEER = -13,       /* another rank failed; its message is ours */
    SKV_E_STOPPED = -14,    /* asked to stop; what is done is safe, run again */
    SKV_E_NOT_FINITE = -15, /* of a row: its text, logits or picture have NaN or infinity */
    SKV_E_KIND = -16,       /* of another kind: a folder or FIFO for a file, a file for a folder */
    SKV_E_DENIED = -17      /* a file or folder that this user may not open or write */
} skv_status;

#define SKV_MUST         __attribute__((warn_unused_result))
#define SKV_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Sets the thread's message (cut at 2 KiB) and origin, returns `code`, which must not be SKV_OK and
 * is evaluated twice: the compiler sees at the call that what follows SKV_TRY is not reached. */
#define skv_fail(code, ...)                                                                        \
    ((void)skv_fail_at((code), __FILE__, __LINE__, __VA_ARGS__), (skv_status)(code))

skv_status skv_fail_at(skv_status code, const char *file, int line, const char *fmt, ...)
    SKV_PRINTF(4, 5);

/* Puts "<prefix>: " before the thread's message. */
void skv_context(const char *fmt, ...) SKV_PRINTF(1, 2);

/* The thread's last message and its "file:line"; borrowed until the thread's next skv_fail. */
const char *skv_message(void);
const char *skv_origin(void);

/* "SKV_E_IO" and so on. */
const char *skv_status_name(skv_status st);

#define SKV_TRY(x)                                                                                 \
    do {                                                                                           \
        skv_status skv_try_st = (x);                                                               \
        if (skv_try_st != SKV_OK)                                                                  \
            return skv_try_st;                                                                     \
    } while (0)

/* Needs a local `skv_status st`. */
#define SKV_TRY_GOTO(x, label)                                                                     \
    do {                                                                                           \
        st = (x);                                                                                  \
        if (st != SKV_OK)                                                                          \
            goto label;                                                                            \
    } while (0)

/* Whether a failure says nothing of what was to be read: tried again, it may do well. */
static inline bool skv_may_pass(skv_status st)
{
    return st == SKV_E_MEM || st == SKV_E_IO;
}

#endif
