"""Two runs of one task side by side, and the choice of the second one."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from evals.models import Run
from evals.queries import standing_evaluations
from leaderboard.audience import visible_runs
from leaderboard.pairs import ROWS_A_PAGE, pair_of
from leaderboard.views.runs import find_run, newest_grade, newest_grades, whole_number

MOST_OFFERED = 300


@require_safe
def pair(request: HttpRequest, pk: int, other: int) -> HttpResponse:
    left, right = find_run(request, pk), find_run(request, other)
    if left.task_id != right.task_id or pk == other:
        return redirect("pair-choose", pk=pk)
    found = pair_of(left, right, (newest_grade(left), newest_grade(right)))
    pages = max(-(-len(found.rows) // ROWS_A_PAGE), 1)
    page = min(max(whole_number(request.GET.get("page", ""), 1), 1), pages)
    context = {
        "nav": "evaluations",
        "benchmark": left.evaluation.benchmark,
        "pair": found,
        "rows": found.rows[ROWS_A_PAGE * (page - 1) : ROWS_A_PAGE * page],
        "page": page,
        "pages": pages,
        "previous": page - 1 or None,
        "next": page + 1 if page < pages else None,
    }
    return render(request, "leaderboard/pair.html", context)


@require_safe
def choose(request: HttpRequest, pk: int) -> HttpResponse:
    """The runs that one can be put beside: its repeats, those on the board, then imported ones."""
    left = find_run(request, pk)
    runs = visible_runs(request, Run.objects.filter(task=left.task).exclude(pk=pk))
    offered = runs.select_related("evaluation__language_model").order_by("evaluation_id", "repeat")[
        :MOST_OFFERED
    ]
    standing = {evaluation.pk for evaluation in standing_evaluations(left.evaluation.benchmark)}
    grades = newest_grades([run.pk for run in offered], left.evaluation.benchmark.grader)
    groups: dict[str, list[dict[str, Any]]] = {title: [] for title in GROUPS}
    for run in offered:
        groups[group_of(run, left, standing)].append({"run": run, "grade": grades.get(run.pk)})
    context = {
        "nav": "evaluations",
        "benchmark": left.evaluation.benchmark,
        "run": left,
        "groups": [(title, rows) for title, rows in groups.items() if rows],
    }
    return render(request, "leaderboard/pair_choose.html", context)


GROUPS = ("Its repeats", "Models on the board", "Other evaluations", "Imported runs")


def group_of(run: Run, left: Run, standing: set[int]) -> str:
    if run.evaluation_id == left.evaluation_id:
        return GROUPS[0]
    if run.evaluation.imported:
        return GROUPS[3]
    return GROUPS[1] if run.evaluation_id in standing else GROUPS[2]
