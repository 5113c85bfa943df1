/* hold_gpu LEFT: another process on GPU 0. Takes its memory but for LEFT bytes, says "held", and
 * gives it back when its standard input ends. */
#include <cuda_runtime.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    const size_t left = argc == 2 ? strtoull(argv[1], NULL, 10) : 0;
    size_t free_bytes = 0, total = 0;
    void *held = NULL;
    cudaError_t error = cudaMemGetInfo(&free_bytes, &total);

    if (error == cudaSuccess && left > 0 && left < free_bytes)
        error = cudaMalloc(&held, free_bytes - left);
    if (!held) {
        fprintf(stderr, "hold_gpu: cannot leave %zu of %zu bytes: %s\n", left, free_bytes,
                cudaGetErrorString(error));
        return 1;
    }
    puts("held");
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    return 0;
}
