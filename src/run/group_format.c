#include "run/group_format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IN(member) offsetof(skv_group_record, member)
#define TEXT(name)                                                                                 \
    {                                                                                              \
#name, SKV_GROUP__TEXT, IN(name), 0, 0, false                                              \
    }
#define NUMBER(name, low, hi)                                                                      \
    {                                                                                              \
#name, SKV_GROUP__INT, IN(name), low, hi, false                                            \
    }

const skv_group__attribute skv_group__attributes[SKV_GROUP__N_ATTRIBUTES] = {
    TEXT(path_name),
    TEXT(config_digest),
    TEXT(path_digest),
    TEXT(version),
    TEXT(device),
    NUMBER(n_rows, 1, 1 << 16),
    NUMBER(n_scales, 1, 64),
    NUMBER(n_layers, 1, 1024),
    NUMBER(n_heads, 0, 1024),
    NUMBER(height, 0, 1 << 15),
    NUMBER(width, 0, 1 << 15),
    NUMBER(n_phases, 0, 64),
    {"group", SKV_GROUP__LONG, IN(group), 0, INT64_MAX, false},
    {"bits_bytes", SKV_GROUP__LONG, IN(bits_bytes), 0, INT32_MAX, false},
    {"first", SKV_GROUP__BOOL, IN(first), 0, 1, false},
    {SKV_ATTR_POOL_PLANNED, SKV_GROUP__LONG, IN(pool_planned), 0, INT64_MAX, true},
    {SKV_ATTR_POOL_PEAK, SKV_GROUP__LONG, IN(pool_peak), 0, INT64_MAX, true},
};

int64_t skv_group__number(const skv_group_record *r, const skv_group__attribute *a)
{
    const char *at = (const char *)r + a->member;

    switch (a->kind) {
    case SKV_GROUP__INT:
        return *(const int *)at;
    case SKV_GROUP__LONG:
        return *(const int64_t *)at;
    case SKV_GROUP__BOOL:
        return *(const bool *)at;
    case SKV_GROUP__TEXT:
        break;
    }
    return 0;
}

skv_status skv_group__check_number(int64_t v, const skv_group__attribute *a, const char *file,
                                   skv_status code)
{
    if (v < a->low || v > a->high)
        return skv_fail(code, "%s: %s is %lld, it must be %lld to %lld", file, a->name,
                        (long long)v, (long long)a->low, (long long)a->high);
    return SKV_OK;
}

skv_extents skv_group__extents(const skv_group_record *r)
{
    return (skv_extents){.rows = r->n_rows,
                         .groups = 1,
                         .bits_bytes = r->bits_bytes,
                         .height = r->height,
                         .width = r->width,
                         .scales = r->n_scales,
                         .layers = r->n_layers,
                         .heads = r->n_heads,
                         .phases = r->n_phases};
}

const void *skv_group__member(const skv_group_record *r, size_t member)
{
    const void *p;

    memcpy(&p, (const char *)r + member, sizeof p);
    return p;
}

const void *skv_group__data(const skv_group_record *r, skv_set set)
{
    if (set == SKV_SET_BUDGET) /* one text, not a list of them */
        return &r->budget;
    return skv_schema[set].member == SKV_SCHEMA_NO_MEMBER
               ? NULL
               : skv_group__member(r, skv_schema[set].member);
}

skv_status skv_group__join_phases(char out[SKV_GROUP__PHASES_BYTES], const skv_group_record *r)
{
    size_t used = 0;

    out[0] = '\0';
    for (int i = 0; i < r->n_phases; i++) {
        const char *name = r->phase_names[i];

        if (!name[0] || strchr(name, ',') || used + strlen(name) + 2 > SKV_GROUP__PHASES_BYTES)
            return skv_fail(SKV_E_ARG, "\"%s\" cannot be the name of a phase", name);
        used += (size_t)snprintf(out + used, SKV_GROUP__PHASES_BYTES - used, "%s%s", i ? "," : "",
                                 name);
    }
    return SKV_OK;
}
