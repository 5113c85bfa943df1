/* Inside mpi/ only: how the ranks of the TCP form find each other. Rank 0 listens, and says where
 * in a file of the run's folder that only its user can read, or on a port that all know; the others
 * show the token of this start before anything else, and rank 0 answers with another. */
#ifndef SKV_MPI_RENDEZVOUS_H
#define SKV_MPI_RENDEZVOUS_H

#include "mpi/comm_impl.h"

#define SKV_PLACE_SECRET    16 /* bytes */
#define SKV_PLACE_ADDRESSES 16
#define SKV_PLACE_ADDRESS   64

/* Where rank 0 listens. */
typedef struct {
    unsigned char token[SKV_PLACE_SECRET], answer[SKV_PLACE_SECRET];
    char host[SKV_HOST_BYTES];
    int port, n;
    char address[SKV_PLACE_ADDRESSES][SKV_PLACE_ADDRESS]; /* (n) numbers, or a host's name */
} skv_place;

/* *out = "RUN/rendezvous-<job>" (free()), with what a file name cannot hold replaced. */
SKV_MUST skv_status skv_place_path(char **out, const char *run, const char *job);

/* Draws both secrets. */
SKV_MUST skv_status skv_place_draw(skv_place *p);

/* Writes the file aside, mode 600, and renames it: what a dead start left is replaced. */
SKV_MUST skv_status skv_place_write(const skv_place *p, const char *path);

/* SKV_E_NOTFOUND where there is none; a file that others can write to is refused. */
SKV_MUST skv_status skv_place_read(skv_place *p, const char *path);

/* What the file holds; `text` may be anything. */
SKV_MUST skv_status skv_place_parse(skv_place *p, const char *text, const char *path);

/* Removes the file if it is still p's, and what starts left behind more than a day ago. */
void skv_place_remove(const skv_place *p, const char *path);

/* Connects all ranks: on return c->state has the links, and c knows hosts and local ranks.
 * SKV_E_ARG where the wish names no place to meet. */
SKV_MUST skv_status skv_rendezvous(skv_comm *c, const char *job, const skv_comm_wish *wish);

/* Its two sides: rank 0, which removes `path` (NULL: there is none); the others. A place is where
 * to listen and what to say; of the others with a path it is read from there. */
SKV_MUST skv_status skv_rendezvous__host(skv_comm *c, skv_place *p, const char *path,
                                         bool own_host_only);
SKV_MUST skv_status skv_rendezvous__join(skv_comm *c, skv_place *p, const char *path);

/* What the two sides say to each other, before any frame. */
#define SKV_HELLO_MAGIC "skv-tcp1"
typedef struct {
    char magic[8];
    unsigned char token[SKV_PLACE_SECRET];
    int32_t rank, size;
    char host[SKV_HOST_BYTES];
    unsigned char host_id[16]; /* the same for ranks of one host */
} skv_hello;

typedef struct {
    char magic[8];
    unsigned char answer[SKV_PLACE_SECRET];
    char host[SKV_HOST_BYTES];
    char refused[128]; /* why; "": come in */
} skv_reply;

typedef struct {
    int32_t local_rank, local_size;
} skv_seat;

void skv_rendezvous__host_id(unsigned char out[16], const skv_comm *c);

#endif
