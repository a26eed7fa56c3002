"""A run as one HTML file that needs nothing else: it asks for no other file and holds no script.

Its style is allowed by its hash, in the file itself and by the site that serves it: whatever a model
wrote, nothing in the file can do anything.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import get_template
from django.utils.safestring import SafeString

from evals.exchange.asciicast import ending_of, shell_streams
from evals.exchange.run_facts import newest_grade
from evals.exchange.stored_turns import StoredTurn, told_turns
from evals.models import Grade, Run, ToolCall
from leaderboard.strips import Flags, Mark, Range, Strip, drawn, strip_of
from leaderboard.terminal import coloured, cut, readable
from leaderboard.verdicts import Sighted, outcome_sentence, sighted_of, verdicts_of

STYLES = Path(settings.BASE_DIR, "static", "css")
COLOURS = re.compile(r"^(?::root|\.f\d+|\.g\d+|\.fb|\.ff) \{[^}]*\}", re.MULTILINE)
TURNS_GO_HERE = "<!-- turns -->"  # text from outside never holds it: its < is escaped
FOLD_LINES, FOLD_CHARACTERS = 20, 2000
PREVIEW_LINES, PREVIEW_CHARACTERS = 8, 640
# Of one text: an imported run may hold one of many megabytes, which freezes a browser.
MOST_CHARACTERS = 200_000


@dataclass(frozen=True)
class Text:
    """A text of which a page shows all, or a preview to unfold."""

    whole: SafeString  # HTML
    preview: SafeString  # empty: the whole is short
    lines: int
    characters: int
    cut: int  # characters left out, for there is an end to what a browser takes


@dataclass(frozen=True)
class CallInFile:
    tool: str  # empty for a shell call
    command: Text
    stdout: Text
    stderr: Text
    ending: str  # how it failed; empty where it did not
    duration_s: float


def html_pieces(run: Run, address: str = "") -> Iterator[bytes]:
    """Yield the page piece by piece, reading the turns in small batches. `address`: of the run's own page."""
    strip, grade = strip_of(run), newest_grade(run)
    sighted = sighted_of(grade, strip.last)
    context = {**page_context(run, grade), **map_context(strip, sighted), "address": address}
    page = get_template("leaderboard/run_file/page.html").render(context)
    start, _, end = page.partition(TURNS_GO_HERE)
    yield start.encode(errors="replace")
    template = get_template("leaderboard/run_file/_turn.html")
    for turn in told_turns(run):
        # A turn that came in since the strip was drawn is in neither.
        if mark := strip.by_number.get(turn.row.number):
            yield template.render(turn_context(turn, mark, sighted)).encode(errors="replace")
    yield end.encode(errors="replace")


@lru_cache(maxsize=1)
def style() -> str:
    """Return the sheet of the file. Its colours, and those of terminals, are the site's own."""
    site = "".join((STYLES / name).read_text(encoding="utf-8") for name in ("site.css", "run.css"))
    own = (STYLES / "run_file.css").read_text(encoding="utf-8")
    return "\n".join([*COLOURS.findall(site), own])


def policy() -> str:
    """Return the content security policy of the file: its own style, and nothing else at all."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def page_context(run: Run, grade: Grade | None) -> dict[str, Any]:
    evaluation = run.evaluation
    return {
        "run": run,
        "policy": policy(),
        "style": style(),
        "model": readable(str(evaluation.language_model)),
        "task": readable(run.task.slug),
        "benchmark": readable(evaluation.benchmark.name),
        "played_by": readable(f"{evaluation.harness} {evaluation.harness_version}".strip()),
        "grade": grade,
        "outcome": outcome_sentence(run, grade),
        "verdicts": verdicts_of(grade),
        "answer": answer_of(run),
    }


def map_context(strip: Strip, sighted: list[Sighted]) -> dict[str, Any]:
    seen = {root.seen_turn for root in sighted if root.seen_turn is not None}
    named = {root.named_turn for root in sighted if root.named_turn is not None}
    return {
        "kinds": strip.kinds,
        "sighted": sighted,
        "drawing": drawn(strip, Range(1, strip.last), Flags(seen=seen, named=named), ())
        if strip.marks
        else "",
    }


def answer_of(run: Run) -> Text | None:
    raw = run.submission if run.submission is not None else run.unsubmitted
    return None if raw is None else text_of(bytes(raw).decode(errors="replace"))


def turn_context(stored: StoredTurn, mark: Mark, sighted: list[Sighted]) -> dict[str, Any]:
    turn = stored.row
    return {
        "turn": turn,
        "mark": mark,
        "sighted": sighted,
        "told": [(each.source, text_of(each.text)) for each in stored.told],
        "reasoning": text_of(turn.reasoning),
        "message": text_of(turn.message),
        "calls": [call_of(call) for call in stored.calls],
    }


def call_of(call: ToolCall) -> CallInFile:
    streams = shell_streams(call.output or "")
    return CallInFile(
        tool="" if call.command else readable(call.tool),
        command=text_of(call.command or call.arguments),
        stdout=text_of(streams.stdout),
        stderr=text_of(streams.stderr),
        ending=ending_of(call),
        duration_s=call.duration_s,
    )


def text_of(text: str) -> Text:
    ended = text.strip("\r\n")
    kept = cut(ended, MOST_CHARACTERS)
    lines = kept.count("\n") + 1 if kept else 0
    preview = ""
    if lines > FOLD_LINES or len(kept) > FOLD_CHARACTERS:
        preview = cut("\n".join(kept.split("\n", PREVIEW_LINES)[:PREVIEW_LINES]), PREVIEW_CHARACTERS)
    return Text(coloured(kept), coloured(preview), lines, len(kept), len(ended) - len(kept))
