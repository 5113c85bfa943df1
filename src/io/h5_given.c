/* The library may report a failed write late, or at another dataset, so a file counts as good only
 * after it was read back. */
#include "io/h5_given.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "io/h5_attr.h"
#include "io/h5_handle.h"
#include "io/h5_read.h"
#include "io/h5_virtual.h"

#define PIECE_BYTES ((size_t)16 << 20) /* read back at once */
#define TEXT_BYTES  (SIZE_MAX / 4)     /* no more than the file holds in any case */

skv_status skv_h5__note_sums(skv_h5 *f)
{
    for (size_t i = 0; i < f->n_given; i++) {
        const skv_h5__given *g = &f->given[i];

        if (g->is_virtual)
            continue;
        if (g->used != g->rows)
            return skv_fail(SKV_E_ARG, "%s: %s was given %lld rows, it has %lld", f->path, g->name,
                            (long long)g->used, (long long)g->rows);
        SKV_TRY(skv_h5_set_int(f, g->name, "crc32", (int64_t)g->crc));
    }
    return SKV_OK;
}

static skv_status texts_crc(uint32_t *crc, skv_h5 *f, const skv_h5__given *g)
{
    skv_h5_layout want = {.type = SKV_H5_TEXT, .n_dims = 1, .shape = {g->rows}};
    char **texts = NULL;

    SKV_TRY(skv_h5_read(&texts, f, g->name, &want, TEXT_BYTES, true));
    *crc = skv_h5__crc_of(0, SKV_H5_TEXT, texts, (size_t)g->rows * sizeof *texts);
    free(texts);
    return SKV_OK;
}

static skv_status entries_crc(uint32_t *crc, skv_h5 *f, const skv_h5__given *g)
{
    skv_h5_layout has;
    int64_t piece = g->row_bytes > 0 ? (int64_t)(PIECE_BYTES / g->row_bytes) : 1;
    void *data = NULL;
    skv_status st = SKV_OK;

    *crc = 0;
    piece = piece < 1 ? 1 : piece < g->rows ? piece : g->rows;
    SKV_TRY(skv_h5_describe(&has, f, g->name));
    SKV_TRY(skv_alloc(&data, (size_t)piece, g->row_bytes, g->name));
    for (int64_t at = 0; at < g->rows && st == SKV_OK; at += piece) {
        const int64_t n = piece < g->rows - at ? piece : g->rows - at;

        st = skv_h5_read_rows(f, g->name, &has, at, n, data);
        *crc = skv_h5__crc(*crc, data, (size_t)n * g->row_bytes);
    }
    free(data);
    return st;
}

static skv_status check_given(skv_h5 *f, const skv_h5__given *g)
{
    uint32_t crc = 0;
    int64_t rows = g->rows;

    if (g->is_virtual)
        SKV_TRY(skv_h5__sources_crc(&crc, &rows, f, g->name));
    else if (g->type == SKV_H5_TEXT)
        SKV_TRY(texts_crc(&crc, f, g));
    else
        SKV_TRY(entries_crc(&crc, f, g));
    if (crc != g->crc || rows != g->rows)
        return skv_fail(SKV_E_IO, "%s: %s was read back and is not what was written", f->path,
                        g->name);
    return SKV_OK;
}

static bool is_given_anew(const skv_h5 *f, size_t text)
{
    const skv_h5__given_text *t = &f->text[text];

    for (size_t i = text + 1; i < f->n_texts; i++)
        if (strcmp(f->text[i].key, t->key) == 0 && strcmp(f->text[i].object, t->object) == 0)
            return true;
    return false;
}

/* Texts of attributes lie apart from their objects, in a heap that may be lost alone. */
static skv_status check_text(skv_h5 *written, const skv_h5 *f, size_t text)
{
    const skv_h5__given_text *t = &f->text[text];
    char *found = NULL;
    bool equal;

    SKV_TRY(skv_h5_get_text(&found, written, t->object, t->key));
    equal = skv_h5__crc(0, found, strlen(found) + 1) == t->crc;
    free(found);
    if (equal || is_given_anew(f, text))
        return SKV_OK;
    return skv_fail(SKV_E_IO, "%s: %s: attribute \"%s\" was read back and is not what was written",
                    f->path, t->object, t->key);
}

skv_status skv_h5__check_given(skv_h5 *written, const skv_h5 *f)
{
    for (size_t i = 0; i < f->n_given; i++)
        SKV_TRY(check_given(written, &f->given[i]));
    for (size_t i = 0; i < f->n_texts; i++)
        SKV_TRY(check_text(written, f, i));
    return SKV_OK;
}
