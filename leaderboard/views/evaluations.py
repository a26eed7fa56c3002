"""Evaluations: all, one while it runs, a form for the next, and what staff do to one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Greatest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from evals import jobs, runner
from evals.models import Evaluation, Run, RunState
from evals.queries import Summary, frame_of, score_frame, summaries, summarise
from leaderboard.audience import counts_visible, is_staff, staff_only, visible_tasks
from leaderboard.grids import task_lines
from leaderboard.rows import evaluation_row
from leaderboard.views.evaluation_form import EvaluationForm

A_PAGE = 50


@require_safe
def evaluation_list(request: HttpRequest) -> HttpResponse:
    page = Paginator(with_progress(Evaluation.objects.all()), A_PAGE).get_page(request.GET.get("page"))
    give_scores(page.object_list)
    context = {"nav": "evaluations", "page": page, "staff": is_staff(request)}
    return render(request, "leaderboard/evaluations.html", context)


def give_scores(evaluations: Iterable[Evaluation]) -> None:
    """Set `mean_score` on each: the same mean as on its own page. One query for each grader in use."""
    by_grader: dict[str, list[Evaluation]] = {}
    for evaluation in evaluations:
        by_grader.setdefault(evaluation.benchmark.grader, []).append(evaluation)
    for grader, graded in by_grader.items():
        found = summaries(frame_of(Run.objects.filter(evaluation__in=graded), grader))
        for evaluation in graded:
            evaluation.mean_score = found.get(evaluation.pk, Summary()).mean  # type: ignore[attr-defined]


def with_progress(evaluations: QuerySet[Evaluation]) -> QuerySet[Evaluation]:
    done = Q(runs__state__in=[RunState.ENDED, RunState.ERRORED, RunState.CANCELLED])
    return (
        evaluations.select_related("benchmark", "language_model")
        .annotate(done_share=Count("runs", filter=done) * 1.0 / Greatest(Count("runs"), 1))
        .order_by("-created_at", "-pk")
    )


@require_safe
@vary_on_headers("HX-Request")
def evaluation(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(
        Evaluation.objects.select_related("benchmark", "language_model", "requested_by"), pk=pk
    )
    fragment = bool(getattr(request, "htmx", False))
    template = "leaderboard/_evaluation_progress.html" if fragment else "leaderboard/evaluation.html"
    return render(request, template, {"nav": "evaluations", **progress(request, found)})


def progress(request: HttpRequest, found: Evaluation) -> dict[str, Any]:
    frame = score_frame(found.benchmark, [found.pk])
    summary = summarise(frame)
    tasks = visible_tasks(request, found.benchmark.tasks.defer("ground_truth", "ground_truth_text"))
    done = summary.planned - summary.active
    return {
        "benchmark": found.benchmark,
        "evaluation": found,
        "summary": summary,
        "row": evaluation_row(found, summary),
        "lines": task_lines(tasks.select_related("benchmark"), frame),
        "done": done,
        "done_share": done / summary.planned if summary.planned else 0.0,
        "running": int((frame["state"] == RunState.RUNNING).sum()),
        "seconds_left": seconds_left(found, summary),
        "cost_share": cost_share(found, summary),
        "staff": is_staff(request),
        "counts_visible": counts_visible(request, found.benchmark.tasks.all()),
    }


def seconds_left(found: Evaluation, summary: Summary) -> float | None:
    """Return a guess from the runs that ended, or None before the first has."""
    if not found.active or summary.seconds_per_task is None:
        return None
    return summary.active * summary.seconds_per_task / min(found.concurrency, max(summary.active, 1))


def cost_share(found: Evaluation, summary: Summary) -> float | None:
    if not found.cost_limit_usd or summary.cost_total_usd is None:
        return None
    return min(summary.cost_total_usd / found.cost_limit_usd, 1.0)


@staff_only
@require_http_methods(["GET", "HEAD", "POST"])
def evaluation_new(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return plan_evaluation(request)
    checking = "model" in request.GET and "benchmark" in request.GET
    form = EvaluationForm(request.GET) if checking else EvaluationForm(initial=request.GET.dict())
    checks = form.checks() if checking and form.is_valid() else []
    return form_page(request, form, checks)


def plan_evaluation(request: HttpRequest) -> HttpResponse:
    form = EvaluationForm(request.POST)
    if not form.is_valid():
        return form_page(request, form, [])
    wish = form.request(requested_by=request.user)
    try:
        planned = runner.plan(wish)
    except runner.PlanError as problem:
        form.add_error(None, str(problem))
        return form_page(request, form, form.checks())
    jobs.enqueue(planned)
    return redirect(planned)


def form_page(request: HttpRequest, form: EvaluationForm, checks: list[Any]) -> HttpResponse:
    context = {
        "nav": "evaluations",
        "form": form,
        "checks": checks,
        "estimate": form.estimate(),
        "workers": len(runner.live_workers()),
    }
    return render(request, "leaderboard/evaluation_new.html", context)


@staff_only
@require_POST
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Evaluation, pk=pk)
    if not runner.pause(found, "Paused by staff"):
        messages.warning(request, f"This evaluation is {found.state}: there is nothing to pause.")
    return redirect(found)


@staff_only
@require_POST
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Evaluation, pk=pk)
    if runner.resume(found):
        jobs.enqueue(found)
    else:
        messages.warning(request, f"This evaluation is {found.state}: there is nothing to resume.")
    return redirect(found)


@staff_only
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Evaluation, pk=pk)
    if not runner.cancel(found, f"Cancelled by {request.user}"):
        messages.warning(request, f"This evaluation is {found.state}: there is nothing to cancel.")
    return redirect(found)


@staff_only
@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Evaluation, pk=pk)
    retried = runner.retry_errored(found)
    if retried:
        jobs.enqueue(found)
    messages.info(request, f"{retried} runs are queued again." if retried else "No run has errored.")
    return redirect(found)
