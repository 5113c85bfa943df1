#include "job/compare_ranks.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/build.h"
#include "core/json.h"
#include "core/mem.h"

#define MAX_VALUES 4 /* shown at most, each with at most as many spans of ranks */

/* ------------------------------------------------------------------- a rank's facts */

static skv_status copy(char **out, const char *text)
{
    SKV_TRY(skv_alloc(out, strlen(text) + 1, 1, "what a rank says of itself"));
    memcpy(*out, text, strlen(text) + 1);
    return SKV_OK;
}

skv_status skv_facts_add(skv_facts *f, const char *what, const char *value)
{
    SKV_TRY(skv_grow(&f->fact, (size_t)f->n, sizeof *f->fact, "what a rank says of itself"));
    f->fact[f->n] = (skv_fact){0};
    f->n++;
    SKV_TRY(copy(&f->fact[f->n - 1].what, what));
    return copy(&f->fact[f->n - 1].value, value);
}

void skv_facts_clear(skv_facts *f)
{
    for (int i = 0; i < f->n; i++) {
        free(f->fact[i].what);
        free(f->fact[i].value);
    }
    free(f->fact);
    *f = (skv_facts){0};
}

skv_status skv_facts_add_json(skv_facts *f, const char *what, const json_t *value)
{
    char *text;
    skv_status st;

    if (json_is_null(value))
        return skv_facts_add(f, what, "not given");
    SKV_TRY(skv_json_print(&text, value, SKV_JSON_SORTED));
    st = skv_facts_add(f, what, text);
    free(text);
    return st;
}

/* Settings of a rank's own: results do not depend on them, or only through the device, which is
 * compared by itself. */
static bool is_own(const char *key)
{
    static const char *const own[] = {"device",       "dtype", "threads",     "png_threads",
                                      "memory_limit", "port",  "wait_notice", "wait_limit"};

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (strcmp(key, own[i]) == 0)
            return true;
    return false;
}

static skv_status add_setting(skv_facts *f, const char *key, const json_t *value)
{
    char flag[128];

    if (is_own(key))
        return SKV_OK;
    snprintf(flag, sizeof flag, "--%s", key);
    for (char *c = flag; *c; c++)
        *c = *c == '_' ? '-' : *c;
    return skv_facts_add_json(f, flag, value);
}

skv_status skv_facts_add_settings(skv_facts *f, const skv_option *table, const void *settings)
{
    json_t *all = NULL, *value;
    const char *key;
    skv_status st;

    SKV_TRY(skv_options_to_json(&all, table, settings));
    json_object_foreach(all, key, value)
    {
        SKV_TRY_GOTO(add_setting(f, key, value), done);
    }
    st = SKV_OK;
done:
    json_decref(all);
    return st;
}

/* ---------------------------------------------------------------------- the sentence */

typedef struct {
    char *at, *end;
} text;

static void put(text *t, const char *fmt, ...) SKV_PRINTF(2, 3);

static void put(text *t, const char *fmt, ...)
{
    const size_t room = (size_t)(t->end - t->at);
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(t->at, room, fmt, args);
    va_end(args);
    t->at += n > 0 && (size_t)n < room ? (size_t)n : strlen(t->at);
}

static bool same(const skv_rank_says *a, const skv_rank_says *b)
{
    return strcmp(a->value, b->value) == 0;
}

static bool all_same(const skv_rank_says *says, int n)
{
    for (int r = 1; r < n; r++)
        if (!same(&says[r], &says[0]))
            return false;
    return true;
}

/* Whether no rank below r says the same as r. */
static bool is_first(const skv_rank_says *says, int r)
{
    for (int before = 0; before < r; before++)
        if (same(&says[before], &says[r]))
            return false;
    return true;
}

/* The last rank of the span that begins with `first`: neighbours of one host and one value. */
static int span_end(const skv_rank_says *says, int n, int first)
{
    int last = first;

    while (last + 1 < n && same(&says[last + 1], &says[first]) &&
           strcmp(says[last + 1].host, says[first].host) == 0)
        last++;
    return last;
}

/* "rank 0 (a), ranks 2-3 (b): VALUE", of all ranks that say what rank `first` says. */
static void put_value(text *t, const skv_rank_says *says, int n, int first)
{
    int shown = 0, hidden = 0;

    for (int r = first, last; r < n; r = last + 1) {
        last = span_end(says, n, r);
        if (!same(&says[r], &says[first]))
            continue;
        if (shown == MAX_VALUES) {
            hidden += last - r + 1;
            continue;
        }
        if (last > r)
            put(t, "%sranks %d-%d (%.64s)", shown ? ", " : "", r, last, says[r].host);
        else
            put(t, "%srank %d (%.64s)", shown ? ", " : "", r, says[r].host);
        shown++;
    }
    if (hidden > 0)
        put(t, " and %d more", hidden);
    put(t, ": %.120s", says[first].value);
}

bool skv_ranks_differ(char difference[SKV_DIFFERENCE_BYTES], const char *what,
                      const skv_rank_says *says, int n)
{
    text t = {difference, difference + SKV_DIFFERENCE_BYTES};
    int shown = 0, hidden = 0;

    if (all_same(says, n))
        return false;
    put(&t, "ranks do not agree on %s: ", what);
    for (int r = 0; r < n; r++) {
        if (!is_first(says, r))
            continue;
        if (shown == MAX_VALUES) {
            hidden++;
            continue;
        }
        put(&t, "%s", shown ? "; " : "");
        put_value(&t, says, n, r);
        shown++;
    }
    if (hidden > 0)
        put(&t, "; others say %d other things", hidden);
    return true;
}

/* -------------------------------------------------------------------- between ranks */

/* Host and values, each with its zero. */
static skv_status pack(skv_blob *out, const char *host, const skv_facts *facts)
{
    size_t bytes = strlen(host) + 1;
    char *at;

    for (int i = 0; i < facts->n; i++)
        bytes += strlen(facts->fact[i].value) + 1;
    SKV_TRY(skv_alloc(&at, bytes, 1, "what a rank says of itself"));
    *out = (skv_blob){at, bytes};
    at = stpcpy(at, host) + 1;
    for (int i = 0; i < facts->n; i++)
        at = stpcpy(at, facts->fact[i].value) + 1;
    return SKV_OK;
}

/* The i-th text of a blob, "" after the last. */
static const char *text_of(const skv_blob *b, int i)
{
    const char *at = b->data, *end = at + b->bytes;

    for (; i > 0 && at < end; i--)
        at += strlen(at) + 1;
    return at < end ? at : "";
}

static skv_status first_difference(char difference[SKV_DIFFERENCE_BYTES], const skv_facts *facts,
                                   const skv_blob *blobs, int n)
{
    skv_rank_says *says = NULL;
    int more = 0;

    SKV_TRY(skv_alloc(&says, (size_t)n, sizeof *says, "what ranks say of themselves"));
    for (int r = 0; r < n; r++)
        says[r].host = text_of(&blobs[r], 0);
    for (int i = 0; i < facts->n; i++) {
        char other[SKV_DIFFERENCE_BYTES];

        for (int r = 0; r < n; r++)
            says[r].value = text_of(&blobs[r], 1 + i);
        if (difference[0])
            more += skv_ranks_differ(other, facts->fact[i].what, says, n);
        else
            (void)skv_ranks_differ(difference, facts->fact[i].what, says, n);
    }
    if (more > 0) {
        text t = {difference + strlen(difference), difference + SKV_DIFFERENCE_BYTES};

        put(&t, " (and on %d more)", more);
    }
    free(says);
    return SKV_OK;
}

skv_status skv_ranks_compare(char difference[SKV_DIFFERENCE_BYTES], skv_comm *comm,
                             const skv_facts *facts)
{
    skv_blob mine = {0}, *all = NULL;
    skv_status st;

    memset(difference, 0, SKV_DIFFERENCE_BYTES);
    SKV_TRY_GOTO(skv_comm_agree(comm, pack(&mine, skv_comm_host(comm), facts)), done);
    SKV_TRY_GOTO(skv_comm_gather_blobs(&all, comm, mine.data, mine.bytes), done);
    if (all)
        st = first_difference(difference, facts, all, skv_comm_size(comm));
    SKV_TRY_GOTO(skv_comm_agree(comm, st), done);
    st = skv_comm_broadcast(comm, difference, SKV_DIFFERENCE_BYTES, 0);
done:
    free(mine.data);
    free(all);
    return st;
}

skv_status skv_ranks_must_agree(skv_comm *comm, const skv_facts *facts, skv_status code)
{
    char difference[SKV_DIFFERENCE_BYTES];

    SKV_TRY(skv_ranks_compare(difference, comm, facts));
    return difference[0] ? skv_fail(code, "%s", difference) : SKV_OK;
}

static skv_status compare_one(skv_comm *comm, const char *what, const char *value, skv_status code)
{
    skv_facts facts = {0};
    skv_status st = skv_comm_agree(comm, skv_facts_add(&facts, what, value));

    if (st == SKV_OK)
        st = skv_ranks_must_agree(comm, &facts, code);
    skv_facts_clear(&facts);
    return st;
}

skv_status skv_ranks_compare_commands(skv_comm *comm, const char *command)
{
    return compare_one(comm, "the command", command, SKV_E_ARG);
}

skv_status skv_ranks_compare_builds(skv_comm *comm)
{
    return compare_one(comm, "the build of skv", skv_build(), SKV_E_UNSUPPORTED);
}
