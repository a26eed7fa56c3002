"""Reads that cross models, and the numbers made of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pandas as pd
from django.db.models import Count, FilteredRelation, Q, QuerySet

from evals.models import Benchmark, Evaluation, GradeOutcome, Run, RunState
from evals.statistics import Interval, bootstrap_interval, standard_error

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


def standing_evaluations(benchmark: Benchmark) -> list[Evaluation]:
    """Return the evaluation that stands for each language model on the benchmark's board.

    It is the one with the most scored runs, then the newest: an evaluation that has only begun
    does not push a finished one from the board, and a repeated one takes its place once it is as complete.
    """
    graded = Count("runs", filter=Q(runs__grades__grader=benchmark.grader), distinct=True)
    evaluations = (
        Evaluation.objects.filter(benchmark=benchmark)
        .annotate(scored_runs=graded)
        .select_related("language_model")
        .order_by("-scored_runs", "-created_at", "-pk")
    )
    standing: dict[int, Evaluation] = {}
    for evaluation in evaluations:
        standing.setdefault(evaluation.language_model_id, evaluation)
    return list(standing.values())


def score_frame(benchmark: Benchmark, evaluations: Collection[int] | None = None) -> pd.DataFrame:
    """Return one row a run, with the columns of `COLUMNS` and `tokens`, in one query.

    `evaluations` are ids; None takes the evaluations that stand for their models. `score` and `outcome`
    come from the newest version of the benchmark's grader, NaN where that gave none; `cost_usd` is NaN
    and `tokens` is NaN where unknown. No turns are read: totals come from the runs.
    """
    if evaluations is None:
        evaluations = [evaluation.pk for evaluation in standing_evaluations(benchmark)]
    return frame_of(Run.objects.filter(evaluation__in=evaluations), benchmark.grader)


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


def summaries(frame: pd.DataFrame) -> dict[int, Summary]:
    """Return the summary of each evaluation in a score frame, by evaluation id."""
    return {
        evaluation: summarise(frame[frame["evaluation"] == evaluation])
        for evaluation in frame["evaluation"].unique().tolist()
    }


def evaluation_summary(evaluation: Evaluation) -> Summary:
    """Return what the evaluation's runs come to so far: the same numbers as on the board."""
    return summarise(score_frame(evaluation.benchmark, [evaluation.pk]))


def summarise(runs: pd.DataFrame) -> Summary:
    """Return what these runs of one evaluation come to."""
    scored = runs[runs["score"].notna()]
    ended = runs[runs["state"] == RunState.ENDED]
    task_means = scored.groupby("task")["score"].mean()
    values = task_means.tolist()
    states = runs["state"].value_counts()
    outcomes = scored["outcome"].value_counts()
    return Summary(
        mean=float(task_means.mean()) if values else None,
        interval=bootstrap_interval(values),
        standard_error=standard_error(values),
        task_means=dict(zip(task_means.index.tolist(), values, strict=True)),
        planned=len(runs),
        scored=len(scored),
        unscored=len(ended) - len(scored),
        errored=int(states.get(RunState.ERRORED, 0)),
        active=int(states.get(RunState.QUEUED, 0) + states.get(RunState.RUNNING, 0)),
        cancelled=int(states.get(RunState.CANCELLED, 0)),
        outcomes={outcome: int(outcomes.get(outcome, 0)) for outcome in GradeOutcome.values},
        cost_per_task_usd=known_mean(ended["cost_usd"]),
        cost_total_usd=known_sum(runs["cost_usd"]),
        turns_per_task=known_mean(ended["turns"]),
        tokens_per_task=known_mean(ended["tokens"]),
        seconds_per_task=known_mean(ended["seconds"]),
    )


def known_mean(values: pd.Series) -> float | None:
    """Return the mean, or None for no values or when any is unknown: pandas would leave it out unsaid."""
    return None if values.empty or values.isna().any() else float(values.mean())


def known_sum(values: pd.Series) -> float | None:
    return None if values.isna().any() else float(values.sum())
