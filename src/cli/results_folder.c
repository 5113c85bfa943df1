#include "cli/results_folder.h"

#include <stdio.h>

#include "run/run_lock.h"

#define WRITE_SECONDS 600 /* the report of a large run may take minutes */

skv_status skv_results_alone(const char *folder, skv_status (*write)(void *ctx, const char *folder),
                             void *ctx)
{
    char what[4096 + 64];
    skv_claims *claims = NULL;
    skv_status st;

    SKV_TRY(skv_run_claims_open(&claims, folder));
    snprintf(what, sizeof what, "%.4095s: another skv eval or skv scores writes its results",
             folder);
    st = skv_claims_wait(claims, "metrics", what, &(skv_claims_patience){.seconds = WRITE_SECONDS});
    if (st == SKV_OK) {
        st = skv_run_sweep(claims, folder); /* one that was killed may have left files */
        if (st == SKV_OK)
            st = write(ctx, folder);
        skv_claims_drop(claims, "metrics");
    }
    skv_claims_close(claims);
    return st;
}
