"""The charts of a benchmark: what the means on its board are made of."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from evals.models import Benchmark
from evals.queries import score_frame
from leaderboard import breakdown_charts as drawing
from leaderboard.audience import counts_visible, visible_tasks
from leaderboard.breakdowns import (
    coarse_use,
    priced,
    prices_of,
    scores_by_category,
    token_use,
    turns_by_outcome,
)
from leaderboard.cache import kept_while_unchanged
from leaderboard.rows import board_rows, coarse, published_rows
from leaderboard.sources import chosen_source, published_sources
from leaderboard.what_if import FIELDS, answered, read_what_if


@require_safe
@kept_while_unchanged
def charts(request: HttpRequest, slug: str) -> HttpResponse:
    benchmark = get_object_or_404(Benchmark, slug=slug)
    rows = board_rows(benchmark)
    source = chosen_source(request.GET.get("results", ""), published_sources(benchmark), fall_back=not rows)
    rows = published_rows(source.results) if source else rows
    frame = score_frame(benchmark, [row.evaluation.pk for row in rows if row.evaluation])
    categories = dict(visible_tasks(request, benchmark.tasks.all()).values_list("pk", "fault_category"))
    uses = token_use(rows, frame)
    visible = source is not None or counts_visible(request, benchmark.tasks.all())
    if not visible:
        rows, uses = list(map(coarse, rows)), list(map(coarse_use, uses))
    asked = read_what_if(request.GET)
    answer, problems = answered(asked, rows, uses)
    drawn = (
        drawing.outcome_mix(rows),
        drawing.category_heatmap(rows, scores_by_category(rows, categories)),
        drawing.turns_of_outcomes(turns_by_outcome(frame)),
        drawing.cost_by_kind([cost for use in uses if (cost := priced(use, prices_of(use.row.model)))]),
        drawing.score_by_release(rows),
    )
    context = {
        "nav": "board",
        "here": "charts",
        "benchmark": benchmark,
        "source": source,
        "breakdowns": [each for each in drawn if each],
        "public_only": not visible,
        "priced_models": [use.row for use in uses],
        "asked": asked,
        "price_fields": [(kind, field, request.GET.get(field, "")[:40]) for kind, field in FIELDS.items()],
        "answer": answer,
        "problems": problems,
    }
    return render(request, "leaderboard/charts.html", context)
