/* The options of skv recall, and the settings of the run that it is about. */
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/file.h"
#include "core/outputs.h"
#include "core/text.h"
#include "job/recall_internal.h"
#include "sample/settings_rows.h"

#define ROW(...) SKV_OPTION(skv_recall_options, __VA_ARGS__)

const skv_option skv_recall_table[] = {
    SKV_OPTION_CONFIG(skv_settings),
    {.key = "prompts",
     .type = SKV_OPT_INT,
     .offset = offsetof(skv_recall_options, n_prompts),
     .fallback = "10",
     .help = "prompts whose pictures are looked at: the run's first, and the rest of their last "
             "group",
     .group = "Recall",
     .flag_only = true},
    ROW(queries, INT, "64", "queries of a head that are looked at, drawn from each map; 0: all",
        NULL),
    ROW(report, BOOL, "true", "write RUN/report.html", NULL),
    SKV_OPTION_FLAG(skv_recall_options, json, STRING, NULL, "what was measured, " SKV_JSON_HELP,
                    NULL),
    SKV_SETTING(transformer, PATH, NULL, "the run's checkpoint, if it is no longer where it was",
                "Model"),
    SKV_SETTING(vae, PATH, NULL, "the run's VAE, if it is no longer where it was", NULL),
    SKV_SETTING(t5, PATH, NULL, "the run's text encoder, if it is no longer where it was", NULL),
    SKV_SETTING(spm, PATH, NULL, "spiece.model, if it is not in the folder of --t5", NULL),
    SKV_SETTINGS_DEVICE,
    {0}};

void skv_recall_options_clear(skv_recall_options *o)
{
    skv_options_clear(skv_recall_table, o);
    skv_options_clear(skv_settings_table, &o->run);
}

/* *to = text, which it owns from then on, in place of what it owned. */
static void replace(char **to, char *text)
{
    free(*to);
    *to = text;
}

/* What the command line says beats what the run was given. */
static void take_given(skv_settings *s, skv_settings *given)
{
    char **const to[] = {&s->transformer, &s->vae, &s->t5, &s->spm, &s->device, &s->dtype};
    char **const from[] = {&given->transformer, &given->vae,    &given->t5,
                           &given->spm,         &given->device, &given->dtype};

    for (size_t i = 0; i < sizeof to / sizeof *to; i++)
        if (*from[i]) {
            replace(to[i], *from[i]);
            *from[i] = NULL;
        }
    s->threads = given->threads;
    s->memory_limit = given->memory_limit;
    s->allow_other_device = given->allow_other_device;
    s->port = given->port;
    s->wait_notice = given->wait_notice;
    s->wait_limit = given->wait_limit;
}

/* "full,scalekv-10": all paths of the run. */
static skv_status name_paths(char **out, const skv_run_json *json)
{
    skv_bytes names = {0};
    skv_status st = SKV_OK;
    const char *name;
    json_t *value;

    json_object_foreach(json->paths, name, value)
    {
        if (names.n > 0)
            SKV_TRY_GOTO(skv_bytes_add(&names, ",", 1, "paths"), done);
        SKV_TRY_GOTO(skv_bytes_add(&names, name, strlen(name), "paths"), done);
    }
    SKV_TRY_GOTO(skv_bytes_add(&names, "", 1, "paths"), done);
    replace(out, names.data);
    return SKV_OK;
done:
    skv_bytes_clear(&names);
    return st;
}

skv_status skv_recall__settings(skv_recall_options *o, const skv_run_json *json, const char *run)
{
    skv_settings given = o->run;
    char *folder = NULL;
    skv_status st;

    o->run = (skv_settings){0};
    SKV_TRY_GOTO(skv_options_defaults(skv_settings_table, &o->run), done);
    SKV_TRY_GOTO(skv_options_from_json(skv_settings_table, &o->run, json->settings,
                                       "the settings in run.json", NULL),
                 done);
    SKV_TRY_GOTO(skv_text_copy(&folder, run), done);
    take_given(&o->run, &given);
    replace(&o->run.out, folder);
    replace(&o->run.text_cache, NULL);
    replace(&o->run.only, NULL);
    replace(&o->run.shard, NULL);
    replace(&o->run.json, NULL);
    o->run.dry_run = false;
    o->run.max_hours = 0;
    st = name_paths(&o->run.paths, json);
done:
    skv_options_clear(skv_settings_table, &given);
    return st;
}
