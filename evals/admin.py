"""The admin: all tables. What a run recorded is for reading; what an operator decides is for changing."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from evals import jobs, runner
from evals.models import (
    Benchmark,
    Evaluation,
    Grade,
    LanguageModel,
    PublishedResult,
    Remark,
    Run,
    RunSource,
    Task,
    ToolCall,
    Turn,
)

admin.site.site_header = "ITBench leaderboard"
admin.site.site_title = "ITBench leaderboard"
admin.site.index_title = "Tables"


class Table(admin.ModelAdmin):  # type: ignore[type-arg]  # takes an argument for type checkers only
    """What all tables have in common."""

    list_per_page = 50


class Recorded(Table):
    """Rows that only an evaluation makes: nobody writes a trajectory or a grade by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Benchmark)
class BenchmarkAdmin(Table):
    list_display = ["name", "version", "domain", "tasks", "repeats", "turn_cap", "grader", "synthetic"]
    list_filter = ["domain", "synthetic"]
    search_fields = ["slug", "name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Benchmark]:
        return Benchmark.objects.annotate(task_count=Count("tasks"))

    @admin.display(ordering="task_count")
    def tasks(self, benchmark: Any) -> int:
        return int(benchmark.task_count)


@admin.register(Task)
class TaskAdmin(Table):
    """The ground truth is read-only: it comes from an import, which checks it and reports a change."""

    list_display = ["slug", "benchmark", "split", "fault_category", "title", "imported_at"]
    list_filter = ["benchmark", "split", "fault_category"]
    list_select_related = ["benchmark"]
    search_fields = ["slug", "title", "fault_category"]
    readonly_fields = [
        "snapshot_path",
        "manifest",
        "ground_truth",
        "ground_truth_text",
        "ground_truth_sha256",
        "alert_summary",
        "imported_at",
    ]
    fieldsets = [
        (None, {"fields": ["benchmark", "slug", "title", "split", "fault_category"]}),
        ("Snapshot", {"fields": ["snapshot_path", "manifest", "alert_summary"], "classes": ["collapse"]}),
        (
            "Ground truth: of a held-out task it must never leave this page",
            {"fields": ["ground_truth_sha256", "ground_truth_text", "ground_truth"], "classes": ["collapse"]},
        ),
        ("Import", {"fields": ["imported_at"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Task]:
        return Task.objects.defer("ground_truth", "ground_truth_text", "manifest")


@admin.register(LanguageModel)
class LanguageModelAdmin(Table):
    list_display = [
        "name",
        "setting",
        "creator",
        "litellm_model",
        "open_weights",
        "price_input",
        "price_output",
    ]
    list_filter = ["creator", "open_weights", "reasoning"]
    search_fields = ["slug", "name", "creator", "litellm_model"]
    prepopulated_fields = {"slug": ["name", "setting"]}
    actions = ["evaluate"]
    fieldsets = [
        (None, {"fields": ["name", "setting", "slug", "creator", "released", "open_weights", "reasoning"]}),
        ("How it is called", {"fields": ["litellm_model", "api_base", "api_key_variable"]}),
        (
            "Parameters",
            {
                "fields": [
                    "reasoning_effort",
                    "temperature",
                    "max_tokens",
                    "context_window",
                    "extra_parameters",
                ]
            },
        ),
        (
            "Prices, US dollars per million tokens (empty: unknown)",
            {
                "fields": [
                    ("price_input", "price_output"),
                    ("price_cache_read", "price_cache_write"),
                    ("prices_as_of", "prices_source"),
                ]
            },
        ),
    ]

    @admin.action(description="Evaluate on...", permissions=["change"])
    def evaluate(self, request: HttpRequest, models: QuerySet[LanguageModel]) -> HttpResponse | None:
        """Lead to the form for one model; ask for the benchmark when there are several."""
        if models.count() == 1:
            query = urlencode({"model": models.get().slug})
            return HttpResponseRedirect(f"{reverse('evaluation-new')}?{query}")
        if "benchmark" not in request.POST:
            return self.benchmark_page(request, models)
        benchmark = Benchmark.objects.filter(slug=request.POST["benchmark"]).first()
        if benchmark is None:
            messages.error(request, "Choose a benchmark.")
            return self.benchmark_page(request, models)
        for model in models:
            self.plan(request, benchmark, model)
        return None

    def benchmark_page(self, request: HttpRequest, models: QuerySet[LanguageModel]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"Evaluate {models.count()} models on...",
            "models": models,
            "benchmarks": Benchmark.objects.all(),
            "opts": self.model._meta,
        }
        return render(request, "admin/evals/evaluate_on.html", context)

    def plan(self, request: HttpRequest, benchmark: Benchmark, model: LanguageModel) -> None:
        try:
            wish = runner.EvaluationRequest(benchmark, model, requested_by=request.user)  # type: ignore[arg-type]
            evaluation = runner.plan(wish)
        except runner.PlanError as problem:
            messages.error(request, f"{model}: {problem}")
            return
        jobs.enqueue(evaluation)
        link = format_html('<a href="{}">{}</a> is queued.', evaluation.get_absolute_url(), evaluation)
        messages.success(request, link)


@admin.register(Evaluation)
class EvaluationAdmin(Recorded):
    list_display = ["id", "language_model", "benchmark", "state", "repeats", "sandbox", "created_at", "page"]
    list_filter = ["state", "benchmark", "sandbox"]
    list_select_related = ["language_model", "benchmark"]
    search_fields = ["language_model__name", "language_model__slug", "benchmark__name"]
    date_hierarchy = "created_at"

    @admin.display(description="page")
    def page(self, evaluation: Evaluation) -> SafeString:
        return format_html('<a href="{}">open</a>', evaluation.get_absolute_url())


@admin.register(Run)
class RunAdmin(Recorded):
    list_display = [
        "id",
        "evaluation_id",
        "task",
        "repeat",
        "state",
        "stop_reason",
        "turns_total",
        "cost_usd",
    ]
    list_filter = ["state", "stop_reason", "evaluation__benchmark"]
    list_select_related = ["task"]
    search_fields = ["task__slug", "evaluation__language_model__slug", "error"]
    show_full_result_count = False


@admin.register(Turn)
class TurnAdmin(Recorded):
    """Found by run: there may be millions, and a count or a sort of all would take minutes."""

    list_display = ["id", "run_id", "number", "kind", "output_tokens", "cost_usd", "model_s"]
    list_filter = ["kind"]
    search_fields = ["=run__id"]
    search_help_text = "The number of a run"
    ordering = ["-id"]
    show_full_result_count = False


@admin.register(ToolCall)
class ToolCallAdmin(Recorded):
    list_display = ["id", "turn_id", "tool", "exit_code", "timed_out", "output_bytes", "duration_s"]
    list_filter = ["tool", "timed_out"]
    search_fields = ["=turn__run__id"]
    search_help_text = "The number of a run"
    ordering = ["-id"]
    show_full_result_count = False


@admin.register(Grade)
class GradeAdmin(Recorded):
    list_display = ["id", "run_id", "grader", "grader_version", "score", "outcome", "graded_at"]
    list_filter = ["grader", "grader_version", "outcome"]
    search_fields = ["=run__id"]
    search_help_text = "The number of a run"
    show_full_result_count = False


@admin.register(PublishedResult)
class PublishedResultAdmin(Table):
    list_display = ["language_model", "benchmark", "score", "cost_per_task_usd", "as_of", "source_name"]
    list_filter = ["benchmark", "source_name", "as_of"]
    list_select_related = ["language_model", "benchmark"]
    search_fields = ["language_model__name", "source_name"]


@admin.register(RunSource)
class RunSourceAdmin(Recorded):
    list_display = ["run_id", "format", "name", "imported_at"]
    list_filter = ["format"]
    search_fields = ["=run__id", "name", "sha256"]
    show_full_result_count = False


@admin.register(Remark)
class RemarkAdmin(Table):
    list_display = ["id", "run_id", "turn_id", "tag", "author", "created_at"]
    list_filter = ["tag"]
    raw_id_fields = ["run", "turn"]
    search_fields = ["=run__id", "comment"]
