/* Claims: which of the processes that share a folder works on what. One mechanism for ranks and for
 * jobs, on one host or many, with nothing but files: no locks, no server.
 *
 *   <folder>/<name>              a claim: made exclusively; holds its owner's name
 *   <folder>/<owner>.alive       an owner's heartbeat: its time is renewed every few seconds; says
 *                                who it is
 *   <folder>/<name>.<owner>.tmp  one of these, until it is linked to its name
 *
 * A claim is never there without its owner's name: it is written under another name and then
 * linked, which succeeds for one process only. On a file system without hard links it is made in
 * place (O_EXCL); there an empty claim, of a process that was killed just then, lasts
 * SKV_CLAIM_SECONDS.
 *
 * An owner is a process (core/process.h). It is dead when its process is known to have ended, when
 * it has no heartbeat, or when its heartbeat is older than this process's own by more than
 * SKV_CLAIM_SECONDS: both times are the file system's, so clocks of hosts do not matter. What a
 * dead owner has claimed may be claimed by others.
 *
 * A process that was stopped for so long is taken for dead, and goes on later. So two owners may
 * work on the same, and what they work on must bear that: files that appear whole, and are the same
 * whoever makes them. */
#ifndef SKV_RUN_CLAIMS_H
#define SKV_RUN_CLAIMS_H

#include <stdbool.h>
#include <time.h>

#include "core/flag.h"
#include "core/status.h"

#define SKV_CLAIM_SECONDS 60
#define SKV_CLAIM_JOB     "job" /* claims that begin so say that a job is at work, not on what */
#define SKV_CLAIM_BYTES   128   /* room for a claim's name, or for who an owner is */

typedef struct skv_claims skv_claims;

/* Makes the folder (n_below: core/folder.h), and this process's heartbeat in it with a thread that
 * renews it. One object a process and folder. */
SKV_MUST skv_status skv_claims_open(skv_claims **out, const char *folder, int n_below);

/* Gives up the heartbeat, and with it whatever is still claimed; removes the folder where it is
 * empty. Accepts NULL. */
void skv_claims_close(skv_claims *c);

/* *won: whether the claim is this process's now; false: a living owner has it, perhaps this process
 * itself. Names are of [a-z0-9]. Any thread. */
SKV_MUST skv_status skv_claims_take(bool *won, skv_claims *c, const char *name);

/* Gives the claim up; nothing happens where it is another's. Any thread. */
void skv_claims_drop(skv_claims *c, const char *name);

typedef struct {
    int seconds;
    const skv_flag *stop; /* NULL; or: not 0 ends the wait */
    /* NULL; or called all the while, for those who wait for this process. */
    void (*alive)(void *ctx);
    void *ctx;
} skv_claims_patience;

/* Takes the claim, waiting up to p->seconds and saying once for whom: then SKV_E_IO naming the
 * owner. SKV_E_STOPPED at a stop. `what`, for messages: what is waited for, as in "RUN: another skv
 * is at work in this folder". */
SKV_MUST skv_status skv_claims_wait(skv_claims *c, const char *name, const char *what,
                                    const skv_claims_patience *p);

typedef enum {
    SKV_OWNER_LIVES,
    SKV_OWNER_IS_DEAD,
    SKV_OWNER_IS_UNKNOWN /* of another place, and without a heartbeat */
} skv_owner_state;

skv_owner_state skv_claims_owner(const skv_claims *c, const char *owner);

/* Tells whoever looks at the folder how far this process is: a line of its heartbeat from the next
 * beat on, cut to SKV_CLAIM_BYTES. Any thread. */
void skv_claims_say(skv_claims *c, const char *line);

/* A process that has a heartbeat in the folder. */
typedef struct {
    char who[SKV_CLAIM_BYTES];  /* "process 17 on host node3" */
    char said[SKV_CLAIM_BYTES]; /* its last line, "" */
    double age;                 /* seconds since its last beat, by this host's clock */
    bool is_dead;
} skv_claims_heart;

/* All of them, sorted by who (free()); none where there is no such folder. Writes nothing. */
SKV_MUST skv_status skv_claims_hearts(skv_claims_heart **out, int *n, const char *folder,
                                      int n_below);

/* Seconds from `then`, a file's time, to this process's last heartbeat. */
double skv_claims_age(const skv_claims *c, struct timespec then);

/* Calls one(ctx, name) for each claim that is there, whoever's it is. Any thread. */
SKV_MUST skv_status skv_claims_list(const skv_claims *c, void (*one)(void *ctx, const char *name),
                                    void *ctx);

/* *any: whether a living owner other than this process has a claim, but for those of
 * SKV_CLAIM_JOB. */
SKV_MUST skv_status skv_claims_others(bool *any, const skv_claims *c);

/* Claims of other processes. Nothing is removed. */
typedef struct {
    int living, dead;          /* by their owners; but for those of SKV_CLAIM_JOB */
    char who[SKV_CLAIM_BYTES]; /* one of the living; "" */
    int jobs;                  /* living ones of SKV_CLAIM_JOB */
    char job[SKV_CLAIM_BYTES]; /* one of them; "" */
} skv_claims_counts;
SKV_MUST skv_status skv_claims_count(skv_claims_counts *out, const skv_claims *c);

/* Removes the heartbeats, the claims and the files aside of dead owners. */
SKV_MUST skv_status skv_claims_sweep(skv_claims *c);

#endif
