/* Which group a rank takes next: pure arithmetic on what it knows of all of them. */
#ifndef SKV_JOB_NEXT_PLACE_H
#define SKV_JOB_NEXT_PLACE_H

#include <stdint.h>

/* What a rank knows of a place in the list of groups (job/todo_list.h). */
typedef enum {
    SKV_PLACE_LEFT,  /* free, as far as is known */
    SKV_PLACE_MINE,  /* claimed by this rank */
    SKV_PLACE_TAKEN, /* claimed by another when last looked at */
    SKV_PLACE_DONE
} skv_place;

/* The place to try next, -1 where none is left: a rank goes through its own share from the front
 * and then through those of the ranks after it from the back, so that two meet as late as can be.
 * share: (size+1), as in skv_todo_list. */
int64_t skv_next_place(const uint8_t *places, const int64_t *share, int rank, int size);

#endif
