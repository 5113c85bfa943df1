/* The fat binary that nvcc puts beside each module: a header, then an image after the other, each
 * with the compute capability that it is for. Its form is not published; the numbers below are read
 * from what nvcc 13 writes, and a form that differs ends the program. */
#include "standin.h"

#include <string.h>

#define WRAPPER_MAGIC 0x466243B1u
#define FILE_MAGIC    0xBA55ED50u
#define OWN_ALONE     0x100000u /* sm_90a: for this capability, and for none after it */

enum { PTX = 1, MACHINE_CODE = 2 };

typedef struct {
    uint32_t magic, version;
    const unsigned char *data;
} wrapper;

typedef struct {
    uint32_t magic;
    uint16_t version, header;
    uint64_t bytes; /* of all images */
} file_head;

typedef struct {
    uint16_t kind, version;
    uint32_t header;
    uint64_t bytes; /* behind the header */
    uint32_t unknown[3], capability, other[2], flags;
} image_head;

static bool serves(const image_head *image)
{
    const standin_card *c = standin_here();
    const int here = 10 * c->major + c->minor, of = (int)image->capability;

    if (image->flags & OWN_ALONE)
        return here == of;
    if (image->kind == PTX)
        return of <= here;
    return image->kind == MACHINE_CODE && of / 10 == c->major && of <= here;
}

cudaError_t standin_code(const void *module)
{
    const wrapper *w = module;
    file_head file;

    if (standin_lists("STANDIN_CODE", "any"))
        return cudaSuccess;
    if (standin_lists("STANDIN_CODE", "none"))
        return cudaErrorNoKernelImageForDevice;
    if (standin_lists("STANDIN_CODE", "ptx"))
        return cudaErrorUnsupportedPtxVersion;
    memcpy(&file, w->data, sizeof file);
    if (w->magic != WRAPPER_MAGIC || file.magic != FILE_MAGIC || file.version != 1)
        standin_stop("a fat binary of another form: magic %x, version %d", (unsigned)file.magic,
                     file.version);
    for (uint64_t at = file.header; at < file.header + file.bytes;) {
        image_head image;

        memcpy(&image, w->data + at, sizeof image);
        if (image.header < sizeof image)
            standin_stop("a fat binary with an image of another form");
        if (serves(&image))
            return cudaSuccess;
        at += image.header + image.bytes;
    }
    return cudaErrorNoKernelImageForDevice;
}
