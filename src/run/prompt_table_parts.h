/* Inside src/run only: a table in memory (prompt_table.c) and on disk (prompt_file.c). */
#ifndef SKV_RUN_PROMPT_TABLE_PARTS_H
#define SKV_RUN_PROMPT_TABLE_PARTS_H

#include <stdbool.h>

#include "core/spool.h"
#include "io/h5.h"
#include "run/prompt_table.h"

struct skv_prompt_table {
    skv_prompt_place place; /* in memory: of its lists, n and n_prompts alone */
    int fd;                 /* of the file; -1: in memory */
    char *path;             /* of the file, or the list's name: for messages */
    skv_spool value[SKV_N_LISTS], end[SKV_N_LISTS];
};

typedef struct {
    const char *name;
    skv_h5_type type;
    int64_t most; /* entries of a prompt */
    const char *long_name, *units;
} skv_list__kind;
extern const skv_list__kind skv_list__kinds[SKV_N_LISTS];

static inline bool skv_list__is_text(skv_list list)
{
    return list <= SKV_LIST_ERROR;
}

/* A table without content; the descriptor becomes its own. */
SKV_MUST skv_status skv_prompt_table__new(skv_prompt_table **out, const char *path, int fd);

#endif
