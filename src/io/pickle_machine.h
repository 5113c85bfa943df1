/* The machine's inside: pickle_values.c holds values and stack, pickle_names.c makes values of
 * names, pickle.c reads opcodes. */
#ifndef SKV_IO_PICKLE_MACHINE_H
#define SKV_IO_PICKLE_MACHINE_H

#include "core/status.h"
#include "io/pickle_values.h"

#define SKV_PICKLE_STACK 10000

typedef struct skv_pickle skv_pickle;
typedef struct skv_pickle_block skv_pickle_block;

struct skv_pickle {
    const uint8_t *data;
    size_t bytes, at;
    const char *path;
    skv_pickle_block *blocks;
    size_t in_block, n_values, n_items;
    skv_pickle_value *stack[SKV_PICKLE_STACK];
    size_t depth;
    size_t marks[SKV_PICKLE_STACK]; /* stack heights */
    size_t n_marks;
    skv_pickle_value **memo;
    size_t memo_room, n_memo;
    skv_pickle_value storages; /* a list */
};

#define skv_pickle__refuse(p, what)                                                                \
    skv_fail(SKV_E_FORMAT, "%s: pickle, byte %zu: %s", (p)->path, (p)->at, (what))

SKV_MUST skv_status skv_pickle__make(skv_pickle *p, skv_pickle_value **out, skv_pickle_type type);
SKV_MUST skv_status skv_pickle__push(skv_pickle *p, skv_pickle_value *v);
SKV_MUST skv_status skv_pickle__pop(skv_pickle *p, skv_pickle_value **out);
SKV_MUST skv_status skv_pickle__add_item(skv_pickle *p, skv_pickle_value *v,
                                         skv_pickle_value *item);

void skv_pickle__free_values(skv_pickle *p);

/* Pushes the name `name` (a TEXT) of a module (a TEXT, too). */
SKV_MUST skv_status skv_pickle__push_name(skv_pickle *p, const skv_pickle_value *module,
                                          const skv_pickle_value *name);

/* Pushes what `name`, called with the tuple args, stands for: a value of ours, or an opaque one. */
SKV_MUST skv_status skv_pickle__push_call(skv_pickle *p, const skv_pickle_value *name,
                                          const skv_pickle_value *args);

/* Replaces a persistent id on the stack by the storage that it names. */
SKV_MUST skv_status skv_pickle__push_storage(skv_pickle *p);

#endif
