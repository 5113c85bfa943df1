#include "io/h5_handle.h"

#include <string.h>

#include "cmocka_all.h"
#include "io/h5.h"
#include "temp_folder.h"

static skv_status status_after(hid_t major, hid_t minor)
{
    skv_h5 *f = NULL;
    skv_status st;

    assert_int_equal(skv_h5_create(&f, temp_path("a.h5")), SKV_OK);
    assert_true(H5Epush2(H5E_DEFAULT, "H5P.c", "H5P_copy", 1, H5E_ERR_CLS, major, minor,
                         "memory allocation failed") >= 0);
    assert_true(H5Epush2(H5E_DEFAULT, "H5D.c", "H5D_open", 1, H5E_ERR_CLS, H5E_DATASET, H5E_CANTGET,
                         "unable to open dataset") >= 0);
    st = skv_h5__fail(f, "/row: not a dataset that can be opened");
    skv_h5_close(f);
    return st;
}

/* Readers set a damaged file aside, which a reader without memory must not do. */
static void a_library_without_memory_calls_no_file_damaged(void **state)
{
    (void)state;
    assert_int_equal(status_after(H5E_RESOURCE, H5E_NOSPACE), SKV_E_MEM);
    assert_non_null(strstr(skv_message(), "a.h5: /row: not a dataset that can be opened"));
    assert_int_equal(status_after(H5E_PLIST, H5E_NOTFOUND), SKV_E_H5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_library_without_memory_calls_no_file_damaged,
                                        temp_folder_make, temp_folder_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
