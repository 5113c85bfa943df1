#include "core/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/escape.h"
#include "core/file.h"

#define CLEAR_LINE "\r\033[K"

static struct {
    pthread_mutex_t lock;
    skv_log_level console;
    char prefix[96];
    FILE *file;
    bool has_line; /* the terminal's last line is skv_log_line's */
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

bool skv_log_shows(skv_log_level level)
{
    return level <= logger.console;
}

int skv_log_columns(void)
{
    struct winsize size;

    if (!skv_log_shows(SKV_LOG_INFO) || !isatty(STDERR_FILENO))
        return 0;
    /* one less: a full line would be wrapped */
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1 : 79;
}

void skv_log_line(const char *text)
{
    const int columns = skv_log_columns();

    if (columns == 0)
        return;
    pthread_mutex_lock(&logger.lock);
    if (text)
        fprintf(stderr, CLEAR_LINE "%.*s", columns, text);
    else if (logger.has_line)
        fprintf(stderr, "\n");
    logger.has_line = text != NULL;
    pthread_mutex_unlock(&logger.lock);
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
    if (skv_log_shows(level))
        fprintf(stderr, "%s%s%s%s%s\n", logger.has_line ? CLEAR_LINE : "", logger.prefix,
                logger.prefix[0] ? " " : "", names[level], text);
    if (skv_log_shows(level))
        logger.has_line = false;
    if (logger.file) {
        char stamp[SKV_UTC_BYTES];

        skv_utc_text(stamp, time(NULL));
        fprintf(logger.file, "%s %s%s\n", stamp, names[level], text);
        fflush(logger.file);
    }
    pthread_mutex_unlock(&logger.lock);
}
