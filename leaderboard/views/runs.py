"""A run: its verdict, its turns a window at a time, its recording, and its page while it is being played."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from evals.models import NEWEST_GRADE_FIRST, Grade, Run, RunState
from leaderboard.audience import is_staff, visible_runs
from leaderboard.finding import Hits, hits_in
from leaderboard.middleware import allow_wasm
from leaderboard.remarks import CHOICES, Remarks, remarks_of, suggested
from leaderboard.strips import Flags, Range, Strip, drawn, strip_of
from leaderboard.terminal import readable
from leaderboard.turns import WINDOW, Window, window_of, window_turns
from leaderboard.verdicts import Sighted, outcome_sentence, sighted_of, verdicts_of

# Of an answer that is no valid JSON, so much is shown.
ANSWER_CHARACTERS = 20_000
HIDEABLE = {"reasoning": "Reasoning", "messages": "Messages", "commands": "Commands", "outputs": "Outputs"}
# Seconds until a page asks again, the longer the longer nothing came.
PAUSES_S = (2, 3, 5, 8, 13, 20)
OPEN_STATES = (RunState.QUEUED, RunState.RUNNING)


@dataclass(frozen=True)
class Shown:
    """What every part of a run's page is made of."""

    run: Run
    grade: Grade | None
    strip: Strip
    hits: Hits
    sighted: list[Sighted]
    remarks: Remarks
    staff: bool

    @property
    def flags(self) -> Flags:
        return Flags(
            hits=self.hits.turns,
            seen={sighted.seen_turn for sighted in self.sighted if sighted.seen_turn},
            named={sighted.named_turn for sighted in self.sighted if sighted.named_turn},
            remarked=self.remarks.turns,
        )


@require_safe
@vary_on_headers("HX-Request")
@allow_wasm
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """The page; for htmx the window of turns alone."""
    shown = shown_of(request, find_run(request, pk))
    window = window_of(len(shown.strip.marks), whole_number(request.GET.get("turn", ""), 1))
    context = turns_context(request, shown, window)
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "leaderboard/_run_turns.html", context)
    context |= state_context(shown) | map_context(request, shown, window) | page_context(request, shown)
    return render(request, "leaderboard/run.html", context)


@require_safe
@never_cache
def live(request: HttpRequest, pk: int) -> HttpResponse:
    """What came after the page's `last` turn; `quiet` says how often nothing had come."""
    shown = shown_of(request, find_run(request, pk))
    last = whole_number(request.GET.get("last", ""), 0)
    since = Range(last + 1, min(last + WINDOW, shown.strip.last))
    came = window_turns(shown.run, shown.strip, since)
    changed = window_turns(shown.run, shown.strip, Range(last, last)) if last else []
    quiet = 0 if came else min(whole_number(request.GET.get("quiet", ""), 0) + 1, len(PAUSES_S) - 1)
    on_page = Range(whole_number(request.GET.get("first", ""), 1), max(last, since.last))
    context = state_context(shown) | map_context(request, shown, on_page) | {
        "came": came, "changed": changed, "last": max(last, since.last), "first": on_page.first,
        "quiet": quiet, "pause_s": PAUSES_S[quiet],
    }  # fmt: skip
    return render(request, "leaderboard/_run_live.html", context)


def find_run(request: HttpRequest, pk: int) -> Run:
    runs = visible_runs(request, Run.objects.all()).defer("task__ground_truth", "task__ground_truth_text")
    related = ("evaluation__benchmark", "evaluation__language_model", "task__benchmark", "source")
    return get_object_or_404(runs.select_related(*related), pk=pk)


def shown_of(request: HttpRequest, found: Run) -> Shown:
    grade, strip = newest_grade(found), strip_of(found)
    hits = hits_in(found, request.GET.get("find", ""))
    return Shown(
        found, grade, strip, hits, sighted_of(grade, strip.last), remarks_of(found), is_staff(request)
    )


def state_context(shown: Shown) -> dict[str, Any]:
    """How the run stands: what is said above its turns."""
    return {
        "run": shown.run,
        **addresses(shown.run),
        "grade": shown.grade,
        "outcome": outcome_sentence(shown.run, shown.grade),
        "verdicts": verdicts_of(shown.grade),
        "sighted": shown.sighted,
        "open": shown.run.state in OPEN_STATES,
        "remarks": shown.remarks,
        "staff": shown.staff,
    }


def addresses(found: Run) -> dict[str, str]:
    """Return what the addresses of all its turns begin with: finding out each anew takes milliseconds."""
    return {
        "turns_at": f"{found.get_absolute_url()}turns/",
        "turns_in_api": reverse("api:turns", args=[found.pk]),
    }


def map_context(request: HttpRequest, shown: Shown, on_page: Range) -> dict[str, Any]:
    kept = [(key, value) for key in ("find", "hide") for value in request.GET.getlist(key) if value]
    return {
        "strip": shown.strip,
        "drawn": drawn(shown.strip, on_page, shown.flags, kept),
        "hits": shown.hits,
    }


def turns_context(request: HttpRequest, shown: Shown, window: Window) -> dict[str, Any]:
    hidden = [name for name in request.GET.getlist("hide") if name in HIDEABLE]
    return {
        "run": shown.run,
        **addresses(shown.run),
        "hits": shown.hits,
        "sighted": shown.sighted,
        "remarks": shown.remarks,
        "staff": shown.staff,
        "window": window,
        "turns": window_turns(shown.run, shown.strip, window),
        "hidden": hidden,
        "live_here": shown.run.state in OPEN_STATES and window.is_last,
        "pause_s": PAUSES_S[0],
    }


def page_context(request: HttpRequest, shown: Shown) -> dict[str, Any]:
    repeats = siblings(shown.run)
    return {
        "nav": "evaluations",
        "benchmark": shown.run.evaluation.benchmark,
        "answer": answer_text(shown.run),
        "hideable": HIDEABLE.items(),
        "siblings": repeats,
        **neighbours(shown.run, repeats),
        "tag_choices": CHOICES,
        "suggested": suggested(shown.run, shown.grade, shown.remarks) if shown.staff else (),
    }


def newest_grade(found: Run) -> Grade | None:
    grades = found.grades.filter(grader=found.evaluation.benchmark.grader)
    return grades.order_by(*NEWEST_GRADE_FIRST).first()


def newest_grades(runs: list[int], grader: str) -> dict[int, Grade]:
    grades = Grade.objects.filter(run__in=runs, grader=grader).order_by("grader_version")
    return {grade.run_id: grade for grade in grades}


def whole_number(text: str, otherwise: int) -> int:
    """Return the number written, or the other one: a hand-made address is no reason for an error."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else otherwise


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
