"""Runs that were played elsewhere, handed in by staff."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from evals.exchange.trajectory_files import KNOWN
from evals.models import Benchmark, RunSource
from evals.runner.importing import ELSEWHERE, ImportRefused, ImportWish
from leaderboard.audience import staff_only
from leaderboard.uploads import import_upload

LATEST = 20


class ImportForm(forms.Form):
    file = forms.FileField(label="File", help_text=f"{KNOWN}; a folder as a zip archive.")
    benchmark = forms.ModelChoiceField(
        Benchmark.objects.exclude(slug=ELSEWHERE),
        to_field_name="slug",
        required=False,
        empty_label="any",
        help_text="Where its tasks are looked for.",
    )
    task = forms.CharField(max_length=80, required=False, help_text="Where the file does not tell it.")
    model = forms.CharField(max_length=120, required=False, help_text="Where the file does not tell it.")

    def wish(self, by: int | None) -> ImportWish:
        told = self.cleaned_data
        benchmark = told["benchmark"].slug if told["benchmark"] else ""
        return ImportWish(benchmark=benchmark, task=told["task"], model=told["model"], by=by)


@staff_only
@require_http_methods(["GET", "HEAD", "POST"])
def imports(request: HttpRequest) -> HttpResponse:
    form, reports, refused = ImportForm(request.POST or None, request.FILES or None), [], ""
    if request.method == "POST" and form.is_valid():
        try:
            reports = import_upload(form.cleaned_data["file"], form.wish(request.user.pk))
        except ImportRefused as problem:
            refused = str(problem)
    latest = RunSource.objects.select_related("run__task__benchmark", "run__evaluation__language_model")
    context = {
        "nav": "evaluations",
        "form": form,
        "reports": reports,
        "refused": refused,
        "latest": latest.order_by("-imported_at", "-pk")[:LATEST],
        "limit_mb": settings.ITBENCH_IMPORT_LIMIT_MB,
    }
    bad = request.method == "POST" and not reports
    return render(request, "leaderboard/imports.html", context, status=400 if bad else 200)
