#include "io/h5_place.h"

#include "io/h5_set.h"

static bool is_plain(const skv_h5__set *s)
{
    return H5Pget_layout(s->create) == H5D_CONTIGUOUS && !s->is_virtual &&
           (H5Tequal(s->type, skv_h5__memory_type(s->layout.type)) > 0);
}

skv_status skv_h5_place(int64_t *offset, skv_h5 *f, const char *name, skv_h5_layout *want)
{
    skv_status st = SKV_OK;
    skv_h5__set s;
    haddr_t at = 0;
    size_t bytes = 0;

    SKV_TRY(skv_h5__open_set(&s, f, name));
    SKV_TRY_GOTO(skv_h5__compare(f, name, want, &s.layout), done);
    SKV_TRY_GOTO(skv_h5__row_bytes(&bytes, &s.layout, s.layout.shape[0]), done);
    if (want->type == SKV_H5_TEXT || !is_plain(&s)) {
        st = skv_fail(SKV_E_FORMAT, "%s: %s: want plain numbers in one piece", f->path, name);
        goto done;
    }
    at = bytes > 0 ? H5Dget_offset(s.set) : 0;
    if (at == HADDR_UNDEF || at > f->length || bytes > f->length - at) {
        H5Eclear2(H5E_DEFAULT);
        st = skv_fail(SKV_E_FORMAT, "%s: %s does not lie within the file", f->path, name);
        goto done;
    }
    *offset = (int64_t)at;
done:
    return skv_h5__close_set(f, &s, st);
}
