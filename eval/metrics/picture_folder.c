#include "eval/metrics/picture_folder.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/folder.h"
#include "core/mem.h"
#include "core/text.h"

#define MAX_DEPTH 32

typedef enum { NO_PICTURE, LOSSLESS, LOSSY, NOT_READ } ending_kind;

static const struct {
    const char *ending;
    ending_kind kind;
} endings[] = {{".png", LOSSLESS},  {".webp", LOSSLESS}, {".jpg", LOSSY},    {".jpeg", LOSSY},
               {".jfif", LOSSY},    {".jpe", LOSSY},     {".bmp", NOT_READ}, {".pnm", NOT_READ},
               {".pbm", NOT_READ},  {".heif", NOT_READ}, {".dib", NOT_READ}, {".ico", NOT_READ},
               {".svg", NOT_READ},  {".npy", NOT_READ},  {".exr", NOT_READ}, {".gif", NOT_READ},
               {".tif", NOT_READ},  {".tiff", NOT_READ}, {".ppm", NOT_READ}, {".pgm", NOT_READ},
               {".avif", NOT_READ}, {".heic", NOT_READ}, {".jxl", NOT_READ}, {".jp2", NOT_READ},
               {".tga", NOT_READ}};

static ending_kind kind_of(size_t *ending_bytes, const char *name)
{
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        *ending_bytes = strlen(endings[i].ending);
        if (strlen(name) > *ending_bytes && skv_ends_in(name, endings[i].ending))
            return endings[i].kind;
    }
    return NO_PICTURE;
}

/* Takes `path`. */
static void leave_out(skv_picture_folder *f, char *path)
{
    f->n_left_out++;
    if (f->left_out)
        free(path);
    else
        f->left_out = path;
}

/* Takes `path` of a file, which it owns then; `above` bytes of it are the listed folder. */
static skv_status add(skv_picture_folder *f, char *path, size_t above)
{
    size_t ending = 0;
    const ending_kind kind = kind_of(&ending, path + above);
    skv_folder_picture *p;

    if (kind == NOT_READ) {
        leave_out(f, path);
        return SKV_OK;
    }
    if (kind == NO_PICTURE) {
        free(path);
        return SKV_OK;
    }
    if (skv_grow(&f->picture, (size_t)f->n, sizeof *f->picture, path) != SKV_OK) {
        free(path);
        return SKV_E_MEM;
    }
    p = &f->picture[f->n++];
    p->file = path;
    p->id = strndup(path + above, strlen(path + above) - ending);
    f->n_lossy += kind == LOSSY;
    return p->id ? SKV_OK : skv_fail(SKV_E_MEM, "a list of pictures: out of memory");
}

static skv_status list(skv_picture_folder *f, const char *folder, size_t above, int depth);

static skv_status visit(skv_picture_folder *f, char *path, size_t above, int depth)
{
    struct stat info;
    skv_status st = SKV_OK;

    if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode))
        st = list(f, path, above, depth + 1);
    else if (stat(path, &info) != 0)
        st = skv_fail(skv_name_status(errno), "%s: %s", path, strerror(errno));
    else if (S_ISREG(info.st_mode))
        return add(f, path, above);
    else if (S_ISDIR(info.st_mode)) { /* behind a link */
        leave_out(f, path);
        return SKV_OK;
    }
    free(path);
    return st;
}

static skv_status list(skv_picture_folder *f, const char *folder, size_t above, int depth)
{
    skv_names names = {0};
    skv_status st = SKV_OK;

    if (depth > MAX_DEPTH)
        return skv_fail(SKV_E_ARG, "%s: folders in more than %d others", folder, MAX_DEPTH);
    SKV_TRY(skv_folder_names(&names, folder, 0));
    for (size_t i = 0; i < names.n && st == SKV_OK; i++) {
        char *path = NULL;

        if (names.name[i][0] == '.')
            continue;
        st = skv_path_join(&path, folder, names.name[i]);
        if (st == SKV_OK)
            st = visit(f, path, above, depth);
    }
    skv_names_clear(&names);
    return st;
}

static int by_id(const void *a, const void *b)
{
    const skv_folder_picture *x = a, *y = b;
    const int order = strcmp(x->id, y->id);

    return order ? order : strcmp(x->file, y->file);
}

skv_status skv_picture_folder_list(skv_picture_folder *out, const char *folder)
{
    const size_t n = strlen(folder);

    *out = (skv_picture_folder){0};
    SKV_TRY(list(out, folder, n + (n > 0 && folder[n - 1] != '/'), 0));
    if (out->n == 0 && out->left_out)
        return skv_fail(
            SKV_E_NOTFOUND,
            "%s holds no PNG, JPEG or WebP picture; %s is none of these, or a link to a "
            "folder",
            folder, out->left_out);
    if (out->n == 0)
        return skv_fail(SKV_E_NOTFOUND, "%s holds no PNG, JPEG or WebP picture", folder);
    qsort(out->picture, (size_t)out->n, sizeof *out->picture, by_id);
    return SKV_OK;
}

skv_status skv_picture_folder_unique(const skv_picture_folder *f)
{
    for (int64_t i = 0; i < f->n; i++)
        if (!skv_utf8_is_valid(f->picture[i].id, strlen(f->picture[i].id)))
            return skv_fail(SKV_E_ARG,
                            "%s: this name is not UTF-8, as the ids in metrics.h5 must be: rename "
                            "the file",
                            f->picture[i].file);
    for (int64_t i = 1; i < f->n; i++)
        if (strcmp(f->picture[i - 1].id, f->picture[i].id) == 0)
            return skv_fail(SKV_E_ARG,
                            "%s and %s: two pictures of one name cannot be told apart when folders "
                            "are compared by name",
                            f->picture[i - 1].file, f->picture[i].file);
    return SKV_OK;
}

void skv_picture_folder_clear(skv_picture_folder *f)
{
    for (int64_t i = 0; i < f->n; i++) {
        free(f->picture[i].id);
        free(f->picture[i].file);
    }
    free(f->picture);
    free(f->left_out);
    *f = (skv_picture_folder){0};
}
