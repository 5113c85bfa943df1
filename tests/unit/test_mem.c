#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"

static void a_list_grows_and_keeps_what_it_holds(void **state)
{
    int *list = NULL;

    (void)state;
    for (int n = 0; n < 1000; n++) {
        assert_int_equal(skv_grow(&list, (size_t)n, sizeof *list, "test"), SKV_OK);
        list[n] = 3 * n; /* past its end: the sanitizers' to find */
    }
    for (int n = 0; n < 1000; n++)
        assert_int_equal(list[n], 3 * n);
    free(list);
}

static void a_list_that_cannot_grow_stays(void **state)
{
    int *list = NULL;

    (void)state;
    assert_int_equal(skv_grow(&list, 0, sizeof *list, "numbers"), SKV_OK);
    list[0] = 7;
    assert_int_equal(skv_grow(&list, (size_t)1 << 62, sizeof *list, "numbers"), SKV_E_MEM);
    assert_memory_equal(skv_message(), "numbers: out of memory", 22);
    assert_int_equal(list[0], 7);
    free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_grows_and_keeps_what_it_holds),
        cmocka_unit_test(a_list_that_cannot_grow_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
