"""Two to six models of a benchmark, side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from evals.models import Benchmark, Evaluation, LanguageModel, slug_shape
from evals.queries import score_frame, standing_evaluations
from leaderboard.audience import counts_visible, visible_tasks
from leaderboard.cache import kept_while_unchanged
from leaderboard.comparisons import (
    FEWEST,
    MOST,
    by_disagreement,
    compared_rows,
    comparison_in_words,
    contenders_of,
    drawing_of,
    frame_of_tasks,
    listed,
    pairs_of,
    reach_of,
    shown_columns,
)
from leaderboard.matrices import TASK_FIELDS, matrix_lines, sorted_lines
from leaderboard.rows import board_rows

SHOWN_LENGTH = 40  # of a name that somebody typed


@dataclass(frozen=True)
class Field:
    """A benchmark on which models were evaluated, and which."""

    benchmark: Benchmark
    slugs: frozenset[str]


@require_safe
@kept_while_unchanged
def compare(request: HttpRequest) -> HttpResponse:
    asked = asked_models(request.GET)
    fields = evaluated_fields()
    field = chosen_field(request.GET.get("benchmark", ""), asked, fields)
    if field is None:
        return render(request, "leaderboard/no_benchmark.html", {"nav": "board"})
    problem = problem_of(asked, field)
    context = {
        "nav": "board",
        "benchmark": field.benchmark,
        "fields": [other for other in fields if other.slugs],
        "asked": [slug for slug in asked if slug in field.slugs][:MOST],
    }
    if problem or not asked:
        return choosing_page(request, field, {**context, "problem": problem})
    also_on = [other for other in fields if other is not field and other.slugs.issuperset(asked)]
    return comparing_page(request, field.benchmark, asked, {**context, "also_on": also_on})


def asked_models(query: QueryDict) -> list[str]:
    """Return the slugs that the address names, each once, in its order."""
    parts = ",".join(query.getlist("models")).split(",")
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def evaluated_fields() -> list[Field]:
    """Return every benchmark, real ones first, with the models that were evaluated on it. Two queries."""
    slugs: dict[int, set[str]] = {}
    played_here = Evaluation.objects.filter(harness="").order_by()
    evaluated = played_here.values_list("benchmark_id", "language_model__slug").distinct()
    for benchmark, slug in evaluated:
        slugs.setdefault(benchmark, set()).add(slug)
    benchmarks = Benchmark.objects.order_by("synthetic", "name")
    return [Field(benchmark, frozenset(slugs.get(benchmark.pk, ()))) for benchmark in benchmarks]


def chosen_field(slug: str, asked: Sequence[str], fields: Sequence[Field]) -> Field | None:
    """Return the benchmark asked for; else the one that most of the models were evaluated on."""
    if slug:
        # Looked for here and not in the database, which refuses some texts that an address may hold.
        found = next((field for field in fields if field.benchmark.slug == slug), None)
        if found is None:
            raise Http404
        return found
    return max(fields, key=lambda field: (len(field.slugs & set(asked)), bool(field.slugs)), default=None)


def problem_of(asked: Sequence[str], field: Field) -> str:
    """Say what keeps these models from being compared, or nothing."""
    if len(asked) > MOST:
        return f"At most {MOST} models can be compared, and {len(asked):,} are chosen: leave some out."
    missing = [slug for slug in asked if slug not in field.slugs]
    if missing:
        return missing_in_words(missing, field)
    if len(asked) == 1:
        return "One model is chosen: choose at least one more to compare it with."
    return ""


def missing_in_words(missing: Sequence[str], field: Field) -> str:
    # What is no slug is no model, and is not looked for.
    slugs = [slug for slug in missing if re.search(slug_shape.regex, slug)]
    names = {model.slug: str(model) for model in LanguageModel.objects.filter(slug__in=slugs)}
    known = [names[slug] for slug in missing if slug in names]
    if known:
        return (
            f"{listed(known)} {'is' if len(known) == 1 else 'are'} not evaluated on {field.benchmark.name}."
        )
    shown = [f"“{slug[:SHOWN_LENGTH]}{'…' if len(slug) > SHOWN_LENGTH else ''}”" for slug in missing]
    return f"No model is called {' or '.join(shown)}."


def choosing_page(request: HttpRequest, field: Field, context: dict[str, object]) -> HttpResponse:
    rows = board_rows(field.benchmark) if field.slugs else []
    limits = {"fewest": FEWEST, "most": MOST}
    return render(request, "leaderboard/compare_choose.html", {**context, **limits, "rows": rows})


def comparing_page(
    request: HttpRequest, benchmark: Benchmark, asked: Sequence[str], context: dict[str, object]
) -> HttpResponse:
    standing = standing_evaluations(benchmark)
    evaluations = [each for each in standing if each.language_model.slug in asked]
    frame = score_frame(benchmark, [each.pk for each in evaluations])
    rows = compared_rows(evaluations, frame)
    tasks = visible_tasks(request, benchmark.tasks.only(*TASK_FIELDS))
    lines = sorted_lines(matrix_lines(benchmark, tasks, rows, frame), "task", descending=False)
    contenders = contenders_of(rows, lines, frame_of_tasks(frame, [line.task.pk for line in lines]))
    pairs = pairs_of(rows)
    reach = reach_of(pairs)
    all_visible = counts_visible(request, benchmark.tasks.all())
    page = {
        "sentence": comparison_in_words(rows, pairs, tasks_told=all_visible),
        "contenders": [(each, address_without(each.row.model.slug, asked, benchmark)) for each in contenders],
        "shown": shown_columns(contenders),
        "pairs": [(pair, drawing_of(pair, reach)) for pair in pairs],
        "reach": reach,
        "parted": [line for line in by_disagreement(lines) if line.spread != 0],
        "alike": [line for line in lines if line.spread == 0],
        "counts_visible": all_visible,
        "others": others_of(standing, asked),
    }
    return render(request, "leaderboard/compare.html", {**context, **page})


def address_without(slug: str, asked: Sequence[str], benchmark: Benchmark) -> str:
    """Return the address of the comparison without one model; empty when two would not be left."""
    left = [other for other in asked if other != slug]
    return f"?models={','.join(left)}&benchmark={benchmark.slug}" if len(left) >= FEWEST else ""


def others_of(standing: Sequence[Evaluation], asked: Sequence[str]) -> list[LanguageModel]:
    """Return the models that may be put beside these, by name; none where there is no room."""
    if len(asked) >= MOST:
        return []
    others = [each.language_model for each in standing if each.language_model.slug not in asked]
    return sorted(others, key=lambda model: str(model).lower())
