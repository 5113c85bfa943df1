/* What a limited address space leaves beside OpenBLAS's buffers. (A process with such a limit:
 * tests/cli/little_address_space_refused.sh; sanitizers cannot run in one.) */
#include "cmocka_all.h"

#include <stdint.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers_of_cores_and_threads_are_kept_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
