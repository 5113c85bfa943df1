/* What was counted, a line "what number" each, and the end of a program that does wrong. */
#define _POSIX_C_SOURCE 200809L
#include "standin.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNTERS 512
#define STATUS   125

typedef struct {
    char what[120];
    uint64_t n;
} counter;

static counter counters[COUNTERS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void standin_stop(const char *format, ...)
{
    va_list args;

    fputs("stand-in: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    _exit(STATUS);
}

static counter *of(const char *what)
{
    for (int i = 0; i < COUNTERS; i++) {
        if (counters[i].what[0] == '\0')
            snprintf(counters[i].what, sizeof counters[i].what, "%s", what);
        if (strncmp(counters[i].what, what, sizeof counters[i].what - 1) == 0)
            return &counters[i];
    }
    standin_stop("more than %d kinds of things are counted", COUNTERS);
}

void standin_count(const char *what, uint64_t n)
{
    pthread_mutex_lock(&lock);
    of(what)->n += n;
    pthread_mutex_unlock(&lock);
}

void standin_most(const char *what, uint64_t n)
{
    counter *c;

    pthread_mutex_lock(&lock);
    c = of(what);
    c->n = c->n < n ? n : c->n;
    pthread_mutex_unlock(&lock);
}

__attribute__((destructor)) static void report(void)
{
    const char *path = getenv("STANDIN_REPORT");
    FILE *f = path ? fopen(path, "a") : NULL;

    for (int i = 0; f && i < COUNTERS && counters[i].what[0]; i++)
        fprintf(f, "%s %llu\n", counters[i].what, (unsigned long long)counters[i].n);
    if (f)
        fclose(f);
}
