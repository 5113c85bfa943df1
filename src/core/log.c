#include "core/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/escape.h"
#include "core/file.h"

static struct {
    pthread_mutex_t lock;
    skv_log_level console;
    char prefix[96];
    FILE *file;
} logger = {.lock = PTHREAD_MUTEX_INITIALIZER, .console = SKV_LOG_INFO};

void skv_log_setup(skv_log_level console, const char *prefix)
{
    logger.console = console;
    snprintf(logger.prefix, sizeof logger.prefix, "%s", prefix);
}

skv_status skv_log_open(const char *path)
{
    FILE *f;
    int fd = -1;

    SKV_TRY(skv_file_append(&fd, path, 2));
    f = fdopen(fd, "a");
    if (!f) {
        close(fd);
        return skv_fail(SKV_E_IO, "%s: cannot open the log: %s", path, strerror(errno));
    }
    skv_log_close();
    logger.file = f;
    return SKV_OK;
}

void skv_log_close(void)
{
    if (logger.file)
        fclose(logger.file);
    logger.file = NULL;
}

void skv_log(skv_log_level level, const char *fmt, ...)
{
    static const char *const names[] = {"error: ", "warning: ", "", ""};
    char raw[4096], text[2 * sizeof raw]; /* on the stack: reporting never allocates */
    va_list args;

    va_start(args, fmt);
    vsnprintf(raw, sizeof raw, fmt, args);
    va_end(args);
    skv_escape(text, sizeof text, raw);
    pthread_mutex_lock(&logger.lock);
    if (level <= logger.console)
        fprintf(stderr, "%s%s%s%s\n", logger.prefix, logger.prefix[0] ? " " : "", names[level],
                text);
    if (logger.file) {
        struct timespec now;
        struct tm tm;
        char stamp[32];

        clock_gettime(CLOCK_REALTIME, &now);
        gmtime_r(&now.tv_sec, &tm);
        strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &tm);
        fprintf(logger.file, "%s %s%s\n", stamp, names[level], text);
        fflush(logger.file);
    }
    pthread_mutex_unlock(&logger.lock);
}
