/* A small run of group files of a test's making, in the temp folder: five rows in groups of two,
 * two and one; paths full (the reference) and scalekv-10; three scales, two layers, two heads,
 * pictures of 4x6. Everything in it is made from the row, the path and the scale, and differs
 * between them. */
#ifndef SKV_TESTS_WRITE_GROUPS_H
#define SKV_TESTS_WRITE_GROUPS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    TEST_GROUPS_ROWS = 5,
    TEST_GROUPS = 3,
    TEST_GROUPS_PATHS = 2,
    TEST_GROUPS_SCALES = 3,
    TEST_GROUPS_LAYERS = 2,
    TEST_GROUPS_HEADS = 2,
    TEST_GROUPS_HEIGHT = 4,
    TEST_GROUPS_WIDTH = 6,
    TEST_GROUPS_BITS = 3, /* bytes of a row */
    TEST_GROUPS_SIDES = TEST_GROUPS_HEIGHT * TEST_GROUPS_WIDTH * 3
};

/* What may be wrong with a group. */
typedef struct {
    const char *config_digest; /* NULL: the run's */
    bool no_image, row_failed, other_size;
} test_groups_fault;

extern const char *const test_groups_path[TEST_GROUPS_PATHS];

/* run.json, folders and all groups. */
void write_groups(void);

/* One group anew; fault: NULL, none. */
void write_group(int path, int group, const test_groups_fault *fault);

/* In one of eight buffers used in turn. */
const char *group_name(int path, int group);

uint8_t group_bits_byte(int path, int row, int i);
uint8_t group_image_byte(int path, int row, int i);

#endif
