#include "mpi/rendezvous.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/folder.h"

#define MIN_TOKEN 16 /* characters of SKV_TOKEN */

/* Both secrets from the text that all ranks were given. */
static void secrets_of(skv_place *p, const char *text)
{
    const skv_digest d = skv_digest_of(text, strlen(text));
    const skv_digest token = skv_digest_add(d, "token", 5), answer = skv_digest_add(d, "answer", 6);

    memcpy(p->token, &token, sizeof p->token);
    memcpy(p->answer, &answer, sizeof p->answer);
}

/* On a port that all know. */
static skv_status meet_at_port(skv_comm *c, int port)
{
    const char *token = getenv("SKV_TOKEN"), *master = getenv("MASTER_ADDR");
    skv_place p = {.port = port, .n = 1};
    const bool own_host_only = !token || !*token;

    if (!own_host_only && strlen(token) < MIN_TOKEN)
        return skv_fail(SKV_E_ARG, "SKV_TOKEN has %zu characters, want at least %d", strlen(token),
                        MIN_TOKEN);
    if (!own_host_only && (!master || !*master))
        return skv_fail(SKV_E_ARG, "--port: MASTER_ADDR is not set, want the host of rank 0");
    secrets_of(&p, own_host_only ? "" : token);
    if (snprintf(p.address[0], sizeof p.address[0], "%s", own_host_only ? "127.0.0.1" : master) >=
        (int)sizeof p.address[0])
        return skv_fail(SKV_E_ARG, "MASTER_ADDR is too long: %s", master);
    return c->rank == 0 ? skv_rendezvous__host(c, &p, NULL, own_host_only)
                        : skv_rendezvous__join(c, &p, NULL);
}

/* The folder is made where the job would make it later; a start that is refused leaves none. */
static skv_status host_in(skv_comm *c, const char *run, const char *path)
{
    skv_place p = {0};
    skv_status st;
    bool made;
    int fd = -1;

    st = skv_folder_open(&fd, run, 0);
    made = st == SKV_E_NOTFOUND;
    if (fd >= 0)
        close(fd);
    if (made)
        st = skv_folder_make(run);
    if (st == SKV_OK)
        st = skv_place_draw(&p);
    if (st == SKV_OK)
        st = skv_rendezvous__host(c, &p, path, false);
    if (made)
        (void)rmdir(run); /* unless there is something in it */
    return st;
}

skv_status skv_rendezvous(skv_comm *c, const char *job, const skv_comm_wish *wish)
{
    char *path = NULL;
    skv_place p;
    skv_status st;

    if (wish->port > 0)
        return meet_at_port(c, wish->port);
    if (!wish->run)
        return skv_fail(SKV_E_ARG, "%s",
                        wish->why_no_run
                            ? wish->why_no_run
                            : "several ranks that were not started by MPI find each other in the "
                              "run's folder, and this command has none: give --port, and on "
                              "several hosts SKV_TOKEN");
    SKV_TRY(skv_place_path(&path, wish->run, job));
    st = c->rank == 0 ? host_in(c, wish->run, path) : skv_rendezvous__join(c, &p, path);
    free(path);
    return st;
}
