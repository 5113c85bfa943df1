/* sched_getaffinity */
#define _GNU_SOURCE
#include "job/host_facts.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

static void copy(char *to, size_t bytes, const char *text)
{
    snprintf(to, bytes, "%s", text ? text : "");
}

static int64_t limit_of(int what)
{
    struct rlimit r;

    if (getrlimit(what, &r) != 0 || r.rlim_cur == RLIM_INFINITY || r.rlim_cur > INT64_MAX)
        return SKV_NO_LIMIT;
    return (int64_t)r.rlim_cur;
}

static int64_t free_in(const char *folder)
{
    struct statvfs s;

    if (statvfs(folder, &s) != 0 || s.f_blocks == 0)
        return SKV_NO_LIMIT;
    return (int64_t)((uint64_t)s.f_bavail * s.f_frsize);
}

static int32_t usable_cores(int32_t all)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) == 0 ? (int32_t)CPU_COUNT(&set) : all;
}

static skv_status look_at_device(skv_host_facts *out, const skv_device_wish *wish)
{
    skv_backend *be = NULL;
    skv_device_choice choice;
    size_t here = 0, all = 0;
    skv_status st;

    SKV_TRY(skv_backend_choose(&be, &choice, wish));
    copy(out->device, sizeof out->device, skv_backend_describe(be));
    st = skv_backend_memory(be, &here, &all);
    out->free_here = (int64_t)here;
    out->all_here = (int64_t)all;
    skv_backend_destroy(be);
    copy(out->gpu, sizeof out->gpu, choice.identity);
    return st;
}

void skv_host_facts_look(skv_host_facts *out, const skv_comm *comm, const skv_device_wish *wish)
{
    int n_gpus = 0;

    memset(out, 0, sizeof *out);
    copy(out->host, sizeof out->host, skv_comm_host(comm));
    copy(out->visible, sizeof out->visible, getenv("CUDA_VISIBLE_DEVICES"));
    out->local_rank = wish->local_rank;
    out->local_size = wish->local_size;
    if (skv_cuda_count(&n_gpus) == SKV_OK)
        out->n_gpus = n_gpus;
    out->cores_host = (int32_t)sysconf(_SC_NPROCESSORS_ONLN);
    out->cores = usable_cores(out->cores_host);
    out->shared_memory = free_in("/dev/shm");
    out->address_space = limit_of(RLIMIT_AS);
    out->file_size = limit_of(RLIMIT_FSIZE);
    out->open_files = limit_of(RLIMIT_NOFILE);
    if (look_at_device(out, wish) != SKV_OK)
        copy(out->failure, sizeof out->failure, skv_message());
}
