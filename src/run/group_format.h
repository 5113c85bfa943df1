/* What writing and reading group files share: their attributes, and a record's members by schema.
 */
#ifndef SKV_RUN_GROUP_FORMAT_H
#define SKV_RUN_GROUP_FORMAT_H

#include <stddef.h>

#include "run/group_file.h"
#include "run/schema.h"

#define SKV_GROUP__KIND "skv group 2"

/* The older kind has other names for phases and scale_offset, and more checksums. Read, not made.
 */
#define SKV_GROUP__OLD_KIND       "skv group 1"
#define SKV_GROUP__OLD_BIT_OFFSET "bit_offset"   /* of /bits */
#define SKV_GROUP__OLD_PHASES     "/phase_names" /* a dataset */

#define SKV_GROUP__MAX_BLOCKS (SKV_N_SETS + 16)

struct skv_group_owned {
    void *block[SKV_GROUP__MAX_BLOCKS];
    int n;
};

typedef enum {
    SKV_GROUP__TEXT, /* const char * */
    SKV_GROUP__INT,  /* int */
    SKV_GROUP__LONG, /* int64_t */
    SKV_GROUP__BOOL  /* bool */
} skv_group__kind;

/* A member of the record that is an attribute of the file, and the range of a number. */
typedef struct {
    const char *name;
    skv_group__kind kind;
    size_t member;
    int64_t low, high;
    bool optional; /* files of the old kind may lack it: 0 */
} skv_group__attribute;

#define SKV_GROUP__N_ATTRIBUTES 17
extern const skv_group__attribute skv_group__attributes[SKV_GROUP__N_ATTRIBUTES];

int64_t skv_group__number(const skv_group_record *r, const skv_group__attribute *a);

/* `code` where a number is out of its range. */
SKV_MUST skv_status skv_group__check_number(int64_t v, const skv_group__attribute *a,
                                            const char *file, skv_status code);

/* "text,transformer,vae". */
#define SKV_GROUP__PHASES_BYTES 1024
SKV_MUST skv_status skv_group__join_phases(char out[SKV_GROUP__PHASES_BYTES],
                                           const skv_group_record *r);

skv_extents skv_group__extents(const skv_group_record *r);

/* The record's pointer at an offset; what skv_h5_write takes for a dataset, NULL: not given. */
const void *skv_group__member(const skv_group_record *r, size_t member);
const void *skv_group__data(const skv_group_record *r, skv_set set);

#endif
