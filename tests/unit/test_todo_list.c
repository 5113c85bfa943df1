/* The groups that are left, and whose they are. */
#include "job/todo_list.h"

#include "cmocka_all.h"

static void groups_without_work_are_left_out(void **state)
{
    skv_todo_list l;

    (void)state;
    assert_int_equal(skv_todo_list_init(&l, 4, 2, 1), SKV_OK);
    assert_int_equal(skv_todo_list_bytes(&l), 8);
    l.work[1 * 2 + 1] = 1;
    l.work[3 * 2 + 0] = 2;
    l.work[3 * 2 + 1] = 1;
    skv_todo_list_count(&l);
    assert_int_equal(l.n, 2);
    assert_int_equal(l.group[0], 1);
    assert_int_equal(l.cost[0], 1);
    assert_int_equal(l.group[1], 3);
    assert_int_equal(l.cost[1], 2);
    skv_todo_list_clear(&l);
}

static void every_group_is_one_ranks(void **state)
{
    skv_todo_list l;

    (void)state;
    assert_int_equal(skv_todo_list_init(&l, 10, 1, 4), SKV_OK);
    for (int g = 0; g < 10; g++)
        l.work[g] = g != 4;
    skv_todo_list_count(&l);
    assert_int_equal(l.share[0], 0);
    for (int rank = 0; rank < 4; rank++)
        assert_in_range(l.share[rank + 1] - l.share[rank], 2, 3);
    assert_int_equal(l.share[4], 9);
    skv_todo_list_clear(&l);
}

static void the_first_rank_with_work_is_found(void **state)
{
    skv_todo_list l;
    int rank;

    (void)state;
    assert_int_equal(skv_todo_list_init(&l, 3, 1, 4), SKV_OK);
    skv_todo_list_count(&l);
    assert_int_equal(skv_todo_list_first_rank(&l), -1);
    l.work[2] = 1;
    skv_todo_list_count(&l);
    rank = skv_todo_list_first_rank(&l);
    assert_int_equal(l.share[rank + 1] - l.share[rank], 1);
    skv_todo_list_clear(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_without_work_are_left_out),
        cmocka_unit_test(every_group_is_one_ranks),
        cmocka_unit_test(the_first_rank_with_work_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
