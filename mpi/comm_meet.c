/* Where ranks wait for one another: those who arrive tell rank 0, and go on when it says go. The
 * words are polled between naps, so that waiting costs no processor time. */
#include "mpi/comm_impl.h"

#define NAP_FIRST 20000L   /* ns */
#define NAP_LAST  5000000L /* ns: what a meeting may cost a rank that came first */

static void nap(skv_comm *c, long *ns)
{
    c->ops->nap(c, *ns);
    if (*ns < NAP_LAST)
        *ns += *ns / 4;
}

skv_status skv_comm__out_of_turn(const skv_comm *c, int from)
{
    char text[SKV_RANK_BYTES];

    return skv_fail(SKV_E_PEER, "%s is at another place than rank %d: they make different calls",
                    skv_comm__rank_text(text, c, from), c->rank);
}

static skv_status tell_those_here(skv_comm *c, skv_word word)
{
    for (int r = 1; r < c->size; r++)
        if (!c->missing[r])
            SKV_TRY(c->ops->tell(c, r, word));
    return SKV_OK;
}

static skv_status hear_all(skv_comm *c)
{
    long ns = NAP_FIRST;
    int left = c->size - 1;
    skv_wait w;

    skv_comm__wait_begin(&w, c, SKV_WAIT_MISSING);
    for (int r = 0; r < c->size; r++)
        c->missing[r] = r > 0;
    while (left > 0) {
        skv_word word = SKV_WORD_NONE;
        int from = 0;

        SKV_TRY(c->ops->heard(c, &from, &word));
        if (word != SKV_WORD_NONE) {
            if (word != SKV_WORD_HERE || !c->missing[from])
                return skv_comm__out_of_turn(c, from);
            c->missing[from] = false;
            left--;
            continue;
        }
        if (skv_comm__wait_word(&w, c))
            SKV_TRY(tell_those_here(c, SKV_WORD_WAIT));
        SKV_TRY(skv_comm__wait_check(&w, c));
        nap(c, &ns);
    }
    return SKV_OK;
}

skv_status skv_comm__hear_go(skv_comm *c)
{
    long ns = NAP_FIRST;
    skv_wait w;

    skv_comm__wait_begin(&w, c, 0);
    for (;;) {
        skv_word word = SKV_WORD_NONE;
        int from = 0;

        SKV_TRY(c->ops->heard(c, &from, &word));
        if (word == SKV_WORD_GO)
            return SKV_OK;
        if (word == SKV_WORD_HERE)
            return skv_comm__out_of_turn(c, from);
        if (word == SKV_WORD_WAIT) {
            skv_comm__wait_renew(&w);
            continue;
        }
        SKV_TRY(skv_comm__wait_check(&w, c));
        nap(c, &ns);
    }
}

skv_status skv_comm__meet(skv_comm *c)
{
    if (c->rank > 0) {
        SKV_TRY(c->ops->tell(c, 0, SKV_WORD_HERE));
        return skv_comm__hear_go(c);
    }
    SKV_TRY(hear_all(c));
    return tell_those_here(c, SKV_WORD_GO);
}
