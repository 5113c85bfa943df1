/* The check of a SentencePiece model, and the library with what the check lets through. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "io/spm_shim.h"

#define ROOM 64

static void use(const skv_spm *m, const char *text)
{
    int32_t ids[ROOM];
    char end[SKV_SPM_ENDING];
    int n = 0, n_end = 0;
    size_t used = 0;

    if (skv_spm_encode(m, text, strlen(text), ids, ROOM, &n, &used) != SKV_OK)
        fuzz_refused();
    for (int i = 0; i < n && i < ROOM; i++)
        assert(ids[i] >= 0 && ids[i] < skv_spm_size(m));
    assert(used <= strlen(text));
    if (skv_spm_ending(m, text, strlen(text), end, &n_end) != SKV_OK)
        fuzz_refused();
    assert(n_end >= 0 && n_end <= SKV_SPM_ENDING);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    skv_spm_info info = {0};
    skv_spm *m = NULL;

    if (skv_spm_check(&info, data, n, "input") != SKV_OK ||
        skv_spm_open(&m, data, n, "input") != SKV_OK) {
        fuzz_refused();
        return 0;
    }
    assert(skv_spm_size(m) == info.n_pieces);
    use(m, "a photo of three cats");
    use(m, "  Caf\xc3\xa9 \xe7\x8c\xab \xf0\x9f\x99\x82 \xef\xac\x81 ");
    skv_spm_close(m);
    return 0;
}
