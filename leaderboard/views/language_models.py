"""The language models, and one of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from evals.models import Benchmark, LanguageModel, Run, Task
from evals.queries import frame_of
from leaderboard.audience import counts_visible, is_staff, visible_tasks
from leaderboard.breakdowns import CategoryScore, category_scores
from leaderboard.cache import kept_for_a_minute, kept_while_unchanged
from leaderboard.distributions import Histogram, costs_histogram, turns_histogram
from leaderboard.grids import Line, task_lines
from leaderboard.investigations import Investigation, investigation_in
from leaderboard.mistakes import Mistakes, mistakes_in, newest_grades
from leaderboard.remarks import TagCount, tags_of
from leaderboard.rows import Row, board_rows
from leaderboard.units import percent


@dataclass(frozen=True)
class Standing:
    """A model's place on one board."""

    benchmark: Benchmark
    row: Row
    rows: int  # on that board
    counts_visible: bool
    # Of the tasks this visitor may see:
    lines: Sequence[Line]
    categories: Sequence[CategoryScore]  # best first; empty where no task has a category
    categories_finding: str
    histograms: Sequence[Histogram]
    mistakes: Mistakes
    investigation: Investigation
    tags: Sequence[TagCount]


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
    played_here = [evaluation for evaluation in evaluations if not evaluation.imported]
    benchmarks = {evaluation.benchmark_id: evaluation.benchmark for evaluation in played_here}
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
    every = benchmark.tasks.defer("ground_truth", "ground_truth_text").select_related("benchmark")
    tasks = list(visible_tasks(request, every))
    evaluation = row.evaluation
    runs = Run.objects.filter(evaluation=evaluation, task__in=tasks)
    frame = frame_of(runs, benchmark.grader)
    grades = newest_grades(runs, benchmark.grader)
    categories = scores_of_categories(row, tasks)
    drawn = turns_histogram(frame), costs_histogram(frame)
    return Standing(
        benchmark=benchmark,
        row=row,
        rows=sum(other.rank is not None for other in rows),
        counts_visible=counts_visible(request, benchmark.tasks.all()),
        lines=task_lines(tasks, frame),
        categories=categories,
        categories_finding=categories_in_words(categories),
        histograms=[histogram for histogram in drawn if histogram],
        mistakes=mistakes_in(grades),
        investigation=investigation_in(grades),
        tags=tags_of(runs),
    )


def scores_of_categories(row: Row, tasks: Iterable[Task]) -> list[CategoryScore]:
    """Return the model's score by fault category, the best first; tasks of no category tell nothing."""
    categories = {task.pk: task.fault_category for task in tasks if task.fault_category}
    return sorted(
        category_scores(row.task_means, categories), key=lambda score: (-score.mean, score.category)
    )


def categories_in_words(scores: Sequence[CategoryScore]) -> str:
    """Say where the model is best and worst; `scores` begin with the best."""
    shown = [percent(score.mean) for score in scores]
    if len(set(shown)) < 2:
        return f"{shown[0]} in every category" if shown else ""
    best = [score.category for score, text in zip(scores, shown, strict=True) if text == shown[0]]
    worst = [score.category for score, text in zip(scores, shown, strict=True) if text == shown[-1]]
    return f"Best at {named(best)} with {shown[0]}, worst at {named(worst)} with {shown[-1]}"


def named(categories: Sequence[str]) -> str:
    return categories[0] if len(categories) == 1 else f"{len(categories)} categories"
