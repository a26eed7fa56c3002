"""What the schema says of each operation: a summary, its own parameters, an example."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_view,
    inline_serializer,
)
from rest_framework import serializers

from leaderboard.api.examples import EXAMPLES
from leaderboard.api.exports import EvalResult
from leaderboard.api.figures import Board, Comparison, Matrix
from leaderboard.api.import_reports import ImportReport
from leaderboard.api.search_answers import SearchAnswer
from leaderboard.searching import FACETS

ViewType = TypeVar("ViewType", bound=type[Any])

SUMMARIES = {
    "index": "Where everything is",
    "benchmarks": "The benchmarks",
    "benchmark": "One benchmark",
    "tasks": "The tasks; held-out ones for staff only",
    "task": "One task, with its alerts and its ground truth",
    "models": "The language models",
    "model": "One language model, with the results that others published of it",
    "evaluations": "The evaluations, the newest first",
    "evaluation": "One evaluation, with what its runs come to",
    "runs": "The runs, the oldest first; those of held-out tasks for staff only",
    "run": "One run, with its verdicts and its answer",
    "turns": "The turns of a run, with their tool calls",
    "turn": "One turn, every text whole",
    "board": "The leaderboard of a benchmark",
    "matrix": "Scores by task and model",
    "compare": "Two to six models, and how far they differ",
    "search": "Runs by what their agents wrote, ran and saw",
    "imports": "Hand in runs that were played elsewhere; for staff, with a token",
}

DETAILS = {
    "evaluation": "Where tasks are held out, numbers of runs are null for the public",
    "turns": "Texts of the model are cut to 4,000 characters and outputs left out; `cut` says so",
    "board": "One row a language model, the best first. Ranks are ranges where ties leave them open",
    "matrix": "A line for each task, a column for each model: the mean over repeats",
    "search": "Twenty runs a page, the newest first, each with its first places; /search/ says how to ask",
    "imports": "A file is imported whole or not at all, and once however often one tries; 422 where nothing"
    " of it could be imported, with the reason",
    "compare": "Differences are paired by task; a pair is tied where the 95 % interval holds 0",
}

SLUG = OpenApiParameter("slug", OpenApiTypes.STR, OpenApiParameter.PATH, description="Of the benchmark")
PARAMETERS: dict[str, list[OpenApiParameter]] = {
    "board": [
        SLUG,
        OpenApiParameter(
            "format",
            enum=["json", "csv", "eval-results"],
            description="`csv`: the rows; `eval-results`: YAML for `.eval_results/` on the Hugging Face Hub",
        ),
    ],
    "matrix": [SLUG],
    "task": [
        OpenApiParameter("benchmark", OpenApiTypes.STR, OpenApiParameter.PATH, description="Slug"),
        OpenApiParameter("slug", OpenApiTypes.STR, OpenApiParameter.PATH, description="Of the task"),
    ],
    "turns": [
        OpenApiParameter(
            "include",
            enum=["outputs"],
            description="`outputs` adds what the tools printed, at most 20,000 characters of each",
        )
    ],
    "search": [
        OpenApiParameter("q", description="Such as `command:NetworkPolicy -answer:NetworkPolicy`"),
        *(
            OpenApiParameter(facet, description=f"{title}: one of the values that `facets` lists")
            for facet, title in FACETS.items()
        ),
        OpenApiParameter("page", OpenApiTypes.INT),
    ],
    "compare": [
        OpenApiParameter("benchmark", required=True, description="Slug of the benchmark"),
        OpenApiParameter("models", required=True, description="Two to six slugs, parted by commas"),
    ],
}

Index = inline_serializer(
    "Index",
    {
        **{name: serializers.CharField() for name in EXAMPLES["index"]},
        "url": serializers.URLField(),
        "page": serializers.URLField(),
    },
)
ANSWERS: dict[str, Any] = {
    "index": Index,
    "board": {
        (200, "application/json"): Board,
        (200, "text/csv"): OpenApiTypes.STR,
        (200, "application/yaml"): EvalResult(many=True),
    },
    "matrix": Matrix,
    "compare": Comparison,
    "search": SearchAnswer,
    "imports": {200: ImportReport, 422: ImportReport},
}


def operation(name: str) -> Callable[[Any], Any]:
    """Return the decorator that tells the schema of the operation."""
    example = OpenApiExample(
        "An answer", EXAMPLES[name], response_only=True, media_type="application/json", status_codes=["200"]
    )
    return extend_schema(
        operation_id=name,
        summary=SUMMARIES[name],
        description=f"{DETAILS.get(name, SUMMARIES[name])}.",
        tags=[TAGS.get(name, name if name.endswith("s") else f"{name}s")],
        parameters=PARAMETERS.get(name, []),
        examples=[example],
        **({"responses": ANSWERS[name]} if name in ANSWERS else {}),
    )


TAGS = {
    "index": "index",
    "imports": "imports",
    "search": "runs",
    "board": "benchmarks",
    "matrix": "benchmarks",
    "compare": "benchmarks",
}


def described(several: str, one: str) -> Callable[[ViewType], ViewType]:
    return extend_schema_view(list=operation(several), retrieve=operation(one))


def described_alone(name: str, method: str = "get") -> Callable[[ViewType], ViewType]:
    return extend_schema_view(**{method: operation(name)})
