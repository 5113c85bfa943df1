#include "eval/report/report.h"

#include <stdlib.h>

#include "core/file.h"
#include "eval/report/report_internal.h"

static skv_status assemble(skv_html *page, const skv_html *body, const skv_html *style,
                           const skv_report_data *d)
{
    skv_html_raw(page, "<!DOCTYPE html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n"
                       "<meta name=viewport content=\"width=device-width,initial-scale=1\">\n"
                       "<meta name=generator content=\"skv\">\n<title>skv report");
    for (int i = 0; i < d->run.n_paths && i < 3; i++) {
        skv_html_raw(page, i ? ", " : ": ");
        skv_html_text(page, d->run.path[i].name, 60);
    }
    skv_html_raw(page,
                 d->run.n_paths > 3 ? ", \xe2\x80\xa6</title>\n<style>\n" : "</title>\n<style>\n");
    skv_report__style(page);
    skv_html_raw(page, style->text ? style->text : "");
    skv_html_raw(page, "\n</style>\n</head>\n<body>\n<main>\n");
    skv_html_raw(page, body->text ? body->text : "");
    skv_html_raw(page, "</main>\n</body>\n</html>\n");
    return page->failed || body->failed || style->failed
               ? skv_fail(SKV_E_MEM, "report: out of memory")
               : SKV_OK;
}

static skv_status write_page(const skv_report_data *d)
{
    skv_html body = {0}, style = {0}, page = {0};
    char *file = NULL;
    skv_status st;

    skv_report__head(&body, d);
    skv_report__table(&body, d);
    skv_report__quality(&body, d);
    skv_report__cache(&body, d);
    skv_report__sources(&body, d);
    skv_report__bits(&body, d);
    SKV_TRY_GOTO(skv_report__pictures(&body, &style, d), done);
    skv_report__failed(&body, d);
    skv_report__settings(&body, d);
    SKV_TRY_GOTO(assemble(&page, &body, &style, d), done);
    SKV_TRY_GOTO(skv_path_join(&file, d->run.folder, "report.html"), done);
    st = skv_file_write(file, page.text, page.bytes);
done:
    free(file);
    free(body.text);
    free(style.text);
    free(page.text);
    return st;
}

skv_status skv_report_write(const char *run_folder)
{
    skv_report_data d;
    skv_status st = skv_report_data_read(&d, run_folder);

    if (st == SKV_OK)
        st = write_page(&d);
    skv_report_data_clear(&d);
    return st;
}
