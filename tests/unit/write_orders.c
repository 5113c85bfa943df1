#include "write_orders.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmocka_all.h"

#define SINKS 3

static char path[] = "/tmp/skv_orders_XXXXXX";

static void remove_file(void)
{
    unlink(path);
}

static FILE *open_file(void)
{
    static bool made;
    FILE *f;

    if (!made) {
        f = fdopen(mkstemp(path), "w");
        made = true;
        assert_int_equal(atexit(remove_file), 0);
    } else {
        f = fopen(path, "w");
    }
    assert_non_null(f);
    return f;
}

const char *write_orders(const skv_dims *dims, const skv_schedule *schedule)
{
    const int n = dims->heads * dims->depth, lists = schedule->n_scales - 1 - SINKS;
    FILE *f = open_file();

    assert_true(n % 11 != 0); /* then every pair comes once */
    for (int i = 0; i < lists; i++)
        for (int j = 0; j < n; j++) {
            const int slot = (11 * j + 3 * i) % n;

            fprintf(f, "%s[%d,%d]%s",
                    j > 0   ? ","
                    : i > 0 ? ",["
                            : "[[",
                    slot % dims->heads, slot / dims->heads,
                    j + 1 < n       ? ""
                    : i + 1 < lists ? "]\n"
                                    : "]]\n");
        }
    assert_int_equal(fclose(f), 0);
    return path;
}
