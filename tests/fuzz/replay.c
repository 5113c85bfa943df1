/* replay N FILE-OR-FOLDER...: hands each file to the fuzz target, and then N damaged copies of
 * them, the same in every run: cut, with bits flipped, bytes replaced, pieces of one put into
 * another. What ends the program is left in "<program>.crash". */
#include "fuzz.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/rng.h"

#define MAX_FILES 512
#define MAX_BYTES ((size_t)1 << 20)

typedef struct {
    uint8_t *data;
    size_t n;
} input;

static struct {
    input file[MAX_FILES], now;
    int n;
    uint32_t drawn;
    char crash[4096];
} all;

void __sanitizer_set_death_callback(void (*call)(void)) __attribute__((weak));

/* ------------------------------------------------------------------ crashes */

static void keep_input(void)
{
    FILE *f = fopen(all.crash, "wb");

    if (f) {
        (void)fwrite(all.now.data, 1, all.now.n, f);
        fclose(f);
    }
}

static void on_signal(int number)
{
    keep_input();
    signal(number, SIG_DFL);
    raise(number);
}

static void watch(const char *program)
{
    snprintf(all.crash, sizeof all.crash, "%s.crash", program);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(keep_input);
    else
        signal(SIGSEGV, on_signal);
    signal(SIGABRT, on_signal);
}

/* ------------------------------------------------------------------ corpus */

static void fail(const char *what, const char *name)
{
    fprintf(stderr, "replay: %s %s\n", what, name);
    exit(1);
}

static void add_file(const char *path)
{
    input *f = &all.file[all.n];
    char *data = NULL;

    if (all.n == MAX_FILES)
        fail("too many files:", path);
    if (skv_file_read(&data, &f->n, path, MAX_BYTES) != SKV_OK)
        fail("cannot read", path);
    f->data = (uint8_t *)data;
    all.n++;
}

static int is_shown(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static void add(const char *path)
{
    struct dirent **entry = NULL;
    const int n = scandir(path, &entry, is_shown, alphasort);
    char file[4096];

    if (n < 0)
        add_file(path);
    for (int i = 0; i < n; i++) {
        snprintf(file, sizeof file, "%s/%s", path, entry[i]->d_name);
        add_file(file);
        free(entry[i]);
    }
    free(entry);
}

/* ------------------------------------------------------------------ damage */

static size_t draw(size_t n)
{
    const uint32_t key[2] = {2026, 20}, counter[4] = {all.drawn++, 0, 0, 0};
    uint32_t word[4];

    skv_philox(word, counter, key);
    return n ? word[0] % n : 0;
}

static void replace_bytes(input *in)
{
    static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff, '"', '\n', '0', '{', ','};
    const size_t at = draw(in->n), left = in->n - at;
    const size_t n = draw(left < 8 ? left : 8);

    memset(in->data + at, edges[draw(sizeof edges)], n);
}

/* Puts a piece of another file, or of the same one, over bytes of this one. */
static void splice(input *in)
{
    const input *from = &all.file[draw((size_t)all.n)];
    const size_t at = draw(in->n), begin = draw(from->n);
    size_t n = draw(64);

    n = n < in->n - at ? n : in->n - at;
    n = n < from->n - begin ? n : from->n - begin;
    memcpy(in->data + at, from->data + begin, n);
}

static void damage(input *in)
{
    const size_t times = 1 + draw(4);

    for (size_t i = 0; i < times && in->n > 0; i++) {
        const size_t kind = draw(8), at = draw(in->n);

        if (kind == 0)
            in->n = at;
        else if (kind < 4)
            in->data[at] ^= (uint8_t)(1u << draw(8));
        else if (kind < 6)
            replace_bytes(in);
        else
            splice(in);
    }
}

/* In a block of just its size, so that reading beyond is seen. */
static void run(const input *in)
{
    all.now.data = malloc(in->n ? in->n : 1);
    all.now.n = in->n;
    if (!all.now.data)
        fail("out of memory", "");
    memcpy(all.now.data, in->data, in->n);
    (void)LLVMFuzzerTestOneInput(all.now.data, all.now.n);
    free(all.now.data);
}

static void run_damaged(const input *file)
{
    input in = {.data = fuzz_copy(file->data, file->n), .n = file->n};

    damage(&in);
    run(&in);
    free(in.data);
}

int main(int argc, char **argv)
{
    long n;

    if (LLVMFuzzerInitialize)
        (void)LLVMFuzzerInitialize(&argc, &argv);
    if (argc < 3)
        fail("want N and the corpus of", argv[0]);
    n = strtol(argv[1], NULL, 10);
    watch(argv[0]);
    for (int i = 2; i < argc; i++)
        add(argv[i]);
    if (all.n == 0)
        fail("no files in", argv[2]);
    for (int i = 0; i < all.n; i++)
        run(&all.file[i]);
    for (long i = 0; i < n; i++)
        run_damaged(&all.file[i % all.n]);
    printf("%d files, %ld damaged copies\n", all.n, n);
    for (int i = 0; i < all.n; i++)
        free(all.file[i].data);
    return 0;
}
