/* The run on disk, dataset by dataset: one table from which group files and run.h5 are made and
 * read. src/run/README.md shows it.
 *
 * A group file holds a dataset as "/<name>". run.h5 holds what is said of the samples once, as
 * "/samples/<name>", and what belongs to a cache path as "/paths/<path>/<name>". */
#ifndef SKV_RUN_SCHEMA_H
#define SKV_RUN_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/h5.h"

typedef enum {
    SKV_SET_ROW,
    SKV_SET_ID,
    SKV_SET_GIVEN_ID,
    SKV_SET_PROMPT,
    SKV_SET_PROMPT_USED,
    SKV_SET_NEGATIVE,
    SKV_SET_SAMPLE,
    SKV_SET_SEED,
    SKV_SET_OFFSET,
    SKV_SET_TOKENS,
    SKV_SET_TRUNCATED,
    SKV_SET_STATUS,
    SKV_SET_ERROR,
    SKV_SET_GROUP,
    SKV_SET_BITS,
    SKV_SET_IMAGE,
    SKV_SET_CACHE_LENGTH,
    SKV_SET_CACHE_CAPACITY,
    SKV_SET_CACHE_BYTES,
    SKV_SET_LENGTH_BY_HEAD,
    SKV_SET_CAPACITY_BY_HEAD,
    SKV_SET_KEPT_BY_SOURCE,
    SKV_SET_SECONDS,
    SKV_SET_BUDGET,
    SKV_N_SETS
} skv_set;

/* How a dataset of run.h5 is made from those of the groups. */
typedef enum {
    SKV_GATHER_NOT,     /* not in run.h5 */
    SKV_GATHER_SAMPLES, /* the rows of the first path's groups, one after another, in /samples */
    SKV_GATHER_ROWS,    /* the rows of the path's groups, one after another */
    SKV_GATHER_GROUPS,  /* one entry a group: a new first axis */
    SKV_GATHER_FIRST,   /* the first group's: it is the same in all */
    SKV_GATHER_MEAN     /* the mean over the pictures */
} skv_gather_how;

/* shape: a letter an axis, those of the table in README.md: n rows, b bytes of a row's bits, H and
 * W of a picture, 3, c cuts (S-1), S scales, l layers, h heads, p phases, 1. */
typedef struct {
    const char *name;
    skv_h5_type type;
    const char *shape; /* in a group file */
    skv_gather_how how;
    unsigned part; /* SKV_GROUP_...; 0: always read */
    size_t member; /* offset of the record's pointer; SKV_SCHEMA_NO_MEMBER: run.h5 only */
    const char *units, *long_name;
    bool later; /* files of earlier versions lack it: its texts are read as "", its numbers as 0 */
} skv_schema_set;

#define SKV_SCHEMA_NO_MEMBER SIZE_MAX
#define SKV_SCHEMA_PATHS     "/paths" /* of run.h5: a member a path */

extern const skv_schema_set skv_schema[SKV_N_SETS];

/* Attributes of run.h5 and, where one of the same name stands there, of a group file. */
#define SKV_ATTR_CONFIG        "config"             /* / : JSON, the common part of run.json */
#define SKV_ATTR_CONFIG_DIGEST "config_digest"      /* / */
#define SKV_ATTR_SKV           "skv"                /* / : version of the program */
#define SKV_ATTR_GATHERED      "gathered"           /* / : digest of all that run.h5 was made of */
#define SKV_ATTR_PARTIAL       "partial"            /* / : what it lacks; not in a complete one */
#define SKV_ATTR_ORDER         "order"              /* a path: its place in the run */
#define SKV_ATTR_REFERENCE     "reference"          /* a path: 1, the others are compared with it */
#define SKV_ATTR_SETTINGS      "settings"           /* a path: JSON, policy, budget and options */
#define SKV_ATTR_DIGEST        "digest"             /* a path: of all that its pictures depend on */
#define SKV_ATTR_DEVICE        "device"             /* a path: what computed it */
#define SKV_ATTR_SCALE_OFFSET  "scale_offset"       /* bits: first bit of each scale, and the end */
#define SKV_ATTR_PHASES        "phases"             /* seconds: names, a comma between */
#define SKV_ATTR_FIRST_GROUPS  "first_groups"       /* seconds: groups with warm-up in them */
#define SKV_ATTR_POOL_PLANNED  "pool_bytes_planned" /* a path's cache: K/V bytes at the peak */
#define SKV_ATTR_POOL_PEAK     "pool_bytes_peak"    /* ... as measured */

/* Status of a row of a partial run.h5 whose group is not there. No group file has it. */
#define SKV_ROW_MISSING SKV_E_STOPPED

/* The extents that the letters stand for; -1: taken from the file. */
typedef struct {
    int64_t rows, groups, bits_bytes, height, width, scales, layers, heads, phases;
} skv_extents;

/* A dataset in a group file, and in run.h5 (e.groups is for SKV_GATHER_GROUPS alone). */
skv_h5_layout skv_schema_group_layout(skv_set set, const skv_extents *e);
skv_h5_layout skv_schema_run_layout(skv_set set, const skv_extents *e);

/* An object's name, by value: skv_schema_in_run(SKV_SET_BITS, "full").text is
 * "/paths/full/bits". A path's name must be one that skv_path_name_is_valid takes. */
typedef struct {
    char text[192];
} skv_schema_name;
skv_schema_name skv_schema_in_group(skv_set set);
skv_schema_name skv_schema_in_run(skv_set set, const char *path); /* path: NULL for /samples */
skv_schema_name skv_schema_path(const char *path);                /* "/paths/full" */
skv_schema_name skv_schema_cache(const char *path);               /* "/paths/full/cache" */

/* A cache path's name is also a folder and an object of HDF5. */
#define SKV_PATH_NAME_RULE "1 to 63 of a-z, 0-9, - and ., the first one a letter or digit"
bool skv_path_name_is_valid(const char *name);

#endif
