/* Kept positions as tokens. A position counts in the cache before its cut, so one token chosen
 * otherwise shifts all later positions at every later cut; tokens stay comparable. */
#ifndef SKV_CLI_VERIFY_KEPT_H
#define SKV_CLI_VERIFY_KEPT_H

#include <stdint.h>

#include "arch/schedule.h"
#include "core/status.h"

/* One head's cache: numbers in the sequence of all scales' tokens, ascending. */
typedef struct {
    int32_t *token; /* NULL: never cut, everything is there */
    int n, si;      /* after the cut that follows scale si */
} skv_kept;

/* The cache after another cut, at which these n ascending positions were kept; scales between the
 * cuts were kept whole. SKV_E_SHAPE: a position beyond the cache. */
SKV_MUST skv_status skv_kept_follow(skv_kept *k, const skv_schedule *s, int si,
                                    const int32_t *position, int n);

/* The share of a's tokens that b holds too; 0 where they hold different numbers of them. */
double skv_kept_overlap(const skv_kept *a, const skv_kept *b);

void skv_kept_clear(skv_kept *k);

#endif
