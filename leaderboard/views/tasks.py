"""The tasks of a benchmark, and one task."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from evals.models import Benchmark, Evaluation, Run, Task
from evals.queries import frame_of, known_mean, standing_evaluations
from leaderboard.audience import is_staff, visible_tasks
from leaderboard.cache import kept_while_unchanged
from leaderboard.grids import Line, cell, mean_score, records_by
from leaderboard.views.alert_lines import alert_lines


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
    return [
        {
            "task": task,
            "alerts": len(task.alert_summary),
            "mean": mean_score(records.get(task.pk, [])),
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
    evaluations = standing_evaluations(found.benchmark)
    frame = frame_of(found.runs.filter(evaluation__in=evaluations), found.benchmark.grader)
    lines = model_lines(evaluations, frame, found)
    alerts, span = alert_lines(found.alert_summary)
    context = {
        "nav": "board",
        "benchmark": found.benchmark,
        "alerts": alerts,
        "span": span,
        "task": found,
        "lines": sorted(lines, key=lambda line: -(line.mean if line.mean is not None else -1)),
        "mean": known_mean(frame["score"].dropna()),
        "roots": root_causes(found.ground_truth),
        "truth": found.ground_truth,
    }
    return render(request, "leaderboard/task.html", context)


def model_lines(evaluations: Iterable[Evaluation], frame: pd.DataFrame, found: Task) -> list[Line]:
    records = records_by(frame, "evaluation")
    return [
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


def root_causes(truth: dict[str, Any]) -> list[dict[str, Any]]:
    return [group for group in truth.get("groups", ()) if group.get("root_cause")]
