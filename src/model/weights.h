/* Parameters by name: where they come from (a source), and how a model takes them (a loader).
 *
 * A model lists its parameters once, in one bind function that calls skv_loader_* for each. The
 * list runs twice: planning (presence, shapes and bytes, every fault named in one message), then
 * loading into an arena of the planned size. Names are those of the released checkpoints. */
#ifndef SKV_MODEL_WEIGHTS_H
#define SKV_MODEL_WEIGHTS_H

#include "core/digest.h"
#include "core/mem.h"
#include "core/tensor.h"
#include "io/checkpoint_kind.h"
#include "kernels/backend.h"

typedef struct skv_weights skv_weights;

/* A checkpoint file, folder or index (io/checkpoint.h) of a kind of model, whose names are looked
 * up wherever in the file they begin; what is taken off them is logged. Errors: those of
 * skv_checkpoint_open and skv_checkpoint_enter. */
SKV_MUST skv_status skv_weights_open(skv_weights **out, const char *path, skv_kind kind);

/* Every parameter from the formula (src/io/README.md, Formula weights), named `prefix` + name
 * ("vae." or ""). */
SKV_MUST skv_status skv_weights_open_formula(skv_weights **out, const char *prefix);

void skv_weights_close(skv_weights *w); /* accepts NULL; views into a mapped file die with it */

/* "PyTorch zip archive weights/x.pth" or "formula"; borrowed. */
const char *skv_weights_describe(const skv_weights *w);
bool skv_weights_is_formula(const skv_weights *w);

/* A digest of names, types, shapes and 64 KiB of every tensor (from its start, middle and end): it
 * tells checkpoints apart without reading them whole, wherever and in whatever form they lie. It
 * does not stop somebody who wants two files of one digest. A formula's is that of its prefix.
 */
skv_digest skv_weights_digest(const skv_weights *w);

/* The widest type found among the tensors taken so far: SKV_F32 unless the file is fp16 or bf16. */
skv_dtype skv_weights_dtype(const skv_weights *w);

/* Shape of a parameter in the file: *ndim 0..4. SKV_E_NOTFOUND when absent (always, for the
 * formula). */
SKV_MUST skv_status skv_weights_shape(const skv_weights *w, const char *name, int64_t shape[4],
                                      int *ndim);

/* Names of tensors in the file that no loader has taken: *n of them, and up to `room` names. */
void skv_weights_extras(const skv_weights *w, const char **names, int room, int *n);

/* Ranks that load the same parameters can have them read once. The reader reads; the others make
 * the same room and views; then all call `spread` once a loader, with their status so far. It
 * copies the reader's bytes to all ranks, or fails on all of them. */
typedef struct {
    bool reader;
    skv_status (*spread)(void *ctx, skv_status st, skv_backend *be, void *data, size_t bytes);
    void *ctx;
} skv_weights_share;

/* For loaders made from now on; NULL: each rank reads for itself. Borrowed. */
void skv_weights_set_share(skv_weights *w, const skv_weights_share *share);

typedef struct skv_loader skv_loader;

/* Starts in the planning pass. Borrows be and w. */
SKV_MUST skv_status skv_loader_create(skv_loader **out, skv_backend *be, skv_weights *w);
void skv_loader_destroy(skv_loader *l);

/* Each takes the parameter named by the format. While planning *out is untouched; while loading it
 * becomes a view of device memory. Faults are collected for skv_loader_check.
 *   matrix: (n,k) of the backend's weight type, packed for linear
 *   conv:   (co,ci,3,3), packed for conv3x3, upsample_conv: for the operation of that name;
 *           conv1x1: (co,ci,1,1) packed for linear as (co,ci)
 *   array:  fp32 of exactly this shape
 *   bias:   (n) of the activations' type, for a linear whose output is of it
 *   host:   the tensor where it lies (mapped, file's type, (n,k)); formula: filled into host memory
 *           that the weights own. For embeddings. */
void skv_loader_matrix(skv_loader *l, skv_tensor *out, int64_t n, int64_t k, const char *fmt, ...)
    SKV_PRINTF(5, 6);
void skv_loader_conv(skv_loader *l, skv_tensor *out, int64_t co, int64_t ci, const char *fmt, ...)
    SKV_PRINTF(5, 6);
void skv_loader_upsample_conv(skv_loader *l, skv_tensor *out, int64_t co, int64_t ci,
                              const char *fmt, ...) SKV_PRINTF(5, 6);
void skv_loader_conv1x1(skv_loader *l, skv_tensor *out, int64_t co, int64_t ci, const char *fmt,
                        ...) SKV_PRINTF(5, 6);
void skv_loader_array(skv_loader *l, skv_tensor *out, int ndim, const int64_t *shape,
                      const char *fmt, ...) SKV_PRINTF(5, 6);
void skv_loader_bias(skv_loader *l, skv_tensor *out, int64_t n, const char *fmt, ...)
    SKV_PRINTF(4, 5);
void skv_loader_host(skv_loader *l, skv_tensor *out, int64_t n, int64_t k, const char *fmt, ...)
    SKV_PRINTF(5, 6);

/* Older VAE files lack the inner ".conv"/".norm" of a name: from now on accept both. */
void skv_loader_accept_old_vae_names(skv_loader *l);

/* After the planning list: SKV_OK and the bytes to load into, or one message that names every
 * missing and misshapen tensor. After it the loader is in the loading pass. */
SKV_MUST skv_status skv_loader_planned(skv_loader *l, size_t *bytes);

/* Where the loading pass puts things (device memory of the planned size). */
void skv_loader_set_arena(skv_loader *l, skv_arena *arena);

/* After the loading list: the first fault met (damaged record, upload, another rank's). Collective
 * where the weights are shared. */
SKV_MUST skv_status skv_loader_done(skv_loader *l);

#endif
