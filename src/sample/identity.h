/* What the pictures of a run depend on, as JSON, and its digests: two runs with the same identity
 * give the same pictures. */
#ifndef SKV_SAMPLE_IDENTITY_H
#define SKV_SAMPLE_IDENTITY_H

#include "core/digest.h"
#include "model/sources.h"
#include "sample/path.h"

typedef struct {
    json_t *common; /* all but the paths */
    char digest[SKV_DIGEST_BYTES];
    char (*path_digest)[SKV_DIGEST_BYTES];
    const char **path_digests; /* the same as a list */
} skv_identity;

typedef struct {
    const skv_settings *settings;
    const skv_sources *sources;
    const skv_paths *paths;
    skv_digest prompts;          /* of the list's bytes */
    const skv_digest *rewriting; /* of the rewritten texts, NULL: none asked for */
    skv_digest t5_digest, tokenizer_digest;
} skv_identity_setup;

SKV_MUST skv_status skv_identity_make(skv_identity *out, const skv_identity_setup *setup);
void skv_identity_clear(skv_identity *id);

#endif
