"""The language models, and one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from evals.models import Benchmark, LanguageModel
from evals.queries import score_frame
from leaderboard.audience import counts_visible, is_staff, visible_tasks
from leaderboard.cache import kept_for_a_minute, kept_while_unchanged
from leaderboard.grids import Line, task_lines
from leaderboard.rows import Row, board_rows


@dataclass(frozen=True)
class Standing:
    """A model's place on one board."""

    benchmark: Benchmark
    row: Row
    rows: int  # on that board
    lines: Sequence[Line]  # of the tasks this visitor may see
    counts_visible: bool


@require_safe
@kept_while_unchanged
def model_list(request: HttpRequest) -> HttpResponse:
    models = LanguageModel.objects.annotate(
        evaluation_count=Count("evaluations", distinct=True),
        published_count=Count("published_results", distinct=True),
    ).order_by("name", "setting")
    context = {"nav": "models", "models": models, "staff": is_staff(request)}
    return render(request, "leaderboard/models.html", context)


@require_safe
@kept_for_a_minute
def model(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(LanguageModel, slug=slug)
    evaluations = list(found.evaluations.select_related("benchmark").order_by("-created_at", "-pk"))
    benchmarks = {evaluation.benchmark_id: evaluation.benchmark for evaluation in evaluations}
    context = {
        "nav": "models",
        "model": found,
        "staff": is_staff(request),
        "standings": [standing(request, found, benchmark) for benchmark in benchmarks.values()],
        "evaluations": evaluations,
        "published": found.published_results.select_related("benchmark").order_by("-as_of"),
    }
    return render(request, "leaderboard/model.html", context)


def standing(request: HttpRequest, found: LanguageModel, benchmark: Benchmark) -> Standing:
    """Return the model's row as the board has it: ranks need the rows of all."""
    rows = board_rows(benchmark)
    row = next(row for row in rows if row.model == found)
    tasks = visible_tasks(request, benchmark.tasks.defer("ground_truth", "ground_truth_text"))
    evaluation = row.evaluation
    frame = score_frame(benchmark, [evaluation.pk] if evaluation else [])
    return Standing(
        benchmark=benchmark,
        row=row,
        rows=sum(other.rank is not None for other in rows),
        lines=task_lines(tasks.select_related("benchmark"), frame),
        counts_visible=counts_visible(request, benchmark.tasks.all()),
    )
