/* Evaluators' results: numbers as their own scripts print them, the path of a file, and which
 * figure was published. What is refused, and with which words, is in tests/cli/scores_refuses.sh.
 */
#include "eval/scores/scores.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "made_run.h"
#include "temp_folder.h"

static skv_scores scores;

static skv_status add(const skv_evaluator *by, const char *list, const skv_run_file *run)
{
    skv_scores_clear(&scores);
    return skv_scores_add(&scores, by, list, run, NULL);
}

/* <temp folder>/results, and its name. */
static const char *results(const char *text)
{
    assert_int_equal(skv_file_write(temp_path("results"), text, strlen(text)), SKV_OK);
    return temp_path("results");
}

static const char *geneval_line(int prompt, int sample, const char *tag, const char *text,
                                const char *correct)
{
    static char line[8][256];
    static int at;

    at = (at + 1) % 8;
    snprintf(line[at], sizeof line[at],
             "{\"filename\":\"/f/full/%05d/samples/%05d.png\",\"tag\":\"%s\",\"prompt\":\"%s\","
             "\"correct\":%s}\n",
             prompt, sample, tag, text, correct);
    return line[at];
}

#define BENCH(sample, correct)                                                                     \
    geneval_line(0, sample, "single_object", "a photo of a bench", correct)
#define CLOCK(sample, correct) geneval_line(2, sample, "counting", "a photo of two clocks", correct)

static void overall_is_the_mean_of_tasks_and_not_of_pictures(void **state)
{
    const skv_run_file run = made_run();
    char text[2048];

    (void)state;
    snprintf(text, sizeof text, "%s%s%s%s", CLOCK(0, "false"), CLOCK(1, "false"), CLOCK(2, "false"),
             BENCH(3, "true"));
    assert_int_equal(add(&skv_evaluator_geneval, results(text), &run), SKV_OK);
    assert_true(fabs(scores.item[0].value - 0.5) < 1e-12);
    assert_int_equal(scores.item[0].n_categories, 2); /* in the order of the prompt list */
    assert_string_equal(scores.item[0].category[0].name, "single_object");
    assert_int_equal(scores.item[0].category[1].n, 3);
}

static void pictures_without_results_are_counted_and_failed_rows_are_not(void **state)
{
    skv_run_file run = made_run();

    (void)state;
    run.status[1] = run.status[4] = SKV_E_FORMAT;
    assert_int_equal(add(&skv_evaluator_geneval, results(BENCH(0, "true")), &run), SKV_OK);
    assert_int_equal(scores.item[0].n, 1);
    assert_int_equal(scores.item[0].n_all, MADE_RUN_ROWS - 2);
    assert_string_equal(scores.item[0].missing, "00000/samples/00002");
    assert_int_equal(add(&skv_evaluator_geneval, results(BENCH(1, "true")), &run), SKV_E_FORMAT);
}

static void the_pictures_folder_says_the_path(void **state)
{
    const skv_run_file run = made_run();
    static const char *const good[] = {"full/00000/samples/00000.png",
                                       "./full/00000/samples/00000.jpg",
                                       "/a=b/full//00000/samples/00000.png"};
    static const char *const bad[] = {"00000/samples/00000.png",
                                      "samples/00000.png",
                                      "00000.png",
                                      "/full/00000/samples",
                                      "/full/00000/samples/00000.png/",
                                      ""};
    char text[256], given[4200];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good + sizeof bad / sizeof *bad; i++) {
        const size_t n_good = sizeof good / sizeof *good;

        snprintf(text, sizeof text,
                 "{\"filename\":\"%s\",\"tag\":\"t\",\"prompt\":\"a photo of a bench\","
                 "\"correct\":true}",
                 i < n_good ? good[i] : bad[i - n_good]);
        if ((add(&skv_evaluator_geneval, results(text), &run) == SKV_OK) != (i < n_good))
            fail_msg("%s: %s", text, skv_message());
    }
    /* said by the user, the folder's name does not matter */
    snprintf(text, sizeof text, "%s", BENCH(0, "true"));
    snprintf(given, sizeof given, "scalekv-10=%s", results(text));
    assert_int_equal(add(&skv_evaluator_geneval, given, &run), SKV_OK);
    assert_int_equal(scores.item[0].path, 1);
}

static void dpg_has_its_categories_in_the_order_of_its_tables(void **state)
{
    const skv_run_file run = made_run();
    const skv_score *s = NULL;

    (void)state;
    assert_int_equal(add(&skv_evaluator_dpg,
                         results("/f/full/0.png, 1.0, 0.5, 1.0, 0.5, 0.75\r\n"
                                 "/f/full/drawtext3.png, 0.25, 0.25, 0.25, 0.25, 0.25\r\n"
                                 "Model: full\r\nL1 category scores:\r\n\tother: nan\r\n"
                                 "\tentity: 75.0\r\n\tnew: 1.0\r\nL2 category scores:\r\n"
                                 "\tother - text: 5e-1\r\n\tentity - whole: 75.0\r\n"
                                 "DPG-Bench score: 50.0\r\n"),
                         &run),
                     SKV_OK);
    s = &scores.item[0];
    assert_true(fabs(s->value - 50) < 1e-12);
    assert_int_equal(s->n, 2);
    assert_int_equal(s->n_all, 2); /* partiprompts97 is never scored */
    assert_int_equal(s->n_categories, 5);
    assert_string_equal(s->category[0].name, "entity");
    assert_string_equal(s->category[1].name, "other");
    assert_true(isnan(s->category[1].value));
    assert_string_equal(s->category[2].name, "new");
    assert_string_equal(s->category[3].name, "entity - whole");
    assert_true(s->category[3].fine && !s->category[2].fine);
}

static void published_figures_are_of_rewritten_prompts_or_not(void **state)
{
    skv_run_file run = made_run();
    static const char text[] =
        "{\"settings\":{%s\"published\":[{\"path\":\"full\",\"geneval\":0.69},"
        "{\"path\":\"full\",\"rewritten\":true,\"geneval\":0.73,\"dpg\":\"83\"},7]}}";
    char file[512];

    (void)state;
    run.folder = (char *)(uintptr_t)temp_folder();
    for (int rewritten = -1; rewritten < 2; rewritten++) {
        skv_published p;
        double v;

        snprintf(file, sizeof file, text, rewritten > 0 ? "\"rewrite_cache\":\"r.json\"," : "");
        if (rewritten >= 0)
            assert_int_equal(skv_file_write(temp_path("run.json"), file, strlen(file)), SKV_OK);
        assert_int_equal(skv_published_read(&p, &run), SKV_OK);
        v = skv_published_of(&p, "full", "geneval");
        assert_true(rewritten < 0 ? isnan(v) : fabs(v - (rewritten ? 0.73 : 0.69)) < 1e-12);
        assert_true(isnan(skv_published_of(&p, "full", "dpg")));
        assert_true(isnan(skv_published_of(&p, "scalekv-10", "geneval")));
        skv_published_clear(&p);
    }
}

static int remove_all(void **state)
{
    skv_scores_clear(&scores);
    return temp_folder_remove(state);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, remove_all)
    const struct CMUnitTest tests[] = {
        CASE(overall_is_the_mean_of_tasks_and_not_of_pictures),
        CASE(pictures_without_results_are_counted_and_failed_rows_are_not),
        CASE(the_pictures_folder_says_the_path),
        CASE(dpg_has_its_categories_in_the_order_of_its_tables),
        CASE(published_figures_are_of_rewritten_prompts_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
