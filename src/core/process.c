#include "core/process.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/digest.h"

#define PLACE_DIGITS 12
#define UNKNOWN      'x' /* in place of the last digit: processes cannot be looked up here */

/* What a small file of /proc holds; false: it cannot be read. */
static bool read_small(char *out, size_t bytes, const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd >= 0 ? read(fd, out, bytes - 1) : -1;

    if (fd >= 0)
        close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* *start: clock ticks from boot to the start of a process. false: not known. */
static bool look_up(uint64_t *start, bool *zombie, pid_t pid)
{
    char path[64], text[1024];
    const char *at;

    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    if (!read_small(text, sizeof text, path))
        return false;
    at = strrchr(text, ')'); /* its name may hold anything; field 2 */
    *zombie = at && strncmp(at, ") Z", 3) == 0;
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (!at)
        return false;
    *start = strtoull(at + 1, NULL, 10);
    return true;
}

static void place_of(char out[PLACE_DIGITS + 1])
{
    char text[SKV_DIGEST_BYTES], boot[64], host[256] = "", names[64] = "";
    skv_digest d = {0};
    uint64_t start;
    bool zombie, known = look_up(&start, &zombie, getpid());

    known = read_small(boot, sizeof boot, "/proc/sys/kernel/random/boot_id") && known;
    known = readlink("/proc/self/ns/pid", names, sizeof names - 1) > 0 && known;
    gethostname(host, sizeof host - 1);
    d = skv_digest_add(d, host, strlen(host));
    d = skv_digest_add(d, boot, strlen(boot));
    d = skv_digest_add(d, names, strlen(names));
    snprintf(out, PLACE_DIGITS + 1, "%s", skv_digest_text(text, d));
    if (!known)
        out[PLACE_DIGITS - 1] = UNKNOWN;
}

const char *skv_process_name(char out[SKV_PROCESS_BYTES])
{
    char place[PLACE_DIGITS + 1];
    uint64_t start = 0;
    bool zombie;

    place_of(place);
    if (!look_up(&start, &zombie, getpid()))
        start = 0;
    snprintf(out, SKV_PROCESS_BYTES, "%s-%ld-%" PRIu64, place, (long)getpid(), start);
    return out;
}

/* *pid and *start of a name; returns where its place ends, NULL: not a name. */
static const char *parse(long *pid, uint64_t *start, const char *text)
{
    const char *dash = text + PLACE_DIGITS;
    char *end;

    if (strnlen(text, SKV_PROCESS_BYTES) >= SKV_PROCESS_BYTES ||
        strspn(text, "0123456789abcdefx") != PLACE_DIGITS || *dash != '-' ||
        !isdigit((unsigned char)dash[1]))
        return NULL;
    *pid = strtol(dash + 1, &end, 10);
    if (*end != '-' || !isdigit((unsigned char)end[1]) || *pid < 1 || *pid > INT32_MAX)
        return NULL;
    *start = strtoull(end + 1, &end, 10);
    return *end == '\0' ? dash : NULL;
}

skv_status skv_random_bytes(void *out, size_t bytes)
{
    if (getrandom(out, bytes, 0) != (ssize_t)bytes)
        return skv_fail(SKV_E_IO, "the system has no random numbers: %s", strerror(errno));
    return SKV_OK;
}

bool skv_process_is_name(const char *text)
{
    uint64_t start;
    long pid;

    return parse(&pid, &start, text) != NULL;
}

bool skv_process_has_ended(const char *name)
{
    char here[PLACE_DIGITS + 1];
    uint64_t start, now;
    bool zombie;
    long pid;

    place_of(here);
    if (!parse(&pid, &start, name) || here[PLACE_DIGITS - 1] == UNKNOWN ||
        strncmp(name, here, PLACE_DIGITS) != 0)
        return false;
    if (kill((pid_t)pid, 0) != 0 && errno == ESRCH)
        return true;
    return look_up(&now, &zombie, (pid_t)pid) && (zombie || now != start); /* another's number */
}

void skv_process_describe(char *out, int bytes)
{
    char host[256] = "";

    gethostname(host, sizeof host - 1);
    snprintf(out, (size_t)bytes, "process %ld on %s", (long)getpid(), host);
}
