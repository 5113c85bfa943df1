#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "cache/heat_orders.h"

enum { HEADS = 2, LAYERS = 2, SLOTS = HEADS * LAYERS, LISTS = 2 };

/* Every list has every slot once. */
static void check_lists(const skv_heat_orders *o)
{
    assert(o->n_lists >= 1 && o->n_slots == SLOTS);
    for (int list = 0; list < o->n_lists; list++) {
        bool seen[SLOTS] = {false};

        for (int i = 0; i < SLOTS; i++) {
            const int32_t slot = o->slot[list * SLOTS + i];

            assert(slot >= 0 && slot < SLOTS && !seen[slot]);
            seen[slot] = true;
        }
    }
}

/* n_lists 0: as many as there are. */
static void read_orders(const char *path, int n_lists)
{
    const skv_dims dims = {.heads = HEADS, .depth = LAYERS};
    skv_heat_orders orders;

    if (skv_heat_orders_read(&orders, path, &dims, n_lists) == SKV_OK) {
        assert(n_lists == 0 || orders.n_lists == n_lists);
        check_lists(&orders);
        skv_heat_orders_deinit(&orders);
    } else {
        fuzz_refused();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *path = fuzz_file("orders.json", data, n);

    read_orders(path, LISTS);
    read_orders(path, 0);
    return 0;
}
