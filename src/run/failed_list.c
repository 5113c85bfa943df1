#include "run/failed_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/aside.h"
#include "core/bytes.h"
#include "core/escape.h"
#include "core/file.h"
#include "core/log.h"
#include "core/process.h"
#include "run/schema.h"

#define FOLDER       "failed"
#define PATH_BYTES   64
#define REASON_BYTES 512
#define MAX_BYTES    ((size_t)256 << 20) /* of a file */

/* "12 full not finite: text": the reason is one line. */
static skv_status print_lines(skv_bytes *out, const skv_group_record *rec)
{
    for (int i = 0; i < rec->n_rows; i++) {
        char reason[REASON_BYTES], line[REASON_BYTES + PATH_BYTES + 32];
        int n;

        if (rec->status[i] == SKV_OK)
            continue;
        skv_escape(reason, sizeof reason, rec->error[i]);
        n = snprintf(line, sizeof line, "%" PRId64 " %s %s\n", rec->row[i], rec->path_name, reason);
        SKV_TRY(skv_bytes_add(out, line, (size_t)n, FOLDER));
    }
    return SKV_OK;
}

static skv_status append(const char *run, const skv_bytes *lines)
{
    char folder[4096], file[4096 + SKV_PROCESS_BYTES + 8], process[SKV_PROCESS_BYTES];
    int fd = -1, reason;

    if (snprintf(folder, sizeof folder, "%s/" FOLDER, run) >= (int)sizeof folder)
        return skv_fail(SKV_E_ARG, "the run's folder has too long a name");
    snprintf(file, sizeof file, "%s/%s.txt", folder, skv_process_name(process));
    SKV_TRY(skv_folder_make_below(folder, 1));
    SKV_TRY(skv_file_append(&fd, file, 2));
    reason = skv_write_fully(fd, lines->data, lines->n);
    close(fd);
    return reason == 0 ? SKV_OK
                       : skv_fail(SKV_E_IO, "%s: cannot write: %s", file, strerror(reason));
}

void skv_failed_list_note(const char *run, const skv_group_record *rec)
{
    skv_bytes lines = {0};
    skv_status st = print_lines(&lines, rec);

    if (st == SKV_OK && lines.n > 0)
        st = append(run, &lines);
    if (st != SKV_OK)
        skv_debug("failed rows are known once they are gathered: %s", skv_message());
    skv_bytes_clear(&lines);
}

static skv_status visit_line(const char *line, skv_failed_list_visit *visit, void *ctx)
{
    char path[PATH_BYTES];
    int64_t row;
    int n = 0;

    if (sscanf(line, "%" SCNd64 " %63s %n", &row, path, &n) != 2 || n == 0 || row < 0 ||
        !skv_path_name_is_valid(path))
        return SKV_OK;
    return visit(ctx, row, path, line + n);
}

static skv_status visit_file(const char *file, skv_failed_list_visit *visit, void *ctx)
{
    skv_status st = SKV_OK;
    char *text = NULL, *line, *end;
    size_t bytes = 0;

    SKV_TRY(skv_file_read_below(&text, &bytes, file, 2, MAX_BYTES));
    for (line = text; st == SKV_OK && (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        st = visit_line(line, visit, ctx);
    }
    free(text);
    return st;
}

skv_status skv_failed_list_each(const char *run, skv_failed_list_visit *visit, void *ctx)
{
    char folder[4096], file[4096 + 256];
    skv_names names = {0};
    skv_status st;

    if (snprintf(folder, sizeof folder, "%s/" FOLDER, run) >= (int)sizeof folder)
        return skv_fail(SKV_E_ARG, "%.80s...: the run's folder has too long a name", run);
    st = skv_folder_names(&names, folder, 1);
    if (st == SKV_E_NOTFOUND)
        return SKV_OK;
    for (size_t i = 0; i < names.n && st == SKV_OK; i++) {
        const size_t n = strlen(names.name[i]);

        if (n <= 4 || strcmp(names.name[i] + n - 4, ".txt") != 0)
            continue;
        snprintf(file, sizeof file, "%s/%s", folder, names.name[i]);
        st = visit_file(file, visit, ctx);
    }
    skv_names_clear(&names);
    return st;
}
