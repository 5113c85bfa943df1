/* What a limited address space leaves beside OpenBLAS's buffers. */
#include "cmocka_all.h"

#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include "kernels/backend.h"
#include "kernels/cpu/address_space.h"

#define MIB ((size_t)1 << 20)

static void buffers_of_cores_and_threads_are_kept_free(void **state)
{
    (void)state;
    assert_int_equal(skv_address_space_left(SIZE_MAX, 100 * MIB, 128, 8), SIZE_MAX);
    assert_int_equal(skv_address_space_left(1000 * MIB, 100 * MIB, 2, 2), 388 * MIB);
    assert_int_equal(skv_address_space_left(612 * MIB, 100 * MIB, 2, 2), 0);
    assert_int_equal(skv_address_space_left(100 * MIB, 100 * MIB, 128, 8), 0);
}

static void a_backend_without_room_is_refused(void **state)
{
    const struct rlimit little = {(rlim_t)(300 * MIB), RLIM_INFINITY};
    struct rlimit before;
    skv_backend *be = NULL;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    if (setrlimit(RLIMIT_AS, &little) != 0)
        fail_msg("the limit cannot be set");
    assert_int_equal(skv_backend_open_cpu(&be, 2), SKV_E_MEM);
    assert_non_null(strstr(skv_message(), "the address space is limited to 300 MiB (ulimit -v)"));
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_int_equal(skv_backend_open_cpu(&be, 2), SKV_OK);
    skv_backend_destroy(be);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers_of_cores_and_threads_are_kept_free),
        cmocka_unit_test(a_backend_without_room_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
