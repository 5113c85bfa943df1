/* hold_gpu LEFT [watch]: another process on GPU 0. Takes its memory but for LEFT bytes, says
 * "held", and gives it back when its standard input ends. With "watch" it then says "least N": the
 * fewest bytes that were free meanwhile, looked at a thousand times a second. */
#define _POSIX_C_SOURCE 200809L
#include <cuda_runtime.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Until standard input ends. */
static void wait_and_watch(size_t *least)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    size_t free_bytes = 0, total = 0;
    char byte;

    for (;;) {
        if (poll(&input, 1, 1) > 0 && read(STDIN_FILENO, &byte, 1) <= 0)
            return;
        if (cudaMemGetInfo(&free_bytes, &total) == cudaSuccess && free_bytes < *least)
            *least = free_bytes;
    }
}

int main(int argc, char **argv)
{
    const size_t left = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    const int watch = argc == 3 && strcmp(argv[2], "watch") == 0;
    size_t free_bytes = 0, total = 0, least = left;
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
    wait_and_watch(&least);
    if (watch)
        printf("least %zu\n", least);
    return 0;
}
