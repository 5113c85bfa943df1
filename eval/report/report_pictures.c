/* Best, median and worst pictures of every compared path, beside the reference's.
 *
 * Pictures are read once and kept small; they become PNGs at the largest width with which all of
 * them fit into PICTURE_BYTES. A reference picture that several paths show is in the page once. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "eval/report/report_internal.h"
#include "io/png.h"

#define MAX_WIDTH     320
#define MIN_WIDTH     64
#define PICTURE_BYTES ((size_t)6 << 20) /* of all pictures as base64 */
#define FACTOR        4                 /* of the differences shown */
#define QUOTED(x)     #x
#define TEXT_OF(x)    QUOTED(x)
#define OPEN_PATHS    8 /* with more, only the first is unfolded */
#define PROMPT_BYTES  400
#define NAME_BYTES    80
#define N_PICKS       3

typedef struct {
    int64_t row;
    const char *what;
    skv_picture reference, picture; /* at most MAX_WIDTH wide */
    uint8_t *difference;            /* (height,width) of picture */
    bool same_size;
} pick;

typedef struct {
    int path, n;
    bool by_lpips, missing; /* missing: the pictures were not stored */
    pick pick[N_PICKS];
} path_picks;

/* ---------------------------------------------------------------------- choosing */

typedef struct {
    double badness;
    int64_t row;
} ranked;

static int by_badness(const void *a, const void *b)
{
    const ranked *left = a, *right = b;

    if (left->badness != right->badness)
        return left->badness < right->badness ? -1 : 1;
    return (left->row > right->row) - (left->row < right->row);
}

static bool any_number(const double *v, int64_t n)
{
    for (int64_t i = 0; v && i < n; i++)
        if (!isnan(v[i]))
            return true;
    return false;
}

static skv_status choose(path_picks *out, const skv_report_data *d, int path)
{
    static const char *const names[N_PICKS][N_PICKS] = {
        {"The only one"}, {"Best", "Worst"}, {"Best", "Median", "Worst"}};
    const skv_report_metrics *m = &d->path[path].m;
    const double *values;
    ranked *list = NULL;
    int64_t n = 0;

    *out = (path_picks){.path = path, .by_lpips = !any_number(m->psnr_of, d->run.n)};
    values = out->by_lpips ? m->lpips_of : m->psnr_of;
    if (!any_number(values, d->run.n))
        return SKV_OK;
    SKV_TRY(skv_alloc(&list, (size_t)d->run.n, sizeof *list, "report"));
    for (int64_t i = 0; i < d->run.n; i++)
        if (d->run.status[i] == 0 && !isnan(values[i]))
            list[n++] = (ranked){out->by_lpips ? values[i] : -values[i], i};
    qsort(list, (size_t)n, sizeof *list, by_badness);
    out->n = n < N_PICKS ? (int)n : N_PICKS;
    if (n > 0 && list[0].badness == list[n - 1].badness)
        out->n = 1; /* all alike: one is enough */
    for (int i = 0; i < out->n; i++) {
        const int64_t at = i == 0 ? 0 : i == out->n - 1 ? n - 1 : (n - 1) / 2;

        out->pick[i] = (pick){.row = list[at].row, .what = names[out->n - 1][i]};
    }
    if (out->n == 1 && n > 1)
        out->pick[0].what = "All alike";
    free(list);
    return SKV_OK;
}

/* ----------------------------------------------------------------------- pixels */

/* Mean of the pixels that fall into each new one; never enlarges. channels: 1 or 3. */
static skv_status shrink(uint8_t **out, const skv_picture *in, int channels, int width, int height)
{
    uint8_t *to = NULL;

    SKV_TRY(skv_alloc(&to, (size_t)width * (size_t)height, (size_t)channels, "thumbnails"));
    for (int y = 0; y < height; y++) {
        const int64_t y0 = (int64_t)y * in->height / height;
        const int64_t y1 = (int64_t)(y + 1) * in->height / height;

        for (int i = 0; i < width * channels; i++) {
            const int64_t x0 = (int64_t)(i / channels) * in->width / width;
            const int64_t x1 = (int64_t)(i / channels + 1) * in->width / width;
            uint64_t sum = 0, n = (uint64_t)((y1 - y0) * (x1 - x0));

            for (int64_t v = y0; v < y1; v++)
                for (int64_t u = x0; u < x1; u++)
                    sum += in->rgb[(v * in->width + u) * channels + i % channels];
            to[(size_t)y * (size_t)width * (size_t)channels + (size_t)i] =
                (uint8_t)((sum + n / 2) / n);
        }
    }
    *out = to;
    return SKV_OK;
}

static int height_at(const skv_picture *p, int width)
{
    const int64_t height = ((int64_t)p->height * width + p->width / 2) / p->width;

    return height < 1 ? 1 : height > p->height ? p->height : (int)height;
}

static skv_status shrink_in_place(skv_picture *p, int max_width)
{
    const int width = p->width < max_width ? p->width : max_width, height = height_at(p, width);
    uint8_t *small = NULL;

    SKV_TRY(shrink(&small, p, 3, width, height));
    free(p->rgb);
    *p = (skv_picture){height, width, small};
    return SKV_OK;
}

/* The largest of the three channels' differences, times FACTOR; of the pictures as they are, since
 * shrunken ones differ less. */
static skv_status subtract(skv_picture *out, const skv_picture *a, const skv_picture *b)
{
    const size_t n = (size_t)a->width * (size_t)a->height;

    *out = (skv_picture){.height = a->height, .width = a->width};
    SKV_TRY(skv_alloc(&out->rgb, n, 1, "thumbnails"));
    for (size_t i = 0; i < n; i++) {
        int most = 0;

        for (size_t c = 3 * i; c < 3 * i + 3; c++)
            if (abs(a->rgb[c] - b->rgb[c]) > most)
                most = abs(a->rgb[c] - b->rgb[c]);
        out->rgb[i] = (uint8_t)(most * FACTOR > 255 ? 255 : most * FACTOR);
    }
    return SKV_OK;
}

static skv_status load_pick(pick *k, const skv_report_data *d, int path)
{
    skv_picture difference = {0};
    skv_status st;

    SKV_TRY(skv_run_file_picture(&k->reference, &d->run, d->reference, k->row));
    SKV_TRY(skv_run_file_picture(&k->picture, &d->run, path, k->row));
    k->same_size =
        k->reference.width == k->picture.width && k->reference.height == k->picture.height;
    if (k->same_size) {
        const int width = k->picture.width < MAX_WIDTH ? k->picture.width : MAX_WIDTH;

        SKV_TRY(subtract(&difference, &k->reference, &k->picture));
        st = shrink(&k->difference, &difference, 1, width, height_at(&k->picture, width));
        free(difference.rgb);
        SKV_TRY(st);
    }
    SKV_TRY(shrink_in_place(&k->reference, MAX_WIDTH));
    return shrink_in_place(&k->picture, MAX_WIDTH);
}

static void clear_pictures(path_picks *p)
{
    for (int i = 0; i < N_PICKS; i++) {
        free(p->pick[i].reference.rgb);
        free(p->pick[i].picture.rgb);
        free(p->pick[i].difference);
        p->pick[i].reference.rgb = p->pick[i].picture.rgb = p->pick[i].difference = NULL;
    }
}

static skv_status load_path(path_picks *p, const skv_report_data *d)
{
    for (int i = 0; i < p->n; i++) {
        const skv_status st = load_pick(&p->pick[i], d, p->path);

        if (st == SKV_E_NOTFOUND) {
            p->missing = true;
            clear_pictures(p);
            return SKV_OK;
        }
        SKV_TRY(st);
    }
    return SKV_OK;
}

/* ----------------------------------------------------------------------- markup */

static skv_status data_uri(skv_html *h, const skv_picture *p, int channels, int max_width)
{
    const int width = p->width < max_width ? p->width : max_width, height = height_at(p, width);
    uint8_t *small = NULL, *png = NULL;
    size_t bytes = 0;
    skv_status st;

    SKV_TRY(shrink(&small, p, channels, width, height));
    st = skv_png_encode(&png, &bytes, small, width, height, channels);
    free(small);
    SKV_TRY(st);
    skv_html_raw(h, "data:image/png;base64,");
    skv_html_base64(h, png, bytes);
    free(png);
    return SKV_OK;
}

static skv_status image(skv_html *h, const skv_picture *p, int channels, int width,
                        const char *what)
{
    skv_html_raw(h, "<figure><img class=ph alt=\"");
    skv_html_text(h, what, NAME_BYTES);
    skv_html_f(h, "\" width=%d height=%d src=\"", p->width, p->height);
    SKV_TRY(data_uri(h, p, channels, width));
    skv_html_raw(h, "\"><figcaption>");
    skv_html_text(h, what, NAME_BYTES);
    skv_html_raw(h, "</figcaption></figure>");
    return SKV_OK;
}

/* The rule of a row's reference picture, unless an earlier pick had it. */
static skv_status reference_rule(skv_html *style, const path_picks *all, int n, const pick *k,
                                 int width)
{
    for (int p = 0; p < n; p++)
        for (int i = 0; i < all[p].n; i++) {
            const pick *other = &all[p].pick[i];

            if (other == k) {
                skv_html_f(style, ".r%lld{background-image:url(", (long long)k->row);
                SKV_TRY(data_uri(style, &k->reference, 3, width));
                skv_html_raw(style, ")}\n");
                return SKV_OK;
            }
            if (other->row == k->row && other->reference.rgb)
                return SKV_OK;
        }
    return SKV_OK;
}

static void value(skv_html *h, const char *name, const double *of, int64_t row, int digits,
                  const char *units)
{
    if (!of || isnan(of[row]))
        return;
    skv_html_f(h, "<div><dt>%s</dt><dd>", name);
    if (isinf(of[row]))
        skv_html_raw(h, "identical");
    else
        skv_html_real(h, of[row], digits);
    skv_html_f(h, "%s</dd></div>", isinf(of[row]) ? "" : units);
}

static void caption(skv_html *h, const skv_report_data *d, const path_picks *p, const pick *k)
{
    const skv_report_metrics *m = &d->path[p->path].m;

    skv_html_f(h, "<div class=cap><h3>%s</h3><p><bdi>", k->what);
    skv_html_text(h, d->run.prompt[k->row], PROMPT_BYTES);
    skv_html_raw(h, "</bdi></p><dl class=kv>");
    value(h, "PSNR", m->psnr_of, k->row, 2, " dB");
    value(h, "SSIM", m->ssim_of, k->row, 4, "");
    value(h, "LPIPS", m->lpips_of, k->row, 4, "");
    skv_html_raw(h, "<div><dt>Picture</dt><dd><bdi>");
    skv_html_text(h, d->run.id[k->row], NAME_BYTES);
    skv_html_f(h, "</bdi></dd></div><div><dt>Seed</dt><dd>%llu</dd></div></dl></div>",
               (unsigned long long)d->run.seed[k->row]);
}

static skv_status write_pick(skv_html *h, const skv_report_data *d, const path_picks *p,
                             const pick *k, int width)
{
    const skv_picture difference = {k->picture.height, k->picture.width, k->difference};

    skv_html_f(h,
               "<div class=pick><figure><span class=\"ph r%lld\" role=img "
               "aria-label=\"Reference\" style=\"aspect-ratio:%d/%d\"></span><figcaption>",
               (long long)k->row, k->reference.width, k->reference.height);
    skv_html_text(h, d->run.path[d->reference].name, 60);
    skv_html_raw(h, "</figcaption></figure>");
    SKV_TRY(image(h, &k->picture, 3, width, d->run.path[p->path].name));
    if (k->difference)
        SKV_TRY(image(h, &difference, 1, width, "difference \xc3\x97 " TEXT_OF(FACTOR)));
    else
        skv_html_raw(h, "<figure class=soft>The two differ in size.</figure>");
    caption(h, d, p, k);
    skv_html_raw(h, "</div>");
    return SKV_OK;
}

static skv_status write_path(skv_html *h, const skv_report_data *d, const path_picks *p, bool open,
                             int width)
{
    const skv_report_path *path = &d->path[p->path];

    skv_html_f(h, "<details class=\"card shots\"%s><summary><i class=\"dot %s\"></i> ",
               open ? " open" : "", skv_report__tone(d, path->series));
    skv_html_text(h, path->run->name, NAME_BYTES);
    skv_html_raw(h, "<span>");
    if (isfinite(path->share)) {
        skv_html_short(h, 100 * path->share);
        skv_html_raw(h, "\xc2\xa0% of the cache");
    }
    skv_html_raw(h, "</span></summary>");
    for (int i = 0; i < p->n && !p->missing; i++)
        SKV_TRY(write_pick(h, d, p, &p->pick[i], width));
    if (p->missing)
        skv_html_raw(h, "<div class=\"pick soft\">Pictures were not stored.</div>");
    skv_html_raw(h, "</details>");
    return SKV_OK;
}

static skv_status write_all(skv_html *h, skv_html *style, const skv_report_data *d,
                            const path_picks *all, int n, int width)
{
    skv_html_raw(h, "<section><h2>Best, median and worst pictures</h2><p class=note>By PSNR "
                    "against the reference, or LPIPS where there is no PSNR. Differences are those "
                    "of the channel that differs most, times " TEXT_OF(FACTOR) ".</p>");
    for (int p = 0; p < n; p++) {
        for (int i = 0; i < all[p].n && !all[p].missing; i++)
            SKV_TRY(reference_rule(style, all, n, &all[p].pick[i], width));
        SKV_TRY(write_path(h, d, &all[p], n <= OPEN_PATHS || p == 0, width));
    }
    skv_html_raw(h, "</section>");
    return SKV_OK;
}

/* The width shrinks until everything fits. */
static skv_status write_fitting(skv_html *h, skv_html *style, const skv_report_data *d,
                                const path_picks *all, int n)
{
    const size_t h_bytes = h->bytes, style_bytes = style->bytes;

    for (int width = MAX_WIDTH;; width = width * 4 / 5) {
        SKV_TRY(write_all(h, style, d, all, n, width));
        if (width * 4 / 5 < MIN_WIDTH ||
            h->bytes - h_bytes + style->bytes - style_bytes <= PICTURE_BYTES)
            return SKV_OK;
        h->bytes = h_bytes;
        style->bytes = style_bytes;
    }
}

skv_status skv_report__pictures(skv_html *h, skv_html *style, const skv_report_data *d)
{
    path_picks *all = NULL;
    skv_status st;
    int n = 0;

    if (d->reference < 0)
        return SKV_OK;
    SKV_TRY(skv_alloc(&all, (size_t)d->run.n_paths, sizeof *all, "report"));
    for (int i = 0; i < d->run.n_paths; i++) {
        if (!d->path[i].compared || !d->path[i].m.there)
            continue;
        SKV_TRY_GOTO(choose(&all[n], d, i), done);
        if (all[n].n > 0)
            SKV_TRY_GOTO(load_path(&all[n++], d), done);
    }
    st = n > 0 ? write_fitting(h, style, d, all, n) : SKV_OK;
done:
    for (int i = 0; i < d->run.n_paths; i++)
        clear_pictures(&all[i]);
    free(all);
    return st;
}
