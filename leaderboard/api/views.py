"""The lists of the API, and each of their objects."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, Count, F, OuterRef, Prefetch, Q, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Left
from django.shortcuts import get_object_or_404
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.viewsets import ReadOnlyModelViewSet

from evals.models import (
    NEWEST_GRADE_FIRST,
    Benchmark,
    Evaluation,
    Grade,
    LanguageModel,
    Run,
    RunState,
    Split,
    Task,
    ToolCall,
    Turn,
)
from evals.queries import evaluation_summary, frame_of, known_mean, standing_evaluations
from leaderboard.api import filters, records, trajectories
from leaderboard.api.descriptions import described
from leaderboard.api.errors import wrong
from leaderboard.api.pagination import CursorPages, NumberedPages, TurnPages
from leaderboard.api.reading import Reading
from leaderboard.audience import counts_visible, visible_runs, visible_tasks
from leaderboard.rows import evaluation_row
from leaderboard.verdicts import sighted_of, verdicts_of

LARGE_COLUMNS = ("manifest", "ground_truth", "ground_truth_text")
GRADE_COLUMNS = ("score", "outcome", "grader_version")


class Records(Reading, ReadOnlyModelViewSet):
    """A list in pages with filters, and its objects with more to each."""

    filter_backends = (DjangoFilterBackend,)
    pagination_class = NumberedPages
    detail_serializer_class: type[Any]

    def get_serializer_class(self) -> type[Any]:
        return self.serializer_class if self.action == "list" else self.detail_serializer_class


@described("benchmarks", "benchmark")
class Benchmarks(Records):
    queryset = Benchmark.objects.annotate(
        public_tasks=Count("tasks", filter=Q(tasks__split=Split.PUBLIC)),
        held_out_tasks=Count("tasks", filter=Q(tasks__split=Split.HELD_OUT)),
    ).order_by("synthetic", "name", "pk")
    serializer_class = detail_serializer_class = records.BenchmarkRecord
    filterset_class = filters.BenchmarkFilters
    lookup_field = "slug"


@described("tasks", "task")
class Tasks(Records):
    queryset = Task.objects.select_related("benchmark").order_by("benchmark", "pk")
    serializer_class = records.TaskRecord
    detail_serializer_class = records.TaskDetail
    filterset_class = filters.TaskFilters

    def get_queryset(self) -> QuerySet[Task]:
        tasks = visible_tasks(self.request, super().get_queryset())
        return tasks.defer(*LARGE_COLUMNS) if self.action == "list" else tasks.defer("manifest")

    def get_object(self) -> Any:
        found: Any = get_object_or_404(
            self.get_queryset(), benchmark__slug=self.kwargs["benchmark"], slug=self.kwargs["slug"]
        )
        runs = found.runs.filter(evaluation__in=standing_evaluations(found.benchmark))
        found.mean_score = known_mean(frame_of(runs, found.benchmark.grader)["score"].dropna())
        return found


@described("models", "model")
class Models(Records):
    queryset = LanguageModel.objects.order_by("name", "setting", "pk")
    serializer_class = records.ModelRecord
    detail_serializer_class = records.ModelDetail
    filterset_class = filters.ModelFilters
    lookup_field = "slug"

    def get_queryset(self) -> QuerySet[LanguageModel]:
        models: QuerySet[LanguageModel] = super().get_queryset()
        return models if self.action == "list" else models.prefetch_related("published_results__benchmark")


@described("evaluations", "evaluation")
class Evaluations(Records):
    queryset = Evaluation.objects.select_related("benchmark", "language_model").order_by("-created_at", "-pk")
    serializer_class = records.EvaluationRecord
    detail_serializer_class = records.EvaluationDetail
    filterset_class = filters.EvaluationFilters

    def get_object(self) -> Any:
        found = super().get_object()
        found.row = evaluation_row(found, evaluation_summary(found))
        return found

    def get_serializer_context(self) -> dict[str, Any]:
        context: dict[str, Any] = super().get_serializer_context()
        if "pk" in self.kwargs:
            tasks = Task.objects.filter(benchmark__evaluations=self.kwargs["pk"])
            context["counts_visible"] = counts_visible(self.request, tasks)
        return context


@described("runs", "run")
class Runs(Records):
    queryset = Run.objects.select_related("task", "evaluation__benchmark", "evaluation__language_model")
    queryset = queryset.defer(*(f"task__{column}" for column in LARGE_COLUMNS), "evaluation__prompt_text")
    queryset = queryset.prefetch_related("remarks")
    serializer_class = trajectories.RunRecord
    detail_serializer_class = trajectories.RunDetail
    filterset_class = filters.RunFilters
    pagination_class = CursorPages

    def get_queryset(self) -> QuerySet[Run]:
        runs = with_grades(visible_runs(self.request, super().get_queryset()))
        return runs.defer("submission", "unsubmitted") if self.action == "list" else runs

    def get_object(self) -> Any:
        found = super().get_object()
        found.grade = newest_grades().filter(run=found, grader=found.evaluation.benchmark.grader).first()
        found.verdicts = verdicts_of(found.grade)
        found.sightings = sighted_of(found.grade, found.turns_total)
        return found


def newest_grades() -> QuerySet[Grade]:
    return Grade.objects.order_by(*NEWEST_GRADE_FIRST)


def with_grades(runs: QuerySet[Run]) -> QuerySet[Run]:
    """Add the columns of the newest grade by the benchmark's grader: as on the board, of ended runs only."""
    grades = newest_grades().filter(run=OuterRef("pk"), grader=OuterRef("evaluation__benchmark__grader"))
    return runs.annotate(
        **{
            column: Case(When(state=RunState.ENDED, then=Subquery(grades.values(column)[:1])))
            for column in GRADE_COLUMNS
        }
    )


@described("turns", "turn")
class Turns(Records):
    queryset = Turn.objects.order_by("number")
    serializer_class = trajectories.TurnRecord
    detail_serializer_class = trajectories.TurnDetail
    pagination_class = TurnPages
    lookup_field = "number"
    parameters = ("include",)

    def known_parameters(self) -> frozenset[str]:
        return super().known_parameters() if self.action == "list" else frozenset()

    def get_queryset(self) -> QuerySet[Turn]:
        # Asked by itself, so that a run nobody may see and one that is not there are one answer.
        run = get_object_or_404(visible_runs(self.request, Run.objects.only("pk")), pk=self.kwargs["run"])
        calls = Prefetch("tool_calls", self.tool_calls().order_by("turn", "number"))
        turns: QuerySet[Turn] = super().get_queryset().filter(run=run)
        return turns.defer("provider_fields").prefetch_related(calls)

    def tool_calls(self) -> QuerySet[ToolCall]:
        if self.action != "list":
            return with_outputs(F("output"))
        # One more than is shown tells whether there is more.
        beginning = Left("output", trajectories.OUTPUT_CHARACTERS + 1)
        return with_outputs(beginning if self.outputs_wanted() else Value(None, TextField()))

    def outputs_wanted(self) -> bool:
        include = self.request.query_params.get("include")
        if include not in (None, "outputs"):
            raise wrong("include", "use outputs.")
        return include is not None

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "whole": self.action != "list"}


def with_outputs(shown: Any) -> QuerySet[ToolCall]:
    """Return tool calls with this much of their output: a run may have megabytes of it."""
    return ToolCall.objects.defer("output").annotate(shown=shown, ended=Q(output__isnull=False))
