/* Files that a command writes beside its result, as its options name them: --json, --csv,
 * --write-stats. */
#ifndef SKV_CORE_OUTPUTS_H
#define SKV_CORE_OUTPUTS_H

#include "core/options.h"

/* What the help of a --json says after what it holds. */
#define SKV_JSON_HELP "as JSON, to this file; -: that alone, to standard output"

/* Before work begins: SKV_E_ARG, naming option and file, where one of them could not be written at
 * its end: its folder is missing or closed to this user, or something other than a regular file,
 * or of --json than JSON, has the name. "-", standard output, is fine, and so is a file in the
 * folder of --out, which the command makes. To be called on the rank that writes. */
SKV_MUST skv_status skv_outputs_try(const skv_option *table, const void *settings);

#endif
