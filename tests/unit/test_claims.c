/* Who works on what, among processes that share a folder. */
#include "run/claims.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/process.h"
#include "failing_folder.h"
#include "failing_open.h"
#include "temp_folder.h"

#define STRANGER "0123456789ab-17-99" /* a process of another host */

/* The linker sends write and linkat here. */
static bool dies_in_write, dies_in_link;
static int link_error; /* 0, or what linkat fails with */
static bool link_is_made;

ssize_t __real_write(int fd, const void *bytes, size_t n);
ssize_t __wrap_write(int fd, const void *bytes, size_t n);
ssize_t __wrap_write(int fd, const void *bytes, size_t n)
{
    if (dies_in_write)
        kill(getpid(), SIGKILL);
    return __real_write(fd, bytes, n);
}

int __real_linkat(int from, const char *name, int to, const char *other, int flags);
int __wrap_linkat(int from, const char *name, int to, const char *other, int flags);
int __wrap_linkat(int from, const char *name, int to, const char *other, int flags)
{
    if (dies_in_link)
        kill(getpid(), SIGKILL);
    if (link_error == 0 || link_is_made) {
        const int rc = __real_linkat(from, name, to, other, flags);

        if (rc != 0 || link_error == 0)
            return rc;
    }
    errno = link_error;
    return -1;
}

static skv_claims *open_claims(void)
{
    skv_claims *c = NULL;

    assert_int_equal(skv_claims_open(&c, temp_path("claims"), 1), SKV_OK);
    return c;
}

static bool take(skv_claims *c, const char *name)
{
    bool won = false;

    assert_int_equal(skv_claims_take(&won, c, name), SKV_OK);
    return won;
}

/* A file of the folder, last written so many seconds ago. */
static void put(const char *name, const char *text, int seconds_ago)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                      {.tv_sec = time(NULL) - seconds_ago}};
    char path[256];

    snprintf(path, sizeof path, "claims/%s", name);
    assert_int_equal(skv_file_write(temp_path(path), text, strlen(text)), SKV_OK);
    assert_int_equal(utimensat(AT_FDCWD, temp_path(path), times, 0), 0);
}

static int is_there(const char *name)
{
    char path[256];
    struct stat info;

    snprintf(path, sizeof path, "claims/%s", name);
    return lstat(temp_path(path), &info) == 0;
}

static void a_claim_is_won_once_and_again_after_it_was_dropped(void **state)
{
    skv_claims *c = open_claims();

    (void)state;
    assert_true(take(c, "000001"));
    assert_false(take(c, "000001"));
    assert_true(take(c, "000002"));
    skv_claims_drop(c, "000001");
    assert_true(take(c, "000001"));
    skv_claims_drop(c, "000001");
    skv_claims_drop(c, "000002");
    skv_claims_close(c);
    assert_int_equal(temp_count(), 0); /* the empty folder goes, too */
}

static void a_living_strangers_claim_is_respected(void **state)
{
    skv_claims *c = open_claims();

    (void)state;
    put(STRANGER ".alive", "process 17 on node3\n", 30);
    put("000001", STRANGER "\n", 1000);
    assert_false(take(c, "000001"));
    skv_claims_drop(c, "000001"); /* another's: nothing happens */
    assert_true(is_there("000001"));
    assert_int_equal(skv_claims_owner(c, STRANGER), SKV_OWNER_LIVES);
    skv_claims_close(c);
    assert_true(is_there("000001"));
}

static void a_claim_expires_with_its_owners_heartbeat(void **state)
{
    skv_claims *c = open_claims();

    (void)state;
    put(STRANGER ".alive", "process 17 on node3\n", SKV_CLAIM_SECONDS + 5);
    put("000001", STRANGER "\n", 1);
    assert_int_equal(skv_claims_owner(c, STRANGER), SKV_OWNER_IS_DEAD);
    assert_true(take(c, "000001"));
    assert_false(take(c, "000001"));
    put("000002", "0123456789ab-18-99\n", 1); /* it has no heartbeat */
    assert_int_equal(skv_claims_owner(c, "0123456789ab-18-99"), SKV_OWNER_IS_UNKNOWN);
    assert_true(take(c, "000002"));
    skv_claims_close(c);
}

static void what_a_process_says_is_heard_with_its_next_beat(void **state)
{
    const struct timespec pause = {.tv_nsec = 200000000};
    skv_claims *c = open_claims();
    skv_claims_heart *heart = NULL;
    int n = 0;

    (void)state;
    put(STRANGER ".alive", "process 17 on node3\n", SKV_CLAIM_SECONDS + 5);
    skv_claims_say(c, "rank 0 of 1: 3 groups, 1.0 s each");
    for (int i = 0; i < 100; i++) {
        free(heart);
        assert_int_equal(skv_claims_hearts(&heart, &n, temp_path("claims"), 1), SKV_OK);
        assert_int_equal(n, 2);
        if (heart[1].said[0] || heart[0].said[0])
            break;
        nanosleep(&pause, NULL);
    }
    for (int i = 0; i < n; i++) {
        const bool stranger = strcmp(heart[i].who, "process 17 on node3") == 0;

        assert_int_equal(heart[i].is_dead, stranger);
        assert_string_equal(heart[i].said, stranger ? "" : "rank 0 of 1: 3 groups, 1.0 s each");
    }
    free(heart);
    assert_true(take(c, "000001")); /* its heartbeat is still its own */
    skv_claims_close(c);
    assert_int_equal(skv_claims_hearts(&heart, &n, temp_path("none"), 1), SKV_OK);
    assert_int_equal(n, 0);
}

static void claims_of_others_count_while_their_owners_live(void **state)
{
    skv_claims *c = open_claims();
    skv_claims_counts n;
    bool any = true;

    (void)state;
    assert_true(take(c, "000001"));
    put(STRANGER ".alive", "process 17 on node3\n", SKV_CLAIM_SECONDS + 5);
    put("000002", STRANGER "\n", 1);
    assert_int_equal(skv_claims_others(&any, c), SKV_OK);
    assert_false(any); /* its own, and a dead one's */
    assert_int_equal(skv_claims_count(&n, c), SKV_OK);
    assert_true(n.dead == 1 && n.living == 0 && !n.who[0]);
    put(STRANGER ".alive", "process 17 on node3\n", 1);
    assert_int_equal(skv_claims_others(&any, c), SKV_OK);
    assert_true(any);
    assert_int_equal(skv_claims_count(&n, c), SKV_OK);
    assert_true(n.dead == 0 && n.living == 1);
    assert_string_equal(n.who, "process 17 on node3");
    assert_true(n.jobs == 0 && !n.job[0]);
    unlink(temp_path("claims/000002"));
    put(SKV_CLAIM_JOB "17", STRANGER "\n", 1); /* at work, but on nothing that others wait for */
    assert_int_equal(skv_claims_others(&any, c), SKV_OK);
    assert_false(any);
    assert_int_equal(skv_claims_count(&n, c), SKV_OK);
    assert_true(n.jobs == 1 && n.living == 0);
    assert_string_equal(n.job, "process 17 on node3");
    skv_claims_drop(c, "000001");
    skv_claims_close(c);
}

/* Without hard links its maker may be about to write its name. */
static void a_claim_without_a_name_expires_by_its_own_time(void **state)
{
    skv_claims *c = open_claims();

    (void)state;
    put("000001", "", 5);
    put("000002", "", SKV_CLAIM_SECONDS + 5);
    put("000003", "../../evil\n", 5);
    assert_false(take(c, "000001"));
    assert_true(take(c, "000002"));
    assert_false(take(c, "000003"));
    skv_claims_close(c);
}

/* A process that is killed while it makes a claim. */
static void die_taking(const char *name, bool in_write)
{
    const pid_t child = fork();
    int status = 0;

    if (child == 0) {
        skv_claims *c = open_claims();

        dies_in_write = in_write;
        dies_in_link = !in_write;
        take(c, name);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void whoever_is_killed_while_making_a_claim_blocks_nobody(void **state)
{
    skv_claims *c = open_claims();

    (void)state;
    die_taking("000001", true);
    assert_true(take(c, "000001"));
    die_taking("000002", false);
    assert_true(take(c, "000002"));
    assert_int_equal(skv_claims_sweep(c), SKV_OK);
    skv_claims_drop(c, "000001");
    skv_claims_drop(c, "000002");
    skv_claims_close(c);
    assert_int_equal(temp_count(), 0); /* nothing of theirs is left */
}

static void without_hard_links_a_claim_is_made_in_place(void **state)
{
    const int errors[] = {EPERM, ENOSYS, ENOTSUP, EMLINK};
    skv_claims *c = open_claims();

    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        link_error = errors[i];
        assert_true(take(c, "000001"));
        assert_false(take(c, "000001"));
        skv_claims_drop(c, "000001");
    }
    link_error = EIO;
    assert_int_equal(skv_claims_take(&(bool){false}, c, "000001"), SKV_E_IO);
    assert_non_null(strstr(skv_message(), "claims"));
    link_error = 0;
    assert_true(take(c, "000001"));
    skv_claims_drop(c, "000001");
    skv_claims_close(c);
    assert_int_equal(temp_count(), 0);
}

/* As over NFS, where the second try of one call meets the link that the first one made. */
static void a_link_whose_answer_was_lost_is_won(void **state)
{
    skv_claims *c = open_claims();

    (void)state;
    link_is_made = true;
    link_error = EEXIST;
    assert_true(take(c, "000001"));
    link_is_made = false;
    assert_false(take(c, "000001"));
    link_error = 0;
    skv_claims_drop(c, "000001");
    skv_claims_close(c);
    assert_int_equal(temp_count(), 0);
}

/* One of another host may be about to make its heartbeat; an old one is not. */
static void files_aside_go_with_their_owners(void **state)
{
    skv_claims *c = open_claims();

    (void)state;
    put(STRANGER ".alive", "process 17 on node3\n", 5);
    put("000001." STRANGER ".tmp", "", 1000);
    put("000002.0123456789ab-18-99.tmp", "", 5);
    put("000003.0123456789ab-18-99.tmp", "", SKV_CLAIM_SECONDS + 5);
    assert_int_equal(skv_claims_sweep(c), SKV_OK);
    assert_true(is_there("000001." STRANGER ".tmp"));
    assert_true(is_there("000002.0123456789ab-18-99.tmp"));
    assert_false(is_there("000003.0123456789ab-18-99.tmp"));
    skv_claims_close(c);
}

static void what_is_no_file_is_refused(void **state)
{
    skv_claims *c = open_claims();
    bool won;

    (void)state;
    assert_int_equal(mkfifo(temp_path("claims/000001"), 0600), 0);
    assert_int_equal(mkdir(temp_path("claims/000002"), 0700), 0);
    assert_int_equal(symlink(temp_path("x"), temp_path("claims/000003")), 0);
    assert_int_equal(skv_claims_take(&won, c, "000001"), SKV_E_KIND);
    assert_non_null(strstr(skv_message(), "claims/000001"));
    assert_int_equal(skv_claims_take(&won, c, "000002"), SKV_E_KIND);
    assert_int_equal(skv_claims_take(&won, c, "000003"), SKV_E_KIND);
    skv_claims_close(c);
}

static void a_sweep_removes_what_the_dead_have_left(void **state)
{
    skv_claims *c = open_claims();

    (void)state;
    put(STRANGER ".alive", "process 17 on node3\n", SKV_CLAIM_SECONDS + 5);
    put("000001", STRANGER "\n", 1000);
    put("0123456789ab-18-99.alive", "process 18 on node3\n", 5);
    put("000002", "0123456789ab-18-99\n", 1000);
    put("notes.txt", "of a person\n", 5);
    assert_true(take(c, "000003"));
    assert_int_equal(skv_claims_sweep(c), SKV_OK);
    assert_false(is_there(STRANGER ".alive"));
    assert_false(is_there("000001"));
    assert_true(is_there("0123456789ab-18-99.alive"));
    assert_true(is_there("000002"));
    assert_true(is_there("000003"));
    assert_true(is_there("notes.txt"));
    skv_claims_close(c);
}

static void what_cannot_be_listed_or_read_is_not_nothing(void **state)
{
    skv_claims *c = open_claims();
    skv_claims_counts n;

    (void)state;
    for (int i = 0; i < 4; i++) {
        failing_folder(i);
        assert_int_equal(skv_claims_sweep(c), SKV_E_IO);
        failing_folder(i);
        assert_int_equal(skv_claims_count(&n, c), i < 4 ? SKV_E_IO : SKV_OK);
    }
    failing_folder(-1);
    put(SKV_CLAIM_JOB "17", STRANGER "\n", 1);
    failing_open(SKV_CLAIM_JOB "17");
    assert_int_equal(skv_claims_count(&n, c), SKV_E_IO);
    assert_int_equal(skv_claims_count(&n, c), SKV_OK);
    skv_claims_close(c);
}

/* ---------------------------------------------------------------- several processes */

/* A process that takes a claim and then waits to be killed. */
static pid_t holder(const char *name)
{
    int ready[2];
    char byte;
    pid_t child;

    assert_int_equal(pipe(ready), 0);
    child = fork();
    if (child == 0) {
        skv_claims *c = NULL;
        bool won = false;

        if (skv_claims_open(&c, temp_path("claims"), 1) != SKV_OK ||
            skv_claims_take(&won, c, name) != SKV_OK || !won || write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return child;
}

static void a_killed_process_loses_its_claim_at_once(void **state)
{
    skv_claims *c = open_claims();
    const pid_t child = holder("000001");

    (void)state;
    assert_false(take(c, "000001"));
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(take(c, "000001"));
    assert_int_equal(skv_claims_sweep(c), SKV_OK);
    skv_claims_drop(c, "000001");
    skv_claims_close(c);
    assert_int_equal(temp_count(), 0);
}

static pid_t ending;

/* Called while the claim is waited for. */
static void end_holder(void *n_calls)
{
    if (++*(int *)n_calls > 1)
        return;
    kill(ending, SIGKILL);
    assert_int_equal(waitpid(ending, NULL, 0), ending);
}

static void a_wait_says_for_whom_and_ends_by_time_stop_or_death(void **state)
{
    skv_claims *c = open_claims();
    const pid_t child = holder("lock");
    skv_flag stop = 1;
    int n_calls = 0;
    const skv_claims_patience no_time = {0}, stopped = {.seconds = 600, .stop = &stop},
                              patient = {.seconds = 600, .alive = end_holder, .ctx = &n_calls};
    char who[64];

    (void)state;
    snprintf(who, sizeof who, "RUN: busy: process %ld on ", (long)child);
    assert_int_equal(skv_claims_wait(c, "lock", "RUN: busy", &no_time), SKV_E_IO);
    assert_non_null(strstr(skv_message(), who));
    assert_int_equal(skv_claims_wait(c, "lock", "RUN: busy", &stopped), SKV_E_STOPPED);
    ending = child;
    assert_int_equal(skv_claims_wait(c, "lock", "RUN: busy", &patient), SKV_OK);
    assert_true(n_calls > 0);
    skv_claims_close(c);
}

#define N_PROCESSES 6
#define N_CLAIMS    150

/* Tries all claims, half of which a dead process left; returns how many it won. */
static int contend(int seed)
{
    skv_claims *c = NULL;
    char name[16];
    int n = 0;

    if (skv_claims_open(&c, temp_path("claims"), 1) != SKV_OK)
        return 255;
    for (int i = 0; i < N_CLAIMS; i++) {
        bool won = false;

        snprintf(name, sizeof name, "%06d", (i * 7 + seed) % N_CLAIMS);
        if (skv_claims_take(&won, c, name) != SKV_OK)
            return 255;
        n += won;
    }
    return n;
}

static void processes_that_contend_win_each_claim_once(void **state)
{
    skv_claims *c = open_claims(); /* the folder stays */
    int together = 0, ready[2], done[2];
    char name[16], bytes[N_PROCESSES] = {0};

    (void)state;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(done), 0);
    for (int i = 0; i < N_CLAIMS; i += 2) {
        snprintf(name, sizeof name, "%06d", i);
        put(name, STRANGER "\n", 5);
    }
    for (int p = 0; p < N_PROCESSES; p++)
        if (fork() == 0) {
            char byte;
            int n;

            n = read(ready[0], &byte, 1) == 1 ? contend(p) : 255;
            /* alive until all have tried: the claims of one that left would be free again */
            if (write(done[1], "x", 1) != 1 || read(ready[0], &byte, 1) != 1)
                n = 255;
            _exit(n);
        }
    assert_int_equal(write(ready[1], bytes, N_PROCESSES), N_PROCESSES);
    for (int p = 0; p < N_PROCESSES; p++)
        assert_int_equal(read(done[0], bytes, 1), 1);
    assert_int_equal(write(ready[1], bytes, N_PROCESSES), N_PROCESSES);
    for (int p = 0; p < N_PROCESSES; p++) {
        int status = 0;

        assert_true(wait(&status) > 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 255);
        together += WEXITSTATUS(status);
    }
    assert_int_equal(together, N_CLAIMS);
    skv_claims_close(c);
    close(ready[0]);
    close(ready[1]);
    close(done[0]);
    close(done[1]);
}

/* As after a removal that failed: nobody waits for what is in this process's own hands. */
static void a_wait_for_an_own_claim_is_over_at_once(void **state)
{
    const skv_claims_patience no_time = {0};
    skv_claims *c = open_claims();

    (void)state;
    assert_true(take(c, "folder"));
    assert_int_equal(skv_claims_wait(c, "folder", "the lock", &no_time), SKV_OK);
    skv_claims_drop(c, "folder");
    assert_false(is_there("folder"));
    skv_claims_close(c);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(a_claim_is_won_once_and_again_after_it_was_dropped),
        CASE(a_living_strangers_claim_is_respected),
        CASE(a_claim_expires_with_its_owners_heartbeat),
        CASE(what_a_process_says_is_heard_with_its_next_beat),
        CASE(claims_of_others_count_while_their_owners_live),
        CASE(a_claim_without_a_name_expires_by_its_own_time),
        CASE(whoever_is_killed_while_making_a_claim_blocks_nobody),
        CASE(without_hard_links_a_claim_is_made_in_place),
        CASE(a_link_whose_answer_was_lost_is_won),
        CASE(files_aside_go_with_their_owners),
        CASE(what_is_no_file_is_refused),
        CASE(a_sweep_removes_what_the_dead_have_left),
        CASE(what_cannot_be_listed_or_read_is_not_nothing),
        CASE(a_killed_process_loses_its_claim_at_once),
        CASE(a_wait_says_for_whom_and_ends_by_time_stop_or_death),
        CASE(a_wait_for_an_own_claim_is_over_at_once),
        CASE(processes_that_contend_win_each_claim_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
