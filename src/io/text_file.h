/* A file of encoded texts: token ids -> features (n,width) fp32, exactly as the model reads them.
 *
 * Only the index (digests of the ids, places) is held in memory, features are read when asked for.
 * A file is never changed: more texts mean a new one, made aside, that holds the old ones too. One
 * thread at a time, as io/h5.h. */
#ifndef SKV_IO_TEXT_FILE_H
#define SKV_IO_TEXT_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"

/* What features depend on besides the ids. Borrowed. */
typedef struct {
    const char *t5;     /* digest of the encoder's weights */
    const char *device; /* library, kernels and device that encode */
    int width;
    bool any_device; /* takes texts that another device encoded, and warns */
} skv_text_origin;

typedef struct skv_text_file skv_text_file;

/* What a text is found by: half of a digest, since the ids are compared when features are read. */
uint64_t skv_text_digest(const int32_t *ids, int n);

/* Reads the index. SKV_E_NOTFOUND when absent; SKV_E_FORMAT when another encoder or device made it
 * or it is not a file of texts; damage is SKV_E_FORMAT, SKV_E_SHAPE or SKV_E_H5. */
SKV_MUST skv_status skv_text_file_open(skv_text_file **out, const char *path,
                                       const skv_text_origin *origin);

/* Accepts NULL. */
void skv_text_file_close(skv_text_file *f);

/* Texts in the file; NULL has none. */
int64_t skv_text_file_count(const skv_text_file *f);
bool skv_text_file_has(const skv_text_file *f, const int32_t *ids, int n);

/* out (n,width). SKV_E_NOTFOUND when absent; SKV_E_FORMAT where the bytes are damaged. */
SKV_MUST skv_status skv_text_file_read(skv_text_file *f, const int32_t *ids, int n, float *out);

typedef struct skv_text_writer skv_text_writer;

/* A new file that will be `path`, with all texts of old (NULL: none) and room for n_texts more of
 * n_tokens tokens together. */
SKV_MUST skv_status skv_text_writer_create(skv_text_writer **out, const char *path,
                                           const skv_text_origin *origin, skv_text_file *old,
                                           int64_t n_texts, int64_t n_tokens);

/* Adds a text that is not in the file yet. features (n,width). */
SKV_MUST skv_status skv_text_writer_add(skv_text_writer *w, const int32_t *ids, int n,
                                        const float *features);

/* The new file takes its name. Destroys w and nulls *w in any case; on failure the old
 * file is still there. */
SKV_MUST skv_status skv_text_writer_commit(skv_text_writer **w);

/* Throws the new file away. Accepts NULL. */
void skv_text_writer_destroy(skv_text_writer *w);

#endif
