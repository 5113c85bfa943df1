/* The table of paths: what each costs and how far it is from the reference. */
#include <math.h>

#include "eval/report/report_internal.h"

#define MIB 1048576.0

static void cell(skv_html *h, double v, int digits)
{
    skv_html_raw(h, "<td>");
    skv_html_real(h, v, digits);
    skv_html_raw(h, "</td>");
}

/* Columns in MiB, images a second and seconds share their decimals: enough for two or three digits
 * of the column's smallest number. */
typedef double column(const skv_report_path *);

static double planned(const skv_report_path *p)
{
    return p->planned / MIB;
}

static double taken(const skv_report_path *p)
{
    return p->peak / MIB;
}

static double pool(const skv_report_path *p)
{
    return p->pool_peak / MIB;
}

static double images_s(const skv_report_path *p)
{
    return p->images_s;
}

static double transformer_s(const skv_report_path *p)
{
    return p->transformer_s;
}

static void column_cell(skv_html *h, const skv_report_data *d, const skv_report_path *p,
                        column *value)
{
    double least = INFINITY;
    int digits = 0;

    for (int i = 0; i < d->run.n_paths; i++)
        if (value(&d->path[i]) > 0)
            least = fmin(least, value(&d->path[i]));
    if (isfinite(least))
        digits = (least >= 1 ? 2 : 1) - (int)floor(log10(least));
    cell(h, value(p), digits < 0 ? 0 : digits > 4 ? 4 : digits);
}

static bool has_pools(const skv_report_data *d)
{
    for (int i = 0; i < d->run.n_paths; i++)
        if (isfinite(d->path[i].pool_peak))
            return true;
    return false;
}

static bool has_identical(const skv_report_data *d)
{
    for (int i = 0; i < d->run.n_paths; i++)
        if (d->path[i].m.there && d->path[i].m.n_identical > 0)
            return true;
    return false;
}

static bool has_metrics(const skv_report_data *d)
{
    for (int i = 0; i < d->run.n_paths; i++)
        if (d->path[i].m.there)
            return true;
    return false;
}

static void header(skv_html *h, const skv_report_data *d)
{
    const bool pools = has_pools(d), metrics = has_metrics(d);
    const bool identical = has_identical(d);

    skv_html_raw(h, "<thead><tr><th>Path</th><th>Tokens<br>a layer</th><th>Cache<br>planned</th>"
                    "<th>Cache<br>taken</th><th>Share of<br>all tokens</th>");
    skv_html_raw(h, pools ? "<th>Pool<br>of a group</th>" : "");
    skv_html_raw(h, "<th>Speed</th><th>Transformer</th>");
    if (metrics)
        skv_html_raw(h, "<th>PSNR</th><th>SSIM</th><th>LPIPS</th><th>FID</th><th>KID</th>");
    skv_html_raw(h, identical ? "<th>Identical<br>pairs</th>" : "");
    skv_html_raw(h, "</tr><tr class=u><th></th><th></th><th>MiB</th><th>MiB</th><th></th>");
    skv_html_raw(h, pools ? "<th>MiB</th>" : "");
    skv_html_raw(h, "<th>images/s</th><th>s/image</th>");
    if (metrics)
        skv_html_raw(h, "<th>dB</th><th></th><th></th><th></th><th>\xc3\x97"
                        "10\xc2\xb3</th>");
    skv_html_raw(h, identical ? "<th></th></tr></thead>" : "</tr></thead>");
}

static void metric_cells(skv_html *h, const skv_report_path *p, bool identical)
{
    const skv_report_metrics *m = &p->m;

    if (!m->there) {
        for (int i = 0; i < 5 + identical; i++)
            cell(h, NAN, 0);
        return;
    }
    if (isinf(m->psnr) && isfinite(m->psnr_finite)) {
        skv_html_raw(h, "<td title=\"mean of the pairs that differ\">");
        skv_html_real(h, m->psnr_finite, 2);
        skv_html_raw(h, "*</td>");
    } else if (isinf(m->psnr)) {
        skv_html_raw(h, "<td class=soft>identical</td>");
    } else {
        cell(h, m->psnr, 2);
    }
    cell(h, m->ssim, 4);
    cell(h, m->lpips, 4);
    cell(h, m->fid, 2);
    cell(h, 1000 * m->kid, 2);
    if (!identical)
        return;
    skv_html_raw(h, "<td>");
    skv_html_count(h, m->n_identical);
    skv_html_raw(h, "</td>");
}

static void share_cell(skv_html *h, const skv_report_data *d, const skv_report_path *p)
{
    if (!isfinite(p->share)) {
        cell(h, NAN, 0);
        return;
    }
    skv_html_f(h, "<td><span class=\"bar %s\"><i style=\"width:%.1f%%\"></i></span>",
               skv_report__tone(d, p->series), 100 * fmin(p->share, 1));
    skv_html_raw(h, "<span class=pc>");
    skv_html_real(h, 100 * p->share, 1);
    skv_html_raw(h, "\xc2\xa0%</span></td>");
}

static void row(skv_html *h, const skv_report_data *d, const skv_report_path *p, bool pools)
{
    skv_html_f(h, "<tr><td class=n><i class=\"dot %s\"></i>", skv_report__tone(d, p->series));
    skv_html_text(h, p->run->name, 80);
    if (!p->compared)
        skv_html_raw(h, "<span class=tag>reference</span>");
    else if (p->inactive)
        skv_html_raw(h, "<span class=tag>never cut</span>");
    skv_html_raw(h, "</td><td>");
    skv_html_count(h, (int64_t)(p->tokens + 0.5));
    skv_html_raw(h, "</td>");
    column_cell(h, d, p, planned);
    column_cell(h, d, p, taken);
    share_cell(h, d, p);
    if (pools)
        column_cell(h, d, p, pool);
    column_cell(h, d, p, images_s);
    column_cell(h, d, p, transformer_s);
    if (has_metrics(d))
        metric_cells(h, p, has_identical(d));
    skv_html_raw(h, "</tr>");
}

static bool some_identical(const skv_report_data *d)
{
    for (int i = 0; i < d->run.n_paths; i++)
        if (d->path[i].m.there && isinf(d->path[i].m.psnr) && isfinite(d->path[i].m.psnr_finite))
            return true;
    return false;
}

void skv_report__table(skv_html *h, const skv_report_data *d)
{
    const bool pools = has_pools(d);

    skv_html_raw(h, "<section><h2>Cache paths</h2><p class=note>Cache sizes are K and V of one "
                    "picture over all layers, the row without the prompt included: the highest "
                    "that the policy may take, and the highest taken. Tokens and share are of what "
                    "the last cut leaves. Speed is that of one device.");
    if (d->path[0].first_groups_in)
        skv_html_raw(h, " Every group was its rank\xe2\x80\x99s first, so warming up is in it.");
    else
        skv_html_raw(h, " The ranks\xe2\x80\x99 first groups, which warm up, are left out.");
    if (some_identical(d))
        skv_html_raw(h, " *\xc2\xa0Mean of the pairs that differ: with an identical pair the mean "
                        "of all is infinite.");
    skv_html_raw(h, "</p><div class=scroll><table>");
    header(h, d);
    skv_html_raw(h, "<tbody>");
    for (int i = 0; i < d->run.n_paths; i++)
        row(h, d, &d->path[i], pools);
    skv_html_raw(h, "</tbody></table></div></section>");
}
