/* Files that lie where another was expected, told by their first bytes. */
#ifndef SKV_CORE_KNOWN_FILE_H
#define SKV_CORE_KNOWN_FILE_H

#include <stddef.h>

/* What data[0..bytes), the beginning of a file (512 bytes are enough), is, as the predicate of a
 * sentence: "is a web page, not the file itself". NULL: none of the kinds that are known here, so
 * possibly the expected one. */
const char *skv_known_file(const void *data, size_t bytes);

#endif
