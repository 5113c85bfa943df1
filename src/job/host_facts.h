/* What one rank can say of the host that it runs on, before anything is loaded: for skv doctor. */
#ifndef SKV_JOB_HOST_FACTS_H
#define SKV_JOB_HOST_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "job/backend_choice.h"
#include "mpi/comm.h"

#define SKV_NO_LIMIT INT64_MAX

/* Sent between ranks of one build as it is: no pointers. Bytes unless said otherwise. */
typedef struct {
    char host[64];
    char device[224];             /* what computes, and its libraries */
    char gpu[SKV_GPU_NAME_BYTES]; /* skv_cuda_identity; "" on the CPU */
    char visible[128];            /* CUDA_VISIBLE_DEVICES; "" where it is not set */
    char failure[384];            /* why no device could be had; "" where one was */
    int32_t local_rank, local_size;
    int32_t n_gpus;              /* that this process sees */
    int32_t cores, cores_host;   /* that this rank may use; that the host has */
    int64_t free_here, all_here; /* memory of the device */
    int64_t shared_memory;       /* free in /dev/shm; SKV_NO_LIMIT where it cannot be seen */
    int64_t address_space, file_size, open_files; /* limits of the process (ulimit -v, -f, -n) */
} skv_host_facts;

/* Opens the wished device and closes it again. A device that cannot be had is a fact (`failure`),
 * not an error. */
void skv_host_facts_look(skv_host_facts *out, const skv_comm *comm, const skv_device_wish *wish);

#endif
