/* Which device a rank computes on, in which type, and with how many others. */
#ifndef SKV_JOB_BACKEND_CHOICE_H
#define SKV_JOB_BACKEND_CHOICE_H

#include "core/gpus.h"
#include "kernels/backend.h"

/* What was asked for, and where the rank stands on its host. */
typedef struct {
    const char *device;  /* "auto", "cpu" or "cuda" */
    const char *dtype;   /* "auto" (bf16 on a GPU, fp32 on the CPU), "bf16" or "fp32" */
    const char *planned; /* NULL; or --for: a GPU that need not be there, to plan with */
    int threads;         /* 0: the host's cores shared by its ranks */
    int local_rank, local_size;
} skv_device_wish;

typedef struct {
    bool cuda;
    int gpu;                           /* as CUDA counts them in this process */
    char identity[SKV_GPU_NAME_BYTES]; /* skv_cuda_identity, once opened; "" on the CPU */
    int n_sharing; /* ranks on the same device, this one included: on the CPU those of the host; on
                      a GPU 1, until skv_device_count_sharing */
    skv_dtype type;
    skv_planned_gpu planned; /* bytes 0: the device is there */
    bool no_driver;          /* "auto" fell back to the CPU of a build that could have used a GPU */
} skv_device_choice;

/* The rule alone. counted, n_gpus: what skv_cuda_count said (its message is the thread's last). A
 * driver that shows no GPU is an error, and so is one that does not work: falling back would hide
 * it. */
SKV_MUST skv_status skv_device_decide(skv_device_choice *out, const skv_device_wish *wish,
                                      skv_status counted, int n_gpus);

/* A device as a number that ranks can compare: the same where the identity is the same. */
int64_t skv_device_number(const skv_device_choice *choice);

/* Sets n_sharing of a rank on a GPU. number (n): skv_device_number of every rank. How many GPUs a
 * process sees says nothing: each of a host's ranks may see another one. */
void skv_device_count_sharing(skv_device_choice *choice, const int64_t *number, int n);

/* CPU threads of a rank: `wished`, or for 0 its share of the host's cores among local_size ranks.
 */
int skv_device_threads(int64_t wished, int local_size);

/* Decides and opens; one warning line where the CPU stands in for a missing driver. Caller
 * destroys. */
SKV_MUST skv_status skv_backend_choose(skv_backend **out, skv_device_choice *choice,
                                       const skv_device_wish *wish);

/* The text encoder's backend: on a GPU one of its own, in fp32 with TF32 products, with its own
 * stream; on the CPU `chosen` itself. Caller destroys it where it is another one. */
SKV_MUST skv_status skv_backend_choose_text(skv_backend **out, skv_backend *chosen,
                                            const skv_device_choice *choice);

/* Bytes that this rank may take: its share of the device's free memory (the CPU's of all), or
 * `limit` where that is not 0. */
SKV_MUST skv_status skv_memory_there(size_t *bytes, skv_backend *be,
                                     const skv_device_choice *choice, int64_t limit);

#endif
