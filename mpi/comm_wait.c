/* Waiting for other ranks: when to say so, when to give up, and in what words.
 *
 * Rank 0 knows who is missing, the others only whether rank 0 is there. So rank 0 is the one to end
 * a wait: it tells those who have arrived now and then that it is there, which renews their time,
 * and they are a little more patient than it is. */
#include "mpi/comm_impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"

#define MAX_NAMED    8   /* ranks in a sentence */
#define MORE_PATIENT 1.1 /* of ranks but 0 */
#define TEXT_BYTES   ((MAX_NAMED + 1) * (SKV_RANK_BYTES + 8))

skv_status skv_comm__alloc_ranks(skv_comm *c)
{
    SKV_TRY(skv_alloc(&c->hosts, (size_t)c->size, sizeof *c->hosts, "the ranks' hosts"));
    return skv_alloc(&c->missing, (size_t)c->size, sizeof *c->missing, "ranks to wait for");
}

void skv_comm__wait_begin(skv_wait *w, const skv_comm *c, int whom)
{
    const double now = skv_seconds();

    *w = (skv_wait){.whom = whom, .start = now, .renewed = now, .since = time(NULL)};
    w->notice = c->wait_notice > 0 ? now + c->wait_notice : INFINITY;
    w->word = now;
}

void skv_comm__wait_renew(skv_wait *w)
{
    w->renewed = skv_seconds();
}

const char *skv_comm__rank_text(char out[SKV_RANK_BYTES], const skv_comm *c, int rank)
{
    const char *host = "";

    if (rank == c->rank)
        host = c->host;
    else if (rank == 0 || c->rank == 0)
        host = c->hosts[rank];
    if (host[0])
        snprintf(out, SKV_RANK_BYTES, "rank %d (%s)", rank, host);
    else
        snprintf(out, SKV_RANK_BYTES, "rank %d", rank);
    return out;
}

static void list_missing(char out[TEXT_BYTES], const skv_comm *c)
{
    char one[SKV_RANK_BYTES];
    size_t at = 0;
    int n = 0, k = 0;

    for (int r = 0; r < c->size; r++)
        n += c->missing[r];
    out[0] = '\0';
    for (int r = 0; r < c->size && k <= MAX_NAMED; r++) {
        const bool last = k == n - 1 || k == MAX_NAMED;

        if (!c->missing[r])
            continue;
        if (k == MAX_NAMED)
            snprintf(one, sizeof one, "%d more", n - k);
        else
            skv_comm__rank_text(one, c, r);
        at += (size_t)snprintf(out + at, TEXT_BYTES - at, "%s%s",
                               k == 0 ? ""
                               : last ? " and "
                                      : ", ",
                               one);
        k++;
    }
}

static void name_them(char out[TEXT_BYTES], const skv_wait *w, const skv_comm *c)
{
    if (w->whom == SKV_WAIT_MISSING)
        list_missing(out, c);
    else if (w->whom == SKV_WAIT_UNKNOWN)
        snprintf(out, TEXT_BYTES, "data of ranks that had all arrived,");
    else
        skv_comm__rank_text(out, c, w->whom);
}

/* One rank of each host says that it waits for rank 0; the logs of all say it. */
static bool speaks(const skv_comm *c)
{
    return c->local_rank == 0 || (c->local_rank == 1 && strcmp(c->host, c->hosts[0]) == 0);
}

static void say(const skv_wait *w, const skv_comm *c, const char *whom, const char *since)
{
    char me[SKV_RANK_BYTES], end[64] = "";
    const skv_log_level level = c->rank == 0 || !speaks(c) ? SKV_LOG_WARN : SKV_LOG_ERROR;

    if (c->wait_limit > 0)
        snprintf(end, sizeof end, "; the job ends after %g s (--wait-limit)", c->wait_limit);
    skv_log(level, "%s waits for %s since %s, %.0f s so far%s%s%s",
            skv_comm__rank_text(me, c, c->rank), whom, since, skv_seconds() - w->start,
            w->where ? ", " : "", w->where ? w->where : "", end);
}

skv_status skv_comm__wait_check(skv_wait *w, const skv_comm *c)
{
    const double now = skv_seconds();
    const double limit = c->rank == 0 ? c->wait_limit : MORE_PATIENT * c->wait_limit;
    const bool over = c->wait_limit > 0 && now - w->renewed >= limit;
    char whom[TEXT_BYTES], since[32], me[SKV_RANK_BYTES];
    struct tm tm;

    if (!over && (now < w->notice || now - w->renewed < c->wait_notice))
        return SKV_OK;
    name_them(whom, w, c);
    localtime_r(&w->since, &tm);
    strftime(since, sizeof since, "%H:%M:%S", &tm);
    if (over)
        return skv_fail(SKV_E_PEER,
                        "%s has waited for %s since %s, longer than %g s, so the job ends%s%s "
                        "(--wait-limit)",
                        skv_comm__rank_text(me, c, c->rank), whom, since, c->wait_limit,
                        w->where ? ": " : "", w->where ? w->where : "");
    say(w, c, whom, since);
    w->notice = now + (now - w->start); /* twice as long each time */
    return SKV_OK;
}

/* Seconds between two words of rank 0 that it is there. */
static double pause_of(const skv_comm *c)
{
    double pause = 5;

    if (c->wait_notice > 0)
        pause = fmin(pause, c->wait_notice / 4);
    if (c->wait_limit > 0)
        pause = fmin(pause, c->wait_limit / 4);
    return pause;
}

static bool is_due(double *when, const skv_comm *c)
{
    const double now = skv_seconds();

    if (now < *when)
        return false;
    *when = now + pause_of(c);
    return true;
}

bool skv_comm__wait_word(skv_wait *w, const skv_comm *c)
{
    return is_due(&w->word, c);
}

void skv_comm_here(skv_comm *c)
{
    if (c->rank > 0 || c->size == 1 || c->lost || !is_due(&c->here, c))
        return;
    for (int r = 1; r < c->size; r++)
        if (c->ops->tell(c, r, SKV_WORD_WAIT) != SKV_OK)
            skv_debug("%s", skv_message()); /* the next collective call says it aloud */
}
