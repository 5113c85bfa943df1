#include "read_page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "eval/report/report.h"
#include "temp_folder.h"

/* The page as written; free(). */
char *page(void)
{
    char *text = NULL;
    size_t bytes = 0;

    if (skv_report_write(temp_folder()) != SKV_OK)
        fail_msg("%s", skv_message());
    assert_int_equal(skv_file_read(&text, &bytes, temp_path("report.html"), MAX_PAGE), SKV_OK);
    assert_int_equal(strlen(text), bytes);
    return text;
}

/* The JSON inside the page; json_decref. */
json_t *data_of(const char *text)
{
    const char *from = strstr(text, DATA_TAG), *to;
    json_t *data;

    assert_non_null(from);
    from += strlen(DATA_TAG);
    to = strstr(from, "</script>");
    assert_non_null(to);
    data = json_loadb(from, (size_t)(to - from), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(data);
    return data;
}

json_t *report(void)
{
    char *text = page();
    json_t *data = data_of(text);

    free(text);
    return data;
}

/* The value at "paths/1/name"; it must be there. */
json_t *at(json_t *data, const char *where)
{
    char part[64];

    for (const char *p = where; *p;) {
        const size_t n = strcspn(p, "/");

        assert_true(n < sizeof part);
        memcpy(part, p, n);
        part[n] = '\0';
        data = json_is_array(data) ? json_array_get(data, (size_t)atoi(part))
                                   : json_object_get(data, part);
        if (!data)
            fail_msg("the page's JSON has no %s", where);
        p += n + (p[n] == '/');
    }
    return data;
}

void assert_number(json_t *data, const char *where, double want)
{
    const double v = json_number_value(at(data, where));

    if (!json_is_number(at(data, where)) || fabs(v - want) > 1e-6 * fabs(want))
        fail_msg("%s is %g, not %g", where, v, want);
}

void assert_text(json_t *data, const char *where, const char *want)
{
    assert_true(json_is_string(at(data, where)));
    assert_string_equal(json_string_value(at(data, where)), want);
}

void assert_unknown(json_t *data, const char *where)
{
    if (!json_is_null(at(data, where)))
        fail_msg("%s is not null", where);
}

void assert_size(json_t *data, const char *where, size_t n)
{
    assert_int_equal(json_array_size(at(data, where)), n);
}
