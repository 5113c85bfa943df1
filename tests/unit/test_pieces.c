/* What was added in parts of any length is read back from any place. */
#include "core/pieces.h"

#include <stdint.h>
#include <string.h>

#include "cmocka_all.h"

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i ^ (i >> 7) ^ (i >> 19));
}

static void parts_are_read_across_pieces(void **state)
{
    static uint8_t part[70001], read[70001];
    const size_t all = 3 * SKV_PIECE_BYTES + 12345;
    skv_pieces p = {0};

    (void)state;
    for (size_t n = 1; p.n < all; n = n * 7 % sizeof part + 1) {
        const size_t bytes = n < all - p.n ? n : all - p.n;

        for (size_t i = 0; i < bytes; i++)
            part[i] = byte_at(p.n + i);
        assert_int_equal(skv_pieces_add(&p, part, bytes, "bytes"), SKV_OK);
    }
    assert_int_equal(p.n, all);
    assert_int_equal(p.n_pieces, 4);
    for (size_t at = 0; at < all; at += sizeof read - 1000) {
        const size_t bytes = all - at < sizeof read ? all - at : sizeof read;

        skv_pieces_read(&p, at, bytes, read);
        for (size_t i = 0; i < bytes; i++)
            assert_int_equal(read[i], byte_at(at + i));
    }
    skv_pieces_read(&p, all, 0, read);
    skv_pieces_clear(&p);
    assert_int_equal(p.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(parts_are_read_across_pieces)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
