/* Which build of the program this is. */
#ifndef SKV_CORE_BUILD_H
#define SKV_CORE_BUILD_H

/* "0.1.0, commit 64adcac0b1f2, GNU 12.2.0, no CUDA, flags 1a2b3c4d": version, the commit that the
 * build was configured at (left out where that is not known), compilers, and a digest of their
 * flags. Two programs with different texts may compute different bytes. Static. */
const char *skv_build(void);

/* A library's version: of the headers the program was built with, and of what it runs with. ""
 * where the library does not say. */
typedef struct {
    const char *name;
    char built[48], running[48];
} skv_library;

/* Each room that calls foreign libraries says which: fills out (room for SKV_MAX_LIBRARIES) and
 * returns how many. Here those of core. */
#define SKV_MAX_LIBRARIES 8
int skv_core_libraries(skv_library *out);

/* One entry; texts are copied, and cut where they are too long. */
skv_library skv_library_of(const char *name, const char *built, const char *running);

#endif
