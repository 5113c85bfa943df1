#include "eval/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "eval/report_internal.h"

/* ----------------------------------------------------------------------- colours */

const char *skv_report__tone(const skv_report_data *d, int series)
{
    static const char *const tones[SKV_REPORT_TONES] = {"s0", "s1", "s2", "s3", "s4", "s5"};
    const int own = d->reference >= 0 ? d->path[d->reference].series : -1;

    if (series == own)
        return "sr";
    return tones[(series - (own >= 0 && own < series)) % SKV_REPORT_TONES];
}

int skv_report__ramp(int si, int n)
{
    return n < 2 ? 0 : (si * (SKV_REPORT_RAMP - 1) + (n - 1) / 2) / (n - 1);
}

typedef struct {
    double r, g, b;
} colour;

static colour mix(const colour *stops, int n, double t)
{
    const int i = t * (n - 1) >= n - 1 ? n - 2 : (int)(t * (n - 1));
    const double u = t * (n - 1) - i;
    const colour a = stops[i], b = stops[i + 1];

    return (colour){a.r + u * (b.r - a.r), a.g + u * (b.g - a.g), a.b + u * (b.b - a.b)};
}

static void heat_colours(skv_html *h, const colour *stops, int n)
{
    for (int i = 0; i < SKV_REPORT_HEAT; i++) {
        const colour c = mix(stops, n, i / (SKV_REPORT_HEAT - 1.0));

        skv_html_f(h, ".h%d{fill:rgb(%.0f,%.0f,%.0f);background:rgb(%.0f,%.0f,%.0f)}", i, c.r, c.g,
                   c.b, c.r, c.g, c.b);
    }
}

/* Both ramps rise or fall in lightness throughout: they read the same without hues. */
static void write_palette(skv_html *h)
{
    static const colour light[] = {{236, 240, 243}, {158, 197, 224}, {62, 134, 186}, {10, 50, 98}};
    static const colour dark[] = {{36, 40, 48}, {32, 78, 122}, {62, 146, 204}, {196, 229, 255}};
    static const colour scales[] = {{52, 43, 96},   {45, 86, 144},  {34, 130, 147},
                                    {58, 170, 124}, {149, 203, 85}, {243, 226, 106}};

    heat_colours(h, light, 4);
    skv_html_raw(h, "@media(prefers-color-scheme:dark){");
    heat_colours(h, dark, 4);
    skv_html_raw(h, "}");
    for (int i = 0; i < SKV_REPORT_RAMP; i++) {
        const colour c = mix(scales, 6, i / (SKV_REPORT_RAMP - 1.0));

        skv_html_f(h, ".q%d{background:rgb(%.0f,%.0f,%.0f);color:%s}", i, c.r, c.g, c.b,
                   i < 7 ? "#fff" : "#16181c");
    }
}

/* -------------------------------------------------------------------------- page */

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
    for (int i = 0; skv_report__style[i]; i++)
        skv_html_raw(page, skv_report__style[i]);
    write_palette(page);
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
