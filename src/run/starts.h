/* The starts of a run: where its content comes from. Each is an object that says when, where, by
 * which program and which command; a list of them stands in run.json, and from there in run.h5 (as
 * JSON) and metrics.json. They are for people: nothing depends on them, no digest holds them. */
#ifndef SKV_RUN_STARTS_H
#define SKV_RUN_STARTS_H

#include "core/json.h"
#include "core/status.h"

#define SKV_STARTS            "starts"      /* key of run.json, attribute of the group in run.h5 */
#define SKV_SCHEMA_PROVENANCE "/provenance" /* that group */

/* SKV_E_FORMAT naming `name` where it is no list of objects. NULL, of earlier versions, is none. */
SKV_MUST skv_status skv_starts_check(const json_t *starts, const char *name);

/* *out = a new list: `before` (NULL: empty) and this start (NULL: none), both borrowed. */
SKV_MUST skv_status skv_starts_add(json_t **out, json_t *before, json_t *start, const char *name);

#endif
