/* The machine's values and its stack. Values live in blocks until the end, so containers may share
 * them or hold themselves; whoever walks them bounds depth and visits. The bounds on values and
 * items keep a short pickle from growing a dictionary again and again out of one long list. */
#include <stdlib.h>

#include "core/mem.h"
#include "io/pickle_machine.h"

#define MAX_VALUES ((size_t)1 << 21)
#define MAX_ITEMS  ((size_t)1 << 22) /* of all containers together */

struct skv_pickle_block {
    skv_pickle_block *next;
    skv_pickle_value values[1024];
};

skv_status skv_pickle__make(skv_pickle *p, skv_pickle_value **out, skv_pickle_type type)
{
    if (!p->blocks || p->in_block == sizeof p->blocks->values / sizeof p->blocks->values[0]) {
        skv_pickle_block *b = NULL;

        if (p->n_values >= MAX_VALUES)
            return skv_pickle__refuse(p, "too many values");
        SKV_TRY(skv_alloc(&b, 1, sizeof *b, p->path));
        b->next = p->blocks;
        p->blocks = b;
        p->in_block = 0;
    }
    *out = &p->blocks->values[p->in_block++];
    p->n_values++;
    (*out)->type = type;
    return SKV_OK;
}

skv_status skv_pickle__push(skv_pickle *p, skv_pickle_value *v)
{
    if (p->depth == SKV_PICKLE_STACK)
        return skv_pickle__refuse(p, "the stack is too deep");
    p->stack[p->depth++] = v;
    return SKV_OK;
}

/* Only a mark's own operations may shrink the stack below that mark. */
skv_status skv_pickle__pop(skv_pickle *p, skv_pickle_value **out)
{
    const size_t floor = p->n_marks ? p->marks[p->n_marks - 1] : 0;

    if (p->depth <= floor)
        return skv_pickle__refuse(p, "the stack is empty");
    *out = p->stack[--p->depth];
    return SKV_OK;
}

skv_status skv_pickle__add_item(skv_pickle *p, skv_pickle_value *v, skv_pickle_value *item)
{
    if (++p->n_items > MAX_ITEMS)
        return skv_pickle__refuse(p, "containers of too many items");
    SKV_TRY(skv_grow(&v->item, v->n, sizeof *v->item, p->path));
    v->item[v->n++] = item;
    return SKV_OK;
}

void skv_pickle__free_values(skv_pickle *p)
{
    while (p->blocks) {
        skv_pickle_block *b = p->blocks;

        p->blocks = b->next;
        for (size_t i = 0; i < sizeof b->values / sizeof b->values[0]; i++) {
            free(b->values[i].item);
            free(b->values[i].tensor);
        }
        free(b);
    }
    free(p->storages.item);
}
