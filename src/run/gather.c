#include "run/gather.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "run/gather_file.h"
#include "run/gather_parts.h"
#include "run/run_index.h"

skv_status skv_gather_open(skv_gather **out, const skv_gather_setup *setup)
{
    skv_gather *g = NULL;
    skv_status st;

    SKV_TRY(skv_alloc(&g, 1, sizeof *g, "gather"));
    g->setup = *setup;
    SKV_TRY_GOTO(skv_run_json_read(&g->json, setup->run), done);
    SKV_TRY_GOTO(skv_run_json_segments(&g->segments, &g->json, setup->run), done);
    g->place = (skv_run_place){setup->run, g->json.by_hundred};
    g->n_paths = (int)json_object_size(g->json.paths);
    if (!skv_mul_size(&g->n, (size_t)g->json.n_groups, (size_t)g->n_paths)) {
        st = skv_fail(SKV_E_MEM, "%s: more groups than can be counted", setup->run);
        goto done;
    }
    SKV_TRY_GOTO(skv_alloc(&g->known, g->n + 1, sizeof *g->known, "gather"), done);
    SKV_TRY_GOTO(skv_alloc(&g->lacking, (size_t)g->n_paths, sizeof *g->lacking, "gather"), done);
    SKV_TRY_GOTO(skv_alloc(&g->news, g->n + 1, sizeof *g->news, "gather"), done);
done:
    if (st == SKV_OK)
        *out = g;
    else
        skv_gather_close(g);
    return st;
}

void skv_gather_close(skv_gather *g)
{
    if (!g)
        return;
    free(g->known);
    free(g->news);
    free(g->lacking);
    skv_run_json_clear(&g->json);
    free(g);
}

int64_t *skv_gather_news(skv_gather *g, size_t *n)
{
    *n = g->n + 1;
    return g->news;
}

/* ------------------------------------------------------- a rank's share of the files */

typedef struct {
    skv_gather *g;
    const char *path;
    const char *path_digest;
    int order;
    skv_run_index *index; /* of the piece at hand */
} share;

/* One group of the share; *news: what is found out about it. */
typedef skv_status (*visit)(int64_t *news, const share *s, int64_t group);

static skv_status visit_piece(share *s, int64_t piece, visit what)
{
    skv_gather *g = s->g;
    const skv_run_index_of of = {&g->place, s->path, g->json.digest, s->path_digest};
    const int64_t first = piece * SKV_INDEX_PIECE, left = g->json.n_groups - first;
    const int64_t end = first + (left < SKV_INDEX_PIECE ? left : SKV_INDEX_PIECE);
    skv_status st = SKV_OK;

    SKV_TRY(skv_run_index_open(&s->index, &of, piece));
    for (int64_t k = first; k < end && st == SKV_OK; k++) {
        st = skv_gather__go_on(g);
        if (st == SKV_OK)
            st = what(&g->news[s->order * g->json.n_groups + k], s, k);
    }
    skv_run_index_close(s->index); /* what was found stays, also after a stop */
    return st;
}

/* Every size-th piece of every path. */
static skv_status visit_share(skv_gather *g, visit what)
{
    const int64_t n_pieces = skv_run_index_pieces(g->json.n_groups);
    share s = {.g = g};
    json_t *entry;

    json_object_foreach(g->json.paths, s.path, entry)
    {
        SKV_TRY(skv_json_string(&s.path_digest, entry, "digest", s.path));
        for (int64_t p = g->setup.rank; p < n_pieces; p += g->setup.size)
            SKV_TRY(visit_piece(&s, p, what));
        s.order++;
    }
    return SKV_OK;
}

static skv_status look(int64_t *news, const share *s, int64_t group)
{
    const skv_group_want want = {
        .config_digest = s->g->json.digest, .path_digest = s->path_digest, .group = group};
    skv_group_state state = SKV_GROUP_ABSENT;
    skv_group_known known;
    skv_run_name file;

    SKV_TRY(skv_run_index_look(s->index, &state, &known, &want));
    SKV_TRY(skv_run_name_group(&file, &s->g->place, s->path, group));
    if (state == SKV_GROUP_FOREIGN)
        return skv_fail(SKV_E_FORMAT, "%s, not of %s/run.json; skv sample computes it again",
                        skv_message(), s->g->setup.run);
    if (state == SKV_GROUP_DAMAGED) {
        *news = SKV_GATHER__DAMAGED;
        return skv_gather__set_aside(&file);
    }
    if (state == SKV_GROUP_GOOD)
        *news = SKV_GATHER__THERE | (known.whole ? SKV_GATHER__WHOLE : 0) |
                (int64_t)known.seal.parts << SKV_GATHER__PARTS | known.seal.crc;
    return SKV_OK;
}

static skv_status check(int64_t *news, const share *s, int64_t group)
{
    const int64_t known = s->g->known[s->order * s->g->json.n_groups + group];
    const bool whole = (known & SKV_GATHER__WHOLE) != 0;
    skv_run_name file;
    skv_status st;

    if ((known & SKV_GATHER__THERE) == 0 || (whole && s->g->spares_whole))
        return SKV_OK;
    SKV_TRY(skv_run_name_group(&file, &s->g->place, s->path, group));
    st = whole && s->g->virtual_images ? skv_group_file_known(&file) : skv_group_file_whole(&file);
    if (skv_group_file_is_damage(st)) {
        *news = SKV_GATHER__DAMAGED;
        return skv_gather__set_aside(&file);
    }
    SKV_TRY(st);
    *news = SKV_GATHER__WHOLE | SKV_GATHER__CHECKED;
    skv_run_index_note_whole(s->index, group);
    return SKV_OK;
}

skv_status skv_gather_look(skv_gather *g)
{
    SKV_TRY(visit_share(g, look));
    if (g->setup.rank == 0)
        g->news[g->n] = skv_gather__digest_made(g);
    return SKV_OK;
}

/* One process alone reads a file once, when it writes run.h5: unless there may be nothing to write,
 * or it would write without reading all. */
skv_status skv_gather_check(skv_gather *g)
{
    skv_gather__learn(g);
    if (skv_gather__missing(g) > 0)
        SKV_TRY(skv_gather__verdict(g));
    g->spares_whole = (skv_gather__damaged(g) > 0 && !g->setup.partial) || skv_gather__is_made(g);
    return g->setup.size > 1 || g->virtual_images || g->spares_whole ? visit_share(g, check)
                                                                     : SKV_OK;
}

skv_status skv_gather_write(skv_gather *g, int64_t *n_failed)
{
    skv_gather__learn(g);
    SKV_TRY(skv_gather__verdict(g));
    return skv_gather__write(g, n_failed);
}

skv_status skv_gather_alone(const char *run, bool virtual_images, int64_t *n_failed)
{
    const skv_gather_setup setup = {.run = run, .virtual_images = virtual_images, .size = 1};
    skv_gather *g = NULL;
    skv_status st = SKV_OK;

    SKV_TRY(skv_gather_open(&g, &setup));
    SKV_TRY_GOTO(skv_gather_look(g), done);
    SKV_TRY_GOTO(skv_gather_check(g), done);
    SKV_TRY_GOTO(skv_gather_write(g, n_failed), done);
done:
    skv_gather_close(g);
    return st;
}
