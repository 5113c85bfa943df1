#include "fuzz.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cache/budget.h"
#include "core/json.h"

static void check_capacities(const skv_budget *b, const skv_dims *dims, const skv_schedule *s)
{
    assert(isfinite(skv_budget_average(b)) && skv_budget_average(b) >= 0);
    for (int si = 0; si + 1 < s->n_scales; si++)
        for (int layer = 0; layer < dims->depth; layer++)
            assert(skv_budget_capacity(b, layer, si) >= 0);
}

/* A table is read back as it was written. */
static void check_copy(const skv_budget *b, const skv_dims *dims, const skv_schedule *s)
{
    skv_budget *again = NULL;
    json_t *json = NULL;
    char *text = NULL;
    skv_status st = skv_budget_to_json(&json, b);

    assert(st == SKV_OK);
    st = skv_json_print(&text, json, SKV_JSON_COMPACT);
    assert(st == SKV_OK);
    st = skv_budget_load(&again, fuzz_file("again.json", text, strlen(text)), dims, s);
    assert(st == SKV_OK);
    for (int si = 0; si + 1 < s->n_scales; si++)
        for (int layer = 0; layer < dims->depth; layer++)
            assert(skv_budget_capacity(b, layer, si) == skv_budget_capacity(again, layer, si));
    skv_budget_destroy(again);
    json_decref(json);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    skv_budget *b = NULL;
    skv_schedule schedule;
    skv_dims dims;

    if (skv_dims_named(&dims, "2b") != SKV_OK || skv_schedule_make(&schedule, 1.0, "1M") != SKV_OK)
        abort();
    if (skv_budget_load(&b, fuzz_file("budget.json", data, n), &dims, &schedule) == SKV_OK) {
        check_capacities(b, &dims, &schedule);
        check_copy(b, &dims, &schedule);
    } else {
        fuzz_refused();
    }
    skv_budget_destroy(b);
    return 0;
}
