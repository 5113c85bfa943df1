/* Token ids by SentencePiece, and where the fast flan-t5 tokenizer departs from it.
 *
 * A text is cut at written special tokens into stretches that are encoded each by itself. A stretch
 * whose normalised form ends in a space gets one more ▁ token: whether it does is the library's
 * word (what becomes a space is the model's map), never isspace's. */
#include "io/tokenizer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/known_file.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/text.h"
#include "io/prompts.h"
#include "io/spm_shim.h"

#define MAX_MODEL_BYTES ((size_t)64 << 20)
#define N_EXTRA_IDS     100
#define ID_PAD          0
#define ID_EOS          1
#define ID_UNK          2
#define SPACE           "\xe2\x96\x81" /* ▁ */

struct skv_tokenizer {
    skv_spm *spm;
    int n_pieces;
    bool plain;
    bool trailing; /* white space at a stretch's end gives a token */
    int32_t id_space;
    skv_digest digest;
};

/* --------------------------------------------------------------- opening */

static skv_status check_ids(const skv_tokenizer *t, int vocab_size, const char *path)
{
    if (skv_spm_pad(t->spm) != ID_PAD || skv_spm_eos(t->spm) != ID_EOS ||
        skv_spm_unk(t->spm) != ID_UNK)
        return skv_fail(SKV_E_FORMAT, "%s: pad, </s> and unk are %d, %d, %d, want 0, 1, 2", path,
                        skv_spm_pad(t->spm), skv_spm_eos(t->spm), skv_spm_unk(t->spm));
    if (t->n_pieces > vocab_size - N_EXTRA_IDS)
        return skv_fail(SKV_E_SHAPE,
                        "%s: %d pieces and %d extra ids, but the text encoder's vocabulary has %d",
                        path, t->n_pieces, N_EXTRA_IDS, vocab_size);
    return SKV_OK;
}

static skv_status open_model(skv_tokenizer *t, const char *path, int vocab_size)
{
    skv_spm_info info;
    const char *known;
    char *bytes = NULL;
    size_t n = 0;
    skv_status st;

    SKV_TRY(skv_file_read(&bytes, &n, path, MAX_MODEL_BYTES));
    known = skv_known_file(bytes, n);
    if (known) {
        st = skv_fail(SKV_E_FORMAT, "%s %s", path, known);
        goto done;
    }
    SKV_TRY_GOTO(skv_spm_check(&info, bytes, n, path), done);
    SKV_TRY_GOTO(skv_spm_open(&t->spm, bytes, n, path), done);
    t->digest = skv_digest_of(bytes, n);
    t->n_pieces = skv_spm_size(t->spm);
    if (t->n_pieces != info.n_pieces)
        st = skv_fail(SKV_E_FORMAT, "%s: %d pieces, SentencePiece sees %d", path, info.n_pieces,
                      t->n_pieces);
    else
        st = check_ids(t, vocab_size, path);
done:
    free(bytes);
    return st;
}

/* Whether the value holds an object of this "type" (parts may be sequences of parts). The parser
 * bounds the depth. */
static bool has_type(const json_t *value, const char *type)
{
    const char *key;
    json_t *inner;
    size_t i;

    if (json_is_object(value)) {
        const char *own = json_string_value(json_object_get(value, "type"));

        if (own && strcmp(own, type) == 0)
            return true;
        json_object_foreach((json_t *)(uintptr_t)value, key, inner)
        {
            if (has_type(inner, type))
                return true;
        }
    }
    json_array_foreach(value, i, inner)
    {
        if (has_type(inner, type))
            return true;
    }
    return false;
}

static skv_status read_rules(skv_tokenizer *t, const char *path)
{
    json_t *root = NULL;

    SKV_TRY(skv_json_read(&root, path));
    if (has_type(json_object_get(root, "pre_tokenizer"), "WhitespaceSplit") ||
        has_type(json_object_get(root, "normalizer"), "Strip"))
        t->trailing = false;
    json_decref(root);
    return SKV_OK;
}

/* ▁ alone: what white space at the end of anything becomes. */
static skv_status find_space(skv_tokenizer *t, const char *path)
{
    int32_t ids[2];
    char end[SKV_SPM_ENDING];
    int n, bytes;
    size_t used;

    /* A lone ▁ cannot be encoded, since white space is dropped; in "▁ + unknown" it can. */
    SKV_TRY(skv_spm_encode(t->spm, "\xc2\x80", 2, ids, 2, &n, &used));
    SKV_TRY(skv_spm_ending(t->spm, "\xc2\x80", 2, end, &bytes));
    if (n != 2 || ids[1] != ID_UNK || bytes != 5 || memcmp(end, SPACE, 3) != 0)
        return skv_fail(SKV_E_FORMAT, "%s: has no piece \"" SPACE "\", which T5's models have",
                        path);
    t->id_space = ids[0];
    return SKV_OK;
}

skv_status skv_tokenizer_open(skv_tokenizer **out, const char *spm_path, const char *tokenizer_json,
                              int vocab_size, bool plain)
{
    skv_tokenizer *t = NULL;
    skv_status st;
    char mode[2];

    SKV_TRY(skv_alloc(&t, 1, sizeof *t, spm_path));
    t->plain = plain;
    t->trailing = !plain;
    SKV_TRY_GOTO(open_model(t, spm_path, vocab_size), done);
    if (!plain && tokenizer_json)
        SKV_TRY_GOTO(read_rules(t, tokenizer_json), done);
    if (t->trailing)
        SKV_TRY_GOTO(find_space(t, spm_path), done);
    mode[0] = t->plain;
    mode[1] = t->trailing;
    t->digest = skv_digest_add(t->digest, mode, sizeof mode);
    *out = t;
    t = NULL;
done:
    skv_tokenizer_destroy(t);
    return st;
}

skv_status skv_tokenizer_open_for(skv_tokenizer **out, const char *t5, const char *spm,
                                  int vocab_size, bool plain)
{
    const bool folder = strncmp(t5, "formula:", 8) != 0;
    char *model = NULL, *json = NULL;
    skv_status st = SKV_OK;

    if (!spm && !folder)
        return skv_fail(SKV_E_ARG, "%s has no spiece.model: name one with --spm", t5);
    if (folder) {
        SKV_TRY_GOTO(skv_path_join(&json, t5, "tokenizer.json"), done);
        if (access(json, F_OK) != 0) {
            if (errno != ENOENT)
                SKV_TRY_GOTO(skv_cannot_open(json, errno), done);
            free(json);
            json = NULL;
        }
    }
    if (!spm)
        SKV_TRY_GOTO(skv_path_join(&model, t5, "spiece.model"), done);
    st = skv_tokenizer_open(out, spm ? spm : model, json, vocab_size, plain);
done:
    free(json);
    free(model);
    return st;
}

void skv_tokenizer_destroy(skv_tokenizer *t)
{
    if (!t)
        return;
    skv_spm_close(t->spm);
    free(t);
}

skv_digest skv_tokenizer_digest(const skv_tokenizer *t)
{
    return t->digest;
}

/* -------------------------------------------------------------- encoding */

typedef struct {
    int32_t *ids;
    int64_t n; /* all of them; only the first SKV_MAX_TOKENS - 1 are kept */
} id_list;

static int room(const id_list *l)
{
    return l->n < SKV_MAX_TOKENS - 1 ? SKV_MAX_TOKENS - 1 - (int)l->n : 0;
}

static void push(id_list *l, int32_t id)
{
    if (room(l) > 0)
        l->ids[l->n] = id;
    l->n++;
}

/* Of a stretch without pieces, which is white space or nothing at all. With an x at both ends
 * nothing is trimmed, so a space shows as "▁x". */
static skv_status is_space(const skv_tokenizer *t, const char *text, size_t n, bool *yes)
{
    char end[SKV_SPM_ENDING];
    char *framed = NULL;
    int bytes;
    skv_status st;

    SKV_TRY(skv_alloc(&framed, n + 3, 1, "prompt"));
    framed[0] = 'x';
    memcpy(framed + 1, text, n);
    framed[n + 1] = 'x';
    st = skv_spm_ending(t->spm, framed, n + 2, end, &bytes);
    free(framed);
    *yes = st == SKV_OK && bytes >= 4 && memcmp(end + bytes - 4, SPACE "x", 4) == 0;
    return st;
}

static skv_status encode_stretch(const skv_tokenizer *t, const char *text, size_t n, id_list *l)
{
    bool space = false;
    size_t end = 0;
    int found = 0;

    if (n == 0)
        return SKV_OK;
    SKV_TRY(skv_spm_encode(t->spm, text, n, l->ids + (l->n < SKV_MAX_TOKENS ? l->n : 0), room(l),
                           &found, &end));
    l->n += found;
    if (!t->trailing)
        return SKV_OK;
    if (found == 0)
        SKV_TRY(is_space(t, text, n, &space));
    else
        space = end < n;
    if (space)
        push(l, t->id_space);
    return SKV_OK;
}

/* The special token that begins at `at`: its length and id; 0 when there is none. */
static size_t special_at(const skv_tokenizer *t, const char *at, size_t n, int32_t *id)
{
    static const struct {
        const char *text;
        int32_t id;
    } fixed[] = {{"</s>", ID_EOS}, {"<pad>", ID_PAD}, {"<unk>", ID_UNK}};
    static const char extra[] = "<extra_id_";
    size_t i = sizeof extra - 1;
    int k = 0, digits = 0;

    for (size_t f = 0; f < sizeof fixed / sizeof fixed[0]; f++) {
        const size_t length = strlen(fixed[f].text);

        if (n >= length && memcmp(at, fixed[f].text, length) == 0) {
            *id = fixed[f].id;
            return length;
        }
    }
    if (n < i || memcmp(at, extra, i) != 0)
        return 0;
    for (; i < n && digits < 2 && at[i] >= '0' && at[i] <= '9'; i++, digits++)
        k = 10 * k + (at[i] - '0');
    if (digits == 0 || i == n || at[i] != '>' || (digits == 2 && k < 10))
        return 0;
    *id = t->n_pieces + N_EXTRA_IDS - 1 - k;
    return i + 1;
}

/* Bytes of the Unicode White_Space character that begins at `at`, 0 when it is none. Valid UTF-8;
 * no character's encoding ends in another's. */
static size_t white_space_at(const char *at, size_t n)
{
    static const char *const wide[] = {"\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80",
                                       "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
                                       "\xe2\x81\x9f", "\xe3\x80\x80"};

    if (n >= 1 && ((at[0] >= '\t' && at[0] <= '\r') || at[0] == ' '))
        return 1;
    if (n >= 3 && memcmp(at, "\xe2\x80", 2) == 0 && (uint8_t)at[2] >= 0x80 &&
        (uint8_t)at[2] <= 0x8a)
        return 3;
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++)
        if (n >= strlen(wide[i]) && memcmp(at, wide[i], strlen(wide[i])) == 0)
            return strlen(wide[i]);
    return 0;
}

static size_t leading_white_space(const char *text, size_t n)
{
    size_t i = 0, step;

    while ((step = white_space_at(text + i, n - i)) > 0)
        i += step;
    return i;
}

static size_t without_trailing_white_space(const char *text, size_t n)
{
    for (size_t step = 1; step <= 3 && step <= n; step++)
        if (white_space_at(text + n - step, step) == step) {
            n -= step;
            step = 0;
        }
    return n;
}

static skv_status encode_with_specials(const skv_tokenizer *t, const char *text, size_t n,
                                       id_list *l)
{
    size_t first = 0, i = 0; /* the stretch at hand is [first, i) */

    while (i < n) {
        int32_t id = 0;
        const size_t length = text[i] == '<' ? special_at(t, text + i, n - i, &id) : 0;
        size_t stretch = i - first;

        if (length == 0) {
            i++;
            continue;
        }
        if (id >= t->n_pieces)
            stretch = without_trailing_white_space(text + first, stretch);
        SKV_TRY(encode_stretch(t, text + first, stretch, l));
        push(l, id);
        i += length;
        if (id >= t->n_pieces)
            i += leading_white_space(text + i, n - i);
        first = i;
    }
    return encode_stretch(t, text + first, n - first, l);
}

skv_status skv_tokenizer_encode(const skv_tokenizer *t, const char *text, size_t bytes,
                                int32_t *ids, int *n, int *n_before)
{
    id_list l = {.ids = ids};

    if (bytes > SKV_PROMPT_MAX_BYTES)
        return skv_fail(SKV_E_ARG, "a prompt of %zu bytes, at most %zu are accepted", bytes,
                        SKV_PROMPT_MAX_BYTES);
    if (!skv_utf8_is_valid(text, bytes))
        return skv_fail(SKV_E_ARG, "a prompt is not UTF-8 without NULs");
    if (t->plain)
        SKV_TRY(encode_stretch(t, text, bytes, &l));
    else
        SKV_TRY(encode_with_specials(t, text, bytes, &l));
    *n = l.n < SKV_MAX_TOKENS ? (int)l.n + 1 : SKV_MAX_TOKENS;
    *n_before = (int)l.n + 1;
    ids[*n - 1] = ID_EOS;
    return SKV_OK;
}

/* ------------------------------------------------------- positive prompt */

static bool names_people(const char *text)
{
    static const char *const words[] = {
        "man",    "woman",    "men",         "women",      "boy",      "girl",
        "child",  "person",   "human",       "adult",      "teenager", "employee",
        "worker", "mother",   "father",      "sister",     "brother",  "employer",
        "son",    "daughter", "grandmother", "grandfather"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strstr(text, words[i]))
            return true;
    return false;
}

skv_status skv_prompt_positive(char **out, const char *text)
{
    static const char suffix[] = ". very smooth faces, good looking faces, face to the camera, "
                                 "perfect facial features";
    const size_t n = strlen(text);

    SKV_TRY(skv_alloc(out, n + sizeof suffix, 1, "prompt"));
    memcpy(*out, text, n);
    if (names_people(text))
        memcpy(*out + n, suffix, sizeof suffix);
    return SKV_OK;
}
