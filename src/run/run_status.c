#include "run/run_status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "core/mem.h"
#include "core/process.h"
#include "run/group_count.h"

#define SAID "rank %d of %d: %" PRId64 " groups, %lf s each"

void skv_rank_progress_say(skv_claims *c, const skv_rank_progress *p)
{
    char line[SKV_CLAIM_BYTES];

    snprintf(line, sizeof line, "rank %d of %d: %" PRId64 " groups, %.3f s each", p->rank, p->size,
             p->groups, p->seconds);
    skv_claims_say(c, line);
}

static bool parse(skv_rank_progress *p, const char *said)
{
    return sscanf(said, SAID, &p->rank, &p->size, &p->groups, &p->seconds) == 4;
}

static skv_status read_hearts(skv_claims_heart **out, int *n, const char *run)
{
    char folder[4096];

    snprintf(folder, sizeof folder, "%.4080s/claims", run);
    return skv_claims_hearts(out, n, folder, 1);
}

skv_status skv_rank_progress_others(skv_rank_progress **out, int *n, const char *run)
{
    char me[SKV_CLAIM_BYTES];
    skv_claims_heart *heart = NULL;
    int n_hearts = 0;
    skv_status st;

    *out = NULL;
    *n = 0;
    SKV_TRY(read_hearts(&heart, &n_hearts, run));
    skv_process_describe(me, sizeof me);
    st = skv_alloc(out, (size_t)n_hearts + 1, sizeof **out, "ranks");
    for (int i = 0; i < n_hearts && st == SKV_OK; i++)
        if (!heart[i].is_dead && strcmp(heart[i].who, me) != 0)
            *n += parse(&(*out)[*n], heart[i].said);
    free(heart);
    return st;
}

/* Ranks by their seconds a group, then what is no rank. */
static int slowest_first(const void *a, const void *b)
{
    const skv_status_process *x = a, *y = b;

    if (x->is_rank != y->is_rank)
        return x->is_rank ? -1 : 1;
    if (x->progress.seconds != y->progress.seconds)
        return x->progress.seconds > y->progress.seconds ? -1 : 1;
    return strcmp(x->heart.who, y->heart.who);
}

static skv_status read_processes(skv_run_status *s, const char *run)
{
    skv_claims_heart *heart = NULL;
    int n = 0;
    skv_status st = read_hearts(&heart, &n, run);

    if (st == SKV_OK)
        st = skv_alloc(&s->process, (size_t)n + 1, sizeof *s->process, "processes");
    for (int i = 0; i < n && st == SKV_OK; i++) {
        skv_status_process *p = &s->process[s->n_processes];

        s->n_dead += heart[i].is_dead;
        if (heart[i].is_dead)
            continue;
        p->heart = heart[i];
        p->is_rank = parse(&p->progress, heart[i].said);
        s->n_processes++;
    }
    if (s->n_processes > 0)
        qsort(s->process, (size_t)s->n_processes, sizeof *s->process, slowest_first);
    free(heart);
    return st;
}

/* By the files' times: a group that is found now may have been finished by another job. */
static void reckon(skv_run_status *s, const skv_group_times *t)
{
    const double now = (double)time(NULL);

    s->idle = t->n > 0 ? now - t->newest : -1;
    if (t->n_recent > 1 && t->newest > t->oldest_recent)
        s->rate = (double)(t->n_recent - 1) / (t->newest - t->oldest_recent);
}

skv_status skv_run_status_read(skv_run_status *out, const char *run)
{
    skv_group_times times = {.recent = (double)time(NULL) - SKV_STATUS_SECONDS};
    char file[4096];
    const char *name;
    struct stat info;
    json_t *path;
    bool cut = false;

    *out = (skv_run_status){0};
    SKV_TRY(skv_run_json_read(&out->run, run));
    SKV_TRY(skv_alloc(&out->path, json_object_size(out->run.paths), sizeof *out->path, "paths"));
    json_object_foreach(out->run.paths, name, path)
    {
        const int64_t done =
            skv_group_count(run, name, &(skv_group_counting){.times = &times}, &cut);

        if (cut)
            return skv_fail(SKV_E_IO, "%s/groups/%s: cannot be listed", run, name);
        out->path[out->n_paths++] = (skv_status_path){name, done};
        out->done += done;
    }
    out->all = out->run.n_groups * out->n_paths;
    reckon(out, &times);
    snprintf(file, sizeof file, "%.4080s/run.h5", run);
    out->gathered = lstat(file, &info) == 0 && S_ISREG(info.st_mode);
    return read_processes(out, run);
}

void skv_run_status_clear(skv_run_status *s)
{
    free(s->path);
    free(s->process);
    skv_run_json_clear(&s->run);
    *s = (skv_run_status){0};
}
