/* Group files: RUN/groups/<path>/000123.h5, one finished group of one cache path.
 *
 * The promise: a picture reported done is never lost and never wrong. So a file is written aside,
 * closed, synced, opened again and compared with what was meant, and only then renamed. Its first
 * block has the CRC-32 of all that follows, and every dataset its own. Files hold seconds: compare
 * them by dataset, not by bytes. README.md lists what is in them (run/schema.h). */
#ifndef SKV_RUN_GROUP_FILE_H
#define SKV_RUN_GROUP_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"
#include "run/run_place.h"

/* n rows, S scales, l layers. Pointers are borrowed when writing and owned by the record after
 * reading; NULL: not there (write) or not wanted (read). */
typedef struct {
    const char *path_name;     /* as skv_path_name_is_valid takes it */
    const char *config_digest; /* of the run's common part */
    const char *path_digest;
    const char *version; /* of skv */
    const char *budget;  /* JSON text, "" for none */
    const char *device;  /* GPU or CPU, BLAS and library versions */
    int64_t group;
    int n_rows, n_scales, n_layers, n_heads;
    int height, width;               /* of a picture */
    bool first;                      /* the rank's first group: its seconds hold warm-up */
    int64_t pool_planned, pool_peak; /* K/V bytes of the group at its peak: as planned, as measured;
                                      * both 0: not known */

    /* rows: (n) each */
    const int64_t *row;
    const char *const *id;
    const char *const *given_id; /* "" for none */
    const char *const *prompt;
    const char *const *prompt_used;
    const char *const *negative; /* "" for none */
    const int32_t *sample;
    const uint64_t *seed;
    const uint64_t *offset; /* of the seed's generator before the picture */
    const int32_t *tokens;
    const uint8_t *truncated;
    const int32_t *status;    /* 0 done, else a skv_status */
    const char *const *error; /* "" where done */

    const uint8_t *bits;       /* (n, bits_bytes), least significant bit first, all scales */
    const int64_t *bit_offset; /* (S+1) first bit of each scale; the last: how many there are */
    int64_t bits_bytes;
    const uint8_t *image; /* (n,H,W,3) */

    const int64_t *cache_length, *cache_capacity, *cache_bytes; /* (S-1,l), all three or none */
    const int64_t *length_by_head, *capacity_by_head; /* (S-1,l,n_heads), where heads differ */
    const float *kept_by_source;                      /* (S-1,l,S) */

    const double *seconds;          /* (n_phases) */
    const char *const *phase_names; /* (n_phases) */
    int n_phases;

    struct skv_group_owned *owned; /* after reading */
} skv_group_record;

/* What is to be read besides the attributes, which always are. */
#define SKV_GROUP_ROWS    1u
#define SKV_GROUP_BITS    2u
#define SKV_GROUP_IMAGE   4u
#define SKV_GROUP_CACHE   8u
#define SKV_GROUP_SECONDS 16u
#define SKV_GROUP_ALL     31u
#define SKV_GROUP_CHECKED                                                                          \
    32u /* this job found nothing wrong (skv_group_file_whole, skv_group_file_known) */

/* Writes the record to `file`; the folder of its path must exist. On failure nothing stands under
 * that name that was not there before. A folder, FIFO or link there is set aside. */
SKV_MUST skv_status skv_group_file_write(const skv_run_name *file, const skv_group_record *rec);

/* Fills *rec (cleared by skv_group_record_clear) after all bytes of the file were found to have
 * their CRC-32. Parts that the file lacks are left NULL. SKV_E_NOTFOUND when there is no file. A
 * file that seems to be damaged is read once more: a fault that passes costs no group. */
SKV_MUST skv_status skv_group_file_read(skv_group_record *rec, const skv_run_name *file,
                                        unsigned parts);

/* Whether the status of reading a file means that the file is damaged, and not that it cannot be
 * read at the moment. */
bool skv_group_file_is_damage(skv_status st);
void skv_group_record_clear(skv_group_record *rec);

typedef enum {
    SKV_GROUP_ABSENT,
    SKV_GROUP_GOOD,
    SKV_GROUP_LACKING, /* good, but without bits or pictures that are wanted */
    SKV_GROUP_DAMAGED, /* there, but cut, altered, or no group file: a folder, say */
    SKV_GROUP_FOREIGN  /* whole, but of another configuration, path or group */
} skv_group_state;

typedef struct {
    const char *config_digest, *path_digest;
    int64_t group, first_row;
    int n_rows;     /* 0: any rows */
    unsigned parts; /* SKV_GROUP_BITS, SKV_GROUP_IMAGE: what must be there */
} skv_group_want;

/* Tells what `file` is by its first block and its length; for LACKING, DAMAGED and FOREIGN
 * skv_message() says why. Damage after the first block is found by skv_group_file_read
 * alone. Fails only for reasons outside the file (memory, permission). */
SKV_MUST skv_status skv_group_file_check(skv_group_state *state, const skv_run_name *file,
                                         const skv_group_want *want);

/* What a good file's first block says of it. */
typedef struct {
    int64_t first_row;
    int n_rows;
    unsigned parts; /* SKV_GROUP_BITS, SKV_GROUP_IMAGE: what it has */
    uint32_t crc;   /* of all that follows the block */
} skv_group_seal;

typedef struct {
    skv_group_seal seal;
    bool whole; /* all of it was read and found right, and nobody has written to it since */
} skv_group_known;

/* The same, and *known where the file is GOOD or LACKING. whole: as its writer left it
 * (skv_h5_seal); false where that cannot be told, as of a copy. */
SKV_MUST skv_status skv_group_file_look(skv_group_state *state, skv_group_known *known,
                                        const skv_run_name *file, const skv_group_want *want);

/* Reads all of a file and looks for damage; as skv_group_file_read, but gives nothing. */
SKV_MUST skv_status skv_group_file_whole(const skv_run_name *file);

/* The same for a file that is known to be whole, and whose pictures will not be read: it is walked
 * through (io/h5_probe.h), but for the pictures; checksums are left to those who read a part. */
SKV_MUST skv_status skv_group_file_known(const skv_run_name *file);

/* Renames whatever stands in a group file's place to "<file>.damaged", so that nothing reads it as
 * a group. One is kept: an older one is replaced. */
SKV_MUST skv_status skv_group_file_set_aside(const skv_run_name *file);

#endif
