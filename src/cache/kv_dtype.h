/* How a path's pool holds keys and values: as the backend computes with them, or as codes of a
 * byte. The store converts on its way in and out, so no policy and no attention sees a code. */
#ifndef SKV_CACHE_KV_DTYPE_H
#define SKV_CACHE_KV_DTYPE_H

#include "core/dtype.h"
#include "core/status.h"

typedef enum { SKV_KV_WORK, SKV_KV_FP8, SKV_KV_INT8, SKV_KV_N_DTYPES } skv_kv_dtype;

const char *skv_kv_dtype_name(skv_kv_dtype t); /* "work", "fp8", "int8" */
const char *skv_kv_dtype_help(skv_kv_dtype t);

/* SKV_E_ARG lists the known ones. */
SKV_MUST skv_status skv_kv_dtype_find(skv_kv_dtype *out, const char *name);

/* The pool's element type; work: the backend's type of keys and values. */
skv_dtype skv_kv_dtype_of(skv_kv_dtype t, skv_dtype work);

#endif
