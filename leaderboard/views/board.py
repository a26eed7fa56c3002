"""The leaderboard of a benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from evals.models import Benchmark, Evaluation, Split
from evals.runner.importing import ELSEWHERE
from leaderboard.audience import counts_visible, is_staff
from leaderboard.boards import Board, board_of
from leaderboard.cache import kept_while_unchanged
from leaderboard.charts import board_charts
from leaderboard.choices import read_choice
from leaderboard.columns import COLUMNS, Column, exported
from leaderboard.exports import exported_as
from leaderboard.rows import board_rows, coarse, headline, published_rows, ranked_again
from leaderboard.sources import chosen_source, published_sources


@dataclass(frozen=True)
class Header:
    column: Column
    sort: str  # what a click asks for
    aria_sort: str  # "ascending", "descending" or empty


@require_safe
@kept_while_unchanged
def home(request: HttpRequest) -> HttpResponse:
    benchmarks = listed_benchmarks()
    chosen = next((b for b in benchmarks if b.evaluation_count), None) or next(
        (b for b in benchmarks if b.published_count), benchmarks[0] if benchmarks else None
    )
    if chosen is None:
        return render(request, "leaderboard/no_benchmark.html", {"nav": "board"})
    return board_page(request, chosen, benchmarks)


@require_safe
@kept_while_unchanged
def benchmark(request: HttpRequest, slug: str) -> HttpResponse:
    return board_page(request, get_object_or_404(Benchmark, slug=slug), listed_benchmarks())


def listed_benchmarks() -> list[Any]:
    """Return all benchmarks, real ones first, each with what there is to show of it."""
    return list(
        Benchmark.objects.exclude(slug=ELSEWHERE)
        .annotate(
            evaluation_count=Count("evaluations", filter=Q(evaluations__harness=""), distinct=True),
            published_count=Count("published_results", distinct=True),
        )
        .order_by("synthetic", "name")
    )


def board_page(request: HttpRequest, chosen: Benchmark, benchmarks: Sequence[Benchmark]) -> HttpResponse:
    choice = read_choice(request.GET)
    sources = published_sources(chosen)
    own_rows = board_rows(chosen, choice.as_of)
    source = chosen_source(choice.source, sources, fall_back=not own_rows)
    all_rows = published_rows(source.results) if source else own_rows
    visible = source is not None or counts_visible(request, chosen.tasks.all())
    board = board_of(all_rows, choice)
    ranked_part = ranked_again(board.rows)
    if not visible:
        board = replace(board, rows=tuple(map(coarse, board.rows)))
        ranked_part = list(map(coarse, ranked_part))
    if export := request.GET.get("format"):
        table = exported(board.rows, board.columns, counts_visible=visible)
        return exported_as(export, f"{chosen.slug}-board", table)
    context = {
        "nav": "board",
        "benchmark": chosen,
        "benchmarks": benchmarks,
        "tasks": task_counts(chosen),
        "staff": is_staff(request),
        "sources": sources,
        "source": source,
        "has_own_rows": bool(own_rows),
        "choice": choice,
        "board": board,
        "column_choices": [
            (column, column in board.columns) for column in COLUMNS if not column.empty_for(all_rows)
        ],
        "charts": board_charts(ranked_part),
        "headline": headline(ranked_part, of=len(all_rows)),
        "headers": headers(board),
        "shown": {column.key for column in board.columns},
        "intervals": any(row.interval for row in board.rows),
        "counts_visible": visible,
        "active": list(
            chosen.evaluations.filter(state__in=Evaluation.ACTIVE).select_related("language_model")[:5]
        ),
    }
    return render(request, "leaderboard/board.html", context)


def headers(board: Board) -> list[Header]:
    made = []
    for column in board.columns:
        sorted_now = column.key == board.sort
        falls = board.descending if sorted_now else not column.falls_first
        direction = "descending" if board.descending else "ascending"
        made.append(Header(column, f"{'' if falls else '-'}{column.key}", direction if sorted_now else ""))
    return made


def task_counts(chosen: Benchmark) -> dict[str, int]:
    return chosen.tasks.aggregate(
        public=Count("pk", filter=Q(split=Split.PUBLIC)), held_out=Count("pk", filter=Q(split=Split.HELD_OUT))
    )
