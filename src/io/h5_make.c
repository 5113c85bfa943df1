#include "io/h5_make.h"

#include "io/h5_attr.h"

static hid_t file_type(skv_h5_type type)
{
    switch (type) {
    case SKV_H5_U8:
        return H5T_STD_U8LE;
    case SKV_H5_I32:
        return H5T_STD_I32LE;
    case SKV_H5_I64:
        return H5T_STD_I64LE;
    case SKV_H5_U64:
        return H5T_STD_U64LE;
    case SKV_H5_F32:
        return H5T_IEEE_F32LE;
    case SKV_H5_F64:
        return H5T_IEEE_F64LE;
    case SKV_H5_TEXT:
        break;
    }
    return -1;
}

skv_status skv_h5__make(skv_h5 *f, const char *name, const skv_h5_layout *layout, hid_t create)
{
    skv_status st = SKV_OK;
    const bool text = layout->type == SKV_H5_TEXT;
    const hid_t type = text ? skv_h5__text_type(layout->text_bytes) : file_type(layout->type);
    hid_t space = -1, links = -1, set = -1;

    space = skv_h5__space(layout);
    links = H5Pcreate(H5P_LINK_CREATE);
    if (type < 0 || space < 0 || links < 0 || H5Pset_create_intermediate_group(links, 1) < 0 ||
        H5Pset_obj_track_times(create, false) < 0) {
        st = skv_h5__fail(f, "%s: cannot prepare", name);
        goto done;
    }
    set = H5Dcreate2(f->file, name, type, space, links, create, H5P_DEFAULT);
    if (set < 0)
        st = skv_h5__fail(f, "%s: cannot make the dataset", name);
done:
    st = skv_h5__close(f, set, st);
    st = skv_h5__close(f, links, st);
    st = skv_h5__close(f, space, st);
    st = skv_h5__close(f, text ? type : -1, st);
    f->failed = f->failed || st != SKV_OK;
    if (st == SKV_OK && layout->long_name)
        st = skv_h5_set_text(f, name, "long_name", layout->long_name);
    if (st == SKV_OK && layout->units)
        st = skv_h5_set_text(f, name, "units", layout->units);
    return st;
}
