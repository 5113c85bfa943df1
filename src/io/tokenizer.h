/* Text -> token ids for the T5 encoder: SentencePiece unigram plus the rules by which the published
 * numbers' tokenizer differs from it.
 *
 * Easy to get wrong: white space at a text's end gives one more token, and truncation comes before
 * </s>. Source: T5's spiece.model and Infinity's use of the fast flan-t5 tokenizer. */
#ifndef SKV_IO_TOKENIZER_H
#define SKV_IO_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/digest.h"
#include "core/status.h"

#define SKV_MAX_TOKENS 512 /* of one prompt, </s> included */

typedef struct skv_tokenizer skv_tokenizer;

/* Opens a SentencePiece model (checked before the library sees it: pad 0, </s> 1, unk 2, pieces +
 * 100 <= vocab_size). tokenizer_json, NULL for none, says whether trailing white space gives a
 * token; without it, it does. plain: SentencePiece's ids alone, none of those rules. Caller
 * destroys. */
SKV_MUST skv_status skv_tokenizer_open(skv_tokenizer **out, const char *spm_path,
                                       const char *tokenizer_json, int vocab_size, bool plain);

/* The same from the text encoder's folder: spm, or when that is NULL t5/spiece.model; and
 * t5/tokenizer.json when it is there. With "formula:..." for t5, spm must be given. */
SKV_MUST skv_status skv_tokenizer_open_for(skv_tokenizer **out, const char *t5, const char *spm,
                                           int vocab_size, bool plain);

/* Accepts NULL. */
void skv_tokenizer_destroy(skv_tokenizer *t);

/* Ids of a text of valid UTF-8 without NULs: at most SKV_MAX_TOKENS, the last one </s>. *n: ids
 * written; *n_before: what they would be without the limit, so that a cut shows as *n_before > *n.
 * Thread-safe. */
SKV_MUST skv_status skv_tokenizer_encode(const skv_tokenizer *t, const char *text, size_t bytes,
                                         int32_t *ids, int *n, int *n_before);

/* Of the model's bytes and of the rules in force: equal digests give equal ids. */
skv_digest skv_tokenizer_digest(const skv_tokenizer *t);

/* *out (free()) = the text; Infinity's suffix about faces is appended when the text holds one of
 * the 22 words for people as a substring, case-sensitive. */
SKV_MUST skv_status skv_prompt_positive(char **out, const char *text);

#endif
