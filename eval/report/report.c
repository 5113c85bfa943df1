#include "eval/report/report.h"

#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "eval/report/report_internal.h"

/* JSON inside a <script>: without any '<' no text can end it or begin a comment. */
skv_status skv_report__write_page(const char *file, const unsigned char *head_bytes,
                                  const char *json, const unsigned char *tail_bytes)
{
    const char *before = (const char *)head_bytes, *after = (const char *)tail_bytes;
    const size_t head = strlen(before), tail = strlen(after);
    size_t bytes = head + tail;
    char *page = NULL, *to;
    skv_status st;

    for (const char *p = json; *p; p++)
        bytes += *p == '<' ? 6 : 1;
    SKV_TRY(skv_alloc(&page, bytes + 1, 1, "report"));
    to = memcpy(page, before, head);
    to += head;
    for (const char *p = json; *p; p++) {
        if (*p != '<') {
            *to++ = *p;
            continue;
        }
        memcpy(to, "\\u003c", 6);
        to += 6;
    }
    memcpy(to, after, tail);
    st = skv_file_write(file, page, bytes);
    free(page);
    return st;
}

static skv_status fill(skv_json_maker *page, skv_report *r, const char *run_folder)
{
    *r = (skv_report){.state = "none", .reference = -1};
    SKV_TRY(skv_run_file_open_partial(&r->run, run_folder));
    SKV_TRY(skv_alloc(&r->listed, (size_t)r->run.n, sizeof *r->listed, "report"));
    SKV_TRY(skv_alloc(&r->result, (size_t)r->run.n_paths, sizeof *r->result, "report"));
    r->reference = r->run.reference;
    SKV_TRY(skv_report__read_metrics(r));
    SKV_TRY(skv_report__intervals(r));
    SKV_TRY(skv_report__pictures(page, r));
    SKV_TRY(skv_report__scores(page, r));
    SKV_TRY(skv_report__recall(page, r));
    return skv_report__data(page, r);
}

static void clear(skv_report *r)
{
    for (int i = 0; r->result && i < r->run.n_paths; i++) {
        for (int m = 0; r->result[i].value && m < r->n_metrics; m++) {
            free(r->result[i].value[m].row);
            free(r->result[i].value[m].row_mean);
            free(r->result[i].value[m].scale);
        }
        free(r->result[i].value);
    }
    for (int m = 0; m < r->n_metrics; m++) {
        free(r->metric[m].name);
        free(r->metric[m].title);
        free(r->metric[m].long_name);
        free(r->metric[m].units);
        free(r->metric[m].better);
        free(r->metric[m].kind);
    }
    free(r->metric);
    free(r->result);
    free(r->networks);
    free(r->listed);
    skv_run_file_close(&r->run);
}

skv_status skv_report_write(const char *run_folder)
{
    skv_json_maker maker = skv_json_object();
    json_t *page = NULL;
    char *file = NULL, *text = NULL;
    skv_report r;
    skv_status st;

    SKV_TRY_GOTO(fill(&maker, &r, run_folder), done);
    SKV_TRY_GOTO(skv_json_finish(&page, &maker, "report.html"), done);
    SKV_TRY_GOTO(skv_json_print(&text, page, SKV_JSON_SHORT), done);
    SKV_TRY_GOTO(skv_path_join(&file, run_folder, "report.html"), done);
    st = skv_report__write_page(file, skv_report__page_head, text, skv_report__page_tail);
done:
    clear(&r);
    free(file);
    free(text);
    json_decref(page);
    json_decref(skv_json_take(&maker));
    return st;
}
