#include "job/next_place.h"

int64_t skv_next_place(const uint8_t *places, const int64_t *share, int rank, int size)
{
    for (int64_t p = share[rank]; p < share[rank + 1]; p++)
        if (places[p] == SKV_PLACE_LEFT)
            return p;
    for (int i = 1; i < size; i++) {
        const int victim = (rank + i) % size;

        for (int64_t p = share[victim + 1] - 1; p >= share[victim]; p--)
            if (places[p] == SKV_PLACE_LEFT)
                return p;
    }
    return -1;
}
