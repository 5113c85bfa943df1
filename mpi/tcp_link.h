/* Inside mpi/ only: a connection of the TCP form, between rank 0 and another rank that have shown
 * each other the token of their start (rendezvous.h). Words and data are frames: a header that is
 * checked, then the bytes. All sockets are non-blocking. */
#ifndef SKV_MPI_TCP_LINK_H
#define SKV_MPI_TCP_LINK_H

#include "mpi/comm_impl.h"

typedef struct {
    uint32_t magic, kind; /* a word, or one of those below */
    uint64_t bytes;       /* that follow */
} skv_frame;

enum { SKV_FRAME_DATA = 16, SKV_FRAME_END = 17 /* text: why the job ends */ };

typedef struct {
    int fd; /* -1: none */
    int peer;
    skv_frame head; /* of the next frame, as far as it has come */
    size_t n_head;
    bool torn; /* part of a frame was sent: no other can follow */
} skv_link;

typedef struct {
    skv_link *link; /* by rank at rank 0 ([0] is none); elsewhere one, to rank 0 */
    int n;
    struct pollfd *poll; /* (n) */
    int next;            /* of the links that poll found ready, the next to be read */
} skv_tcp_state;

/* What comes from a socket that connected: keepalive (silent for wait_limit: it is cut), no delay,
 * non-blocking. */
SKV_MUST skv_status skv_link__set_up(const skv_comm *c, int fd);

/* Waits until all is sent, or received: exactly `bytes`, or ranks are at different places. */
SKV_MUST skv_status skv_link__send(skv_comm *c, skv_link *l, uint32_t kind, const void *data,
                                   size_t bytes);
SKV_MUST skv_status skv_link__recv(skv_comm *c, skv_link *l, void *data, size_t bytes);

/* The word that has come, without waiting: SKV_WORD_NONE. Fails when the other side has ended the
 * job, with its sentence, or has gone. */
SKV_MUST skv_status skv_link__word(skv_comm *c, skv_link *l, skv_word *word);

/* Tells the other side why the job ends, if there is a way to; closes. */
void skv_link__end(skv_link *l, const char *why);
void skv_link__close(skv_link *l);

#endif
