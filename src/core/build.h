/* Which build of the program this is. */
#ifndef SKV_CORE_BUILD_H
#define SKV_CORE_BUILD_H

/* "0.1.0, commit 64adcac0b1f2, GNU 12.2.0, no CUDA, flags 1a2b3c4d": version, the commit that the
 * build was configured at (left out where that is not known), compilers, and a digest of their
 * flags. Two programs with different texts may compute different bytes. Static. */
const char *skv_build(void);

#endif
