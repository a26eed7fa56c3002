"""The texts of a run that its page shows only the beginning of."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from evals.exchange.asciicast import shell_streams
from evals.models import Run, ToolCall, Turn
from leaderboard.audience import visible_runs
from leaderboard.terminal import opened, readable

PARTS_OF_TURN = ("message", "reasoning")


@require_safe
@vary_on_headers("HX-Request")
def said(request: HttpRequest, pk: int, turn: int, part: str) -> HttpResponse:
    """A turn's whole message or reasoning."""
    if part not in PARTS_OF_TURN:
        raise Http404
    return whole_text(request, getattr(find_turn(request, pk, turn), part))


@require_safe
@vary_on_headers("HX-Request")
def given(request: HttpRequest, pk: int, turn: int, number: int) -> HttpResponse:
    """The whole of one text that the model was told before a turn."""
    told = find_turn(request, pk, turn).given
    if not 1 <= number <= len(told):
        raise Http404
    return whole_text(request, str(told[number - 1]["text"]))


@require_safe
@vary_on_headers("HX-Request")
def command(request: HttpRequest, pk: int, turn: int, call: int) -> HttpResponse:
    """The whole command of one tool call, or its arguments."""
    found = find_call(request, pk, turn, call)
    return whole_text(request, found.command or found.arguments)


@require_safe
@vary_on_headers("HX-Request")
def output(request: HttpRequest, pk: int, turn: int, call: int) -> HttpResponse:
    """The whole output of one tool call."""
    streams = shell_streams(find_call(request, pk, turn, call).output or "")
    if not request.htmx:  # type: ignore[attr-defined]
        return plain_text(streams.stdout + streams.stderr)
    context = {"stdout": opened(streams.stdout), "stderr": opened(streams.stderr), "address": request.path}
    return render(request, "leaderboard/_output.html", context)


def whole_text(request: HttpRequest, text: str) -> HttpResponse:
    """A fragment for htmx, plain text for a browser."""
    if not request.htmx:  # type: ignore[attr-defined]
        return plain_text(text)
    return render(request, "leaderboard/_opened.html", {"text": opened(text), "address": request.path})


def plain_text(text: str) -> HttpResponse:
    return HttpResponse(readable(text), content_type="text/plain; charset=utf-8")


def find_turn(request: HttpRequest, pk: int, turn: int) -> Turn:
    runs = visible_runs(request, Run.objects.all())
    return get_object_or_404(Turn, run__in=runs.filter(pk=pk), number=turn)


def find_call(request: HttpRequest, pk: int, turn: int, call: int) -> ToolCall:
    runs = visible_runs(request, Run.objects.all())
    return get_object_or_404(ToolCall, turn__run__in=runs.filter(pk=pk), turn__number=turn, number=call)
