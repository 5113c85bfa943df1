/* A build without MPI: what mpirun starts would be alone, once for each rank. */
#include "mpi/comm_impl.h"

skv_status skv_comm__open_mpi(skv_comm *c)
{
    (void)c;
    return skv_fail(SKV_E_UNSUPPORTED,
                    "started by mpirun, but this skv was built without MPI: start it by torchrun, "
                    "by srun, or once for each rank with RANK and WORLD_SIZE set, or build it with "
                    "-DSKV_MPI=ON");
}

bool skv_comm__has_mpi(void)
{
    return false;
}

int skv_comm__mpi_library(skv_library *out)
{
    (void)out;
    return 0;
}
