#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "core/pieces.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/mem.h"

static skv_status add_piece(skv_pieces *p, const char *what)
{
    void *piece;

    SKV_TRY(skv_grow(&p->piece, p->n_pieces, sizeof *p->piece, what));
    piece = mmap(NULL, SKV_PIECE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (piece == MAP_FAILED)
        return skv_fail(SKV_E_MEM, "out of memory for %s (%zu bytes)", what, SKV_PIECE_BYTES);
    p->piece[p->n_pieces++] = piece;
    return SKV_OK;
}

skv_status skv_pieces_add(skv_pieces *p, const void *data, size_t n, const char *what)
{
    const char *from = data;

    while (n > 0) {
        const size_t used = p->n % SKV_PIECE_BYTES;
        const size_t part = n < SKV_PIECE_BYTES - used ? n : SKV_PIECE_BYTES - used;

        if (p->n / SKV_PIECE_BYTES == p->n_pieces)
            SKV_TRY(add_piece(p, what));
        memcpy(p->piece[p->n / SKV_PIECE_BYTES] + used, from, part);
        p->n += part;
        from += part;
        n -= part;
    }
    return SKV_OK;
}

void skv_pieces_read(const skv_pieces *p, size_t at, size_t n, void *out)
{
    char *to = out;

    assert(at <= p->n && n <= p->n - at);
    while (n > 0) {
        const size_t start = at % SKV_PIECE_BYTES;
        const size_t part = n < SKV_PIECE_BYTES - start ? n : SKV_PIECE_BYTES - start;

        memcpy(to, p->piece[at / SKV_PIECE_BYTES] + start, part);
        to += part;
        at += part;
        n -= part;
    }
}

void skv_pieces_clear(skv_pieces *p)
{
    for (size_t i = 0; i < p->n_pieces; i++)
        munmap(p->piece[i], SKV_PIECE_BYTES);
    free(p->piece);
    *p = (skv_pieces){0};
}
