/* What names stand for. No call is ever made: the few known ones stand for values we build
 * ourselves, and whatever any other name makes is opaque. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "io/pickle_machine.h"

typedef enum {
    OTHER,
    DICT,
    DEFAULT_DICT, /* the first argument is a factory, which nobody needs */
    TENSOR,
    TENSOR_V2,
    TENSOR_V3, /* of an untyped storage, with the type as an argument */
    PARAMETER,
    TENSOR_OF_TYPE, /* (rebuild, type, its arguments, attributes) */
    TENSOR_TYPE     /* a class that adds nothing to the numbers */
} meaning;

static const struct {
    const char *module, *name;
    meaning means;
} known[] = {
    {"collections", "OrderedDict", DICT},
    {"collections", "Counter", DICT},
    {"builtins", "dict", DICT},
    {"__builtin__", "dict", DICT},
    {"collections", "defaultdict", DEFAULT_DICT},
    {"torch._utils", "_rebuild_tensor", TENSOR},
    {"torch._utils", "_rebuild_tensor_v2", TENSOR_V2},
    {"torch._utils", "_rebuild_tensor_v3", TENSOR_V3},
    {"torch._utils", "_rebuild_parameter", PARAMETER},
    {"torch._utils", "_rebuild_parameter_with_state", PARAMETER},
    {"torch._tensor", "_rebuild_from_type_v2", TENSOR_OF_TYPE},
    {"torch", "Tensor", TENSOR_TYPE},
    {"torch.nn.parameter", "Parameter", TENSOR_TYPE},
    {"torch.nn.parameter", "Buffer", TENSOR_TYPE},
};

static bool is_text(const skv_pickle_value *v, const char *text)
{
    return v->bytes == strlen(text) && memcmp(v->text, text, v->bytes) == 0;
}

static meaning meaning_of(const skv_pickle_value *v)
{
    for (size_t i = 0; v->type == SKV_PICKLE_NAME && i < sizeof known / sizeof known[0]; i++)
        if (is_text(v, known[i].module) && is_text(v->key, known[i].name))
            return known[i].means;
    return OTHER;
}

skv_status skv_pickle__push_name(skv_pickle *p, const skv_pickle_value *module,
                                 const skv_pickle_value *name)
{
    skv_pickle_value *v;

    if (module->type != SKV_PICKLE_TEXT || name->type != SKV_PICKLE_TEXT)
        return skv_pickle__refuse(p, "a name that is not made of two texts");
    SKV_TRY(skv_pickle__make(p, &v, SKV_PICKLE_NAME));
    v->text = module->text;
    v->bytes = module->bytes;
    v->key = name;
    return skv_pickle__push(p, v);
}

/* Of a NAME, or of a value that came from one. */
static skv_status push_opaque(skv_pickle *p, const skv_pickle_value *from)
{
    skv_pickle_value *v;

    SKV_TRY(skv_pickle__make(p, &v, SKV_PICKLE_OPAQUE));
    v->text = from->text;
    v->bytes = from->bytes;
    v->key = from->key;
    return skv_pickle__push(p, v);
}

/* ------------------------------------------------------------------------ storages */

/* ('storage', type, key, device, number of elements[, view]); another id is somebody else's. */
skv_status skv_pickle__push_storage(skv_pickle *p)
{
    skv_pickle_value *id, *v;
    const skv_pickle_value *type;

    SKV_TRY(skv_pickle__pop(p, &id));
    if (id->type != SKV_PICKLE_TUPLE || id->n < 2 || id->item[0]->type != SKV_PICKLE_TEXT ||
        id->item[1]->type != SKV_PICKLE_NAME)
        return skv_pickle__refuse(p, "a persistent id that is not a storage");
    type = id->item[1];
    if (!is_text(id->item[0], "storage") ||
        (!is_text(type, "torch") && !is_text(type, "torch.storage")))
        return push_opaque(p, type);
    if ((id->n != 5 && id->n != 6) || id->item[2]->type != SKV_PICKLE_TEXT ||
        id->item[4]->type != SKV_PICKLE_INT || id->item[4]->integer < 0)
        return skv_pickle__refuse(p, "a storage without key or number of elements");
    SKV_TRY(skv_pickle__make(p, &v, SKV_PICKLE_STORAGE));
    v->text = type->key->text;
    v->bytes = type->key->bytes;
    v->key = id->item[2];
    v->integer = id->item[4]->integer;
    v->view = id->n == 6 && id->item[5]->type != SKV_PICKLE_NONE ? id->item[5] : NULL;
    SKV_TRY(skv_pickle__add_item(p, &p->storages, v));
    return skv_pickle__push(p, v);
}

/* ------------------------------------------------------------------------- tensors */

static skv_status read_dims(const skv_pickle *p, int *ndim, int64_t *out, const skv_pickle_value *v)
{
    if (v->type != SKV_PICKLE_TUPLE || v->n > SKV_PICKLE_DIMS)
        return skv_pickle__refuse(p, "a tensor's shape is not a tuple of at most 8");
    *ndim = (int)v->n;
    for (size_t i = 0; i < v->n; i++) {
        if (v->item[i]->type != SKV_PICKLE_INT || v->item[i]->integer < 0)
            return skv_pickle__refuse(p,
                                      "a tensor's shape or stride is negative or not an integer");
        out[i] = v->item[i]->integer;
    }
    return SKV_OK;
}

/* _rebuild_tensor(storage, offset, shape, stride); v2: and requires_grad, hooks; v3: and dtype. */
static skv_status push_tensor(skv_pickle *p, const skv_pickle_value *args, meaning form)
{
    const size_t at_least = form == TENSOR ? 4 : form == TENSOR_V2 ? 6 : 7;
    skv_pickle_value *v;
    int strides = 0;

    if (args->type == SKV_PICKLE_TUPLE && args->n > 0 && args->item[0]->type == SKV_PICKLE_OPAQUE)
        return push_opaque(p, args->item[0]);
    if (args->type != SKV_PICKLE_TUPLE || args->n < at_least ||
        args->item[0]->type != SKV_PICKLE_STORAGE || args->item[1]->type != SKV_PICKLE_INT ||
        args->item[1]->integer < 0)
        return skv_pickle__refuse(p, "a tensor without storage or offset");
    if (form == TENSOR_V3 &&
        (args->item[6]->type != SKV_PICKLE_NAME || !is_text(args->item[6], "torch")))
        return skv_pickle__refuse(p, "a tensor whose type is not a name of torch");
    SKV_TRY(skv_pickle__make(p, &v, SKV_PICKLE_TENSOR));
    SKV_TRY(skv_alloc(&v->tensor, 1, sizeof *v->tensor, p->path));
    v->tensor->storage = args->item[0];
    v->tensor->type = form == TENSOR_V3 ? args->item[6]->key : NULL;
    v->tensor->offset = args->item[1]->integer;
    SKV_TRY(read_dims(p, &v->tensor->ndim, v->tensor->shape, args->item[2]));
    SKV_TRY(read_dims(p, &strides, v->tensor->stride, args->item[3]));
    if (strides != v->tensor->ndim)
        return skv_pickle__refuse(p, "a tensor whose shape and stride have different lengths");
    return skv_pickle__push(p, v);
}

/* _rebuild_parameter(tensor, ...) */
static skv_status push_parameter(skv_pickle *p, const skv_pickle_value *args)
{
    if (args->n < 1 ||
        (args->item[0]->type != SKV_PICKLE_TENSOR && args->item[0]->type != SKV_PICKLE_OPAQUE))
        return skv_pickle__refuse(p, "a parameter without a tensor");
    return skv_pickle__push(p, args->item[0]);
}

/* _rebuild_from_type_v2: a tensor to which somebody gave attributes, or of a class of its own. */
static skv_status push_of_type(skv_pickle *p, const skv_pickle_value *name,
                               const skv_pickle_value *args)
{
    const meaning form = args->n >= 3 ? meaning_of(args->item[0]) : OTHER;

    if (form >= TENSOR && form <= TENSOR_V3 && meaning_of(args->item[1]) == TENSOR_TYPE)
        return push_tensor(p, args->item[2], form);
    return push_opaque(p, args->n >= 2 && args->item[1]->type == SKV_PICKLE_NAME ? args->item[1]
                                                                                 : name);
}

/* -------------------------------------------------------------------- dictionaries */

/* dict(), dict({...}), or dict([[key, value], ...]) as Python 2 wrote it. */
static skv_status push_dict(skv_pickle *p, const skv_pickle_value *args, size_t at)
{
    const skv_pickle_value *from = args->n > at ? args->item[at] : NULL;
    skv_pickle_value *v;

    SKV_TRY(skv_pickle__make(p, &v, SKV_PICKLE_DICT));
    if (args->n > at + 1 ||
        (from && from->type != SKV_PICKLE_LIST && from->type != SKV_PICKLE_DICT))
        return skv_pickle__refuse(p, "a dictionary of something else than pairs");
    for (size_t i = 0; from && i < from->n; i++) {
        skv_pickle_value *pair = from->item[i];

        if (from->type == SKV_PICKLE_DICT) {
            SKV_TRY(skv_pickle__add_item(p, v, pair));
            continue;
        }
        if ((pair->type != SKV_PICKLE_LIST && pair->type != SKV_PICKLE_TUPLE) || pair->n != 2)
            return skv_pickle__refuse(p, "a dictionary's item is not a pair");
        SKV_TRY(skv_pickle__add_item(p, v, pair->item[0]));
        SKV_TRY(skv_pickle__add_item(p, v, pair->item[1]));
    }
    return skv_pickle__push(p, v);
}

skv_status skv_pickle__push_call(skv_pickle *p, const skv_pickle_value *name,
                                 const skv_pickle_value *args)
{
    const meaning means = meaning_of(name);

    if (args->type != SKV_PICKLE_TUPLE)
        return skv_pickle__refuse(p, "a call without a tuple of arguments");
    if (name->type != SKV_PICKLE_NAME && name->type != SKV_PICKLE_OPAQUE)
        return skv_pickle__refuse(p, "a call of something that is not a name");
    switch (means) {
    case DICT:
    case DEFAULT_DICT:
        return push_dict(p, args, means == DEFAULT_DICT);
    case TENSOR:
    case TENSOR_V2:
    case TENSOR_V3:
        return push_tensor(p, args, means);
    case PARAMETER:
        return push_parameter(p, args);
    case TENSOR_OF_TYPE:
        return push_of_type(p, name, args);
    case TENSOR_TYPE:
    case OTHER:
        break;
    }
    return push_opaque(p, name);
}
