"""Staff tag runs and turns, and comment on them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from evals.models import Remark, Run
from evals.runner.remarks import RemarkRefused, Said, add_remark
from leaderboard.audience import staff_only


@staff_only
@require_POST
def add(request: HttpRequest, pk: int) -> HttpResponse:
    run = get_object_or_404(Run, pk=pk)
    try:
        said = Said(request.POST.get("tag", ""), request.POST.get("comment", ""), turn_of(request))
        add_remark(run, said, request.user.pk)
    except RemarkRefused as problem:
        messages.error(request, str(problem))
    return redirect(address_of(run, request.POST.get("turn", "")))


def turn_of(request: HttpRequest) -> int | None:
    text = request.POST.get("turn", "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise RemarkRefused("A turn is a whole number.")
    return int(text)


@staff_only
@require_POST
def remove(request: HttpRequest, pk: int, remark: int) -> HttpResponse:
    found = get_object_or_404(Remark.objects.select_related("turn", "run"), pk=remark, run=pk)
    turn = str(found.turn.number) if found.turn else ""
    found.delete()
    return redirect(address_of(found.run, turn))


def address_of(run: Run, turn: str) -> str:
    known = turn.isascii() and turn.isdigit() and len(turn) < 10
    return (
        f"{run.get_absolute_url()}?turn={turn}#turn-{turn}" if known else f"{run.get_absolute_url()}#remarks"
    )
