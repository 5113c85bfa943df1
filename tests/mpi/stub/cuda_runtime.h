/* The part of CUDA's runtime that mpi/comm_nccl.c calls, for a test without CUDA (stub_nccl.c). */
#ifndef SKV_TESTS_MPI_STUB_CUDA_RUNTIME_H
#define SKV_TESTS_MPI_STUB_CUDA_RUNTIME_H

typedef enum { cudaSuccess = 0, cudaErrorNotReady = 600 } cudaError_t;
typedef struct stub_stream *cudaStream_t;

#define cudaStreamNonBlocking 1

cudaError_t cudaGetDevice(int *device);
cudaError_t cudaDeviceGetPCIBusId(char *out, int bytes, int device);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t s);
cudaError_t cudaStreamQuery(cudaStream_t s);
cudaError_t cudaGetLastError(void);
const char *cudaGetErrorString(cudaError_t e);

#endif
