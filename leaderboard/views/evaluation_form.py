"""The form that asks for an evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms

from evals.models import Benchmark, LanguageModel, SandboxKind
from evals.queries import evaluation_summary, standing_evaluations
from evals.runner import Check, EvaluationRequest, PlanError, preflight
from evals.runner.importing import ELSEWHERE


@dataclass(frozen=True)
class Estimate:
    """What an evaluation may take, judged by the model's last one on the benchmark."""

    runs: int
    cost_usd: float | None
    seconds: float | None


class EvaluationForm(forms.Form):
    # Written with their slugs, so that an address can name them.
    model = forms.ModelChoiceField(
        LanguageModel.objects.exclude(litellm_model=""), to_field_name="slug", label="Language model"
    )
    benchmark = forms.ModelChoiceField(Benchmark.objects.exclude(slug=ELSEWHERE), to_field_name="slug")
    repeats = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=100,
        help_text="Attempts at each task. Empty: the benchmark's own.",
    )
    turn_cap = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=10_000,
        help_text="Replies a run may take. Empty: the benchmark's own.",
    )
    cost_limit_usd = forms.FloatField(
        required=False,
        min_value=0.01,
        label="Cost limit, US dollars",
        help_text="Of the whole evaluation, which pauses there. Empty: none.",
    )
    concurrency = forms.IntegerField(min_value=1, max_value=256, initial=4, help_text="Runs at a time.")
    sandbox = forms.ChoiceField(
        choices=[("auto", "the best there is"), *SandboxKind.choices],
        initial="auto",
        help_text="Where commands run. Only the baselines may use a plain process.",
    )
    tasks = forms.CharField(
        required=False, help_text="Slugs with commas between, for a try. Empty: every task."
    )

    def __init__(self, data: Any = None, initial: dict[str, Any] | None = None) -> None:
        if data is not None:
            data = data.copy()
            # An address may name the model and the benchmark only: the rest is as the form would start.
            for name in ("concurrency", "sandbox"):
                data.setdefault(name, self.base_fields[name].initial)
        super().__init__(data, initial=initial)

    def request(self, requested_by: Any = None) -> EvaluationRequest:
        """Return what the valid form asks for."""
        wanted = self.cleaned_data
        return EvaluationRequest(
            benchmark=wanted["benchmark"],
            language_model=wanted["model"],
            repeats=wanted["repeats"],
            tasks=self.task_slugs(),
            turn_cap=wanted["turn_cap"],
            cost_limit_usd=wanted["cost_limit_usd"],
            concurrency=wanted["concurrency"],
            sandbox=wanted["sandbox"],
            requested_by=requested_by,
        )

    def task_slugs(self) -> tuple[str, ...]:
        return tuple(slug.strip() for slug in self.cleaned_data["tasks"].split(",") if slug.strip())

    def checks(self) -> list[Check]:
        try:
            return preflight(self.request())
        except PlanError as problem:
            self.add_error(None, str(problem))
            return []

    def estimate(self) -> Estimate | None:
        """Return what it may take, or None before a model and a benchmark are chosen."""
        if not self.is_bound or not self.is_valid():
            return None
        benchmark = self.cleaned_data["benchmark"]
        tasks = len(self.task_slugs()) or benchmark.tasks.count()
        runs = tasks * (self.cleaned_data["repeats"] or benchmark.repeats)
        last = [e for e in standing_evaluations(benchmark) if e.language_model == self.cleaned_data["model"]]
        if not last:
            return Estimate(runs, None, None)
        summary = evaluation_summary(last[0])
        cost, seconds = summary.cost_per_task_usd, summary.seconds_per_task
        return Estimate(
            runs,
            cost_usd=None if cost is None else cost * runs,
            seconds=None if seconds is None else seconds * runs / min(self.cleaned_data["concurrency"], runs),
        )
