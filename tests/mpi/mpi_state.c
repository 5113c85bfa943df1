#include "mpi_state.h"

#include <mpi.h>

bool mpi_was_started(void)
{
    int yes = 1;

    return MPI_Initialized(&yes) != MPI_SUCCESS || yes;
}
