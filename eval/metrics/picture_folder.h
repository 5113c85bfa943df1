/* The pictures of a folder and of the folders in it. */
#ifndef SKV_EVAL_METRICS_PICTURE_FOLDER_H
#define SKV_EVAL_METRICS_PICTURE_FOLDER_H

#include <stdint.h>

#include "core/status.h"

typedef struct {
    char *id;   /* its path below the folder, without the ending */
    char *file; /* its path */
} skv_folder_picture;

typedef struct {
    skv_folder_picture *picture; /* in order of the ids, then the files (bytes) */
    int64_t n;
    int64_t n_lossy;    /* JPEGs among them */
    int64_t n_left_out; /* pictures in a format that is not read here, and links to folders */
    char *left_out;     /* path of the first; NULL: none */
} skv_picture_folder;

/* Every PNG, JPEG and WebP picture, by its name's ending in any case. Hidden files and folders are
 * passed over, as is what is no picture; links are followed to files, not to folders, which are
 * counted as left out. *out is
 * cleared by the caller, also after a failure. */
SKV_MUST skv_status skv_picture_folder_list(skv_picture_folder *out, const char *folder);

/* SKV_E_ARG: two pictures have the same id, or one is not UTF-8. */
SKV_MUST skv_status skv_picture_folder_unique(const skv_picture_folder *f);

void skv_picture_folder_clear(skv_picture_folder *f);

#endif
