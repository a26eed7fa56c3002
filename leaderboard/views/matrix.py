"""The matrix of a benchmark: tasks against models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from evals.models import Benchmark, Task
from evals.queries import score_frame, standing_evaluations
from leaderboard.audience import counts_visible, is_staff, visible_tasks
from leaderboard.cache import kept_while_unchanged
from leaderboard.columns import Table
from leaderboard.exports import exported_as
from leaderboard.matrices import (
    SORT_KEYS,
    TASK_FIELDS,
    MatrixLine,
    finding,
    matrix_lines,
    published_lines,
    scored_rows,
    short_names,
    sorted_lines,
    with_discriminations,
)
from leaderboard.rows import Row, published_rows
from leaderboard.sources import Source, chosen_source, published_sources

MOST_UPRIGHT = 12  # names that fit beside each other without being turned
DEFAULT_SORT = "difficulty"
TELLS_APART = (
    "How well the task tells models apart: the correlation, over models, of its score with the mean of the "
    "other tasks here. 1: it orders models as the others do. A dash: fewer than 3 models, or all score alike"
)
# Key, header, unit below it, explanation, and whether a first click shows the largest first.
COLUMNS = (
    ("task", "Task", "", "", False),
    ("difficulty", "Mean", "over models", "How hard the task is: the mean of all models' scores", False),
    ("discrimination", "Tells apart", "correlation", TELLS_APART, True),
)


@dataclass(frozen=True)
class Header:
    label: str
    unit: str
    title: str
    sort: str  # what a click asks for
    aria_sort: str  # "ascending", "descending" or empty


@require_safe
@kept_while_unchanged
def matrix(request: HttpRequest, slug: str) -> HttpResponse:
    benchmark = get_object_or_404(Benchmark, slug=slug)
    tasks = list(visible_tasks(request, benchmark.tasks.only(*TASK_FIELDS)))
    source, rows, lines = scores_of(benchmark, tasks, request.GET.get("results", ""))
    sort, descending = chosen_sort(request.GET.get("sort", ""))
    lines = sorted_lines(with_discriminations(lines), sort, descending=descending)
    if kind := request.GET.get("format"):
        return exported_as(kind, f"{benchmark.slug}-matrix", matrix_table(rows, lines))
    all_visible = source is not None or counts_visible(request, benchmark.tasks.all())
    context = {
        "nav": "board",
        "benchmark": benchmark,
        "staff": is_staff(request),
        "source": source,
        "columns": list(zip(rows, short_names(rows), strict=True)),
        "upright": len(rows) <= MOST_UPRIGHT,
        "lines": lines,
        "finding": finding(lines, len(rows), "tasks" if all_visible else "public tasks"),
        "any_category": any(task.fault_category for task in tasks),
        "counts_visible": all_visible,
        "headers": headers(sort, descending=descending),
    }
    return render(request, "leaderboard/matrix.html", context)


def scores_of(
    benchmark: Benchmark, tasks: Sequence[Task], wanted: str
) -> tuple[Source | None, list[Row], list[MatrixLine]]:
    """Return where the scores come from (None: evaluated here), the models, and a line a task."""
    evaluations = standing_evaluations(benchmark)
    sources = published_sources(benchmark) if wanted or not evaluations else []
    source = chosen_source(wanted, sources, fall_back=not evaluations)
    if source:
        published = [row for row in published_rows(source.results) if row.task_means]
        return source, published, published_lines(published, tasks)
    frame = score_frame(benchmark, [evaluation.pk for evaluation in evaluations])
    rows = scored_rows(evaluations, frame)
    return None, rows, matrix_lines(benchmark, tasks, rows, frame)


def chosen_sort(text: str) -> tuple[str, bool]:
    """Return the column and whether it falls; an unknown one is as good as none."""
    key = text.removeprefix("-")
    return (key, text.startswith("-")) if key in SORT_KEYS else (DEFAULT_SORT, False)


def headers(sort: str, *, descending: bool) -> list[Header]:
    made = []
    for key, label, unit, title, falls_first in COLUMNS:
        sorted_now = key == sort
        falls = not descending if sorted_now else falls_first
        aria_sort = ("descending" if descending else "ascending") if sorted_now else ""
        made.append(Header(label, unit, title, f"{'-' if falls else ''}{key}", aria_sort))
    return made


def matrix_table(rows: Sequence[Row], lines: Sequence[MatrixLine]) -> Table:
    """Return the matrix as an export carries it: a record a task, a field a model by its slug."""
    names = ["task", "fault_category", "mean", "discrimination", *(row.model.slug for row in rows)]
    records: list[list[Any]] = [
        [
            line.task.slug,
            line.task.fault_category or None,
            line.mean,
            line.discrimination,
            *(cell.mean for cell in line.cells),
        ]
        for line in lines
    ]
    return Table(names, records)
