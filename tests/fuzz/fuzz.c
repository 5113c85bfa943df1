#include "fuzz.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/status.h"
#include "temp_folder.h"

static void remove_folder(void)
{
    (void)temp_folder_remove(NULL);
}

const char *fuzz_folder(void)
{
    if (!temp_folder()[0]) {
        int failed = access("/dev/shm", W_OK) == 0 && setenv("TMPDIR", "/dev/shm", 0) != 0;

        failed = failed || temp_folder_make(NULL) != 0;
        assert(!failed);
        atexit(remove_folder);
    }
    return temp_folder();
}

const char *fuzz_file(const char *name, const void *data, size_t n)
{
    const char *path = (fuzz_folder(), temp_path(name));
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert(fd >= 0);
    if (write(fd, data, n) != (ssize_t)n)
        abort();
    close(fd);
    return path;
}

void *fuzz_copy(const uint8_t *data, size_t n)
{
    char *copy = malloc(n + 1);

    assert(copy);
    memcpy(copy, data, n);
    copy[n] = '\0';
    return copy;
}

void fuzz_twice(const uint8_t *data, size_t n, void (*repair)(uint8_t *copy, size_t n),
                void (*run)(const uint8_t *data, size_t n))
{
    uint8_t *copy = fuzz_copy(data, n);

    run(data, n);
    repair(copy, n);
    run(copy, n);
    free(copy);
}

void fuzz_refused(void)
{
    assert(strlen(skv_message()) > 0);
}

void fuzz_touch(const void *data, size_t n)
{
    static volatile unsigned char sum;
    unsigned char s = 0;

    for (size_t i = 0; i < n; i++)
        s ^= ((const unsigned char *)data)[i];
    sum = s;
    (void)sum;
}
