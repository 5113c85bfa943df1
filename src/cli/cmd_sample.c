/* skv sample: the main job. Rank 0 reads the configuration, the prompts and the run's folder; all
 * ranks agree after each phase, share out the work that is left, and meet again only to gather. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "job/backend_choice.h"
#include "cli/command.h"
#include "cli/sample_print.h"
#include "job/share_weights.h"
#include "job/text_phase.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "io/png.h"
#include "mpi/partition.h"
#include "run/gather.h"
#include "sample/run_setup.h"
#include "sample/sampler.h"
#include "sample/tune.h"
#include "sample/writer.h"

#define CONFIG_MAX_BYTES   ((size_t)16 << 20)
#define REWRITES_MAX_BYTES ((size_t)1 << 30)

static volatile sig_atomic_t stop_asked;

static void on_signal(int number)
{
    (void)number;
    stop_asked = 1;
}

/* The group in hand is finished, then the rank leaves: what is done is never lost. */
static void catch_signals(void)
{
    const int signals[] = {SIGTERM, SIGINT, SIGUSR1, SIGUSR2};
    struct sigaction a = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_RESETHAND};

    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &a, NULL);
}

typedef struct {
    skv_comm *comm;
    skv_settings settings;
    char *config, *config_folder;
    size_t config_bytes;
    char *prompt_bytes;
    size_t prompt_count;
    char *rewrites; /* the rewriting cache's bytes; NULL: none */
    size_t rewrite_count;
    skv_device_choice choice;
    skv_backend *be, *text_be; /* text_be may be be */
    skv_run_setup setup;
    skv_weights_sharing sharing;
    skv_engine *engine;
    skv_t5 *t5; /* NULL: texts are read from a file */
    skv_text_phase texts;
    skv_writer *writer;
    uint8_t *work; /* (groups, paths): what is left, as rank 0 saw it */
    int64_t *todo; /* groups with work */
    int32_t *cost; /* of each */
    int64_t n_todo, first, count;
} job;

/* --config is needed before everything else, and only rank 0 may read it. */
static const char *config_argument(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            return argv[i + 1];
        if (strncmp(argv[i], "--config=", 9) == 0)
            return argv[i] + 9;
    }
    return NULL;
}

static skv_status load_config(job *j, const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    skv_status st = SKV_OK;

    if (!path)
        return SKV_OK;
    if (skv_comm_rank(j->comm) == 0)
        st = skv_file_read(&j->config, &j->config_bytes, path, CONFIG_MAX_BYTES);
    if (st == SKV_E_NOTFOUND)
        st = SKV_E_ARG;
    SKV_TRY(skv_comm_agree(j->comm, st));
    SKV_TRY(skv_comm_broadcast_blob(j->comm, (void **)&j->config, &j->config_bytes, 0));
    if (slash) {
        SKV_TRY(skv_alloc(&j->config_folder, (size_t)(slash - path) + 2, 1, path));
        memcpy(j->config_folder, path, slash == path ? 1 : (size_t)(slash - path));
    }
    return SKV_OK;
}

static skv_status read_settings(job *j, int argc, char **argv)
{
    const char *path = config_argument(argc, argv);

    SKV_TRY(load_config(j, path));
    SKV_TRY(skv_settings_read(&j->settings, j->config, j->config_bytes, path, j->config_folder,
                              argc, argv));
    SKV_TRY(skv_settings_check(&j->settings));
    if (!j->settings.prompts)
        return skv_fail(SKV_E_ARG, "--prompts is missing");
    if (!j->settings.out && !j->settings.dry_run)
        return skv_fail(SKV_E_ARG, "--out is missing");
    return SKV_OK;
}

static skv_status load_prompts(job *j, skv_prompts_form *form)
{
    int64_t number = 0;
    skv_status st = SKV_OK;

    if (skv_comm_rank(j->comm) == 0) {
        st = skv_prompts_load(&j->prompt_bytes, &j->prompt_count, form, j->settings.prompts);
        number = (int64_t)*form;
    }
    SKV_TRY(skv_comm_agree(j->comm, st));
    SKV_TRY(skv_comm_broadcast(j->comm, &number, sizeof number, 0));
    *form = (skv_prompts_form)number;
    SKV_TRY(skv_comm_broadcast_blob(j->comm, (void **)&j->prompt_bytes, &j->prompt_count, 0));
    if (!j->settings.rewrite_cache)
        return SKV_OK;
    if (skv_comm_rank(j->comm) == 0)
        st = skv_file_read(&j->rewrites, &j->rewrite_count, j->settings.rewrite_cache,
                           REWRITES_MAX_BYTES);
    SKV_TRY(skv_comm_agree(j->comm, st));
    return skv_comm_broadcast_blob(j->comm, (void **)&j->rewrites, &j->rewrite_count, 0);
}

static skv_status make_setup(job *j)
{
    const skv_device_wish wish = {.device = j->settings.device,
                                  .dtype = j->settings.dtype,
                                  .threads = (int)j->settings.threads,
                                  .local_rank = skv_comm_local_rank(j->comm),
                                  .local_size = skv_comm_local_size(j->comm)};
    skv_prompt_list list = {0};
    skv_status st;

    SKV_TRY(load_prompts(j, &list.form));
    list.bytes = j->prompt_bytes;
    list.n = j->prompt_count;
    list.rewrites = j->rewrites;
    list.n_rewrites = j->rewrite_count;
    st = skv_backend_choose(&j->be, &j->choice, &wish);
    if (st == SKV_OK)
        st = skv_backend_choose_text(&j->text_be, j->be, &j->choice);
    if (st == SKV_OK)
        st = skv_run_setup_make(&j->setup, &j->settings, &list, j->be, j->text_be);
    SKV_TRY(skv_comm_agree(j->comm, st));
    if (!j->settings.text_cache)
        return SKV_OK;
    j->texts = (skv_text_phase){.comm = j->comm, .setup = &j->setup, .stop = &stop_asked};
    return skv_text_phase_plan(&j->texts);
}

static skv_status check_memory(const job *j)
{
    size_t there = 0;

    SKV_TRY(skv_memory_there(&there, j->be, &j->choice, j->settings.memory_limit));
    return skv_run_setup_fit(&j->setup, there);
}

/* Only the group that holds the id, on every path, and nothing on disk but its PNGs. */
static skv_status only_work(job *j)
{
    const skv_rows *rows = &j->setup.rows;
    char id[SKV_ID_BYTES];

    for (int64_t row = 0; row < rows->n_rows; row++) {
        skv_rows_id(rows, row, id, sizeof id);
        if (strcmp(id, j->settings.only) != 0)
            continue;
        for (int i = 0; i < j->setup.paths.n; i++)
            j->work[row / j->settings.group_size * j->setup.paths.n + i] = SKV_WORK_COMPUTE;
        return SKV_OK;
    }
    return skv_fail(SKV_E_ARG, "--only %s: no row has this id", j->settings.only);
}

static skv_status find_work(job *j)
{
    const skv_run_setup *s = &j->setup;
    const size_t n = (size_t)s->rows.n_groups * (size_t)s->paths.n;
    skv_status st;

    SKV_TRY(skv_alloc(&j->work, n, 1, "work list"));
    SKV_TRY(skv_alloc(&j->todo, (size_t)s->rows.n_groups, sizeof *j->todo, "work list"));
    SKV_TRY(skv_alloc(&j->cost, (size_t)s->rows.n_groups, sizeof *j->cost, "work list"));
    st = SKV_OK;
    if (skv_comm_rank(j->comm) == 0) {
        st = skv_run_folder_open(j->settings.out, &s->folder);
        if (st == SKV_OK)
            st = j->settings.only ? only_work(j)
                                  : skv_run_folder_scan(j->work, j->settings.out, &s->folder);
    }
    SKV_TRY(skv_comm_agree(j->comm, st));
    SKV_TRY(skv_comm_broadcast(j->comm, j->work, n, 0));
    for (int64_t g = 0; g < s->rows.n_groups; g++) {
        int32_t cost = 0;

        for (int i = 0; i < s->paths.n; i++)
            cost += j->work[g * s->paths.n + i] != 0;
        if (cost == 0)
            continue;
        j->cost[j->n_todo] = cost;
        j->todo[j->n_todo++] = g;
    }
    skv_partition(&j->first, &j->count, j->cost, j->n_todo, skv_comm_rank(j->comm),
                  skv_comm_size(j->comm));
    return SKV_OK;
}

/* Checkpoints are read once, if every rank has work; a few that are left over read for themselves.
 */
static skv_status share_weights(job *j)
{
    int64_t idle = j->count == 0;

    SKV_TRY(skv_comm_sum_i64(j->comm, &idle, 1));
    skv_weights_sharing_start(&j->sharing, j->comm);
    if (idle > 0 || skv_comm_size(j->comm) == 1)
        return SKV_OK;
    if (!j->settings.text_cache)
        skv_weights_set_share(j->setup.t5_weights, &j->sharing.share);
    skv_weights_set_share(j->setup.sources.transformer, &j->sharing.share);
    skv_weights_set_share(j->setup.sources.vae, &j->sharing.share);
    return SKV_OK;
}

static skv_status load_model(job *j)
{
    skv_status st = SKV_OK;

    SKV_TRY(share_weights(j));

    if (j->count > 0) {
        st = j->settings.text_cache
                 ? skv_text_phase_open(&j->texts)
                 : skv_t5_create(&j->t5, j->text_be, j->setup.t5_weights, &j->setup.t5_dims);
        if (st == SKV_OK)
            st = skv_engine_create(&j->engine, &j->setup.engine);
    }
    return skv_weights_sharing_agree(&j->sharing, st);
}

/* The first rank that computes anything. */
static int tuning_rank(const job *j)
{
    for (int rank = 0; rank < skv_comm_size(j->comm); rank++) {
        int64_t first, count;

        skv_partition(&first, &count, j->cost, j->n_todo, rank, skv_comm_size(j->comm));
        if (count > 0)
            return rank;
    }
    return -1;
}

/* The run's table of algorithms: what an earlier part of the run left, or measured now. */
static skv_status read_or_measure(job *j, char **text, size_t *bytes)
{
    skv_status st = skv_tune_read(text, bytes, j->settings.out);
    double start;

    if (st != SKV_E_NOTFOUND || j->settings.only)
        return st == SKV_E_NOTFOUND ? SKV_OK : st;
    skv_info("measuring which algorithms are fastest here, once for this run");
    start = skv_seconds();
    SKV_TRY(skv_tune_measure(j->engine, &j->setup.engine));
    skv_info("%zu choices in %.0f s, kept in %s/tune.json", j->be->tuning.n, skv_seconds() - start,
             j->settings.out);
    SKV_TRY(skv_tune_write(j->be, j->settings.out));
    return skv_tune_read(text, bytes, j->settings.out);
}

/* All ranks compute with the same algorithms, now and when the run is resumed. */
static skv_status tune(job *j)
{
    const int root = tuning_rank(j);
    skv_status st = SKV_OK;
    char *text = NULL;
    size_t bytes = 0;

    if (j->be->device == SKV_HOST || root < 0)
        return SKV_OK;
    if (skv_comm_rank(j->comm) == root)
        st = read_or_measure(j, &text, &bytes);
    SKV_TRY_GOTO(skv_comm_agree(j->comm, st), done);
    SKV_TRY_GOTO(skv_comm_broadcast_blob(j->comm, (void **)&text, &bytes, root), done);
    if (bytes > 0)
        st = skv_tune_parse(j->be, text, bytes, "tune.json", j->settings.allow_other_device);
    st = skv_comm_agree(j->comm, st);
done:
    free(text);
    return st;
}

/* PNGs of a good group file that are gone: from its pictures, or from its bits. */
static skv_status remake_pngs(job *j, int64_t g, int path)
{
    skv_group_record rec = {0};
    uint8_t *image = NULL;
    char *file = NULL;
    skv_status st;

    SKV_TRY(skv_group_file_path(&file, j->settings.out, j->setup.paths.path[path].name, g));
    skv_writer_hold(j->writer);
    st = skv_group_file_read(&rec, file, SKV_GROUP_ROWS | SKV_GROUP_BITS | SKV_GROUP_IMAGE);
    skv_writer_release(j->writer);
    SKV_TRY_GOTO(st, done);
    if (!rec.image) {
        const size_t picture = (size_t)rec.height * (size_t)rec.width * 3;
        const size_t bits = (size_t)rec.bits_bytes;

        SKV_TRY_GOTO(skv_alloc(&image, (size_t)rec.n_rows, picture, "pictures"), done);
        for (int i = 0; i < rec.n_rows; i++)
            SKV_TRY_GOTO(skv_engine_decode(j->engine, rec.bits + (size_t)i * bits, 1,
                                           image + (size_t)i * picture),
                         done);
    }
    for (int i = 0; i < rec.n_rows; i++)
        if (rec.status[i] == SKV_OK)
            SKV_TRY_GOTO(skv_writer_png(j->settings.out, &rec, i, rec.image ? rec.image : image),
                         done);
done:
    skv_group_record_clear(&rec);
    free(image);
    free(file);
    return st;
}

static skv_status one_group(job *j, const skv_sampler *sampler, int64_t g, bool first)
{
    const uint8_t *work = j->work + g * j->setup.paths.n;
    bool *wanted = NULL, any = false;
    skv_status st;

    SKV_TRY(skv_alloc(&wanted, (size_t)j->setup.paths.n, sizeof *wanted, "work list"));
    for (int i = 0; i < j->setup.paths.n; i++) {
        wanted[i] = (work[i] & SKV_WORK_COMPUTE) != 0;
        any = any || wanted[i];
    }
    st = any ? skv_sampler_group(sampler, g, wanted, first) : SKV_OK;
    for (int i = 0; i < j->setup.paths.n && st == SKV_OK; i++)
        if (work[i] & SKV_WORK_PNG)
            st = remake_pngs(j, g, i);
    free(wanted);
    return st;
}

static skv_status sample_groups(job *j)
{
    const skv_writer_setup writer = {.run = j->settings.out,
                                     .store = j->setup.store,
                                     .png_threads = (int)j->settings.png_threads,
                                     .only_id = j->settings.only};
    skv_sampler sampler = {.engine = j->engine,
                           .setup = &j->setup.engine,
                           .rows = &j->setup.rows,
                           .t5 = j->t5,
                           .texts = {skv_text_phase_read, &j->texts},
                           .with_image = j->setup.store.image || j->setup.store.png,
                           .config_digest = j->setup.identity.digest,
                           .path_digest = j->setup.identity.path_digests,
                           .sink = skv_writer_put};
    skv_progress progress;
    skv_status st = SKV_OK, end;
    bool first = true;

    if (j->count == 0)
        return SKV_OK;
    SKV_TRY(skv_writer_create(&j->writer, &writer));
    sampler.sink_ctx = j->writer;
    j->texts.writer = j->writer;
    skv_progress_start(&progress, j->count);
    for (int64_t k = j->first; k < j->first + j->count && st == SKV_OK; k++) {
        if (stop_asked) {
            st = skv_fail(SKV_E_STOPPED,
                          "stopped by a signal with %" PRId64 " of %" PRId64
                          " groups left on this rank; run the same command again to go on",
                          j->first + j->count - k, j->count);
            break;
        }
        st = one_group(j, &sampler, j->todo[k], first);
        first = false;
        if (st == SKV_OK)
            skv_progress_group(&progress, &j->setup, j->todo[k], skv_comm_rank(j->comm));
    }
    end = skv_writer_finish(j->writer); /* its message is the older one: a failure, not a stop */
    j->writer = NULL;
    return end != SKV_OK ? end : st;
}

static skv_status finish(job *j, int *exit_code)
{
    int64_t n_failed = 0;
    skv_status st = SKV_OK;

    if (j->settings.only)
        return SKV_OK;
    if (skv_comm_rank(j->comm) == 0) {
        st = skv_gather(j->settings.out, j->settings.virtual_run, &n_failed);
        if (st == SKV_OK)
            st = skv_print_paths(j->settings.out);
    }
    SKV_TRY(skv_comm_agree(j->comm, st));
    SKV_TRY(skv_comm_sum_i64(j->comm, &n_failed, 1));
    if (n_failed > 0) {
        if (skv_comm_rank(j->comm) == 0)
            skv_warn("%" PRId64 " rows could not be sampled; /samples/error of run.h5 says why",
                     n_failed);
        *exit_code = SKV_EXIT_PARTIAL;
    }
    return SKV_OK;
}

static skv_status open_log(const job *j)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/log", j->settings.out);
    SKV_TRY(skv_folder_make(path));
    snprintf(path, sizeof path, "%s/log/%d.txt", j->settings.out, skv_comm_rank(j->comm));
    return skv_log_open(path);
}

static skv_status run_job(job *j, int argc, char **argv, int *exit_code)
{
    SKV_TRY(skv_comm_agree(j->comm, read_settings(j, argc, argv)));
    SKV_TRY(make_setup(j));
    SKV_TRY(skv_print_plan(&j->setup, j->comm, j->be));
    SKV_TRY(skv_comm_agree(j->comm, check_memory(j)));
    if (j->settings.dry_run)
        return SKV_OK;
    SKV_TRY(find_work(j));
    SKV_TRY(skv_comm_agree(j->comm, open_log(j)));
    catch_signals();
    if (j->settings.text_cache)
        SKV_TRY(skv_text_phase_run(&j->texts, j->work));
    SKV_TRY(load_model(j));
    SKV_TRY(tune(j));
    SKV_TRY(skv_comm_agree(j->comm, sample_groups(j)));
    return finish(j, exit_code);
}

static skv_status run(skv_comm *comm, int argc, char **argv, int *exit_code)
{
    job j = {.comm = comm};
    skv_status st = run_job(&j, argc, argv, exit_code);

    skv_engine_destroy(j.engine);
    skv_t5_destroy(j.t5);
    skv_text_phase_close(&j.texts);
    skv_run_setup_clear(&j.setup);
    if (j.text_be != j.be)
        skv_backend_destroy(j.text_be);
    skv_backend_destroy(j.be);
    skv_options_clear(skv_settings_table, &j.settings);
    free(j.config);
    free(j.config_folder);
    free(j.prompt_bytes);
    free(j.rewrites);
    free(j.work);
    free(j.todo);
    free(j.cost);
    return st;
}

const skv_command skv_cmd_sample = {.name = "sample",
                                    .usage = "--config FILE --out RUN [--key value ...]",
                                    .summary = "prompts to pictures, bits and cache statistics",
                                    .options = skv_settings_table,
                                    .distributed = true,
                                    .run = run};
