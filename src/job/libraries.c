#include "job/libraries.h"

#include "core/json.h"
#include "io/io_libraries.h"
#include "kernels/kernel_libraries.h"
#include "mpi/comm.h"

int skv_all_libraries(skv_library *out)
{
    int (*const rooms[])(skv_library *) = {skv_core_libraries, skv_io_libraries,
                                           skv_kernel_libraries, skv_comm_libraries};
    int n = 0;

    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++)
        n += rooms[i](out + n);
    return n;
}

static json_t *both(const skv_library *l)
{
    return json_pack("{s:s, s:s}", "built", l->built, "running", l->running);
}

static json_t *running(const skv_library *l)
{
    return json_string(l->running[0] ? l->running : l->built);
}

static json_t *each(json_t *(*what)(const skv_library *))
{
    skv_library l[SKV_ALL_LIBRARIES];
    const int n = skv_all_libraries(l);
    skv_json_maker all = skv_json_object();

    for (int i = 0; i < n; i++)
        skv_json_put(&all, l[i].name, what(&l[i]));
    return skv_json_take(&all);
}

json_t *skv_libraries_json(void)
{
    return each(both);
}

json_t *skv_libraries_running(void)
{
    return each(running);
}
