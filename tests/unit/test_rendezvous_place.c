#include "mpi/rendezvous.h"

#include "cmocka_all.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "temp_folder.h"

static char run[128], path[256];

static int make_run(void **state)
{
    char *text = NULL;

    if (temp_folder_make(state) != 0)
        return 1;
    snprintf(run, sizeof run, "%s", temp_folder());
    if (skv_place_path(&text, run, "job") != SKV_OK)
        return 1;
    snprintf(path, sizeof path, "%s", text);
    free(text);
    return 0;
}

static skv_place some_place(void)
{
    skv_place p = {.port = 4321, .n = 2};

    assert_int_equal(skv_place_draw(&p), SKV_OK);
    snprintf(p.host, sizeof p.host, "node01");
    snprintf(p.address[0], sizeof p.address[0], "10.0.0.7");
    snprintf(p.address[1], sizeof p.address[1], "fd00::7");
    return p;
}

static void a_place_is_read_as_it_was_written(void **state)
{
    const skv_place p = some_place();
    struct stat info;
    skv_place q;

    (void)state;
    umask(0);
    assert_int_equal(skv_place_write(&p, path), SKV_OK);
    umask(022);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(skv_place_read(&q, path), SKV_OK);
    assert_memory_equal(p.token, q.token, sizeof p.token);
    assert_memory_equal(p.answer, q.answer, sizeof p.answer);
    assert_string_equal(q.host, "node01");
    assert_int_equal(q.port, 4321);
    assert_int_equal(q.n, 2);
    assert_string_equal(q.address[1], "fd00::7");
}

static void a_file_that_others_can_write_is_refused(void **state)
{
    const skv_place p = some_place();
    skv_place q;

    (void)state;
    assert_int_equal(skv_place_write(&p, path), SKV_OK);
    assert_int_equal(chmod(path, 0620), 0);
    assert_int_equal(skv_place_read(&q, path), SKV_E_FORMAT);
}

/* A start that was taken over leaves the file of its successor alone. */
static void only_its_own_file_is_removed(void **state)
{
    const skv_place old = some_place(), now = some_place();
    skv_place q;

    (void)state;
    assert_int_equal(skv_place_write(&old, path), SKV_OK);
    assert_int_equal(skv_place_write(&now, path), SKV_OK);
    skv_place_remove(&old, path);
    assert_int_equal(skv_place_read(&q, path), SKV_OK);
    skv_place_remove(&now, path);
    assert_int_equal(skv_place_read(&q, path), SKV_E_NOTFOUND);
}

#define HEAD   "skv rendezvous 1\n"
#define TOKEN  "token 00112233445566778899aabbccddeeff\n"
#define ANSWER "answer ffeeddccbbaa99887766554433221100\n"
#define PORT   "port 1\n"
#define WHERE  "address ::1\n"
#define LONG   "0123456789012345678901234567890123456789012345678901234567890123"

static void whatever_else_a_file_holds_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "\n",
        "skv rendezvous 2\n" TOKEN ANSWER PORT WHERE,
        HEAD,
        HEAD ANSWER PORT WHERE,
        HEAD TOKEN PORT WHERE,
        HEAD TOKEN ANSWER WHERE,
        HEAD TOKEN ANSWER PORT,
        HEAD TOKEN ANSWER PORT "address ::1",
        HEAD TOKEN ANSWER PORT WHERE "more\n",
        HEAD TOKEN ANSWER PORT WHERE "other 1\n",
        HEAD TOKEN ANSWER "port 0\n" WHERE,
        HEAD TOKEN ANSWER "port 65536\n" WHERE,
        HEAD TOKEN ANSWER "port 1x\n" WHERE,
        HEAD "token 00112233445566778899aabbccddeef\n" ANSWER PORT WHERE,
        HEAD "token 00112233445566778899AABBCCDDEEFF\n" ANSWER PORT WHERE,
        HEAD "token 00000000000000000000000000000000\n" ANSWER PORT WHERE,
        HEAD TOKEN ANSWER PORT "address " LONG "\n",
        HEAD TOKEN ANSWER PORT WHERE "host " LONG "\n",
        HEAD TOKEN ANSWER PORT WHERE WHERE WHERE WHERE WHERE WHERE WHERE WHERE WHERE WHERE WHERE
            WHERE WHERE WHERE WHERE WHERE WHERE,
    };
    skv_place p;

    (void)state;
    assert_int_equal(skv_place_parse(&p, HEAD TOKEN ANSWER PORT WHERE, "f"), SKV_OK);
    assert_int_equal(p.token[1], 0x11);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(skv_place_parse(&p, bad[i], "f"), SKV_E_FORMAT);
}

static void files_of_yesterdays_jobs_are_removed_with_it(void **state)
{
    const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    static const char *const name[] = {"rendezvous-dead", "rendezvous-young", "other"};
    const skv_place p = some_place();

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(skv_file_write(temp_path(name[i]), "x", 1), SKV_OK);
        if (i != 1)
            assert_int_equal(utimensat(AT_FDCWD, temp_path(name[i]), old, 0), 0);
    }
    assert_int_equal(skv_place_write(&p, path), SKV_OK);
    skv_place_remove(&p, path);
    assert_int_equal(access(temp_path(name[0]), F_OK), -1);
    assert_int_equal(access(temp_path(name[1]), F_OK), 0);
    assert_int_equal(access(temp_path(name[2]), F_OK), 0);
    for (int i = 1; i < 3; i++)
        unlink(temp_path(name[i]));
}

/* Whatever a job is called, its file is in the run's folder, and no other job's. */
static void names_of_jobs_are_made_names_of_files(void **state)
{
    static const char *const jobs[] = {"job", "a/b", "a_b", "../a",    ".",
                                       "",    "a b", "a:b", LONG LONG, LONG LONG "x"};
    char *name[sizeof jobs / sizeof jobs[0]];

    (void)state;
    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++) {
        assert_int_equal(skv_place_path(&name[i], "R", jobs[i]), SKV_OK);
        assert_memory_equal(name[i], "R/rendezvous-", 13);
        assert_null(strchr(name[i] + 2, '/'));
        assert_true(strlen(name[i]) < 130);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(name[i], name[k]);
    }
    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++)
        free(name[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_is_read_as_it_was_written),
        cmocka_unit_test(a_file_that_others_can_write_is_refused),
        cmocka_unit_test(only_its_own_file_is_removed),
        cmocka_unit_test(files_of_yesterdays_jobs_are_removed_with_it),
        cmocka_unit_test(whatever_else_a_file_holds_is_refused),
        cmocka_unit_test(names_of_jobs_are_made_names_of_files),
    };

    return cmocka_run_group_tests(tests, make_run, temp_folder_remove);
}
