"""A run: its verdict, its turns a window at a time, its outputs, its recording."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_cache_control
from django.utils.html import format_html
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from evals.exchange.asciicast import cast_lines, shell_streams
from evals.models import NEWEST_GRADE_FIRST, Grade, Run, RunState, ToolCall
from leaderboard.audience import is_staff, visible_runs
from leaderboard.middleware import allow_wasm
from leaderboard.terminal import readable
from leaderboard.turns import kind_counts, strip, window_of, window_turns
from leaderboard.verdicts import outcome_sentence, verdicts_of

# Of an answer that is no valid JSON, so much is shown.
ANSWER_CHARACTERS = 20_000
MARK_PIXELS = 24  # of a turn in the strip, where there is room for all


@require_safe
@allow_wasm
def run(request: HttpRequest, pk: int) -> HttpResponse:
    found = find_run(request, pk)
    grade = newest_grade(found)
    marks = strip(found)
    window = window_of(len(marks), whole_number(request.GET.get("turn", "")))
    repeats = siblings(found)
    context = {
        "nav": "evaluations",
        "run": found,
        "benchmark": found.evaluation.benchmark,
        "grade": grade,
        "outcome": outcome_sentence(found, grade),
        "verdicts": verdicts_of(grade),
        "answer": answer_text(found),
        "marks": marks,
        "window": window,
        "strip_width": 10 * len(marks),
        "strip_pixels": MARK_PIXELS * len(marks),
        "turns": window_turns(found, window),
        "kinds": kind_counts(marks),
        "siblings": repeats,
        **neighbours(found, repeats),
        "staff": is_staff(request),
        "running": found.state == RunState.RUNNING,
    }
    return render(request, "leaderboard/run.html", context)


def find_run(request: HttpRequest, pk: int) -> Run:
    runs = visible_runs(request, Run.objects.all()).defer("task__ground_truth", "task__ground_truth_text")
    related = ("evaluation__benchmark", "evaluation__language_model", "task__benchmark")
    return get_object_or_404(runs.select_related(*related), pk=pk)


def newest_grade(found: Run) -> Grade | None:
    grades = found.grades.filter(grader=found.evaluation.benchmark.grader)
    return grades.order_by(*NEWEST_GRADE_FIRST).first()


def whole_number(text: str) -> int:
    """Return the number written, or 1: a hand-made address is no reason for an error."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def answer_text(found: Run) -> str:
    """Return the answer as handed in (or as left behind), indented where it is JSON."""
    raw = found.submission if found.submission is not None else found.unsubmitted
    if raw is None:
        return ""
    text = bytes(raw).decode("utf-8", errors="replace")
    with suppress(ValueError, RecursionError):
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return readable(text)[:ANSWER_CHARACTERS]


def siblings(found: Run) -> list[dict[str, Any]]:
    """Return the runs of the same task in the same evaluation, this one among them."""
    runs = found.evaluation.runs.filter(task=found.task).order_by("repeat")
    return [dict(run) for run in runs.values("pk", "repeat", "state")]


def neighbours(found: Run, runs: list[dict[str, Any]]) -> dict[str, Any]:
    place = [run["pk"] for run in runs].index(found.pk)
    return {
        "previous": runs[place - 1] if place else None,
        "next": runs[place + 1] if place + 1 < len(runs) else None,
    }


@require_safe
@vary_on_headers("HX-Request")
def output(request: HttpRequest, pk: int, turn: int, call: int) -> HttpResponse:
    """The whole output of one tool call: a fragment for htmx, plain text for a browser."""
    streams = shell_streams(find_call(request, pk, turn, call).output or "")
    if request.htmx:  # type: ignore[attr-defined]
        context = {"stdout": readable(streams.stdout), "stderr": readable(streams.stderr)}
        return render(request, "leaderboard/_output.html", context)
    return plain_text(readable(streams.stdout + streams.stderr))


@require_safe
@vary_on_headers("HX-Request")
def command(request: HttpRequest, pk: int, turn: int, call: int) -> HttpResponse:
    """The whole command of one tool call: a fragment for htmx, plain text for a browser."""
    found = find_call(request, pk, turn, call)
    text = readable(found.command or found.arguments)
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(format_html('<pre class="typed">{}</pre>', text))
    return plain_text(text)


def find_call(request: HttpRequest, pk: int, turn: int, call: int) -> ToolCall:
    runs = visible_runs(request, Run.objects.all())
    return get_object_or_404(ToolCall, turn__run__in=runs.filter(pk=pk), turn__number=turn, number=call)


def plain_text(text: str) -> HttpResponse:
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@require_safe
def replay(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The recording of the shell session, made while it is sent."""
    found = find_run(request, pk)
    title = f"{found.evaluation.language_model} on {found.task.slug}, repeat {found.repeat}"
    response = StreamingHttpResponse(cast_lines(found, title), content_type="application/x-asciicast")
    response["Content-Disposition"] = f'inline; filename="run-{found.pk}.cast"'
    if found.state == RunState.ENDED:
        patch_cache_control(response, private=True, max_age=300)
    return response
