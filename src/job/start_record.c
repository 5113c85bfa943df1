#include "job/start_record.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/build.h"
#include "core/clock.h"
#include "core/json.h"
#include "job/command_line.h"
#include "job/libraries.h"

/* {"node1": 2, "node2": 2}: ranks of each host. */
static json_t *count_hosts(const skv_blob *host, int n)
{
    skv_json_maker hosts = skv_json_object();

    for (int r = 0; r < n; r++) {
        const char *name = host[r].data;

        skv_json_put(&hosts, name,
                     json_integer(1 + json_integer_value(json_object_get(hosts.value, name))));
    }
    return skv_json_take(&hosts);
}

static json_t *current_folder(void)
{
    char *folder = getcwd(NULL, 0);
    json_t *name = folder ? skv_json_foreign(folder) : json_null();

    free(folder);
    return name;
}

skv_status skv_start_record(json_t **out, time_t when, const skv_blob *host, int n_ranks)
{
    skv_json_maker start = skv_json_object();
    char stamp[SKV_UTC_BYTES], *command = NULL;

    SKV_TRY(skv_command_line_own(&command));
    skv_utc_text(stamp, when);
    skv_json_put(&start, "started", json_string(stamp));
    skv_json_put(&start, "command", command ? skv_json_foreign(command) : json_null());
    skv_json_put(&start, "folder", current_folder());
    skv_json_put(&start, "build", json_string(skv_build()));
    skv_json_put(&start, "libraries", skv_libraries_running());
    skv_json_put(&start, "ranks", json_integer(n_ranks));
    skv_json_put(&start, "hosts", count_hosts(host, n_ranks));
    free(command);
    return skv_json_finish(out, &start, "the record of this start");
}
