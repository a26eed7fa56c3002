"""Answers made of one row of a table each."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from evals.models import Benchmark, Evaluation, LanguageModel, PublishedResult, Task
from leaderboard.api.fields import ApiAddress, Known, PageAddress
from leaderboard.api.figures import Figures
from leaderboard.audience import is_staff


class BenchmarkRecord(serializers.ModelSerializer):
    url = ApiAddress("api:benchmark", slug="slug")
    page = PageAddress()
    board_url = ApiAddress("api:board", slug="slug")
    matrix_url = ApiAddress("api:matrix", slug="slug")
    version = Known()
    description = Known()
    source_url = Known()
    licence = Known()
    public_tasks = serializers.IntegerField(read_only=True)
    held_out_tasks = serializers.SerializerMethodField(help_text="Number of tasks; for staff, else null")

    class Meta:
        model = Benchmark
        fields = (
            "url", "page", "slug", "name", "version", "description", "domain", "turn_cap", "repeats",
            "grader", "source_url", "licence", "synthetic", "public_tasks", "held_out_tasks",
            "board_url", "matrix_url",
        )  # fmt: skip

    def get_held_out_tasks(self, benchmark: Any) -> int | None:
        return int(benchmark.held_out_tasks) if is_staff(self.context["request"]) else None


class TaskRecord(serializers.ModelSerializer):
    url = ApiAddress("api:task", benchmark="benchmark.slug", slug="slug")
    page = PageAddress()
    benchmark = serializers.CharField(source="benchmark.slug", read_only=True, help_text="Slug")
    benchmark_url = ApiAddress("api:benchmark", slug="benchmark.slug")
    title = Known()
    fault_category = Known()
    alerts = serializers.SerializerMethodField(help_text="How many are raised")

    class Meta:
        model = Task
        fields: tuple[str, ...] = (
            "url", "page", "benchmark", "benchmark_url", "slug", "title", "split", "fault_category", "alerts",
        )  # fmt: skip

    def get_alerts(self, task: Task) -> int:
        return len(task.alert_summary)


class TaskDetail(TaskRecord):
    alert_summary = serializers.ListField(child=serializers.DictField(), read_only=True)
    ground_truth = serializers.DictField(read_only=True, help_text="Read from the benchmark's own file")
    mean_score = serializers.FloatField(
        read_only=True, allow_null=True, help_text="Of all scored runs behind the board, 0 to 1"
    )

    class Meta(TaskRecord.Meta):
        fields = (*TaskRecord.Meta.fields, "mean_score", "alert_summary", "ground_truth")


class Prices(serializers.Serializer):
    """US dollars per million tokens; null is unknown, and not free."""

    input = serializers.FloatField(source="price_input", read_only=True, allow_null=True)
    output = serializers.FloatField(source="price_output", read_only=True, allow_null=True)
    cache_read = serializers.FloatField(source="price_cache_read", read_only=True, allow_null=True)
    cache_write = serializers.FloatField(source="price_cache_write", read_only=True, allow_null=True)
    as_of = serializers.DateField(source="prices_as_of", read_only=True, allow_null=True)
    source = Known(source="prices_source")


class ModelRecord(serializers.ModelSerializer):
    url = ApiAddress("api:model", slug="slug")
    page = PageAddress()
    setting = Known()
    creator = Known()
    context_window_tokens = serializers.IntegerField(source="context_window", read_only=True, allow_null=True)
    baseline = serializers.BooleanField(
        source="is_baseline", read_only=True, help_text="A program of rules, no language model"
    )
    prices_usd_per_million_tokens = Prices(source="*", read_only=True)

    class Meta:
        model = LanguageModel
        fields: tuple[str, ...] = (
            "url", "page", "slug", "name", "setting", "creator", "open_weights", "reasoning", "baseline",
            "released", "context_window_tokens", "prices_usd_per_million_tokens",
        )  # fmt: skip


class PublishedRecord(serializers.ModelSerializer):
    """A number somebody else published: never ranked together with runs made here."""

    page = PageAddress(source="benchmark")
    benchmark = serializers.CharField(source="benchmark.slug", read_only=True, help_text="Slug")
    agent = Known()

    class Meta:
        model = PublishedResult
        fields = (
            "page", "benchmark", "agent", "score", "cost_per_task_usd", "turns_per_task", "tokens_per_task",
            "as_of", "source_name", "source_url",
        )  # fmt: skip


class ModelDetail(ModelRecord):
    published_results = PublishedRecord(many=True, read_only=True)

    class Meta(ModelRecord.Meta):
        fields = (*ModelRecord.Meta.fields, "published_results")


class EvaluationRecord(serializers.ModelSerializer):
    url = ApiAddress("api:evaluation", pk="pk")
    page = PageAddress()
    benchmark = serializers.CharField(source="benchmark.slug", read_only=True, help_text="Slug")
    benchmark_url = ApiAddress("api:benchmark", slug="benchmark.slug")
    model = serializers.CharField(source="language_model.slug", read_only=True, help_text="Slug")
    model_url = ApiAddress("api:model", slug="language_model.slug")

    class Meta:
        model = Evaluation
        fields: tuple[str, ...] = (
            "url", "page", "id", "benchmark", "benchmark_url", "model", "model_url", "state", "created_at",
            "started_at", "ended_at", "repeats", "turn_cap", "cost_limit_usd", "run_time_limit_s",
            "concurrency", "sandbox", "prompt_name", "prompt_sha256",
        )  # fmt: skip


class EvaluationDetail(EvaluationRecord):
    # Who asked, and what staff wrote on pausing it, is not for the public; what it runs on is nobody's.
    figures = Figures(source="row", read_only=True)

    class Meta(EvaluationRecord.Meta):
        fields = (*EvaluationRecord.Meta.fields, "prompt_text", "figures")
