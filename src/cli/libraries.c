#include "cli/libraries.h"

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

json_t *skv_libraries_json(void)
{
    skv_library l[SKV_ALL_LIBRARIES];
    const int n = skv_all_libraries(l);
    skv_json_maker all = skv_json_object();

    for (int i = 0; i < n; i++)
        skv_json_put(&all, l[i].name,
                     json_pack("{s:s, s:s}", "built", l[i].built, "running", l[i].running));
    return skv_json_take(&all);
}
