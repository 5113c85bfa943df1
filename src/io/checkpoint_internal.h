/* A checkpoint's inside, for finding the place where a model's names begin (checkpoint_kind.c). */
#ifndef SKV_IO_CHECKPOINT_INTERNAL_H
#define SKV_IO_CHECKPOINT_INTERNAL_H

#include "io/checkpoint.h"
#include "io/entries.h"

#define SKV_ENTRY_NAME 2048 /* room for a place and a name behind it */

/* By its whole name in the file. */
const skv_entry *skv_checkpoint__find_whole(const skv_checkpoint *ck, const char *name);

/* What stands under this whole name and is no tensor, or NULL; name NULL: the first such. */
const skv_other_entry *skv_checkpoint__other(const skv_checkpoint *ck, const char *name);

/* Names are looked up behind place[0..bytes); `further`: another place that is not used, or NULL.
 */
SKV_MUST skv_status skv_checkpoint__set_place(skv_checkpoint *ck, const char *place, size_t bytes,
                                              const char *further, size_t further_bytes);

#endif
