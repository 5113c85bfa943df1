/* Orders for HeatKV: a file of the published form for a model and a schedule. */
#ifndef SKV_TESTS_WRITE_ORDERS_H
#define SKV_TESTS_WRITE_ORDERS_H

#include "arch/dims.h"
#include "arch/schedule.h"

/* Name of a file that has a list for each source scale behind the first three; the program's only
 * one, written anew by each call and removed at its end. */
const char *write_orders(const skv_dims *dims, const skv_schedule *schedule);

#endif
