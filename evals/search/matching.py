"""Which runs a search finds: every clause judged on the whole run."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from evals.search.language import Search
from evals.search.places import Runs, runs_with


@dataclass(frozen=True)
class Matching:
    """Runs that a search finds."""

    wanted: frozenset[int] | None  # None: any, for nothing was asked for
    unwanted: frozenset[int]
    # Older runs were not looked at to the end: a word that stands nearly everywhere has too many places.
    since: int = 0

    def of(self, runs: Collection[int]) -> list[int]:
        """Return those of the runs that are found, in their order."""
        return [
            run
            for run in runs
            if run >= self.since and run not in self.unwanted and (self.wanted is None or run in self.wanted)
        ]


def matching(search: Search) -> Matching:
    with_all = [runs_with(clause) for clause in search.positive]
    without = [runs_with(clause) for clause in search.negative]
    wanted = frozenset.intersection(*(runs.ids for runs in with_all)) if with_all else None
    unwanted = frozenset[int]().union(*(runs.ids for runs in without))
    return Matching(wanted, unwanted, since=max(map(oldest_known, [*with_all, *without]), default=0))


def oldest_known(runs: Runs) -> int:
    """Return the oldest run of which it is known whether it meets the clause."""
    return 0 if runs.complete else min(runs.ids)
