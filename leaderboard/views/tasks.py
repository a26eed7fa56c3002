"""The tasks of a benchmark, and one task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from evals.models import Benchmark, Evaluation, Grade, Run, RunState, Task
from evals.queries import Summary, frame_of, standing_evaluations
from leaderboard.audience import counts_visible, is_staff, visible_tasks
from leaderboard.cache import kept_while_unchanged
from leaderboard.difficulty import difficulties
from leaderboard.grids import Line, cell, mean_score, records_by
from leaderboard.investigations import investigation_in
from leaderboard.mistakes import mistakes_in, newest_grades
from leaderboard.propagation import spread_of
from leaderboard.remarks import tags_of
from leaderboard.rows import Share, outcome_shares
from leaderboard.views.alert_lines import alert_lines

MOST_IMPORTED = 50
TELLS_APART = (
    "The correlation, over models, of the task's score with the mean of the other tasks here. 1: it orders "
    "models as the others do. Known for 3 models and more, unless all score alike"
)


@require_safe
@kept_while_unchanged
def task_list(request: HttpRequest, slug: str) -> HttpResponse:
    benchmark = get_object_or_404(Benchmark, slug=slug)
    tasks = list(visible_tasks(request, benchmark.tasks.defer("ground_truth", "ground_truth_text")))
    evaluations = [evaluation.pk for evaluation in standing_evaluations(benchmark)]
    frame = frame_of(Run.objects.filter(evaluation__in=evaluations, task__in=tasks), benchmark.grader)
    context = {
        "nav": "board",
        "benchmark": benchmark,
        "staff": is_staff(request),
        "lines": task_rows(tasks, frame),
        "any_category": any(task.fault_category for task in tasks),
    }
    return render(request, "leaderboard/tasks.html", context)


def task_rows(tasks: Iterable[Task], frame: pd.DataFrame) -> list[dict[str, Any]]:
    records = records_by(frame, "task")
    difficulty = difficulties([task.pk for task in tasks], frame)
    return [
        {
            "task": task,
            "alerts": len(task.alert_summary),
            "mean": difficulty[task.pk].mean,
            "solved": sum(record["score"] == 1 for record in records.get(task.pk, [])),
            "scored": sum(pd.notna(record["score"]) for record in records.get(task.pk, [])),
        }
        for task in tasks
    ]


@require_safe
@kept_while_unchanged
def task(request: HttpRequest, benchmark: str, slug: str) -> HttpResponse:
    tasks = visible_tasks(request, Task.objects.select_related("benchmark"))
    found = get_object_or_404(tasks, benchmark__slug=benchmark, slug=slug)
    beside = list(visible_tasks(request, found.benchmark.tasks.order_by()).values_list("pk", flat=True))
    evaluations = standing_evaluations(found.benchmark)
    of_board = Run.objects.filter(evaluation__in=evaluations, task__in=beside)
    board = frame_of(of_board, found.benchmark.grader)
    frame = board[board["task"] == found.pk]
    grades = newest_grades(of_board.filter(task=found), found.benchmark.grader)
    alerts, span = alert_lines(found.alert_summary)
    context = {
        "nav": "board",
        "benchmark": found.benchmark,
        "alerts": alerts,
        "span": span,
        "task": found,
        "lines": model_lines(evaluations, frame),
        "difficulty": difficulties(beside, board)[found.pk],
        "tells_apart": TELLS_APART,
        "all_visible": counts_visible(request, found.benchmark.tasks.all()),
        "shares": shares(frame),
        "investigation": investigation_in(grades),
        "imported": imported_runs(found),
        "tags": tags_of(of_board.filter(task=found)),
        "mistakes": mistakes_in(grades),
        "roots": root_causes(found.ground_truth),
        "truth": found.ground_truth,
        "spread": spread_of(found.ground_truth),
    }
    return render(request, "leaderboard/task.html", context)


def imported_runs(found: Task) -> list[Run]:
    """Return the latest runs of the task that were played elsewhere: listed apart, and in no figure above."""
    runs = Run.objects.filter(task=found).exclude(evaluation__harness="")
    newest = runs.select_related("evaluation__language_model").order_by("-pk")[:MOST_IMPORTED]
    grades = Grade.objects.filter(run__in=[run.pk for run in newest]).order_by("grader_version")
    scores = {grade.run_id: grade.score for grade in grades}
    for run in newest:
        run.shown_score = scores.get(run.pk)  # type: ignore[attr-defined]
    return list(newest)


def model_lines(evaluations: Iterable[Evaluation], frame: pd.DataFrame) -> list[Line]:
    """Return a line for each model that tried the task, the best first."""
    records = records_by(frame, "evaluation")
    lines = [
        Line(
            label=str(evaluation.language_model),
            url=evaluation.language_model.get_absolute_url(),
            detail="",
            cells=tuple(cell(record, str(evaluation.language_model)) for record in records[evaluation.pk]),
            mean=mean_score(records[evaluation.pk]),
        )
        for evaluation in evaluations
        if evaluation.pk in records
    ]
    return sorted(lines, key=lambda line: -(line.mean if line.mean is not None else -1))


def shares(frame: pd.DataFrame) -> tuple[Share, ...]:
    """Return how all runs of a score frame came out."""
    outcomes = {str(outcome): int(runs) for outcome, runs in frame["outcome"].value_counts().items()}
    return outcome_shares(Summary(outcomes=outcomes, errored=int((frame["state"] == RunState.ERRORED).sum())))


def root_causes(truth: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [group for group in truth.get("groups", ()) if group.get("root_cause")]
