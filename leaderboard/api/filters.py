"""What the lists can be narrowed by. A value that no row can have is refused: it is a typing error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django_filters import filters
from django_filters.rest_framework import FilterSet
from drf_spectacular.utils import extend_schema_field

from evals.failure_tags import TAGS
from evals.models import (
    Benchmark,
    Domain,
    Evaluation,
    EvaluationState,
    GradeOutcome,
    LanguageModel,
    Remark,
    Run,
    RunState,
    Task,
)
from evals.trajectory import StopReason
from leaderboard.api.errors import quoted, wrong
from leaderboard.audience import visible_tasks

Rows = Callable[[HttpRequest], QuerySet[Any]]
OPEN_WEIGHTS = {"true": True, "false": False, "unknown": None}
LARGEST_ID = 2**63 - 1


class OneOf(filters.ChoiceFilter):
    """A value of a list; the refusal names them all."""

    def __init__(self, values: list[str], **options: Any) -> None:
        sentence = f"Use one of {', '.join(values)}."
        super().__init__(
            choices=[(value, value) for value in values],
            error_messages={"invalid_choice": sentence},
            **options,
        )


class Known(filters.CharFilter):
    """A text that some row has; `rows` are those this visitor may know of."""

    def __init__(self, name: str, rows: Rows, column: str, field_name: str) -> None:
        super().__init__(field_name=field_name, help_text=f"`{column}` of a {name}")
        self.name, self.rows, self.column = name, rows, column

    def filter(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        if not value:
            return queryset
        if not self.rows(self.parent.request).filter(**{self.column: value}).exists():
            raise wrong(self.name, f"there is none with the {self.column} {quoted(value)}.")
        return queryset.filter(**{self.field_name: value})


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": LARGEST_ID})
class KnownId(filters.Filter):
    field_class = forms.IntegerField

    def __init__(self, name: str, rows: Rows, field_name: str) -> None:
        super().__init__(field_name=field_name, min_value=1, max_value=LARGEST_ID)
        self.name, self.rows = name, rows

    def filter(self, queryset: QuerySet[Any], value: int | None) -> QuerySet[Any]:
        if value is None:
            return queryset
        if not self.rows(self.parent.request).filter(pk=value).exists():
            raise wrong(self.name, f"there is none with the id {value}.")
        return queryset.filter(**{self.field_name: value})


@extend_schema_field({"type": "number", "minimum": 0, "maximum": 1})
class Score(filters.NumberFilter):
    def __init__(self, lookup_expr: str, help_text: str) -> None:
        super().__init__("score", lookup_expr, min_value=0, max_value=1, help_text=help_text)


def all_benchmarks(_: HttpRequest) -> QuerySet[Benchmark]:
    return Benchmark.objects.all()


def all_models(_: HttpRequest) -> QuerySet[LanguageModel]:
    return LanguageModel.objects.all()


def all_evaluations(_: HttpRequest) -> QuerySet[Evaluation]:
    return Evaluation.objects.all()


def tasks_for(request: HttpRequest) -> QuerySet[Task]:
    return visible_tasks(request, Task.objects.all())


class BenchmarkFilters(FilterSet):
    domain = OneOf(list(Domain.values), help_text="The trade its tasks are of")


class TaskFilters(FilterSet):
    benchmark = Known("benchmark", all_benchmarks, "slug", "benchmark__slug")
    category = Known("category", tasks_for, "fault_category", "fault_category")


class ModelFilters(FilterSet):
    creator = Known("creator", all_models, "creator", "creator")
    open_weights = OneOf(
        list(OPEN_WEIGHTS), method="by_weights", help_text="Whether its weights can be downloaded"
    )

    def by_weights(self, models: QuerySet[LanguageModel], name: str, value: str) -> QuerySet[LanguageModel]:
        wanted = OPEN_WEIGHTS[value]
        return (
            models.filter(open_weights__isnull=True) if wanted is None else models.filter(open_weights=wanted)
        )


class EvaluationFilters(FilterSet):
    benchmark = Known("benchmark", all_benchmarks, "slug", "benchmark__slug")
    model = Known("model", all_models, "slug", "language_model__slug")
    state = OneOf(list(EvaluationState.values), help_text="Where it stands")


class RunFilters(FilterSet):
    benchmark = Known("benchmark", all_benchmarks, "slug", "evaluation__benchmark__slug")
    task = Known("task", tasks_for, "slug", "task__slug")
    category = Known("category", tasks_for, "fault_category", "task__fault_category")
    model = Known("model", all_models, "slug", "evaluation__language_model__slug")
    evaluation = KnownId("evaluation", all_evaluations, "evaluation_id")
    state = OneOf(list(RunState.values), help_text="Where it stands")
    outcome = OneOf(list(GradeOutcome.values), help_text="How it came out, of runs with a grade")
    stop_reason = OneOf([reason.value for reason in StopReason], help_text="What ended it")
    tag = OneOf(
        list(TAGS), method="by_tag", help_text="A failure tag that staff set, on the run or a turn of it"
    )
    min_score = Score("gte", "Runs with this score or a higher one")
    max_score = Score("lte", "Runs with this score or a lower one")

    def by_tag(self, runs: QuerySet[Run], name: str, value: str) -> QuerySet[Run]:
        return runs.filter(Exists(Remark.objects.filter(run=OuterRef("pk"), tag=value)))
