/* Every rank but 0 sends one word, how its work ended; rank 0 passes on the first failure at once,
 * and says go when it has all words. So nobody is in the next meeting before all are out of this.
 */
#include "mpi/joint.h"

#define NAP 1000000L /* ns */

void skv_joint__begin(skv_joint *j, skv_comm *c)
{
    *j = (skv_joint){.left = c->rank == 0 ? c->size - 1 : 0};
    for (int r = 0; r < c->size; r++)
        c->missing[r] = r > 0;
}

/* Rank 0. */
static skv_status pass_on_failure(skv_joint *j, skv_comm *c)
{
    if (j->failed)
        return SKV_OK;
    j->failed = true;
    for (int r = 1; r < c->size; r++)
        SKV_TRY(c->ops->tell(c, r, SKV_WORD_FAILED));
    return SKV_OK;
}

/* The next word, or SKV_WORD_NONE. */
static skv_status hear(skv_joint *j, skv_comm *c, skv_word *word)
{
    int from = 0;

    SKV_TRY(c->ops->heard(c, &from, word));
    if (c->rank > 0) {
        j->failed = j->failed || *word == SKV_WORD_FAILED;
        return *word == SKV_WORD_HERE ? skv_comm__out_of_turn(c, from) : SKV_OK;
    }
    if (*word == SKV_WORD_NONE)
        return SKV_OK;
    if ((*word != SKV_WORD_HERE && *word != SKV_WORD_FAILED) || !c->missing[from])
        return skv_comm__out_of_turn(c, from);
    c->missing[from] = false;
    j->left--;
    return *word == SKV_WORD_FAILED ? pass_on_failure(j, c) : SKV_OK;
}

skv_status skv_joint__look(skv_joint *j, skv_comm *c)
{
    skv_word word;

    do
        SKV_TRY(hear(j, c, &word));
    while (word != SKV_WORD_NONE);
    return SKV_OK;
}

skv_status skv_joint__say(skv_joint *j, skv_comm *c, bool good)
{
    if (c->rank > 0)
        return c->ops->tell(c, 0, good ? SKV_WORD_HERE : SKV_WORD_FAILED);
    return good ? SKV_OK : pass_on_failure(j, c);
}

skv_status skv_joint__end(skv_joint *j, skv_comm *c)
{
    skv_word word;
    skv_wait w;

    skv_comm__wait_begin(&w, c, c->rank == 0 ? SKV_WAIT_MISSING : 0);
    while (c->rank > 0 || j->left > 0) {
        SKV_TRY(hear(j, c, &word));
        if (word == SKV_WORD_GO)
            return SKV_OK;
        if (word != SKV_WORD_NONE) {
            skv_comm__wait_renew(&w);
            continue;
        }
        if (c->rank == 0 && skv_comm__wait_word(&w, c))
            for (int r = 1; r < c->size; r++)
                SKV_TRY(c->ops->tell(c, r, SKV_WORD_WAIT));
        SKV_TRY(skv_comm__wait_check(&w, c));
        c->ops->nap(c, NAP);
    }
    for (int r = 1; r < c->size; r++)
        SKV_TRY(c->ops->tell(c, r, SKV_WORD_GO));
    return SKV_OK;
}
