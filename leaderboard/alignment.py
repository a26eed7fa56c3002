"""Two lists of commands beside each other: what is the same, what is alike, what only one of them has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

LEAST_ALIKE = 0.4  # of the words of both, the share they have in common
# Of a stretch in which nothing is the same so many pairs are weighed; beyond, it stays unpaired.
MOST_PAIRS = 40_000

WORD = re.compile(r"[\w.-]+")
Kind = Literal["same", "alike", "left", "right"]


@dataclass(frozen=True)
class Pairing:
    """Places in the two lists; None where the other side has nothing for it."""

    kind: Kind
    left: int | None
    right: int | None


def aligned(left: Sequence[str], right: Sequence[str]) -> list[Pairing]:
    """Return every place of both lists exactly once, each list in its own order."""
    a, b = [normal(text) for text in left], [normal(text) for text in right]
    pairings: list[Pairing] = []
    for tag, a0, a1, b0, b1 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag == "equal":
            pairings += [Pairing("same", a0 + step, b0 + step) for step in range(a1 - a0)]
        else:
            pairings += stretch(a, b, range(a0, a1), range(b0, b1))
    return pairings


def normal(text: str) -> str:
    return " ".join(text.split())


def stretch(a: Sequence[str], b: Sequence[str], lefts: range, rights: range) -> Iterator[Pairing]:
    """Yield the pairings of a stretch in which nothing is the same on both sides."""
    at_left, at_right = lefts.start, rights.start
    for left, right in [*alike(a, b, lefts, rights), (lefts.stop, rights.stop)]:
        yield from (Pairing("left", place, None) for place in range(at_left, left))
        yield from (Pairing("right", None, place) for place in range(at_right, right))
        if left < lefts.stop and right < rights.stop:
            yield Pairing("alike", left, right)
        at_left, at_right = left + 1, right + 1


def alike(a: Sequence[str], b: Sequence[str], lefts: range, rights: range) -> list[tuple[int, int]]:
    """Return the pairs, in order on both sides, that have the most in common all together."""
    if not len(lefts) * len(rights) or len(lefts) * len(rights) > MOST_PAIRS:
        return []
    words_a = [frozenset(WORD.findall(a[place])) for place in lefts]
    words_b = [frozenset(WORD.findall(b[place])) for place in rights]
    # best[i][j]: the most that the first i and the first j can have in common.
    best = [[0.0] * (len(words_b) + 1) for _ in range(len(words_a) + 1)]
    for i, wa in enumerate(words_a, start=1):
        for j, wb in enumerate(words_b, start=1):
            best[i][j] = max(best[i - 1][j], best[i][j - 1], best[i - 1][j - 1] + likeness(wa, wb))
    return [(lefts[i], rights[j]) for i, j in path(best, words_a, words_b)]


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of words in common, or 0 where that is too little to call two commands alike."""
    both = len(one & other)
    share = both / (len(one) + len(other) - both) if both else 0.0
    return share if share >= LEAST_ALIKE else 0.0


def path(
    best: Sequence[Sequence[float]], words_a: Sequence[frozenset[str]], words_b: Sequence[frozenset[str]]
) -> list[tuple[int, int]]:
    """Walk back through the table and return the places that were paired."""
    i, j, pairs = len(words_a), len(words_b), []
    while i and j:
        gained = likeness(words_a[i - 1], words_b[j - 1])
        if gained and best[i][j] == best[i - 1][j - 1] + gained:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif best[i][j] == best[i - 1][j]:
            i -= 1
        else:
            j -= 1
    return pairs[::-1]
