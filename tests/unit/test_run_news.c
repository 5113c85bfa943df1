/* What others have done since the scan. */
#include "run/run_news.h"

#include <string.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "failing_folder.h"
#include "temp_folder.h"

#define N_GROUPS 300

static const skv_run_plan_path path = {.name = "full", .digest = "p"};
static const skv_segments segments = {.n = 1, .group_size = 2, .n_groups = N_GROUPS};
static const skv_run_plan plan = {
    .digest = "d", .path = &path, .n_paths = 1, .segments = &segments, .image = true};

static void put(const char *name, size_t bytes)
{
    assert_int_equal(skv_file_write(temp_path(name), "x", bytes), SKV_OK);
}

static void listed_groups_are_done_but_for_those_to_be_replaced(void **state)
{
    const skv_run_place run = {.folder = temp_folder()};
    uint8_t work[N_GROUPS] = {0};

    (void)state;
    assert_int_equal(skv_folder_make(temp_path("groups/full")), SKV_OK);
    put("groups/full/000000.h5", 1);
    put("groups/full/000001.h5", 1);
    put("groups/full/000002.h5.damaged", 1);
    put("groups/full/000300.h5", 1);
    put("groups/full/999999999999999.h5", 1);
    work[0] = work[2] = SKV_WORK_COMPUTE;
    work[1] = SKV_WORK_COMPUTE | SKV_WORK_REPLACE;
    work[299] = SKV_WORK_PNG;
    assert_int_equal(skv_run_news_list(work, &run, &plan), SKV_OK);
    assert_int_equal(work[0], 0);
    assert_int_equal(work[1], SKV_WORK_COMPUTE | SKV_WORK_REPLACE);
    assert_int_equal(work[2], SKV_WORK_COMPUTE);
    assert_int_equal(work[299], SKV_WORK_PNG);
}

static void pictures_of_others_groups_are_left_to_be_looked_at(void **state)
{
    const skv_run_place run = {.folder = temp_folder()};
    skv_run_plan with_png = plan;
    uint8_t work[N_GROUPS] = {SKV_WORK_COMPUTE, SKV_WORK_COMPUTE};

    (void)state;
    with_png.png = true;
    assert_int_equal(skv_folder_make(temp_path("groups/full")), SKV_OK);
    put("groups/full/000000.h5", 1);
    assert_int_equal(skv_run_news_list(work, &run, &with_png), SKV_OK);
    assert_int_equal(work[0], SKV_WORK_PNG);
    assert_int_equal(work[1], SKV_WORK_COMPUTE);
}

static void a_list_that_breaks_off_is_no_short_list(void **state)
{
    const skv_run_place run = {.folder = temp_folder()};
    uint8_t work[N_GROUPS];

    (void)state;
    memset(work, SKV_WORK_COMPUTE, sizeof work);
    assert_int_equal(skv_folder_make(temp_path("groups/full")), SKV_OK);
    put("groups/full/000000.h5", 1);
    for (int n = 0; n < 4; n++) {
        failing_folder(n);
        assert_int_equal(skv_run_news_list(work, &run, &plan), SKV_E_IO);
    }
    failing_folder(-1);
    assert_int_equal(work[1], SKV_WORK_COMPUTE);
}

static void a_divided_folder_is_listed_hundred_by_hundred(void **state)
{
    const skv_run_place run = {.folder = temp_folder(), .by_hundred = {.groups = true}};
    uint8_t work[N_GROUPS];

    (void)state;
    memset(work, SKV_WORK_COMPUTE, sizeof work);
    assert_int_equal(skv_folder_make(temp_path("groups/full/0000")), SKV_OK);
    assert_int_equal(skv_folder_make(temp_path("groups/full/0002")), SKV_OK);
    put("groups/full/0000/000007.h5", 1);
    put("groups/full/0002/000299.h5", 1);
    assert_int_equal(skv_run_news_list(work, &run, &plan), SKV_OK);
    for (int g = 0; g < N_GROUPS; g++)
        assert_int_equal(work[g], g == 7 || g == 299 ? 0 : SKV_WORK_COMPUTE);
}

static void a_look_at_a_group_is_not_content_with_a_name(void **state)
{
    const skv_run_place run = {.folder = temp_folder()};
    uint8_t work = SKV_WORK_COMPUTE;

    (void)state;
    assert_int_equal(skv_folder_make(temp_path("groups/full")), SKV_OK);
    put("groups/full/000000.h5", 1);
    assert_int_equal(skv_run_news_group(&work, &run, &plan, 0), SKV_OK);
    assert_int_equal(work, SKV_WORK_COMPUTE);
}

/* Ends as a PNG does. */
static void png(const char *name)
{
    static const char bytes[] = "....\0\0\0\0IEND\xae"
                                "B`\x82";

    assert_int_equal(skv_file_write(temp_path(name), bytes, sizeof bytes - 1), SKV_OK);
}

static void a_picture_without_its_end_is_none(void **state)
{
    const skv_run_place run = {.folder = temp_folder()};

    (void)state;
    assert_false(skv_run_news_has_png(&run, "full", 0, "r0"));
    assert_int_equal(skv_folder_make(temp_path("images/full")), SKV_OK);
    png("images/full/r0.png");
    assert_int_equal(skv_file_write(temp_path("images/full/cut.png"), "ends too early", 14),
                     SKV_OK);
    put("images/full/r1.png", 0);
    png("images/r2.png");
    assert_true(skv_run_news_has_png(&run, "full", 0, "r0"));
    assert_false(skv_run_news_has_png(&run, "full", 1, "r1"));
    assert_false(skv_run_news_has_png(&run, "full", 1, "cut"));
    assert_false(skv_run_news_has_png(&run, "full", 2, "../r2"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(listed_groups_are_done_but_for_those_to_be_replaced),
        CASE(pictures_of_others_groups_are_left_to_be_looked_at),
        CASE(a_list_that_breaks_off_is_no_short_list),
        CASE(a_divided_folder_is_listed_hundred_by_hundred),
        CASE(a_look_at_a_group_is_not_content_with_a_name),
        CASE(a_picture_without_its_end_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
