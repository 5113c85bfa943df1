/* What writing and reading group files share. */
#ifndef SKV_RUN_GROUP_FORMAT_H
#define SKV_RUN_GROUP_FORMAT_H

#include <stddef.h>

#include "run/group_file.h"
#include "io/h5.h"

#define SKV_GROUP__KIND "skv group 1" /* the form of the file */

struct skv_group_owned {
    void *block[64];
    int n;
    char *datasets; /* names of those in the file, a blank before and behind each */
    int64_t crc;    /* of the attributes */
};

/* A dataset. part 0: always there. shape: a letter an axis. offset: of the record's pointer. */
typedef struct {
    const char *name;
    skv_h5_type type;
    unsigned part;
    const char *shape;
    size_t offset;
    int rows_per_chunk;
    const char *long_name, *units;
} skv_group__set;

/* An int of the record that is an attribute, and its range. */
typedef struct {
    const char *key;
    size_t offset;
    int low, high;
} skv_group__number;

/* A text of the record that is an attribute. */
typedef struct {
    const char *key;
    size_t offset;
} skv_group__word;

#define SKV_GROUP__N_SETS     20
#define SKV_GROUP__N_NUMBERS  7
#define SKV_GROUP__N_WORDS    5
#define SKV_GROUP__AT(member) offsetof(skv_group_record, member)

extern const skv_group__set skv_group__sets[SKV_GROUP__N_SETS];
extern const skv_group__number skv_group__numbers[SKV_GROUP__N_NUMBERS];
extern const skv_group__word skv_group__words[SKV_GROUP__N_WORDS];

skv_h5_layout skv_group__layout_of(const skv_group__set *d, const skv_group_record *r);

/* The record's pointer at offset; what skv_h5_write takes for a dataset, NULL: not given. */
const void *skv_group__member(const skv_group_record *r, size_t offset);
const void *skv_group__data_of(const skv_group_record *r, const skv_group__set *d);
int skv_group__number_of(const skv_group_record *r, const skv_group__number *k);

/* `code` where a number is out of its range. */
SKV_MUST skv_status skv_group__check_numbers(const skv_group_record *r, const char *file,
                                             skv_status code);

/* CRC-32 of all attributes and of the list of datasets. */
SKV_MUST skv_status skv_group__header_crc(int64_t *out, const skv_group_record *r,
                                          const char *datasets);
bool skv_group__is_listed(const char *datasets, const char *name);
bool skv_group__names_path(const char *name);

#endif
