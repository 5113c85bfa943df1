#include "cache/heat_orders.h"

#include <stdlib.h>
#include <string.h>

#include "arch/schedule.h"
#include "core/json.h"
#include "core/mem.h"

/* *out = number i of the pair, 0 <= *out < n. */
static bool member(int *out, const json_t *pair, size_t i, int n)
{
    const json_t *v = json_array_get(pair, i);

    if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) >= n)
        return false;
    *out = (int)json_integer_value(v);
    return true;
}

/* seen: n_slots flags, cleared. */
static skv_status read_list(int32_t *slot, bool *seen, const json_t *list, int number,
                            const skv_dims *dims, const char *path)
{
    const int n = dims->heads * dims->depth;

    if (!json_is_array(list) || json_array_size(list) != (size_t)n)
        return skv_fail(SKV_E_FORMAT, "%s: list %d has %zu pairs, want the model's %d", path,
                        number, json_array_size(list), n);
    for (int i = 0; i < n; i++) {
        const json_t *pair = json_array_get(list, (size_t)i);
        int head = 0, layer = 0;

        if (json_array_size(pair) != 2 || !member(&head, pair, 0, dims->heads) ||
            !member(&layer, pair, 1, dims->depth))
            return skv_fail(SKV_E_FORMAT,
                            "%s: pair %d of list %d: want [head, layer] of %d heads and %d layers",
                            path, i + 1, number, dims->heads, dims->depth);
        slot[i] = layer * dims->heads + head;
        if (seen[slot[i]])
            return skv_fail(SKV_E_FORMAT, "%s: list %d has head %d of layer %d twice", path, number,
                            head, layer);
        seen[slot[i]] = true;
    }
    return SKV_OK;
}

/* n_lists: as wanted, 0: any. */
static skv_status say_lists(const json_t *root, int n_lists, const char *path)
{
    if (!json_is_array(root))
        return skv_fail(SKV_E_FORMAT,
                        "%s: want a JSON list of orders, each a list of [head, layer]", path);
    if (n_lists == 0)
        return skv_fail(SKV_E_FORMAT, "%s: want 1 to %d lists of [head, layer], not %zu", path,
                        SKV_MAX_SCALES, json_array_size(root));
    return skv_fail(SKV_E_FORMAT,
                    "%s: want a list of %d lists, one for each scale that may be dropped, not %zu",
                    path, n_lists, json_array_size(root));
}

skv_status skv_heat_orders_read(skv_heat_orders *out, const char *path, const skv_dims *dims,
                                int n_lists)
{
    const size_t n = (size_t)dims->heads * (size_t)dims->depth;
    skv_heat_orders o = {.n_slots = (int)n};
    skv_status st = SKV_OK;
    json_t *root = NULL;
    bool *seen = NULL;

    SKV_TRY_GOTO(skv_json_read(&root, path), done);
    if (n_lists == 0 && json_array_size(root) > 0 && json_array_size(root) <= SKV_MAX_SCALES)
        n_lists = (int)json_array_size(root);
    if (!json_is_array(root) || n_lists == 0 || json_array_size(root) != (size_t)n_lists) {
        st = say_lists(root, n_lists, path);
        goto done;
    }
    o.n_lists = n_lists;
    SKV_TRY_GOTO(skv_alloc(&o.slot, (size_t)n_lists * n, sizeof *o.slot, "orders"), done);
    SKV_TRY_GOTO(skv_alloc(&seen, n, sizeof *seen, "orders"), done);
    for (int i = 0; i < n_lists; i++) {
        memset(seen, 0, n * sizeof *seen);
        SKV_TRY_GOTO(read_list(o.slot + (size_t)i * n, seen, json_array_get(root, (size_t)i), i + 1,
                               dims, path),
                     done);
    }
    o.digest = skv_digest_of(o.slot, (size_t)n_lists * n * sizeof *o.slot);
    *out = o;
    o.slot = NULL;
done:
    skv_heat_orders_deinit(&o);
    free(seen);
    json_decref(root);
    return st;
}

void skv_heat_orders_deinit(skv_heat_orders *o)
{
    free(o->slot);
    o->slot = NULL;
}
