#include "fuzz_prompts.h"

#include <assert.h>
#include <string.h>

#include "core/text.h"
#include "fuzz.h"

static void check_text(const char *text)
{
    assert(!text || skv_utf8_is_valid(text, strlen(text)));
}

void fuzz_check_prompts(const skv_prompts *p)
{
    size_t n_bad = 0;

    assert(p->n > 0);
    for (size_t i = 0; i < p->n; i++) {
        const skv_prompt *a = &p->prompts[i];
        char id[SKV_PROMPT_ID_BYTES];

        assert(a->text && strlen(a->text) == a->text_bytes);
        assert(!a->error || (a->text_bytes == 0 && strlen(a->error) > 0));
        check_text(a->text);
        check_text(a->negative);
        check_text(a->rewritten);
        skv_prompts_id(p, i, id, sizeof id);
        assert(skv_prompts_id_is_usable(id));
        n_bad += a->error != NULL;
    }
    assert(n_bad == p->facts.n_bad);
}

void fuzz_parse_prompts(const char *bytes, size_t n, skv_prompts_form form)
{
    for (int order = SKV_PROMPTS_ORDER_IMAGES; order <= SKV_PROMPTS_ORDER_IMAGE_ID; order++) {
        const skv_prompts_options options = {.order = (skv_prompts_order)order};
        skv_prompts_source source;
        skv_prompts *p = NULL;

        skv_prompts_open_bytes(&source, bytes, n, form);
        source.window = n % 7; /* 0: one for all */
        if (skv_prompts_parse(&p, &source, "input", &options) == SKV_OK)
            fuzz_check_prompts(p);
        else
            fuzz_refused();
        skv_prompts_destroy(p);
        if (form != SKV_PROMPTS_JSON)
            break; /* only COCO's captions have an order */
    }
}
