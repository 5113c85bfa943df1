/* A rank that fails in any phase of a job ends all ranks, with the same status and message. One
 * program runs the job again and again, so that a rank which leaves alone hangs the test. Run on
 * three ranks. */
#include "job/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "io/h5.h"

#include "temp_folder.h"

#define FAILING 1 /* the rank that fails */

static skv_comm *comm;
static char folder[64];

static void check(int ok, const char *what, const char *phase, int line)
{
    if (ok)
        return;
    fprintf(stderr, "rank %d, phase %s, line %d: %s (last message: %s)\n", skv_comm_rank(comm),
            phase, line, what, skv_message());
    skv_comm_abort(comm, 1);
    exit(1);
}

#define CHECK(x) check((x) != 0, #x, phase, __LINE__)

static void write_file(const char *name, const char *text)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "w");
    check(f && fputs(text, f) >= 0 && fclose(f) == 0, "a file is written", "none", __LINE__);
}

static void make_folder(void)
{
    const char *phase = "none";

    if (skv_comm_rank(comm) == 0) {
        CHECK(temp_folder_make(NULL) == 0);
        snprintf(folder, sizeof folder, "%s", temp_folder());
        write_file("prompts.txt", "a cat\na house\na tree\n");
        write_file("rewrites.json", "{\"a cat\": \"a large cat\"}\n");
        write_file("config.json", "{\"resolution\": \"0.06M\", \"group_size\": 1, \"paths\": "
                                  "\"full\", \"transformer\": \"formula:tiny_f16\", \"vae\": "
                                  "\"formula:tiny_f16\", \"prompts\": \"prompts.txt\", "
                                  "\"threads\": 1}\n");
    }
    CHECK(skv_comm_broadcast(comm, folder, sizeof folder, 0) == SKV_OK);
}

/* Together they have all phases of a CPU. */
typedef enum { WITH_CACHES, PLAIN, DRY, N_VARIANTS } variant;

/* One job, in which `phase` fails on one rank (NULL: none does). */
static skv_status run_job(const char *phase, variant v)
{
    static const int n_arguments[N_VARIANTS] = {[WITH_CACHES] = 10, [PLAIN] = 7, [DRY] = 8};
    char config[128], out[128], more[128], texts[128];
    char *argv[] = {"--config",
                    config,
                    "--out",
                    out,
                    "--t5",
                    SKV_TEST_DATA "/tiny_t5",
                    v == DRY     ? "--dry-run"
                    : v == PLAIN ? "--no-gather"
                                 : "--rewrite-cache",
                    more,
                    "--text-cache",
                    texts};
    skv_job_result result;

    snprintf(config, sizeof config, "%s/config.json", folder);
    snprintf(out, sizeof out, "%s/run%d", folder, (int)v);
    if (v == DRY)
        snprintf(more, sizeof more, "--for=h200");
    else
        snprintf(more, sizeof more, "%s/rewrites.json", folder);
    snprintf(texts, sizeof texts, "%s/texts.h5", folder);
    return skv_job_run(&result, &(skv_job_setup){.comm = comm,
                                                 .argc = n_arguments[v],
                                                 .argv = argv,
                                                 .failure = {phase, FAILING}});
}

/* Whether the job came to this phase. */
static bool ends_together(const char *phase, const char *host, variant v)
{
    const skv_status st = run_job(phase, v);
    char want[512];

    if (st == SKV_OK)
        return false;
    snprintf(want, sizeof want, "rank %d (%s): %s: a failure for a test", FAILING, host, phase);
    CHECK(st == SKV_E_IO);
    CHECK(strcmp(skv_message(), want) == 0);
    return true;
}

int main(void)
{
    const char *phase = "none";
    char host[256] = "";
    int n = 0;

    CHECK(skv_h5_init() == SKV_OK);
    CHECK(skv_comm_open(&comm, &(skv_comm_wish){.wait_limit = 600}) == SKV_OK);
    CHECK(skv_comm_size(comm) == 3);
    skv_log_setup(SKV_LOG_ERROR, "");
    make_folder();
    snprintf(host, sizeof host, "%s", skv_comm_host(comm));
    CHECK(skv_comm_broadcast(comm, host, sizeof host, FAILING) == SKV_OK);
    for (; (phase = skv_job_phase_name(n)); n++) {
        bool reached = false;

        for (variant v = 0; v < N_VARIANTS && !reached; v++)
            reached = ends_together(phase, host, v);
        CHECK(reached || strncmp(phase, "tun", 3) == 0); /* nothing is tuned on a CPU */
    }
    phase = "all";
    CHECK(n > 15);
    for (variant v = 0; v < N_VARIANTS; v++)
        CHECK(run_job(NULL, v) == SKV_OK);
    skv_log_close();
    skv_comm_close(comm);
    if (folder[0] && temp_folder()[0])
        temp_folder_remove(NULL);
    return 0;
}
