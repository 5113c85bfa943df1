/* The file by which ranks of the TCP form find rank 0. */
#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mpi/rendezvous.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *text = fuzz_copy(data, n);
    skv_place p;

    if (skv_place_parse(&p, text, "input") == SKV_OK) {
        assert(p.port > 0 && p.port < 65536 && p.n >= 0 && p.n <= SKV_PLACE_ADDRESSES);
        assert(memchr(p.host, '\0', sizeof p.host));
        for (int i = 0; i < p.n; i++)
            assert(memchr(p.address[i], '\0', sizeof p.address[i]));
    } else {
        fuzz_refused();
    }
    free(text);
    return 0;
}
