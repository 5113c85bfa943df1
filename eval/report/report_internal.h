/* Parts of the report's page. A section writes nothing when it has nothing to show. */
#ifndef SKV_EVAL_REPORT_INTERNAL_H
#define SKV_EVAL_REPORT_INTERNAL_H

#include "eval/report/report_data.h"
#include "eval/report/report_html.h"

/* CSS classes: s0 ... colours of policies, and sr of the reference; h0 ... steps of heat maps;
 * q0 ... steps of the ramp over scales. */
#define SKV_REPORT_TONES 6
#define SKV_REPORT_HEAT  16
#define SKV_REPORT_RAMP  14

void skv_report__style(skv_html *h); /* the page's CSS */

/* Class of a path's colour: "s0" ... or "sr". */
const char *skv_report__tone(const skv_report_data *d, int series);

/* Class of scale si of n on the ramp. */
int skv_report__ramp(int si, int n);

void skv_report__head(skv_html *h, const skv_report_data *d);     /* title, figures, warnings */
void skv_report__settings(skv_html *h, const skv_report_data *d); /* settings and digests */
void skv_report__table(skv_html *h, const skv_report_data *d);
void skv_report__quality(skv_html *h, const skv_report_data *d);
void skv_report__cache(skv_html *h, const skv_report_data *d);
void skv_report__sources(skv_html *h, const skv_report_data *d);
void skv_report__bits(skv_html *h, const skv_report_data *d);
void skv_report__failed(skv_html *h, const skv_report_data *d);

/* The pictures; `style` gets the CSS rules that hold the reference's, each once. */
SKV_MUST skv_status skv_report__pictures(skv_html *h, skv_html *style, const skv_report_data *d);

#endif
