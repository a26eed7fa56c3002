"""Means, intervals and paired differences: numbers in, numbers out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]

DRAWS = 10_000
CONFIDENCE = 0.95
# A hundred models make 4,950 pairs: all their draws at once would take 400 MB.
COLUMNS_AT_ONCE = 128
SEED = 20260527
# A sum in another order is off by 1e-17, and a tie of equals must hold its zero.
DECIMALS = 12
ROUNDING = 0.5 * 10**-DECIMALS


@dataclass(frozen=True)
class Interval:
    """Where the true mean lies, at 95 % confidence."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Difference:
    """How far one series lies above another on the tasks that both have."""

    mean: float
    interval: Interval | None  # None for fewer than two common tasks
    tasks: int

    @property
    def is_a_tie(self) -> bool:
        """Claimed only with an interval: without one, nothing is known about chance."""
        return self.interval is not None and self.interval.holds(0)


@dataclass(frozen=True)
class Separations:
    """Which columns are told apart, shape (columns, columns); neither, for fewer than two common tasks."""

    tied: Flags  # the interval of the paired difference holds 0
    apart: Flags  # it does not


def mean(values: Sequence[float]) -> float | None:
    """Return the arithmetic mean, or None for no values."""
    return fmean(values) if values else None


def standard_error(values: Sequence[float]) -> float | None:
    """Return the standard error of the mean, or None for fewer than two values.

    Uses the sample deviation (n - 1). One value has no spread to estimate:
    None, not 0, so that a chart draws no error bar instead of a certain one.
    """
    if len(values) < 2:
        return None
    return float(np.std(values, ddof=1)) / math.sqrt(len(values))


def bootstrap_interval(values: Sequence[float], draws: int = DRAWS, seed: int = SEED) -> Interval | None:
    """Return the percentile interval of the mean over resampled values, or None for fewer than two."""
    if len(values) < 2:
        return None
    return bootstrap_intervals(np.asarray(values, dtype=float)[:, None], draws, seed)[0]


def bootstrap_intervals_of(series: Sequence[Sequence[float]]) -> list[Interval | None]:
    """Return the interval of each series, as `bootstrap_interval` does, those of one length together.

    A hundred series of one length cost little more than one: they share their draws.
    """
    intervals: list[Interval | None] = [None] * len(series)
    by_length: dict[int, list[int]] = {}
    for place, values in enumerate(series):
        by_length.setdefault(len(values), []).append(place)
    for length, places in by_length.items():
        if length > 1:
            columns = np.array([series[place] for place in places], dtype=float).T
            for place, interval in zip(places, bootstrap_intervals(columns), strict=True):
                intervals[place] = interval
    return intervals


def bootstrap_intervals(columns: Numbers, draws: int = DRAWS, seed: int = SEED) -> list[Interval]:
    """Return one interval for each column of `columns`, shape (values, columns), without NaN.

    All columns are resampled alike, so that a column of differences keeps its pairs.
    """
    weights = resampling_weights(len(columns), draws, seed)
    tail = (1 - CONFIDENCE) / 2
    intervals: list[Interval] = []
    for start in range(0, columns.shape[1], COLUMNS_AT_ONCE):
        # One row a column: quantiles of what lies side by side in memory take a third of the time.
        means = columns[:, start : start + COLUMNS_AT_ONCE].T @ weights.T
        bounds = np.quantile(means, [tail, 1 - tail], axis=1, overwrite_input=True).round(DECIMALS)
        intervals += [Interval(float(low), float(high)) for low, high in bounds.T]
    return intervals


@lru_cache(maxsize=16)
def resampling_weights(values: int, draws: int = DRAWS, seed: int = SEED) -> Numbers:
    """Return the share of each value in each draw, shape (draws, values); every row sums to 1.

    Kept: drawing costs ten times what the sum of a column over the draws does.
    """
    generator = np.random.default_rng(seed)
    weights = generator.multinomial(values, np.full(values, 1 / values), size=draws) / values
    weights.flags.writeable = False  # shared by every caller
    return weights


def paired_differences(means: Numbers) -> dict[tuple[int, int], Difference]:
    """Return how far column i lies above column j, for every i < j.

    `means` has the shape (tasks, columns); NaN marks a task without a score,
    which leaves the pairs of that column only.
    """
    pairs = [(i, j) for j in range(means.shape[1]) for i in range(j)]
    if not pairs:
        return {}
    first, second = (list(side) for side in zip(*pairs, strict=True))
    differences = means[:, first] - means[:, second]
    return dict(zip(pairs, _differences(differences), strict=True))


def separations(means: Numbers) -> Separations:
    """Tell every two columns apart or tied, as `paired_differences` would, without its intervals.

    `means` is as there. A hundred columns take a tenth of a second where their 4,950 intervals take
    seconds: whether an interval holds 0 is counted, and only a count on its very edge is sorted out.
    """
    columns = means.shape[1]
    tied, apart = np.zeros((columns, columns), dtype=bool), np.zeros((columns, columns), dtype=bool)
    patterns, pattern_of = np.unique(~np.isnan(means), axis=1, return_inverse=True)
    for first in range(patterns.shape[1]):
        for second in range(first, patterns.shape[1]):
            common = patterns[:, first] & patterns[:, second]
            if common.sum() < 2:
                continue
            rows = np.flatnonzero(pattern_of.ravel() == first)
            others = np.flatnonzero(pattern_of.ravel() == second)
            for row, ties in zip(rows, _ties(means[common], rows, others), strict=True):
                # Among themselves each pair is met once: the later columns only.
                met = others[len(others) - len(ties) :]
                tied[row, met] = tied[met, row] = ties
                apart[row, met] = apart[met, row] = ~ties
    return Separations(tied, apart)


def _ties(means: Numbers, rows: Places, others: Places) -> Iterator[Flags]:
    """Yield for each column of `rows` whether its difference to each of `others` may be none.

    Of the same columns on both sides, a column is held against itself and the later ones.
    """
    weights = resampling_weights(len(means))
    row_means, other_means = means[:, rows].T @ weights.T, means[:, others].T @ weights.T
    drawn = np.empty_like(other_means)
    same = np.array_equal(rows, others)
    tail = (1 - CONFIDENCE) / 2 * (DRAWS - 1)  # how many draws lie outside at each end, with a fraction
    for place, row in enumerate(rows):
        skipped = place if same else 0
        np.subtract(other_means[skipped:], row_means[place], out=drawn[skipped:])
        least = np.minimum(
            np.count_nonzero(drawn[skipped:] < ROUNDING, axis=1),
            np.count_nonzero(drawn[skipped:] > -ROUNDING, axis=1),
        )
        ties = least > math.ceil(tail)
        for edge in np.flatnonzero((least > math.floor(tail)) & (least <= math.ceil(tail))):
            difference = means[:, row] - means[:, others[skipped + edge]]
            ties[edge] = bootstrap_intervals(difference[:, None])[0].holds(0)
        yield ties


def _differences(columns: Numbers) -> list[Difference]:
    # Columns with the same tasks share their draws: one matrix product instead of one a pair.
    present = ~np.isnan(columns)
    results: dict[int, Difference] = {}
    patterns, pattern_of = np.unique(present, axis=1, return_inverse=True)
    for pattern in range(patterns.shape[1]):
        members = np.flatnonzero(pattern_of.ravel() == pattern)
        tasks = columns[np.ix_(patterns[:, pattern], members)]
        results |= dict(zip(members.tolist(), _column_differences(tasks), strict=True))
    return [results[column] for column in range(columns.shape[1])]


def _column_differences(columns: Numbers) -> list[Difference]:
    tasks = len(columns)
    if tasks == 0:
        return [Difference(math.nan, None, 0)] * columns.shape[1]
    intervals = bootstrap_intervals(columns) if tasks > 1 else [None] * columns.shape[1]
    return [
        Difference(float(average), interval, tasks)
        for average, interval in zip(columns.mean(axis=0), intervals, strict=True)
    ]
