"""Reads that cross models, and the numbers made of them."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from statistics import fmean

import pandas as pd
from django.db.models import Count, FilteredRelation, Q, QuerySet

from evals.models import Benchmark, Evaluation, GradeOutcome, Run, RunState
from evals.statistics import Interval, bootstrap_intervals_of, standard_error

# Columns of a score frame, and where each is read.
COLUMNS = {
    "run": "pk",
    "evaluation": "evaluation_id",
    "language_model": "evaluation__language_model_id",
    "task": "task_id",
    "repeat": "repeat",
    "state": "state",
    "outcome": "chosen_grade__outcome",
    "score": "chosen_grade__score",
    "grader_version": "chosen_grade__grader_version",
    "cost_usd": "cost_usd",
    "turns": "turns_total",
    "input_tokens": "input_tokens",
    "cache_read_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "output_tokens": "output_tokens",
    "reasoning_tokens": "reasoning_tokens",
    "tokens_known": "tokens_known",
    "seconds": "duration_s",
}
NUMBERS = ["score", "cost_usd", "seconds"]
# Means over ended runs, and their names in a Summary.
FIGURES = {
    "cost_usd": "cost_per_task_usd",
    "turns": "turns_per_task",
    "tokens": "tokens_per_task",
    "seconds": "seconds_per_task",
}
TOKEN_KINDS = ["input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens"]


@dataclass(frozen=True)
class Summary:
    """What the runs of one evaluation come to. Per-task figures are means over its ended runs."""

    mean: float | None = None  # of the task means, 0 to 1: every task weighs the same; None: no score yet
    interval: Interval | None = None  # of the mean, over tasks; None for fewer than two
    standard_error: float | None = None  # over tasks; None for fewer than two
    task_means: Mapping[int, float] = field(default_factory=dict)  # by task id, tasks with a score only
    planned: int = 0  # runs in all
    scored: int = 0  # runs behind the mean
    unscored: int = 0  # runs that ended without a grade: shown, never counted as 0
    errored: int = 0
    active: int = 0  # queued and running
    cancelled: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)  # graded runs by GradeOutcome
    cost_per_task_usd: float | None = None  # None when the cost of any ended run is unknown
    cost_total_usd: float | None = None  # of all runs, errored ones too; None when any is unknown
    turns_per_task: float | None = None
    tokens_per_task: float | None = None  # None when any ended run has unknown tokens
    seconds_per_task: float | None = None

    @property
    def complete(self) -> bool:
        return self.planned > 0 and self.scored == self.planned


def standing_evaluations(benchmark: Benchmark, until: datetime | None = None) -> list[Evaluation]:
    """Return the evaluation that stands for each language model on the benchmark's board.

    It is the one with the most scored runs, then the newest: an evaluation that has only begun
    does not push a finished one from the board, and a repeated one takes its place once it is as complete.
    With `until`, the one that stood then. Imported evaluations stand for nobody: another harness played them.
    """
    then = Q() if until is None else Q(runs__ended_at__lt=until)
    graded = Count("runs", filter=Q(runs__grades__grader=benchmark.grader) & then, distinct=True)
    evaluations = (
        Evaluation.objects.filter(benchmark=benchmark, harness="")
        .filter(**({} if until is None else {"created_at__lt": until}))
        .annotate(scored_runs=graded)
        .select_related("language_model")
        .order_by("-scored_runs", "-created_at", "-pk")
    )
    standing: dict[int, Evaluation] = {}
    for evaluation in evaluations:
        standing.setdefault(evaluation.language_model_id, evaluation)
    return list(standing.values())


def score_frame(
    benchmark: Benchmark, evaluations: Collection[int] | None = None, until: datetime | None = None
) -> pd.DataFrame:
    """Return one row a run, with the columns of `COLUMNS` and `tokens`, in one query.

    `evaluations` are ids; None takes the evaluations that stand for their models. `score` and `outcome`
    come from the newest version of the benchmark's grader, NaN where that gave none; `cost_usd` is NaN
    and `tokens` is NaN where unknown. No turns are read: totals come from the runs. With `until`, only
    runs that had come to their end by then.
    """
    if evaluations is None:
        evaluations = [evaluation.pk for evaluation in standing_evaluations(benchmark)]
    runs = Run.objects.filter(evaluation__in=evaluations)
    return frame_of(runs if until is None else runs.filter(ended_at__lt=until), benchmark.grader)


def frame_of(runs: QuerySet[Run], grader: str) -> pd.DataFrame:
    rows = (
        runs.annotate(chosen_grade=FilteredRelation("grades", condition=Q(grades__grader=grader)))
        .order_by("task_id", "repeat", "pk", "chosen_grade__grader_version")
        .values_list(*COLUMNS.values())
    )
    frame = pd.DataFrame.from_records(list(rows), columns=list(COLUMNS))
    frame = frame.drop_duplicates("run", keep="last", ignore_index=True)
    frame[NUMBERS] = frame[NUMBERS].astype(float)
    # A score stands only for an attempt that came to its end: we never grade our own failures.
    frame.loc[frame["state"] != RunState.ENDED, ["score", "outcome"]] = None
    frame["tokens"] = frame[TOKEN_KINDS].sum(axis=1).where(frame["tokens_known"].astype(bool))
    return frame


def evaluation_summary(evaluation: Evaluation) -> Summary:
    """Return what the evaluation's runs come to so far: the same numbers as on the board."""
    return summarise(score_frame(evaluation.benchmark, [evaluation.pk]))


def summarise(frame: pd.DataFrame) -> Summary:
    """Return the summary of a score frame that holds the runs of one evaluation, or none."""
    return next(iter(summaries(frame).values()), Summary())


def summaries(frame: pd.DataFrame) -> dict[int, Summary]:
    """Return the summary of each evaluation in a score frame, by evaluation id.

    Grouped once for all: a hundred evaluations cost little more than one.
    """
    scored = frame[frame["score"].notna()]
    states, outcomes = counts_by(frame, "state"), counts_by(scored, "outcome")
    means, figures = means_by_task(scored), figures_by_evaluation(frame)
    learn_intervals(tuple(each.values()) for each in means.values())
    return {
        evaluation: summary_of(means.get(evaluation, {}), counts, outcomes[evaluation], figures[evaluation])
        for evaluation, counts in list(states.items())
    }


def summary_of(
    task_means: dict[int, float],
    states: Counter[str],
    outcomes: Counter[str],
    figures: dict[str, float | None],
) -> Summary:
    values = tuple(task_means.values())
    scored = outcomes.total()
    return Summary(
        mean=fmean(values) if values else None,
        interval=interval_of(values),
        standard_error=standard_error(values),
        task_means=task_means,
        planned=states.total(),
        scored=scored,
        unscored=states[RunState.ENDED] - scored,
        errored=states[RunState.ERRORED],
        active=states[RunState.QUEUED] + states[RunState.RUNNING],
        cancelled=states[RunState.CANCELLED],
        outcomes={outcome: outcomes[outcome] for outcome in GradeOutcome.values},
        **figures,
    )


# Kept under the numbers themselves: ten thousand draws for each model on a board add up.
known_intervals: dict[tuple[float, ...], Interval | None] = {}
MOST_INTERVALS = 4096


def learn_intervals(series: Iterable[tuple[float, ...]]) -> None:
    """Work out all intervals that are not known, together: a board that is new to a process has many."""
    missing = [values for values in dict.fromkeys(series) if values not in known_intervals]
    for values in list(known_intervals)[: max(len(known_intervals) + len(missing) - MOST_INTERVALS, 0)]:
        known_intervals.pop(values, None)
    known_intervals.update(zip(missing, bootstrap_intervals_of(missing), strict=True))


def interval_of(task_means: tuple[float, ...]) -> Interval | None:
    interval = known_intervals.get(task_means)
    if interval is None:  # not known, or of a single task
        interval = known_intervals[task_means] = bootstrap_intervals_of([task_means])[0]
    return interval


def counts_by(frame: pd.DataFrame, column: str) -> defaultdict[int, Counter[str]]:
    """Return how often each value of the column occurs, by evaluation."""
    counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for evaluation, value in zip(frame["evaluation"].tolist(), frame[column].tolist(), strict=True):
        counts[evaluation][value] += 1
    return counts


def means_by_task(scored: pd.DataFrame) -> dict[int, dict[int, float]]:
    """Return the mean over repeats, by evaluation and task."""
    means: dict[int, dict[int, float]] = {}
    groups = scored.groupby(["evaluation", "task"])["score"].mean().reset_index()
    for evaluation, task, mean in groups.itertuples(index=False, name=None):
        means.setdefault(evaluation, {})[task] = mean
    return means


def figures_by_evaluation(frame: pd.DataFrame) -> defaultdict[int, dict[str, float | None]]:
    """Return the figures of a Summary that are means or sums, by evaluation; None where unknown."""
    ended = frame[frame["state"] == RunState.ENDED]
    # skipna=False: one unknown makes a figure unknown, where pandas would leave it out unsaid.
    per_task = ended.groupby("evaluation")[list(FIGURES)].mean(skipna=False).rename(columns=FIGURES)
    total = frame.groupby("evaluation")["cost_usd"].sum(skipna=False).rename("cost_total_usd")
    figures: defaultdict[int, dict[str, float | None]] = defaultdict(dict)
    for column in (total, *(per_task[name] for name in FIGURES.values())):
        for evaluation, value in zip(column.index.tolist(), column.tolist(), strict=True):
            figures[evaluation][str(column.name)] = None if math.isnan(value) else value
    return figures


def known_mean(values: pd.Series) -> float | None:
    """Return the mean, or None for no values or when any is unknown."""
    return None if values.empty or values.isna().any() else float(values.mean())
