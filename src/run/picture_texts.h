/* What a PNG says of its picture: the same in a run and in what is exported of it. */
#ifndef SKV_RUN_PICTURE_TEXTS_H
#define SKV_RUN_PICTURE_TEXTS_H

#include "io/png.h"

/* All texts are borrowed; given_id and negative may be "" or NULL. */
typedef struct {
    const char *id, *given_id, *prompt, *negative, *seed, *path, *config, *version;
} skv_picture_facts;

#define SKV_PICTURE_TEXTS 8

/* Fills `text` and gives the number of texts. given_id is left out where the id is made of it. */
int skv_picture_texts(skv_png_text text[SKV_PICTURE_TEXTS], const skv_picture_facts *p);

#endif
