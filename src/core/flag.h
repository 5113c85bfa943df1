/* A number that a signal handler or a thread sets while others poll it; 0: not set. */
#ifndef SKV_CORE_FLAG_H
#define SKV_CORE_FLAG_H

#ifdef __cplusplus
typedef int skv_flag; /* CUDA files see the type in headers, and never read one */
#else
#include <stdatomic.h>

typedef atomic_int skv_flag;
#endif

#endif
