/* A stand-in for the CUDA runtime, cuBLASLt, cuDNN and NCCL, as far as skv calls them: the program
 * runs as on any GPU, on a machine that has none. No kernel runs and device memory has no contents:
 * copies to the host give zeros. What is shown: which launches there are and whether the GPU could
 * take them, what memory is asked for, which fallbacks serve, and every message.
 *
 * The environment says which GPU it is, and what it lacks: README.md. A call that no GPU of this
 * kind, or no GPU at all, would take ends the program with one sentence and status 125. */
#ifndef SKV_TESTS_STANDIN_H
#define SKV_TESTS_STANDIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cuda_runtime_api.h>

typedef struct {
    const char *word, *name;
    int major, minor, processors; /* compute capability; streaming multiprocessors */
    int mib;                      /* memory, as the runtime counts it */
    int block_shared;             /* bytes of shared memory that a block may ask for */
    int processor_shared;         /* and that a multiprocessor has */
    int processor_threads;
} standin_card;

/* standin_cards.c */
const standin_card *standin_here(void); /* the card of STANDIN_CARD */
size_t standin_card_bytes(void);
long standin_number(const char *variable, long otherwise);
/* Whether the variable's words, separated by commas, have this one. */
bool standin_lists(const char *variable, const char *word);
bool standin_lists_number(const char *variable, long number);
/* Index in the host of the GPU that the process calls `device` (CUDA_VISIBLE_DEVICES); -1: none. */
int standin_host_gpu(int device);

/* standin_report.c: ends the program; counts, written to the file STANDIN_REPORT at its end. */
_Noreturn void standin_stop(const char *format, ...) __attribute__((format(printf, 1, 2)));
void standin_count(const char *what, uint64_t n);
void standin_most(const char *what, uint64_t n);

/* standin_memory.c: stops unless [p, p + bytes) lies inside one allocation of device memory. */
void standin_device_range(const void *p, size_t bytes, const char *who);

/* standin_stream.c. Work is queued, into a graph where the stream captures. */
typedef enum { STANDIN_KERNEL = 1, STANDIN_COPY, STANDIN_SET, STANDIN_LIBRARY } standin_work;
void standin_queue(cudaStream_t stream, standin_work work);
/* What was queued takes so many milliseconds more, as events tell; all of it takes one. */
void standin_take(uint64_t ms);
/* Stops where `call` is not allowed: the stream captures. */
void standin_not_captured(cudaStream_t stream, const char *call);
bool standin_capturing(void);

/* standin_images.c: what CUDA says of the code for this card in a module's fat binary. */
cudaError_t standin_code(const void *module);

/* standin_memory.c: a library has written to p. Copies to the host of what lies there, up to the
 * end of its allocation, give other numbers than zeros from now on if they are wrong. */
void standin_wrote(const void *p, bool wrong);

/* Remembers what cudaGetLastError says next. */
cudaError_t standin_error(cudaError_t error);
/* From now on the GPU is lost; and what calls that wait for it answer. */
void standin_lose(void);
cudaError_t standin_state(void);

#endif
