#include "kernels/tuning.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"

#define SECONDS_A_LINE 3.0
#define SLOW           1.5f /* times the best: not worth another run */

static skv_choice *entry_of(skv_choice *list, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].key, key) == 0)
            return &list[i];
    return NULL;
}

const char *skv_tuning_find(skv_tuning *t, const char *key)
{
    skv_choice *e = entry_of(t->list, t->n, key);

    if (!e)
        return NULL;
    e->used = true;
    return e->choice;
}

static skv_status add(skv_choice **list, size_t *n, const char *key, const char *choice)
{
    SKV_TRY(skv_grow(list, *n, sizeof **list, "tuning"));
    (*list)[*n] = (skv_choice){.measured = false};
    snprintf((*list)[*n].key, SKV_TUNING_KEY, "%s", key);
    snprintf((*list)[*n].choice, SKV_TUNING_CHOICE, "%s", choice);
    ++*n;
    return SKV_OK;
}

static skv_status check_length(const char *key, const char *choice)
{
    if (strlen(key) >= SKV_TUNING_KEY)
        return skv_fail(SKV_E_ARG, "tuning: the key %s is too long", key);
    if (strlen(choice) >= SKV_TUNING_CHOICE)
        return skv_fail(SKV_E_ARG, "tuning: the choice for %s is too long", key);
    return SKV_OK;
}

skv_status skv_tuning_set(skv_tuning *t, const char *key, const char *choice)
{
    skv_choice *e;

    SKV_TRY(check_length(key, choice));
    e = entry_of(t->list, t->n, key);
    if (e) {
        snprintf(e->choice, sizeof e->choice, "%s", choice);
    } else {
        SKV_TRY(add(&t->list, &t->n, key, choice));
        e = &t->list[t->n - 1];
    }
    e->measured = e->used = t->measuring;
    return SKV_OK;
}

skv_status skv_tuning_skip(skv_tuning *t, const char *key, const char *choice)
{
    SKV_TRY(check_length(key, choice));
    return add(&t->skipped, &t->n_skipped, key, choice);
}

size_t skv_tuning_measured(const skv_tuning *t)
{
    size_t n = 0;

    for (size_t i = 0; i < t->n; i++)
        n += t->list[i].measured;
    return n;
}

static void say(skv_tuning *t, const char *key)
{
    const double now = skv_seconds();

    if (t->said == 0)
        t->said = now;
    if (now - t->said < SECONDS_A_LINE)
        return;
    t->said = now;
    skv_info("measuring algorithms: %s%s%zu shapes so far, now %s", t->where,
             t->where[0] ? ", " : "", skv_tuning_measured(t), key);
}

bool skv_tuning_try(skv_tuning *t, const char *key, const char *choice)
{
    for (size_t i = 0; i < t->n_skipped; i++)
        if (strcmp(t->skipped[i].key, key) == 0 && strcmp(t->skipped[i].choice, choice) == 0)
            return false;
    say(t, key);
    if (t->trying)
        t->trying(t->trying_ctx, key, choice);
    return true;
}

void skv_tuning_drop_unused(skv_tuning *t)
{
    size_t n = 0;

    for (size_t i = 0; i < t->n; i++)
        if (t->list[i].used)
            t->list[n++] = t->list[i];
    t->n = n;
}

void skv_tuning_clear(skv_tuning *t)
{
    free(t->list);
    free(t->skipped);
    t->list = t->skipped = NULL;
    t->n = t->n_skipped = 0;
}

/* ---------------------------------------------------------------- the text of a choice */

skv_status skv_choice_add(char choice[SKV_TUNING_CHOICE], const char *name, int64_t value)
{
    const size_t used = strlen(choice), room = SKV_TUNING_CHOICE - used;
    const int n = snprintf(choice + used, room, "%s%s=%" PRId64, used > 0 ? " " : "", name, value);

    if (n >= 0 && (size_t)n < room)
        return SKV_OK;
    choice[used] = '\0';
    return skv_fail(SKV_E_ARG, "tuning: no room for %s after \"%s\"", name, choice);
}

bool skv_choice_get(int64_t *value, const char *choice, const char *name)
{
    const size_t n = strlen(name);

    for (const char *p = choice; p; p = strchr(p, ' ') ? strchr(p, ' ') + 1 : NULL)
        if (strncmp(p, name, n) == 0 && p[n] == '=') {
            char *end = NULL;

            *value = strtoll(p + n + 1, &end, 10);
            return end != p + n + 1 && (*end == ' ' || *end == '\0');
        }
    return false;
}

/* -------------------------------------------------------------------------- measuring */

int skv_tuning_fastest(const float *ms, int n)
{
    int best = -1;

    for (int i = 0; i < n; i++)
        if (ms[i] >= 0 && (best < 0 || ms[i] < ms[best]))
            best = i;
    return best;
}

bool skv_tuning_is_slow(float ms, float best)
{
    return best >= 0 && ms > SLOW * best;
}
