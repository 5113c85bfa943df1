#include "cli/print_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/aside.h"
#include "core/escape.h"
#include "core/json.h"
#include "core/log.h"
#include "core/options.h"

void skv_print_text(const char *text, int width)
{
    const size_t bytes = 4 * strlen(text) + 1;
    char *shown = malloc(bytes);

    if (shown)
        skv_escape(shown, bytes, text);
    printf("%-*s", width, shown ? shown : "(out of memory)");
    free(shown);
}

bool skv_json_is_all(const char *file)
{
    return file && strcmp(file, "-") == 0;
}

static int json_fd = -1; /* standard output, while stdout is standard error */

skv_status skv_json_begin(const char *file)
{
    int people = STDERR_FILENO, nowhere = -1; /* where the tables for people go */
    skv_status st = SKV_OK;

    if (!skv_json_is_all(file) || json_fd >= 0)
        return SKV_OK;
    json_fd = dup(STDOUT_FILENO);
    if (!skv_log_shows(SKV_LOG_INFO))
        people = nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (json_fd < 0 || dup2(people, STDOUT_FILENO) < 0)
        st = skv_fail(SKV_E_IO, "standard output: cannot set it aside for --json -: %s",
                      strerror(errno));
    if (nowhere >= 0)
        close(nowhere);
    return st;
}

skv_status skv_print_json(const json_t *value, const char *file)
{
    char *text = NULL;
    int reason;

    if (!skv_json_is_all(file))
        return skv_option_opened("--json", skv_json_write(value, file));
    SKV_TRY(skv_json_print(&text, value, SKV_JSON_ASCII)); /* it may be a terminal */
    reason = skv_write_fully(json_fd, text, strlen(text));
    if (reason == 0)
        reason = skv_write_fully(json_fd, "\n", 1);
    free(text);
    return reason == 0 ? SKV_OK
                       : skv_fail(SKV_E_IO, "standard output: cannot write: %s", strerror(reason));
}

skv_status skv_print_made(skv_json_maker *made, const char *file)
{
    json_t *root = NULL;
    skv_status st;

    if (!file)
        return SKV_OK;
    SKV_TRY(skv_json_finish(&root, made, "--json"));
    st = skv_print_json(root, file);
    json_decref(root);
    return st;
}
