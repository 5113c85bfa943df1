/* Files that lie where another was expected, told by their first bytes. */
#ifndef SKV_CORE_KNOWN_FILE_H
#define SKV_CORE_KNOWN_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

/* What data[0..bytes), the beginning of a file (512 bytes are enough), is, as the predicate of a
 * sentence: "is a web page, not the file itself". NULL: none of the kinds that are known here, so
 * possibly the expected one. */
const char *skv_known_file(const void *data, size_t bytes);

/* The same where any text is expected: a server's message may be an ordinary line of it, and is not
 * known. */
const char *skv_known_file_not_text(const void *data, size_t bytes);

/* SKV_E_FORMAT for a file that is not `wanted`: "a.png is a GIF picture: want a PNG picture". */
SKV_MUST skv_status skv_not_wanted(const char *path, const void *data, size_t bytes,
                                   const char *wanted);

#endif
