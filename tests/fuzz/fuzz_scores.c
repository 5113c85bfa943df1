/* Results of each evaluator, for a run of three prompts. */
#include "fuzz.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "eval/scores/scores.h"
#include "made_run.h"

static const char list[] =
    "{\"prompt\":\"a photo of a bench\",\"atom_count\":3,\"skills\":[\"count\",\"object\"]}\n"
    "{\"prompt\":\"a photo of a dog left of a cow\",\"atom_count\":5,\"skills\":[\"position\"]}\n"
    "{\"prompt\":\"a photo of two clocks\",\"atom_count\":3,\"skills\":[\"attribute\",\"verb\"]}\n";

static void check(const skv_score *s)
{
    assert(0 <= s->path && s->path < 2);
    assert(0 <= s->n && s->n <= MADE_RUN_ROWS && s->n_all <= MADE_RUN_ROWS);
    assert((s->n < s->n_all) <= (s->missing != NULL));
    assert(0 <= s->value && s->value <= 100.2);
    for (int i = 0; i < s->n_categories; i++) {
        const skv_score_category *c = &s->category[i];

        assert(isnan(c->value) || (0 <= c->value && c->value <= 100.2));
        assert(memchr(c->name, '\0', sizeof c->name));
        fuzz_touch(c->name, strlen(c->name));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const skv_run_file run = made_run();
    char given[4096 + 16], prompts[4096];

    snprintf(prompts, sizeof prompts, "%s", fuzz_file("prompts", list, sizeof list - 1));
    snprintf(given, sizeof given, "full=%s", fuzz_file("input", data, n));
    for (const skv_evaluator *const *e = skv_evaluators; *e; e++) {
        skv_scores scores = {0};

        if (skv_scores_add(&scores, *e, given, &run, prompts) != SKV_OK)
            fuzz_refused();
        for (int i = 0; i < scores.n; i++)
            check(&scores.item[i]);
        skv_scores_clear(&scores);
    }
    return 0;
}
