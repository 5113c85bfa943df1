/* Whose tensors a checkpoint holds, told by their names, whatever stands before these: the place
 * where they begin is found, and a file given for another is called what it is. */
#ifndef SKV_IO_CHECKPOINT_KIND_H
#define SKV_IO_CHECKPOINT_KIND_H

#include "io/checkpoint.h"

typedef enum {
    SKV_KIND_ANY, /* names are taken as they are */
    SKV_KIND_TRANSFORMER,
    SKV_KIND_VAE,
    SKV_KIND_T5,
    SKV_KIND_INCEPTION,
    SKV_KIND_ALEXNET,
    SKV_KIND_LPIPS
} skv_kind;

/* From now on skv_checkpoint_find takes the names of this kind of model: what stands before them in
 * the file ("module.", "state_dict.model.", ...) is put before each. Of several such places the
 * first counts that is no moving average, with the fewest parts. SKV_E_ARG: the file is known to
 * be of another kind, which is named; SKV_E_NOTFOUND: it has none of the kind's tensors. */
SKV_MUST skv_status skv_checkpoint_enter(skv_checkpoint *ck, skv_kind kind, const char *path);

#endif
