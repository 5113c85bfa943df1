/* What comes over a connection of the TCP form: the bytes are all that the other side ever sends.
 */
#include "fuzz.h"

#include <assert.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mpi/tcp_link.h"

#define MAX_SENT 65536

/* This side asks in turn for a word, and for data of a few sizes. */
static bool hear(skv_comm *c, skv_link *l, int turn)
{
    static const size_t sizes[] = {0, 1, 4, 24, 1000};
    const size_t n = sizes[turn / 2 % 5];
    skv_word word = SKV_WORD_NONE;
    uint8_t *data;
    skv_status st;

    if (turn % 2 == 0) {
        st = skv_link__word(c, l, &word);
        assert(st != SKV_OK || word <= SKV_WORD_FAILED);
        return st == SKV_OK && word != SKV_WORD_NONE;
    }
    data = malloc(n + !n);
    assert(data);
    st = skv_link__recv(c, l, data, n);
    if (st == SKV_OK)
        fuzz_touch(data, n);
    free(data);
    return st == SKV_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char hosts[2][SKV_HOST_BYTES] = {"a", "b"};
    bool missing[2] = {false, false};
    skv_comm c = {.size = 2, .hosts = hosts, .missing = missing, .wait_limit = 1};
    int pair[2];

    if (n > MAX_SENT)
        return 0;
    for (int first = 0; first < 2; first++) {
        skv_link l = {.peer = 1};
        int turn = first;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0 ||
            write(pair[1], data, n) != (ssize_t)n)
            abort();
        close(pair[1]);
        l.fd = pair[0];
        while (hear(&c, &l, turn))
            turn++;
        fuzz_refused();
        skv_link__close(&l);
    }
    return 0;
}
