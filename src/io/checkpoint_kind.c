/* A kind is known by a tensor that each of its files has (the mark). A file that has the mark of
 * another kind's, too, is told apart by a further tensor; such rows stand before the plain one. */
#include "io/checkpoint_kind.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "io/checkpoint_internal.h"

typedef struct {
    skv_kind like;                  /* has this kind's mark; ANY: of none that is read here */
    bool is;                        /* and is of this kind */
    const char *what, *mark, *with; /* with: NULL, or one more tensor that it has */
    int axis;
    int64_t extent; /* of `with` along that axis; 0: any, below 0: any but this */
} row;

static const row rows[] = {
    {SKV_KIND_TRANSFORMER, false, "a VAR transformer (of classes)", "word_embed.weight",
     "class_emb.weight", 0, 0},
    {SKV_KIND_TRANSFORMER, true, "an Infinity transformer", "word_embed.weight", NULL, 0, 0},
    {SKV_KIND_VAE, false, "a VAE of Stable Diffusion (with attention)", "decoder.conv_in.weight",
     "decoder.mid.attn_1.q.weight", 0, 0},
    {SKV_KIND_VAE, false, "a VAE of diffusers", "decoder.conv_in.weight",
     "decoder.mid_block.resnets.0.conv1.weight", 0, 0},
    {SKV_KIND_VAE, false, "a VQ-VAE with a code book", "decoder.conv_in.weight",
     "quantize.embedding.weight", 0, 0},
    {SKV_KIND_VAE, true, "an Infinity VAE", "decoder.conv_in.conv.weight", NULL, 0, 0},
    {SKV_KIND_VAE, true, "an Infinity VAE", "decoder.conv_in.weight", NULL, 0, 0},
    {SKV_KIND_T5, true, "a T5 text encoder", "encoder.block.0.layer.0.SelfAttention.q.weight", NULL,
     0, 0},
    {SKV_KIND_INCEPTION, false, "torchvision's Inception v3 (it has AuxLogits)",
     "Mixed_5b.branch1x1.conv.weight", "AuxLogits.fc.weight", 0, 0},
    {SKV_KIND_INCEPTION, false,
     "torchvision's or timm's Inception v3 (fc.weight is not of pytorch-fid's 1008 classes)",
     "Mixed_5b.branch1x1.conv.weight", "fc.weight", 0, -1008},
    {SKV_KIND_INCEPTION, true, "pytorch-fid's Inception v3", "Mixed_5b.branch1x1.conv.weight",
     "fc.weight", 0, 1008},
    {SKV_KIND_INCEPTION, false,
     "an Inception v3 without fc.weight, by which pytorch-fid's is told from torchvision's",
     "Mixed_5b.branch1x1.conv.weight", NULL, 0, 0},
    {SKV_KIND_ALEXNET, false, "a VGG of torchvision", "features.0.weight", "features.2.weight", 0,
     0},
    {SKV_KIND_ALEXNET, false, "a VGG of torchvision", "features.0.weight",
     "features.1.running_mean", 0, 0},
    {SKV_KIND_ALEXNET, false, "a SqueezeNet of torchvision", "features.0.weight",
     "features.3.squeeze.weight", 0, 0},
    {SKV_KIND_ALEXNET, true, "torchvision's AlexNet", "features.0.weight", NULL, 0, 0},
    {SKV_KIND_LPIPS, false, "LPIPS's linear layers for SqueezeNet", "lin0.model.1.weight",
     "lin5.model.1.weight", 0, 0},
    {SKV_KIND_LPIPS, false, "LPIPS's linear layers for VGG", "lin0.model.1.weight",
     "lin1.model.1.weight", 1, 128},
    {SKV_KIND_LPIPS, true, "LPIPS's linear layers for AlexNet", "lin0.model.1.weight", NULL, 0, 0},
    {SKV_KIND_ANY, true, "pytorch-fid's Inception v3 cut into blocks, not its own file",
     "blocks.2.0.branch1x1.conv.weight", NULL, 0, 0},
    {SKV_KIND_ANY, true, "a U-Net of Stable Diffusion", "time_embed.0.weight", NULL, 0, 0},
    {SKV_KIND_ANY, true, "a diffusion model of diffusers", "time_embedding.linear_1.weight", NULL,
     0, 0},
    {SKV_KIND_ANY, true, "a CLIP model", "text_model.embeddings.token_embedding.weight", NULL, 0,
     0},
    {SKV_KIND_ANY, true, "a LoRA adapter", "lora_A.weight", NULL, 0, 0},
    {SKV_KIND_ANY, true, "a LoRA adapter", "lora_down.weight", NULL, 0, 0},
    {SKV_KIND_ANY, true, "a BERT model", "embeddings.word_embeddings.weight", NULL, 0, 0},
    {SKV_KIND_ANY, true, "a language model", "layers.0.self_attn.q_proj.weight", NULL, 0, 0},
    {SKV_KIND_ANY, true, "a ResNet", "layer1.0.conv1.weight", NULL, 0, 0},
    {SKV_KIND_ANY, true, "a vision transformer", "blocks.0.attn.qkv.weight", NULL, 0, 0},
};

#define N_ROWS (sizeof rows / sizeof rows[0])

/* ------------------------------------------------------------------------- places */

/* A place in the file where a kind's names begin, as the bytes before them. */
typedef struct {
    const char *name; /* of the mark, as in the file; NULL: there is none */
    size_t bytes;
} place;

/* A part of the place that tells of a moving average: "ema", "model_ema", "shadow". */
static bool is_average(const place *p)
{
    static const char *const words[] = {"ema", "swa", "shadow", "averaged", "average"};

    for (size_t i = 0; i < p->bytes; i++)
        for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
            const size_t n = strlen(words[k]);

            if ((i == 0 || !isalnum((unsigned char)p->name[i - 1])) && i + n <= p->bytes &&
                strncasecmp(p->name + i, words[k], n) == 0 &&
                !isalpha((unsigned char)p->name[i + n]))
                return true;
        }
    return false;
}

static int parts(const place *p)
{
    int n = 0;

    for (size_t i = 0; i < p->bytes; i++)
        n += p->name[i] == '.';
    return n;
}

static bool before(const place *a, const place *b)
{
    if (!b->name)
        return true;
    if (is_average(a) != is_average(b))
        return !is_average(a);
    return parts(a) < parts(b);
}

/* What stands before `mark` in a tensor's name; false: the name does not end so. */
static bool ends_as(place *out, const char *name, const char *mark)
{
    const size_t n = strlen(name), m = strlen(mark);

    if (n < m || strcmp(name + n - m, mark) != 0 || (n > m && name[n - m - 1] != '.'))
        return false;
    *out = (place){name, n - m};
    return true;
}

/* Whether the row's further tensor stands at this place, too. */
static bool has_with(const skv_checkpoint *ck, const row *r, const place *p)
{
    char name[SKV_ENTRY_NAME];
    const skv_entry *e;

    if (!r->with)
        return true;
    snprintf(name, sizeof name, "%.*s%s", (int)p->bytes, p->name, r->with);
    e = skv_checkpoint__find_whole(ck, name);
    if (!e || r->extent == 0)
        return e != NULL;
    if (e->ndim <= r->axis)
        return false;
    return r->extent > 0 ? e->shape[r->axis] == r->extent : e->shape[r->axis] != -r->extent;
}

/* The best place of a row's kind, and in *further a place that was passed over. */
static place find_place(const skv_checkpoint *ck, const row *r, place *further)
{
    place best = {0}, p;

    *further = (place){0};
    for (size_t i = 0; i < skv_checkpoint_count(ck); i++) {
        if (!ends_as(&p, skv_checkpoint_at(ck, i)->name, r->mark) || !has_with(ck, r, &p))
            continue;
        if (before(&p, &best)) {
            *further = best.name ? best : *further;
            best = p;
        } else {
            *further = p;
        }
    }
    return best;
}

/* -------------------------------------------------------------------------- enter */

static const row *plain_row(skv_kind kind)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (rows[i].like == kind && rows[i].is)
            return &rows[i];
    return NULL;
}

/* The file has no tensor of the kind: what it has. */
static skv_status refuse(const skv_checkpoint *ck, const row *want, const char *path)
{
    const skv_other_entry *other = skv_checkpoint__other(ck, NULL);
    place further;

    for (size_t i = 0; i < N_ROWS; i++)
        if (find_place(ck, &rows[i], &further).name)
            return skv_fail(SKV_E_ARG, "%s is %s, want %s", path, rows[i].what, want->what);
    if (skv_checkpoint_count(ck) == 0 && other)
        return skv_fail(SKV_E_NOTFOUND, "%s: holds no tensors; %.200s is %s; want %s", path,
                        other->name, other->what, want->what);
    return skv_fail(SKV_E_NOTFOUND, "%s: none of its %zu tensors is named %s: want %s", path,
                    skv_checkpoint_count(ck), want->mark, want->what);
}

skv_status skv_checkpoint_enter(skv_checkpoint *ck, skv_kind kind, const char *path)
{
    const row *want = plain_row(kind);

    for (size_t i = 0; kind != SKV_KIND_ANY && i < N_ROWS; i++) {
        place further, p;

        if (rows[i].like != kind)
            continue;
        p = find_place(ck, &rows[i], &further);
        if (p.name && !rows[i].is)
            return skv_fail(SKV_E_ARG, "%s is %s, want %s", path, rows[i].what, want->what);
        if (p.name)
            return skv_checkpoint__set_place(ck, p.name, p.bytes, further.name, further.bytes);
    }
    return kind == SKV_KIND_ANY ? SKV_OK : refuse(ck, want, path);
}
