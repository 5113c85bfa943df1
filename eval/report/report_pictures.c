/* Which pictures the page shows, and these as small PNGs: the best, the median and the worst of
 * every path by its first metric of pairs, each with its difference from the reference; and three
 * rows of every path, chosen alike by the mean over the paths.
 *
 * Pictures are read once and kept small; they become PNGs at the largest width with which all of
 * them fit into PICTURE_BYTES. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/mem.h"
#include "eval/report/report_internal.h"
#include "io/png.h"

#define MAX_WIDTH     320
#define MIN_WIDTH     64
#define PICTURE_BYTES ((size_t)6 << 20) /* of all pictures as base64 */
#define FACTOR        4                 /* of the differences shown */
#define N_PICKS       3
#define URL_HEAD      "data:image/png;base64,"

typedef struct {
    int64_t row;
    int path;
    bool reference, with_difference;
    skv_picture small;   /* at most MAX_WIDTH wide; rgb NULL: not stored */
    uint8_t *difference; /* (height,width) of small, or NULL */
} shot;

typedef struct {
    skv_report *run;
    shot *shot;
    int n;
} album;

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

typedef struct {
    int n;
    int64_t row[N_PICKS];
    bool alike; /* all rows are equally bad */
} choice;

/* The rows of the least, the median and the greatest badness (run.n); NaN and failed rows aside. */
static skv_status choose(choice *out, const skv_report *r, const double *badness)
{
    ranked *list = NULL;
    int64_t n = 0;

    SKV_TRY(skv_alloc(&list, (size_t)r->run.n, sizeof *list, "report"));
    for (int64_t i = 0; i < r->run.n; i++)
        if (r->run.status[i] == 0 && !isnan(badness[i]))
            list[n++] = (ranked){badness[i], i};
    qsort(list, (size_t)n, sizeof *list, by_badness);
    *out = (choice){.n = n < N_PICKS ? (int)n : N_PICKS};
    out->alike = n > 1 && list[0].badness == list[n - 1].badness;
    for (int i = 0; i < out->n; i++)
        out->row[i] = list[i == 0 ? 0 : i == out->n - 1 ? n - 1 : (n - 1) / 2].row;
    free(list);
    return SKV_OK;
}

/* The first metric of pairs that a path has, -1: none. */
static int first_of_pairs(const skv_report *r, int path)
{
    for (int m = 0; r->result[path].measured && m < r->n_metrics; m++)
        for (int64_t i = 0; r->result[path].value[m].row && i < r->run.n; i++)
            if (!isnan(r->result[path].value[m].row[i]))
                return m;
    return -1;
}

static double badness_of(const skv_report *r, int path, int metric, int64_t row)
{
    const double v = r->result[path].value[metric].row[row];

    return strcmp(r->metric[metric].better, "lower") == 0 ? v : -v;
}

static void add(album *a, int path, int64_t row, bool with_difference)
{
    a->run->listed[row] = true;
    a->shot[a->n++] = (shot){.row = row,
                             .path = path,
                             .reference = path == a->run->reference,
                             .with_difference = with_difference};
}

/* The picks of one path: {"path", "metric", "alike", "rows"}. */
static skv_status pick(skv_json_maker *picks, album *a, int path, double *badness)
{
    const skv_report *r = a->run;
    const int metric = first_of_pairs(r, path);
    skv_json_maker rows, o;
    choice chosen;

    if (metric < 0)
        return SKV_OK;
    for (int64_t i = 0; i < r->run.n; i++)
        badness[i] = badness_of(r, path, metric, i);
    SKV_TRY(choose(&chosen, r, badness));
    rows = skv_json_array();
    for (int i = 0; i < (chosen.alike ? 1 : chosen.n); i++) {
        skv_json_append(&rows, json_integer(chosen.row[i]));
        add(a, r->reference, chosen.row[i], false);
        add(a, path, chosen.row[i], true);
    }
    o = skv_json_object();
    skv_json_put(&o, "path", json_integer(path));
    skv_json_put(&o, "metric", json_integer(metric));
    skv_json_put(&o, "alike", json_boolean(chosen.alike));
    skv_json_put(&o, "rows", skv_json_take(&rows));
    skv_json_append(picks, skv_json_take(&o));
    return SKV_OK;
}

/* Rows that every path shows. Without numbers: the first done, the middle one, the last. */
static skv_status pick_common(skv_json_maker *common, album *a, double *badness)
{
    const skv_report *r = a->run;
    choice chosen;

    memset(badness, 0, (size_t)r->run.n * sizeof *badness);
    for (int path = 0; path < r->run.n_paths; path++) {
        const int metric = first_of_pairs(r, path);

        for (int64_t i = 0; metric >= 0 && i < r->run.n; i++)
            badness[i] += badness_of(r, path, metric, i);
    }
    SKV_TRY(choose(&chosen, r, badness));
    for (int i = 0; i < chosen.n; i++) {
        skv_json_append(common, json_integer(chosen.row[i]));
        for (int path = 0; path < r->run.n_paths; path++)
            add(a, path, chosen.row[i], false);
    }
    return SKV_OK;
}

/* ------------------------------------------------------------------------ pixels */

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

static int width_at(const skv_picture *p, int max_width)
{
    return p->width < max_width ? p->width : max_width;
}

static int height_at(const skv_picture *p, int width)
{
    const int64_t height = ((int64_t)p->height * width + p->width / 2) / p->width;

    return height < 1 ? 1 : height > p->height ? p->height : (int)height;
}

/* The largest of the three channels' differences, times FACTOR; of the pictures as they are, since
 * shrunken ones differ less. */
static skv_status subtract(uint8_t **out, const skv_picture *a, const skv_picture *b, int width)
{
    const size_t n = (size_t)a->width * (size_t)a->height;
    skv_picture full = {.height = a->height, .width = a->width};
    skv_status st;

    SKV_TRY(skv_alloc(&full.rgb, n, 1, "thumbnails"));
    for (size_t i = 0; i < n; i++) {
        int most = 0;

        for (size_t c = 3 * i; c < 3 * i + 3; c++)
            if (abs(a->rgb[c] - b->rgb[c]) > most)
                most = abs(a->rgb[c] - b->rgb[c]);
        full.rgb[i] = (uint8_t)(most * FACTOR > 255 ? 255 : most * FACTOR);
    }
    st = shrink(out, &full, 1, width, height_at(a, width));
    free(full.rgb);
    return st;
}

/* By row, the reference first; of two alike, the one with a difference. */
static int by_row(const void *a, const void *b)
{
    const shot *left = a, *right = b;

    if (left->row != right->row)
        return left->row < right->row ? -1 : 1;
    if (left->reference != right->reference)
        return left->reference ? -1 : 1;
    if (left->path != right->path)
        return left->path < right->path ? -1 : 1;
    return (int)right->with_difference - (int)left->with_difference;
}

static void drop_doubles(album *a)
{
    int n = 0;

    qsort(a->shot, (size_t)a->n, sizeof *a->shot, by_row);
    for (int i = 0; i < a->n; i++)
        if (n == 0 || a->shot[n - 1].row != a->shot[i].row ||
            a->shot[n - 1].path != a->shot[i].path)
            a->shot[n++] = a->shot[i];
    a->n = n;
}

/* full: the picture of s; base: the reference's of the same row, without pixels where unknown. */
static skv_status make_small(shot *s, const skv_picture *full, const skv_picture *base)
{
    const int width = width_at(full, MAX_WIDTH);

    s->small = (skv_picture){.height = height_at(full, width), .width = width};
    SKV_TRY(shrink(&s->small.rgb, full, 3, width, s->small.height));
    if (!s->with_difference || !base->rgb || base->width != full->width ||
        base->height != full->height)
        return SKV_OK;
    return subtract(&s->difference, base, full, width);
}

static skv_status load(album *a)
{
    skv_picture base = {0}, full = {0};
    skv_status st = SKV_OK;

    for (int i = 0; i < a->n && st == SKV_OK; i++) {
        shot *s = &a->shot[i];

        if (i == 0 || s->row != a->shot[i - 1].row) {
            free(base.rgb);
            base = (skv_picture){0};
        }
        st = skv_run_file_picture(&full, &a->run->run, s->path, s->row);
        if (st == SKV_E_NOTFOUND) {
            st = SKV_OK; /* the page says so */
            continue;
        }
        if (st == SKV_OK)
            st = make_small(s, &full, &base);
        if (s->reference)
            base = full;
        else
            free(full.rgb);
        full = (skv_picture){0};
    }
    free(base.rgb);
    return st;
}

/* -------------------------------------------------------------------------- JSON */

/* base64, at to; returns its end. */
static char *encode(char *to, const uint8_t *data, size_t bytes)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < bytes; i += 3) {
        const size_t left = bytes - i;
        const uint32_t word = (uint32_t)data[i] << 16 |
                              (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
                              (left > 2 ? data[i + 2] : 0U);

        *to++ = letters[word >> 18];
        *to++ = letters[word >> 12 & 63];
        *to++ = left > 1 ? letters[word >> 6 & 63] : '=';
        *to++ = left > 2 ? letters[word & 63] : '=';
    }
    return to;
}

/* Adds the length of what it puts to *room. */
static skv_status put_url(skv_json_maker *to, const char *key, const skv_picture *p, int channels,
                          int max_width, size_t *room)
{
    const int width = width_at(p, max_width), height = height_at(p, width);
    uint8_t *small = NULL, *png = NULL;
    char *url = NULL, *end;
    size_t bytes = 0;
    skv_status st;

    SKV_TRY(shrink(&small, p, channels, width, height));
    SKV_TRY_GOTO(skv_png_encode(&png, &bytes, small, width, height, channels), done);
    SKV_TRY_GOTO(skv_alloc(&url, sizeof URL_HEAD + bytes / 3 * 4 + 4, 1, "thumbnails"), done);
    memcpy(url, URL_HEAD, sizeof URL_HEAD);
    end = encode(url + strlen(URL_HEAD), png, bytes);
    skv_json_put(to, key, json_stringn(url, (size_t)(end - url)));
    *room += (size_t)(end - url);
done:
    free(small);
    free(png);
    free(url);
    return st;
}

static skv_status put_shot(skv_json_maker *o, const shot *s, int width, size_t *room)
{
    const skv_picture difference = {s->small.height, s->small.width, s->difference};

    skv_json_put(o, "row", json_integer(s->row));
    skv_json_put(o, "path", json_integer(s->path));
    skv_json_put(o, "width", json_integer(s->small.width));
    skv_json_put(o, "height", json_integer(s->small.height));
    SKV_TRY(put_url(o, "picture", &s->small, 3, width, room));
    return s->difference ? put_url(o, "difference", &difference, 1, width, room) : SKV_OK;
}

/* The width shrinks until everything fits. */
static skv_status put_shots(skv_json_maker *page, const album *a)
{
    for (int width = MAX_WIDTH;; width = width * 4 / 5) {
        skv_json_maker pictures = skv_json_array();
        skv_status st = SKV_OK;
        size_t room = 0;

        for (int i = 0; i < a->n && st == SKV_OK; i++) {
            skv_json_maker o;

            if (!a->shot[i].small.rgb)
                continue; /* not stored */
            o = skv_json_object();
            st = put_shot(&o, &a->shot[i], width, &room);
            skv_json_append(&pictures, skv_json_take(&o));
        }
        if (st != SKV_OK || width * 4 / 5 < MIN_WIDTH || room <= PICTURE_BYTES) {
            skv_json_put(page, "pictures", skv_json_take(&pictures));
            return st;
        }
        json_decref(skv_json_take(&pictures));
    }
}

static skv_status choose_all(skv_json_maker *page, album *a)
{
    skv_json_maker picks = skv_json_array(), common = skv_json_array();
    double *badness = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&badness, (size_t)a->run->run.n, sizeof *badness, "report"), done);
    for (int path = 0; path < a->run->run.n_paths; path++)
        SKV_TRY_GOTO(pick(&picks, a, path, badness), done);
    st = pick_common(&common, a, badness);
done:
    skv_json_put(page, "picks", skv_json_take(&picks));
    skv_json_put(page, "common", skv_json_take(&common));
    free(badness);
    return st;
}

skv_status skv_report__pictures(skv_json_maker *page, skv_report *r)
{
    const size_t room = (size_t)3 * N_PICKS * (size_t)r->run.n_paths;
    album a = {.run = r};
    skv_status st;

    SKV_TRY(skv_alloc(&a.shot, room, sizeof *a.shot, "report"));
    SKV_TRY_GOTO(choose_all(page, &a), done);
    drop_doubles(&a);
    SKV_TRY_GOTO(load(&a), done);
    skv_json_put(page, "difference_factor", json_integer(FACTOR));
    st = put_shots(page, &a);
done:
    for (int i = 0; i < a.n; i++) {
        free(a.shot[i].small.rgb);
        free(a.shot[i].difference);
    }
    free(a.shot);
    return st;
}
