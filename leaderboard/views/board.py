"""The leaderboard of a benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from evals.models import Benchmark, Evaluation, PublishedResult, Split
from leaderboard.cache import kept_while_unchanged
from leaderboard.charts import board_charts
from leaderboard.rows import SORT_KEYS, Row, board_rows, headline, published_rows, sorted_rows
from leaderboard.views.audience import counts_visible, is_staff

# Key, header, unit below it, explanation; the sign tells which end a first click shows first.
COLUMNS = (
    ("model", "Model", "", "The language model and its setting", ""),
    ("creator", "Creator", "", "Who made the language model", ""),
    ("score", "Score", "95 % interval", "Mean over tasks of the mean over repeats", "-"),
    ("cost", "Cost", "$ / task", "Mean cost of one attempt at a task, in US dollars", ""),
    ("turns", "Turns", "/ task", "Mean number of turns of one attempt: a turn is one reply of the model", ""),
    ("tokens", "Tokens", "/ task", "Mean tokens of one attempt, read and written, cached ones too", ""),
    ("time", "Time", "/ task", "Mean time of one attempt, model and commands together", ""),
)  # fmt: skip


@dataclass(frozen=True)
class Header:
    key: str
    label: str
    unit: str
    title: str
    sort: str  # what a click asks for
    aria_sort: str  # "ascending", "descending" or empty


@dataclass(frozen=True)
class Source:
    """Numbers that somebody published at one date: a board of its own."""

    key: str
    name: str
    url: str
    as_of: str
    results: tuple[PublishedResult, ...]


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
        Benchmark.objects.annotate(
            evaluation_count=Count("evaluations", distinct=True),
            published_count=Count("published_results", distinct=True),
        ).order_by("synthetic", "name")
    )


def board_page(request: HttpRequest, chosen: Benchmark, benchmarks: Sequence[Benchmark]) -> HttpResponse:
    sources = published_sources(chosen)
    own_rows = board_rows(chosen)
    source = chosen_source(request.GET.get("results", ""), sources, fall_back=not own_rows)
    rows = published_rows(source.results) if source else own_rows
    sort, descending = chosen_sort(request.GET.get("sort", ""))
    shown = shown_columns(rows)
    context = {
        "nav": "board",
        "benchmark": chosen,
        "benchmarks": benchmarks,
        "tasks": task_counts(chosen),
        "staff": is_staff(request),
        "sources": sources,
        "source": source,
        "has_own_rows": bool(own_rows),
        "rows": sorted_rows(rows, sort, descending=descending) if sort else rows,
        "charts": board_charts(rows),
        "headline": headline(rows),
        "headers": headers(shown, sort or "score", descending=descending or not sort),
        "shown": shown,
        "counts_visible": counts_visible(request, chosen.tasks.all()),
        "active": list(
            chosen.evaluations.filter(state__in=Evaluation.ACTIVE).select_related("language_model")[:5]
        ),
    }
    return render(request, "leaderboard/board.html", context)


def published_sources(chosen: Benchmark) -> list[Source]:
    groups: dict[str, list[PublishedResult]] = {}
    results = chosen.published_results.select_related("language_model").order_by(
        "-as_of", "source_name", "pk"
    )
    for result in results:
        key = slugify(" ".join([result.source_name, result.agent, result.as_of]))
        groups.setdefault(key, []).append(result)
    return [
        Source(key, group[0].source_name, group[0].source_url, group[0].as_of, tuple(group))
        for key, group in groups.items()
    ]


def chosen_source(key: str, sources: Sequence[Source], *, fall_back: bool) -> Source | None:
    """Return the source asked for; without runs made here the newest, rather than an empty board."""
    asked = next((source for source in sources if source.key == key), None)
    return asked or (sources[0] if fall_back and sources else None)


def task_counts(chosen: Benchmark) -> dict[str, int]:
    return chosen.tasks.aggregate(
        public=Count("pk", filter=Q(split=Split.PUBLIC)), held_out=Count("pk", filter=Q(split=Split.HELD_OUT))
    )


def chosen_sort(text: str) -> tuple[str, bool]:
    """Return the column and whether it falls; an unknown one is as good as none."""
    key = text.removeprefix("-")
    return (key, text.startswith("-")) if key in SORT_KEYS else ("", False)


def headers(shown: Mapping[str, bool], sort: str, *, descending: bool) -> list[Header]:
    made = []
    for key, label, unit, title, first in COLUMNS:
        if not shown[key]:
            continue
        sorted_now = key == sort
        falls = descending if sorted_now else not first
        made.append(
            Header(
                key=key,
                label=label,
                unit="" if key == "score" and not shown["interval"] else unit,
                title=title,
                sort=f"{'' if falls else '-'}{key}",
                aria_sort=("descending" if descending else "ascending") if sorted_now else "",
            )
        )
    return made


def shown_columns(rows: Sequence[Row]) -> dict[str, bool]:
    """Tell which columns hold anything: one that is empty for every row hides itself."""
    shown = {key: any(value(row) is not None for row in rows) for key, value in SORT_KEYS.items()}
    return {
        **shown,
        "outcomes": any(row.outcomes for row in rows),
        "interval": any(row.interval for row in rows),
        "runs": any(row.evaluation for row in rows),
    }
