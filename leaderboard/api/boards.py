"""What is made of the rows of a board: the board, its matrix, a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any
from urllib.parse import urlencode

import numpy as np
from django.core.cache import caches
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from evals.models import Benchmark, BoardVersion, Task
from evals.statistics import paired_differences
from leaderboard.api import figures
from leaderboard.api.descriptions import described_alone
from leaderboard.api.errors import quoted, wrong
from leaderboard.api.exports import CsvRenderer, EvalResultsRenderer
from leaderboard.api.reading import Reading
from leaderboard.audience import counts_visible, visible_tasks
from leaderboard.rows import Row, board_rows, headline

LEAST_MODELS, MOST_MODELS = 2, 6


class OfBenchmark(Reading, APIView):
    """An answer about one benchmark, as this visitor may see it."""

    @cached_property
    def benchmark(self) -> Benchmark:
        return get_object_or_404(Benchmark, slug=self.kwargs["slug"])

    def rows(self) -> list[Row]:
        return kept_rows(self.benchmark)

    def context(self) -> dict[str, Any]:
        return {
            "request": self.request,
            "counts_visible": counts_visible(self.request, self.benchmark.tasks.all()),
        }

    def tasks(self) -> list[Task]:
        tasks = visible_tasks(self.request, self.benchmark.tasks.only("slug", "benchmark"))
        return list(tasks.order_by("pk"))

    def addresses(self) -> dict[str, str]:
        return {
            "url": self.request.build_absolute_uri(),
            "page": self.request.build_absolute_uri(self.benchmark.get_absolute_url()),
        }


def kept_rows(benchmark: Benchmark) -> list[Row]:
    """Return the rows of the board, made once for each state of the data, as the pages are.

    Rows and not answers are kept: those differ by host, format and reader, and all are made of these.
    """
    # Read first: a change that comes in between makes a newer number, and the rows are made again.
    number = BoardVersion.objects.filter(benchmark=benchmark).values_list("number", flat=True).first()
    key = f"board-rows-{benchmark.pk}-{number}"
    rows: list[Row] | None = caches["pages"].get(key)
    if rows is None:
        rows = board_rows(benchmark)
        caches["pages"].set(key, rows)
    return rows


@described_alone("board")
class BoardView(OfBenchmark):
    renderer_classes = (JSONRenderer, CsvRenderer, EvalResultsRenderer)

    def get(self, request: Request, slug: str) -> Response:
        rows = self.rows()
        return Response(
            {
                **self.addresses(),
                "benchmark": self.benchmark.slug,
                "headline": headline(rows),
                "rows": figures.BoardRow(rows, many=True, context=self.context()).data,
            }
        )


@described_alone("matrix")
class MatrixView(OfBenchmark):
    def get(self, request: Request, slug: str) -> Response:
        rows, tasks = self.rows(), self.tasks()
        return Response(
            {
                **self.addresses(),
                "benchmark": self.benchmark.slug,
                "tasks": [task.slug for task in tasks],
                "models": [row.model.slug for row in rows],
                "scores": [[row.task_means.get(task.pk) for row in rows] for task in tasks],
            }
        )


@described_alone("compare")
class CompareView(OfBenchmark):
    parameters = ("benchmark", "models")

    @cached_property
    def benchmark(self) -> Benchmark:
        slug = self.request.query_params.get("benchmark")
        if slug is None:
            raise wrong("benchmark", "say on which; use the `slug` of one.")
        found = Benchmark.objects.filter(slug=slug).first()
        if found is None:
            raise wrong("benchmark", f"there is none with the slug {quoted(slug)}.")
        return found

    def get(self, request: Request) -> Response:
        wanted = wanted_models(request.query_params.get("models", ""))
        rows = chosen_rows(self.rows(), wanted)
        context = self.context()
        query = urlencode({"benchmark": self.benchmark.slug, "models": ",".join(wanted)}, safe=",")
        return Response(
            {
                "url": request.build_absolute_uri(),
                "page": request.build_absolute_uri(f"{reverse('compare')}?{query}"),
                "benchmark": self.benchmark.slug,
                "models": figures.BoardRow(rows, many=True, context=context).data,
                "differences": figures.PairDifference(differences(rows), many=True, context=context).data,
                "tasks": [self.task_scores(task, rows) for task in self.tasks()],
            }
        )

    def task_scores(self, task: Task, rows: Sequence[Row]) -> dict[str, Any]:
        slugs = {"benchmark": self.benchmark.slug, "slug": task.slug}
        return {
            "url": self.request.build_absolute_uri(reverse("api:task", kwargs=slugs)),
            "page": self.request.build_absolute_uri(reverse("task", kwargs=slugs)),
            "task": task.slug,
            "scores": {row.model.slug: row.task_means.get(task.pk) for row in rows},
        }


def wanted_models(text: str) -> list[str]:
    """Return the slugs asked for, or raise a ValidationError unless they are a few different ones."""
    slugs = [slug.strip() for slug in text.split(",") if slug.strip()]
    if not LEAST_MODELS <= len(slugs) <= MOST_MODELS:
        raise wrong(
            "models", f"give {LEAST_MODELS} to {MOST_MODELS} slugs, parted by commas; these are {len(slugs)}."
        )
    if repeated := next((slug for slug in slugs if slugs.count(slug) > 1), None):
        raise wrong("models", f"{quoted(repeated)} is there twice.")
    return slugs


def chosen_rows(rows: Sequence[Row], wanted: Sequence[str]) -> list[Row]:
    by_slug = {row.model.slug: row for row in rows}
    for slug in wanted:
        if slug not in by_slug:
            raise wrong("models", f"{quoted(slug)} is not on this board.")
    return [by_slug[slug] for slug in wanted]


def differences(rows: Sequence[Row]) -> list[Mapping[str, Any]]:
    """Return the paired difference of each two rows, over all tasks that both have a score for."""
    tasks = sorted({task for row in rows for task in row.task_means})
    means = np.array([[row.task_means.get(task, np.nan) for row in rows] for task in tasks], dtype=float)
    found = paired_differences(means.reshape(len(tasks), len(rows)))
    return [
        {"first": rows[i].model.slug, "second": rows[j].model.slug, "found": found[i, j]}
        for i, j in combinations(range(len(rows)), 2)
    ]
