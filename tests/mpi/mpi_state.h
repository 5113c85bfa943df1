/* Whether MPI is started in this process. */
#ifndef SKV_TESTS_MPI_STATE_H
#define SKV_TESTS_MPI_STATE_H

#include <stdbool.h>

bool mpi_was_started(void);

#endif
