#include "failing_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stddef.h>

static int entries_left = -1;

struct dirent *__real_readdir(DIR *d);
struct dirent *__wrap_readdir(DIR *d);

void failing_folder(int n)
{
    entries_left = n;
}

struct dirent *__wrap_readdir(DIR *d)
{
    if (entries_left < 0 || entries_left-- > 0)
        return __real_readdir(d);
    errno = EIO;
    return NULL;
}
