/* The log: stderr (rank 0, others only on error), and one file a rank.
 *
 * The only globals of the program live here: level, prefix, file. */
#ifndef SKV_CORE_LOG_H
#define SKV_CORE_LOG_H

#include <stdbool.h>

#include "core/status.h"

typedef enum {
    SKV_LOG_ERROR = 0,
    SKV_LOG_WARN = 1,
    SKV_LOG_INFO = 2,
    SKV_LOG_DEBUG = 3
} skv_log_level;

/* Call once before threads start. `console`: the most verbose level that reaches stderr;
 * `prefix` ("[3/8 host]", copied) is printed before each line, "" for none. */
void skv_log_setup(skv_log_level console, const char *prefix);

/* From now on every line also goes to `path`, RUN/log/<rank>.txt (appended; its last two parts are
 * below the run, see core/folder.h). Closed by skv_log_close. */
SKV_MUST skv_status skv_log_open(const char *path);
void skv_log_close(void);

/* Thread-safe; one line, escaped (core/escape.h). */
void skv_log(skv_log_level level, const char *fmt, ...) SKV_PRINTF(2, 3);

/* Whether lines of this level reach stderr. */
bool skv_log_shows(skv_log_level level);

/* How many characters of skv_log_line's line are shown; 0: standard error is no terminal. */
int skv_log_columns(void);

/* Thread-safe: a last line on a terminal that is written anew each time, cut to its width; other
 * lines come above it. NULL: what it shows now stays there. */
void skv_log_line(const char *text);

#define skv_error(...) skv_log(SKV_LOG_ERROR, __VA_ARGS__)
#define skv_warn(...)  skv_log(SKV_LOG_WARN, __VA_ARGS__)
#define skv_info(...)  skv_log(SKV_LOG_INFO, __VA_ARGS__)
#define skv_debug(...) skv_log(SKV_LOG_DEBUG, __VA_ARGS__)

#endif
