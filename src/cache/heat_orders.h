/* HeatKV's orders: for each source scale that may be dropped, all (head, layer) pairs, least needed
 * first. The file is the one that HeatKV's authors publish: a JSON list of lists of [head, layer].
 */
#ifndef SKV_CACHE_HEAT_ORDERS_H
#define SKV_CACHE_HEAT_ORDERS_H

#include "arch/dims.h"
#include "core/digest.h"
#include "core/status.h"

typedef struct {
    int n_lists, n_slots; /* slots: pairs, numbered layer·heads + head */
    int32_t *slot;        /* (n_lists, n_slots) */
    skv_digest digest;
} skv_heat_orders;

/* SKV_E_FORMAT names the file, the list and the pair that is wrong: another number of lists than
 * n_lists (0: any, one at least), a pair that the model has not, that is missing or there twice. */
SKV_MUST skv_status skv_heat_orders_read(skv_heat_orders *out, const char *path,
                                         const skv_dims *dims, int n_lists);
void skv_heat_orders_deinit(skv_heat_orders *o);

#endif
