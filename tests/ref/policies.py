#!/usr/bin/env python3
"""What cache policies keep, by numpy in double, scale by scale; the rules are those of
src/cache/README.md, Policies.

    policies.py WALK_POLICY NAME     holds tests/golden/walk_policy.c against the policy's own cases

Every number is made up on both sides by the same rule. A choice by softmax scores is compared only
where the last score kept and the first one dropped differ by more than fp32 can move; a case in
which they do not is refused, so that none passes unseen.
"""
import json
import math
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    print("numpy is not here")
    sys.exit(77)

DIM = 16
MARGIN = 1e-5  # relative; fp32 sums of up to 256 terms stay below 2e-6


def philox(counter, key):
    """Philox4x32-10 of counters (4, n) and a key of 64 bits: words (4, n)."""
    low = np.uint64(0xFFFFFFFF)
    c = [np.asarray(x, np.uint64) for x in counter]
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), p1 & low,
             (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), p0 & low]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(c)


def uniform(seed, a, b, n):
    """Numbers 0 .. n-1 of place (a, b), in [0, 1) by steps of 2^-24."""
    c = np.arange(n, dtype=np.uint64)
    same = np.ones_like(c)
    words = philox([c // np.uint64(4), same * np.uint64(b), same * np.uint64(a), same * 0], seed)
    return (words[c % np.uint64(4), np.arange(n)] >> np.uint64(8)) / 2.0**24


def numbers(kind, place, tokens):
    u = uniform(1, (place.si * place.depth + place.layer) * 3 + kind,
                place.row * place.heads + place.head, tokens * DIM)
    return ((np.floor(32 * u) - 16) / 16).reshape(tokens, DIM)


def softmax(q, k):
    s = q @ k.T
    p = np.exp(s - s.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True)


def best(score, n, exact):
    """The n highest, of equal ones the lower position; ascending."""
    order = np.argsort(-score, kind="stable")
    if not exact and 0 < n < len(score):
        last, first = score[order[n - 1]], score[order[n]]
        assert last - first > MARGIN * abs(last), "a cut without a margin: choose another case"
    return np.sort(order[:n])


class Head:
    """One head of one row and layer: what it has cached."""

    def __init__(self, place):
        self.place = place
        self.k = self.v = np.zeros((0, DIM))
        self.sum = np.zeros(0)  # what some policies remember of each token
        self.source = np.zeros(0, int)  # the scale that each token comes from

    def attend(self, si, tokens):
        self.place.si = si
        self.k = np.concatenate([self.k, numbers(0, self.place, tokens)])
        self.v = np.concatenate([self.v, numbers(1, self.place, tokens)])
        self.q = numbers(2, self.place, tokens)
        self.sum = np.concatenate([self.sum, np.zeros(tokens)])
        self.source = np.concatenate([self.source, np.full(tokens, si)])

    def keep(self, kept):
        self.k, self.v, self.sum = self.k[kept], self.v[kept], self.sum[kept]
        self.source = self.source[kept]


class Place:
    def __init__(self, case, row, layer, head):
        self.row, self.layer, self.head, self.si = row, layer, head, 0
        self.depth, self.heads = case["depth"], case["heads"]


class Plain:
    """A budget of `base` tokens for every layer and head."""

    def __init__(self, case, schedule):
        self.base, self.options = case["base"], case["options"]

    def capacity(self, head):
        return self.base

    def read(self, head):
        """Tokens that attention reads."""
        return len(head.k)

    def observe(self, heads):
        """Sees every scale, also those after which nothing is cut."""

    def kept(self, heads):
        return [self.kept_of(head, min(len(head.k), self.capacity(head))) for head in heads]


class ValueNorm(Plain):
    def kept_of(self, head, n):
        return best((head.v**2).sum(axis=1), n, exact=True)


class Random(Plain):
    def kept_of(self, head, n):
        p = head.place
        u = uniform(int(self.options.get("seed", 0)), p.si * 64 + p.layer, p.head, len(head.k))
        return best(u, n, exact=True)


class WholeScales(Plain):
    """held[t][layer][head] is the set of scales held while scale t is written."""

    def set_of(self, head):
        return self.held[head.place.si + 1][head.place.layer][head.place.head]

    def capacity(self, head):
        return sum(self.tokens[j] for j in self.set_of(head))

    def kept(self, heads):
        return [np.flatnonzero(np.isin(head.source, list(self.set_of(head)))) for head in heads]


class HeatKv(WholeScales):
    SINKS = 3

    def __init__(self, case, sides):
        self.tokens = [h * w for h, w in sides]
        self.case, last = case, len(sides) - 1
        layers, heads = range(case["depth"]), range(case["heads"])
        slots, sinks = len(layers) * len(heads), sum(self.tokens[:self.SINKS])
        self.held = []
        for t in range(last + 1):
            n, drop = sum(self.tokens[:t]), 0
            if n > case["base"] and t > self.SINKS:
                drop = min(slots, math.ceil(slots * (n - case["base"]) / (n - sinks)))
            gone = [{tuple(p) for p in order[:drop]} for order in case["orders"]]
            self.held.append([[{j for j in range(t)
                                if j < self.SINKS or (h, layer) not in gone[j - self.SINKS]}
                               for h in heads] for layer in layers])
        if case["options"].get("strict", True):
            for t in range(last - 1, 0, -1):
                self.start_early(t, case["base"] * slots)

    def size(self, t, layer):
        return sum(self.tokens[j] for sets in self.held[t][layer] for j in sets)

    def start_early(self, t, limit):
        """Moves drops from after scale t to before it until the pool stays within the limit."""
        layers = range(self.case["depth"])
        limit = max(limit, sum(self.size(t + 1, layer) for layer in layers))
        early = [(layer, j, h) for layer in reversed(layers) for j in reversed(range(t))
                 for h in range(self.case["heads"])
                 if j in self.held[t][layer][h] and j not in self.held[t + 1][layer][h]]
        while max(sum(self.size(t + (layer <= at), layer) for layer in layers)
                  for at in range(-1, len(layers))) > limit and early:
            layer, j, head = early.pop(0)
            self.held[t][layer][head] = self.held[t][layer][head] - {j}


class AmsKv(WholeScales):
    """The first scales and the last local[layer, head] of what a head still has."""

    def __init__(self, case, sides):
        self.tokens = [h * w for h, w in sides]
        options = case["options"]
        self.condensed, more = options.get("condensed", 2), options.get("more", 1)
        demanding = set(options.get("demanding", [0]))
        slots = [(layer, h) for layer in range(case["depth"]) for h in range(case["heads"])]
        slots.sort(key=lambda slot: (slot[0] not in demanding, slot))
        limit, had, self.held = case["base"] * len(slots), {slot: set() for slot in slots}, [None]
        for si in range(len(sides) - 1):
            had = {slot: sets | {si} for slot, sets in had.items()}
            m = si + 1
            while m >= -more:
                local = {slot: m + (more if slot[0] in demanding else 0) for slot in slots}
                if self.size_of(had, local, si) <= limit:
                    break
                m -= 1
            for slot in slots:
                wider = dict(local)
                wider[slot] = max(local[slot], 0) + 1
                if self.size_of(had, wider, si) <= limit:
                    local = wider
            had = {slot: self.after(had[slot], local[slot], si) for slot in slots}
            self.held.append([[had[layer, h] for h in range(case["heads"])]
                              for layer in range(case["depth"])])

    def after(self, had, local, si):
        return {j for j in had if j < self.condensed or j > si - local}

    def size_of(self, had, local, si):
        return sum(self.tokens[j] for slot in had for j in self.after(had[slot], local[slot], si))


class Hack(Plain):
    def __init__(self, case, sides):
        super().__init__(case, sides)
        self.tokens = [h * w for h, w in sides]
        option = self.options.get
        slots = [(layer, h) for layer in range(case["depth"]) for h in range(case["heads"])]
        slots.sort(key=lambda slot: (sum(order.index([slot[1], slot[0]])
                                         for order in case["orders"]), slot))
        contextual = int(option("contextual", 0.5) * len(slots) + 0.5)
        structural = len(slots) - contextual
        self.structural, self.sinks = set(slots[contextual:]), option("sinks", 2)
        history = sum(self.tokens[:-1])
        tokens = min(case["base"], history) * len(slots)
        self.few = math.floor(tokens / (contextual + option("ratio", 5) * structural))
        if structural:
            self.many = min((tokens - self.few * contextual) // structural, history)
        if contextual:
            self.few = (tokens - (self.many if structural else 0) * structural) // contextual

    def is_structural(self, head):
        return (head.place.layer, head.place.head) in self.structural

    def capacity(self, head):
        return self.many if self.is_structural(head) else self.few

    def read(self, head):
        so_far = sum(self.tokens[:head.place.si + 1])
        share = math.ceil(self.options.get("attention", 100) / 100 * so_far)
        return min(len(head.k), max(share, self.capacity(head)))

    def kept_of(self, head, n):
        si, tokens = head.place.si, len(head.q)
        count = min(self.options.get("observers", 32), tokens)
        seen_by = [(2 * i + 1) * tokens // (2 * count) for i in range(count)]
        score = softmax(head.q[seen_by], head.k).sum(axis=0)
        turn = np.ones(len(score), int)  # 0 before all others, 2 behind them
        if self.is_structural(head):
            sinks = min(self.sinks, si)
            turn[head.source < sinks] = 0
            if n >= sum(self.tokens[:sinks]) + tokens:
                turn[head.source == si] = 0
            else:
                turn[(head.source >= sinks) & (head.source < si)] = 2
        kept = np.flatnonzero(turn == 0)[:n]
        for t in (1, 2):
            left = np.flatnonzero(turn == t)
            kept = np.append(kept, left[best(score[left], min(n - len(kept), len(left)), t == 2)])
        return np.sort(kept)


def orders(depth, heads, lists):
    """Pairs [head, layer] in an order by chance, for each source scale behind the sinks."""
    pairs = [[h, layer] for layer in range(depth) for h in range(heads)]
    return [[pairs[i] for i in np.argsort(uniform(7, 0, n, len(pairs)))] for n in range(lists)]


class H2o(Plain):
    def observe(self, heads):
        for head in heads:
            head.sum = head.sum + softmax(head.q, head.k).mean(axis=0)

    def kept_of(self, head, n):
        recent = n - n // 2
        others = len(head.k) - recent
        heavy = best(head.sum[:others], n // 2, exact=False)
        return np.concatenate([heavy, np.arange(others, len(head.k))])


class Tova(Plain):
    def kept(self, heads):
        score = np.mean([softmax(h.q[-1:], h.k)[0] for h in heads], axis=0)
        return [best(score, min(len(score), self.base), exact=False)] * len(heads)


POLICIES = {"amskv": AmsKv, "hack": Hack, "heatkv": HeatKv, "h2o": H2o, "valuenorm": ValueNorm,
            "random": Random, "tova": Tova}

SMALL = {"rows": 2, "depth": 2, "heads": 3, "ratio": 1, "resolution": "0.06M", "options": {}}
MORE = dict(SMALL, rows=1, depth=4, heads=4, orders=orders(4, 4, 3))
CASES = {
    "amskv": [dict(MORE, base=100), dict(MORE, base=60, options={"demanding": [2, 1], "more": 2}),
              dict(MORE, base=20, ratio=0.333, options={"demanding": [3], "condensed": 3})],
    "hack": [dict(MORE, base=60), dict(MORE, base=30, ratio=0.333, options={"attention": 30}),
             dict(MORE, base=40, options={"attention": 45.5, "contextual": 0.3, "ratio": 9,
                                          "sinks": 3, "observers": 5}),
             dict(MORE, base=100, options={"contextual": 0.9, "ratio": 20}),
             dict(MORE, base=25, orders=orders(4, 4, 1), options={"contextual": 0})],
    "heatkv": [dict(MORE, base=100), dict(MORE, base=100, options={"strict": False}),
               dict(MORE, base=30, ratio=0.333)],
    "h2o": [dict(SMALL, base=40), dict(SMALL, base=13, ratio=1.333)],
    "valuenorm": [dict(SMALL, base=40), dict(SMALL, base=7, ratio=0.333)],
    "random": [dict(SMALL, base=40), dict(SMALL, base=9, options={"seed": str(2**64 - 3)})],
    "tova": [dict(SMALL, base=40), dict(SMALL, base=11, ratio=1.333)],
}


def walk(program, name, case):
    """The sides of all scales, and {(si, layer, row, head): positions} of reads and of cuts."""
    values = [name, json.dumps(case["options"]), case["base"], case["rows"], case["depth"],
              case["heads"], case["ratio"], case["resolution"]]
    with tempfile.NamedTemporaryFile("w") as file:
        if "orders" in case:
            json.dump(case["orders"], file)
            file.flush()
            values.append(file.name)
        done = subprocess.run([program] + [str(v) for v in values], stdout=subprocess.PIPE,
                              text=True)
    if done.returncode != 0:
        sys.exit(done.returncode)
    lines = [line.split() for line in done.stdout.splitlines()]
    sides = [(int(w[2]), int(w[3])) for w in lines if w[0] == "scale"]
    return sides, *({tuple(map(int, w[1:5])): np.array(w[5:], int) for w in lines if w[0] == what}
                    for what in ("read", "cut"))


def compare(case, head, what, got, want):
    p = head.place
    assert np.array_equal(got, want), (
        f"base {case['base']}, {case['options']}: scale {p.si}, layer {p.layer}, row {p.row}, "
        f"head {p.head}: {what} {got.tolist()}, want {want.tolist()}")


def check(program, name, case):
    sides, reads, cuts = walk(program, name, case)
    policy = POLICIES[name](case, sides)
    n_read = n_cut = 0
    for row in range(case["rows"]):
        for layer in range(case["depth"]):
            heads = [Head(Place(case, row, layer, h)) for h in range(case["heads"])]
            for si, (height, width) in enumerate(sides):
                for head in heads:
                    head.attend(si, height * width)
                places = [(si, layer, row, h) for h in range(len(heads))]
                fewer = any(len(head.k) > policy.read(head) for head in heads)
                assert fewer == (places[0] in reads), f"scale {si}, layer {layer}: reads fewer?"
                for place, head in zip(places, heads if fewer else []):
                    want = policy.kept_of(head, policy.read(head))
                    compare(case, head, "reads", reads[place], want)
                    n_read += 1
                policy.observe(heads)
                cut = si + 1 < len(sides) and any(len(head.k) > policy.capacity(head)
                                                  for head in heads)
                assert cut == (places[0] in cuts), f"scale {si}, layer {layer}: a cut?"
                for place, head, kept in zip(places, heads, policy.kept(heads) if cut else []):
                    compare(case, head, "kept", cuts[place], kept)
                    head.keep(kept)
                    n_cut += 1
    assert n_read == len(reads) and n_cut == len(cuts) > 0
    assert (n_read > 0) == ("attention" in case["options"])
    print(f"ok {name}: {n_cut} sets kept, {n_read} read, base {case['base']}, {case['options']}")


if __name__ == "__main__":
    for one in CASES[sys.argv[2]]:
        check(sys.argv[1], sys.argv[2], one)
