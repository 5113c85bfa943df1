/* What the two processes of io/h5_probe.h say to each other, over a socket that keeps messages
 * apart. */
#ifndef SKV_IO_H5_PROBE_WIRE_H
#define SKV_IO_H5_PROBE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    bool sealed;
    char but[64];    /* a dataset whose content nobody will read; "" */
    char path[4096]; /* for messages */
} skv_h5__request;   /* with the descriptor of the file */

typedef struct {
    int32_t status; /* of the child's walk */
    int32_t signal; /* that ended the child; -1: it took too long, -2: it ended in another way */
    int32_t seconds;
    char text[1000]; /* the child's message */
} skv_h5__answer;

/* A message of `bytes`, with a descriptor unless fd is -1. */
bool skv_h5__send(int socket, const void *data, size_t bytes, int fd);

/* False: the other side has ended. */
bool skv_h5__receive_request(skv_h5__request *r, int *fd, int socket);
bool skv_h5__receive_answer(skv_h5__answer *a, int socket);

#endif
