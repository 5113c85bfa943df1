/* Layouts whose pictures lie in tar archives, as WebDataset reads them: of each row NAME.png,
 * NAME.txt and NAME.json, one behind the other, NAME being the row's number. */
#include "eval/layout/layout_internal.h"

#include <stdio.h>
#include <string.h>

#define ENDING ".tar"
#define DIGITS "0123456789"

void skv_layout__shard_name(char *out, int64_t shard)
{
    snprintf(out, SKV_LAYOUT_NAME_BYTES, "%06lld" ENDING, (long long)shard);
}

/* Every archive counts, whatever its number: readers take all of them. */
void skv_layout__shards_judge(skv_layout_entry *out, const skv_layout_set *set, const char *name,
                              bool folder)
{
    const size_t digits = strspn(name, DIGITS);

    (void)set;
    if (folder)
        out->why = "a folder; archives are looked for beside it only";
    else if (digits > 0 && strcmp(name + digits, ENDING) == 0)
        out->kind = SKV_LAYOUT_SHARD;
}

bool skv_layout__shard_member(int64_t *row, const char **ending, const char *name,
                              const skv_layout_set *set)
{
    const size_t digits = strspn(name, DIGITS);
    long long n = 0;
    char again[32];

    if (digits == 0 || digits > 18 || sscanf(name, "%lld", &n) != 1)
        return false;
    snprintf(again, sizeof again, "%09lld", n);
    *row = n;
    *ending = name + digits;
    return strlen(again) == digits && n < set->n * set->samples;
}
