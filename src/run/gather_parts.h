/* Inside gather alone: what its steps share. */
#ifndef SKV_RUN_GATHER_PARTS_H
#define SKV_RUN_GATHER_PARTS_H

#include "run/gather.h"
#include "run/group_file.h"
#include "run/run_json.h"

/* What is known of a group, a number, so that ranks can add theirs: the CRC-32 of its file in the
 * low 32 bits, and marks. */
#define SKV_GATHER__CRC     0xffffffffLL
#define SKV_GATHER__THERE   (1LL << 32)
#define SKV_GATHER__WHOLE   (1LL << 33) /* all of it was read, now or in a job before */
#define SKV_GATHER__CHECKED (1LL << 34) /* by this job, and HDF5 read it too */
#define SKV_GATHER__DAMAGED (1LL << 35) /* and set aside */
#define SKV_GATHER__PARTS   36          /* from this bit on: SKV_GROUP_BITS, SKV_GROUP_IMAGE */

struct skv_gather {
    skv_gather_setup setup;
    skv_run_json json;
    skv_run_place place;
    skv_segments segments;
    int n_paths;
    size_t n;              /* groups of all paths */
    int64_t *known, *news; /* (n_paths,n_groups), and behind them skv_gather__digest_made */
    int64_t *lacking;      /* (n_paths) rows whose group is not there */
    bool virtual_images;   /* as wished, and of a partial one */
    bool spares_whole;     /* no run.h5 will be written, so files known to be whole are not read */
};

static inline bool skv_gather__is_there(int64_t known)
{
    return (known & (SKV_GATHER__THERE | SKV_GATHER__DAMAGED)) == SKV_GATHER__THERE;
}

/* Makes the news known, and counts. */
void skv_gather__learn(skv_gather *g);
/* To be called for every group: tells others that this rank is at work, and hears a stop. */
SKV_MUST skv_status skv_gather__go_on(const skv_gather *g);

/* With the message at hand as the reason. */
SKV_MUST skv_status skv_gather__set_aside(const skv_run_name *file);
int64_t skv_gather__damaged(const skv_gather *g);
int64_t skv_gather__missing(const skv_gather *g); /* not counting the damaged ones */
SKV_MUST skv_status skv_gather__verdict(const skv_gather *g);

/* Counts what is known to be there: g->lacking. */
void skv_gather__count(skv_gather *g);
/* What is not: "3 of 5 rows; path full lacks 2"; "": nothing. */
#define SKV_GATHER__PARTIAL_BYTES 1024
void skv_gather__partial(char out[SKV_GATHER__PARTIAL_BYTES], const skv_gather *g);

#endif
