"""Rows of a board: one a language model, made of grades or of somebody's published numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

import numpy as np

from evals.models import Benchmark, Evaluation, GradeOutcome, LanguageModel, PublishedResult
from evals.queries import Summary, interval_of, score_frame, standing_evaluations, summaries
from evals.statistics import Flags, Interval, Separations, separations
from leaderboard import units
from leaderboard.units import percent

ERRORED = "errored"
OUTCOME_LABELS = {
    GradeOutcome.EXACT: "exact",
    GradeOutcome.OVER_REPORTED: "over-reported",
    GradeOutcome.MISSED: "missed",
    GradeOutcome.NO_ANSWER: "no answer",
    ERRORED: "errored",
}


@dataclass(frozen=True)
class Rank:
    """A place, and how far ties let it move: 2 to 4 means no model of these is surely the better one."""

    best: int
    worst: int

    def __str__(self) -> str:
        return str(self.best) if self.best == self.worst else f"{self.best}-{self.worst}"


@dataclass(frozen=True)
class Share:
    """A part of a stacked bar."""

    outcome: str
    label: str
    start: float  # 0 to 1
    width: float  # 0 to 1

    @property
    def left_percent(self) -> int:
        return round(100 * self.start)

    @property
    def width_percent(self) -> int:
        return round(100 * (self.start + self.width)) - self.left_percent


@dataclass(frozen=True)
class Row:
    """One language model on one board. None means unknown, and is shown as a dash."""

    model: LanguageModel
    mean: float | None  # of the task means, 0 to 1: every task weighs the same
    interval: Interval | None = None  # 95 %, over tasks; None for published numbers and for one task
    rank: Rank | None = None  # None without a score
    tied_with_leader: bool = False
    scored: int = 0  # runs behind the mean
    unscored: int = 0  # runs that ended without a score: shown, never counted as 0
    errored: int = 0  # runs that we failed
    active: int = 0  # runs queued and running
    planned: int = 0  # runs in all
    cost_per_task_usd: float | None = None  # mean of one attempt
    cost_per_exact_usd: float | None = None  # None without an exact run, too
    turns_per_task: float | None = None
    tokens_per_task: float | None = None
    seconds_per_task: float | None = None
    outcomes: tuple[Share, ...] = ()
    task_means: Mapping[Any, float] = field(default_factory=dict)  # by task
    evaluation: Evaluation | None = None  # None for published numbers
    published: PublishedResult | None = None

    @property
    def name(self) -> str:
        return str(self.model)

    @property
    def interval_width(self) -> float:
        """As drawn: between its ends to the whole per cent."""
        return round(self.interval.high, 2) - round(self.interval.low, 2) if self.interval else 0.0

    @property
    def complete(self) -> bool:
        return self.published is not None or self.scored == self.planned

    @property
    def exact_share(self) -> float | None:
        """Share of the runs that came to an end or errored; None where the runs are not known."""
        if not self.outcomes:
            return None
        return next((part.width for part in self.outcomes if part.outcome == GradeOutcome.EXACT), 0.0)

    @property
    def progress(self) -> float:
        """Share of the planned runs with a score."""
        return self.scored / self.planned if self.planned else 0.0


def board_rows(benchmark: Benchmark, as_of: date | None = None) -> list[Row]:
    """Return a row for each model with an evaluation on the benchmark, the best first. Two queries.

    With `as_of`, as the board stood when that day ended (UTC).
    """
    until = None if as_of is None else datetime.combine(as_of, time.min, UTC) + timedelta(days=1)
    evaluations = standing_evaluations(benchmark, until)
    by_evaluation = summaries(score_frame(benchmark, [evaluation.pk for evaluation in evaluations], until))
    rows = [
        evaluation_row(evaluation, by_evaluation.get(evaluation.pk, Summary())) for evaluation in evaluations
    ]
    return ranked(rows)


def evaluation_row(evaluation: Evaluation, summary: Summary) -> Row:
    return Row(
        model=evaluation.language_model,
        mean=summary.mean,
        interval=summary.interval,
        scored=summary.scored,
        unscored=summary.unscored,
        errored=summary.errored,
        active=summary.active,
        planned=summary.planned,
        cost_per_task_usd=summary.cost_per_task_usd,
        cost_per_exact_usd=cost_per_exact_usd(summary),
        turns_per_task=summary.turns_per_task,
        tokens_per_task=summary.tokens_per_task,
        seconds_per_task=summary.seconds_per_task,
        outcomes=outcome_shares(summary),
        task_means=summary.task_means,
        evaluation=evaluation,
    )


def coarse(row: Row) -> Row:
    """Return the row with its figures as pages write them: whole per cents, few digits.

    For who may not know how many tasks are held out: a mean of 0.129943 can only be 23 of 177 runs.
    """
    interval = row.interval and Interval(round(row.interval.low, 2), round(row.interval.high, 2))
    return replace(
        row,
        mean=None if row.mean is None else round(row.mean, 2),
        interval=interval,
        cost_per_exact_usd=units.significant(row.cost_per_exact_usd, 2),
        turns_per_task=None if row.turns_per_task is None else round(row.turns_per_task, 1),
        tokens_per_task=units.significant(row.tokens_per_task, 3),
        outcomes=tuple(
            replace(part, start=round(part.start, 2), width=round(part.width, 2)) for part in row.outcomes
        ),
    )


def cost_per_exact_usd(summary: Summary) -> float | None:
    exact = summary.outcomes.get(GradeOutcome.EXACT, 0)
    if summary.cost_per_task_usd is None or not exact:
        return None
    return summary.cost_per_task_usd * (summary.scored + summary.unscored) / exact


def published_rows(results: Iterable[PublishedResult]) -> list[Row]:
    """Return the rows of one source at one date.

    Where the source tells the score of every task they have intervals and ties like ours. Otherwise
    they are ranked by the number alone: chance is not known.
    """
    rows = [published_row(result) for result in results]
    if all(row.task_means for row in rows):
        return ranked(rows)
    rows.sort(key=best_first)
    scores = [row.mean for row in rows]
    return [replace(row, rank=Rank(place := 1 + scores.index(row.mean), place)) for row in rows]


def published_row(result: PublishedResult) -> Row:
    task_means: dict[str, float] = result.score_per_task or {}
    return Row(
        model=result.language_model,
        mean=result.score,
        interval=interval_of(tuple(task_means.values())),
        cost_per_task_usd=result.cost_per_task_usd,
        turns_per_task=result.turns_per_task,
        tokens_per_task=result.tokens_per_task,
        task_means=task_means,
        published=result,
    )


def best_first(row: Row) -> tuple[float, str]:
    return (-(row.mean if row.mean is not None else -1), row.name.lower())


def outcome_shares(summary: Summary) -> tuple[Share, ...]:
    counts = {**summary.outcomes, ERRORED: summary.errored}
    total = sum(counts.values())
    shares, start = [], 0.0
    for outcome, label in OUTCOME_LABELS.items():
        width = counts.get(outcome, 0) / total if total else 0.0
        if width:
            shares.append(Share(str(outcome), label, start, width))
        start += width
    return tuple(shares)


def ranked(rows: Sequence[Row]) -> list[Row]:
    """Return the rows, best first, each with the range of ranks that its ties allow."""
    scored = sorted((row for row in rows if row.mean is not None), key=best_first)
    unscored = sorted((row for row in rows if row.mean is None), key=best_first)
    separated = separations_of(scored)
    placed = [
        replace(
            row,
            rank=rank_of(place, separated.apart),
            tied_with_leader=place > 0 and bool(separated.tied[0, place]),
        )
        for place, row in enumerate(scored)
    ]
    return placed + unscored


def ranked_again(rows: Sequence[Row]) -> list[Row]:
    """Return a part of a board ranked among itself, the best first."""
    return ranked(rows) if any(row.task_means for row in rows) else sorted(rows, key=best_first)


def rank_of(place: int, apart: Flags) -> Rank:
    """Return 1 + the rows surely above, to all less the rows surely below."""
    return Rank(1 + int(apart[place, :place].sum()), len(apart) - int(apart[place, place + 1 :].sum()))


def separations_of(rows: Sequence[Row]) -> Separations:
    """Tell which rows are apart and which are tied, in their order."""
    tasks = sorted({task for row in rows for task in row.task_means})
    means = np.array([[row.task_means.get(task, np.nan) for row in rows] for task in tasks], dtype=float)
    return separated(means.tobytes(), len(tasks), len(rows))


# Keyed by the numbers themselves, so that a grade that changes is never shown with the ties of before.
@lru_cache(maxsize=64)
def separated(means: bytes, tasks: int, rows: int) -> Separations:
    return separations(np.frombuffer(means).reshape(tasks, rows))


def headline(rows: Sequence[Row], of: int | None = None) -> str:
    """Say in one sentence what ranked rows show; `of` is how many there are, when these are a part."""
    if of is not None and of > len(rows):
        return headline_of_part(rows, of)
    scored = [row for row in rows if row.mean is not None]
    if not scored:
        return "No run has a score yet."
    leader = scored[0]
    lead = f"{leader.name} leads with {percent(leader.mean)}"
    if len(scored) == 1:
        return f"{leader.name} scores {percent(leader.mean)}; no other model is evaluated yet."
    if leader.interval is None and leader.published is not None:
        return f"{lead}, {followed_by(scored[1], leader)}."
    return f"{lead}; {ties_in_words(scored)}."


def headline_of_part(rows: Sequence[Row], of: int) -> str:
    if not rows:
        return f"None of the {of} models is as you chose."
    if len(rows) == 1:
        return f"{rows[0].name} scores {percent(rows[0].mean)}; {of - 1} more models are not shown."
    return f"Of the {len(rows)} chosen from {of}, {headline(rows)}"


def followed_by(second: Row, leader: Row) -> str:
    if second.mean == leader.mean:
        return f"and so does {second.name}"
    if percent(second.mean) == percent(leader.mean):
        return f"just ahead of {second.name}"
    return f"{second.name} follows with {percent(second.mean)}"


def ties_in_words(scored: Sequence[Row]) -> str:
    tied = [row.name for row in scored if row.tied_with_leader]
    if not tied:
        return "the lead is larger than chance" if surely_first(scored) else "too few tasks to tell chance"
    if len(tied) == 1:
        return f"{tied[0]} is statistically tied"
    return f"{len(tied)} models are statistically tied"


def surely_first(scored: Sequence[Row]) -> bool:
    return scored[0].rank is not None and scored[0].rank.worst == 1
