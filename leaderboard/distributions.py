"""How the turns and the costs of runs are distributed, by outcome: bars ready to be drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import pandas as pd

from evals.models import GradeOutcome
from leaderboard import units
from leaderboard.rows import OUTCOME_LABELS

MOST_BINS = 20
MOST_LEVELS = 4
HEIGHT = 132  # of the drawing area, pixels
CLOSEST_TICKS = 12.0  # percent of the width: closer ones touch on a telephone
GAP = 0.12  # of a bin, left free beside its bar

Measured = Mapping[str, Mapping[int, float]]  # by outcome, then by run
Stack = tuple[list[int], ...]  # the runs in one bin, for each outcome

# In a sentence that has said "runs" before.
ONES = {
    GradeOutcome.EXACT: "exact ones",
    GradeOutcome.OVER_REPORTED: "over-reported ones",
    GradeOutcome.MISSED: "missed ones",
    GradeOutcome.NO_ANSWER: "those without an answer",
}


@dataclass(frozen=True)
class Bar:
    """The runs of one outcome in one bin. Across in percent of the width, upright in pixels."""

    outcome: str
    x: float
    width: float
    y: float
    height: float
    title: str
    run: int  # the first of these runs


@dataclass(frozen=True)
class Tick:
    at: float  # percent of the width, or pixels from the top
    text: str


@dataclass(frozen=True)
class Axis:
    """Bins of one width that begin at 0."""

    step: float
    unit: str  # what stands below the bars
    text: Callable[[float], str]  # of a value
    whole: bool  # only whole numbers occur

    @property
    def single(self) -> bool:
        """Whether a bin is one value."""
        return self.whole and self.step == 1

    def label(self, place: int) -> str:
        low, high = place * self.step, (place + 1) * self.step
        if self.single:
            return self.text(low)
        return f"{self.text(low)} to {self.text(high - 1 if self.whole else high)}"


@dataclass(frozen=True)
class Bin:
    label: str
    counts: tuple[int, ...]  # in the order of the histogram's outcomes


@dataclass(frozen=True)
class Histogram:
    """Stacked bars of runs. `bins` is the same as a table, without the empty ones."""

    name: str  # also the id of its title
    finding: str  # a sentence
    unit: str  # what stands below the bars
    outcomes: tuple[tuple[str, str], ...]  # those that occur, with their labels
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    levels: tuple[Tick, ...]
    bins: tuple[Bin, ...]
    note: str = ""  # what is left out

    @property
    def height(self) -> int:
        return HEIGHT


def turns_histogram(frame: pd.DataFrame) -> Histogram | None:
    """Return the turns of the graded runs of a score frame, or None without any."""
    measured = by_outcome(frame, "turns")
    if not measured:
        return None
    most = max(turns for runs in measured.values() for turns in runs.values())
    axis = Axis(round_step(max(most / MOST_BINS, 1)), "turns", units.count, whole=True)
    return histogram("turns", turns_finding(measured), measured, axis)


def costs_histogram(frame: pd.DataFrame) -> Histogram | None:
    """Return what the graded runs cost, or None when no cost is known or all is free."""
    measured = by_outcome(frame, "cost_usd")
    costs = [cost for runs in measured.values() for cost in runs.values()]
    if not any(costs):
        return None
    unknown = int(frame["outcome"].notna().sum()) - len(costs)
    note = f"left out: {unknown} run{'s' if unknown > 1 else ''} of unknown cost" if unknown else ""
    axis = Axis(round_step(max(costs) / MOST_BINS), "US dollars a run", units.dollars, whole=False)
    return histogram("costs", costs_finding(costs), measured, axis, note)


def by_outcome(frame: pd.DataFrame, column: str) -> dict[str, dict[int, float]]:
    """Return what the graded runs measure, where it is known: by outcome, then by run."""
    known = frame[frame["outcome"].notna() & frame[column].notna()]
    columns = (known[name].tolist() for name in ("outcome", "run", column))
    measured: dict[str, dict[int, float]] = {outcome: {} for outcome in GradeOutcome.values}
    for outcome, run, value in zip(*columns, strict=True):
        measured[outcome][run] = value
    return {outcome: runs for outcome, runs in measured.items() if runs}


def turns_finding(measured: Measured) -> str:
    """Say how many turns each outcome takes: "Exact runs take 12 turns in the median, missed ones 31"."""
    (first, turns), *others = [
        (GradeOutcome(outcome), median(runs.values())) for outcome, runs in measured.items()
    ]
    if others and all(each == turns for _, each in others):
        return f"Runs take {turns:g} turns in the median, however they end"
    runs = "Runs without an answer" if first == GradeOutcome.NO_ANSWER else f"{OUTCOME_LABELS[first]} runs"
    rest = "".join(f", {ONES[outcome]} {each:g}" for outcome, each in others)
    return f"{runs[0].upper()}{runs[1:]} take {turns:g} turn{'' if turns == 1 else 's'} in the median{rest}"


def costs_finding(costs: Sequence[float]) -> str:
    if len(set(costs)) == 1:
        return f"Every run costs {units.dollars(costs[0])}"
    middle, most = units.dollars(median(costs)), units.dollars(max(costs))
    return f"Half of the runs cost {middle} or less, the dearest {most}"


def histogram(name: str, finding: str, measured: Measured, axis: Axis, note: str = "") -> Histogram:
    """Put the runs of each outcome into the bins of the axis. There is at least one."""
    outcomes = tuple((outcome, str(OUTCOME_LABELS[GradeOutcome(outcome)])) for outcome in measured)
    stacks = stacks_of(measured, axis)
    levels = levels_of(max(sum(map(len, stack)) for stack in stacks))
    return Histogram(
        name=name,
        finding=finding,
        unit=axis.unit,
        outcomes=outcomes,
        bars=tuple(bars_of(stacks, outcomes, levels[-1], axis)),
        ticks=tuple(ticks_of(len(stacks), axis)),
        levels=tuple(Tick(round(HEIGHT * (1 - level / levels[-1]), 1), str(level)) for level in levels),
        bins=tuple(
            Bin(axis.label(i), tuple(map(len, stack))) for i, stack in enumerate(stacks) if any(stack)
        ),
        note=note,
    )


def bins_of(stacks: Sequence[Stack], axis: Axis) -> Iterator[Bin]:
    for place, stack in enumerate(stacks):
        if any(stack):
            yield Bin(axis.label(place), tuple(len(runs) for runs in stack))


def stacks_of(measured: Measured, axis: Axis) -> list[Stack]:
    """Return for each bin, from 0 to the last with a run, the runs of each outcome."""
    # A hair is added: 0.3 / 0.1 is 2.9999999999999996, and belongs above the border.
    places = [
        {run: math.floor(value / axis.step + 1e-9) for run, value in runs.items()}
        for runs in measured.values()
    ]
    last = max(max(of_outcome.values()) for of_outcome in places)
    return [
        tuple([run for run, place in of_outcome.items() if place == number] for of_outcome in places)
        for number in range(last + 1)
    ]


def levels_of(most: int) -> list[int]:
    """Return the whole numbers that are marked upright, from 0 to the first that nothing exceeds."""
    step = max(round(round_step(most / MOST_LEVELS)), 1)
    return list(range(0, most + step, step))


def bars_of(
    stacks: Sequence[Stack], outcomes: Sequence[tuple[str, str]], top: int, axis: Axis
) -> Iterator[Bar]:
    width = 100 / len(stacks)
    for place, stack in enumerate(stacks):
        below = 0
        for (outcome, label), runs in zip(outcomes, stack, strict=True):
            below += len(runs)
            if runs:
                yield Bar(
                    outcome=outcome,
                    x=round((place + GAP / 2) * width, 3),
                    width=round((1 - GAP) * width, 3),
                    y=round(HEIGHT * (1 - below / top), 2),
                    height=round(HEIGHT * len(runs) / top, 2),
                    title=f"{axis.label(place)}: {len(runs)} {label} run{'s' if len(runs) > 1 else ''}",
                    run=runs[0],
                )


def ticks_of(bins: int, axis: Axis) -> Iterator[Tick]:
    """Yield a tick at the beginning of bins, or below their middle where a bin is one value."""
    every = math.ceil(CLOSEST_TICKS * bins / 100)
    for place in range(0, bins if axis.single else bins + 1, every):
        at = (place + (0.5 if axis.single else 0.0)) * 100 / bins
        yield Tick(round(at, 3), axis.text(place * axis.step))


def round_step(least: float) -> float:
    """Return the smallest of 1, 2, 5, 10, 20, 50 ... and their tenths that is no smaller."""
    power = 10.0 ** math.floor(math.log10(least))
    step = next(factor for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))
    # Tenths by division: 3 * 0.1 is not 0.3, and a border is compared with costs such as 0.3.
    return step * power if power >= 1 else step / 10.0 ** round(-math.log10(power))
