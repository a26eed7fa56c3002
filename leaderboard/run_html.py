"""A run as one HTML file that needs nothing else: it asks for no other file and holds no script.

Its style is allowed by its hash, in the file itself and by the site that serves it: whatever a model
wrote, nothing in the file can do anything.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import get_template

from evals.exchange.asciicast import ending_of, shell_streams
from evals.exchange.incoming import Given
from evals.exchange.run_facts import newest_grade
from evals.exchange.stored_turns import told_turns
from evals.models import Run, ToolCall, Turn
from leaderboard.terminal import readable
from leaderboard.turns import Mark, kind_counts, strip
from leaderboard.verdicts import outcome_sentence, verdicts_of

STYLES = Path(settings.BASE_DIR, "static", "css")
TURNS_GO_HERE = "<!-- turns -->"  # text from outside never holds it: its < is escaped
FOLD_LINES, FOLD_CHARACTERS = 20, 2000
PREVIEW_LINES, PREVIEW_CHARACTERS = 8, 640
# Of one text: an imported run may hold one of many megabytes, which freezes a browser.
MOST_CHARACTERS = 200_000
MARK_PIXELS = 14


@dataclass(frozen=True)
class Text:
    """A text of which a page shows all, or a preview to unfold."""

    whole: str
    preview: str  # empty: the whole is short
    lines: int
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
    marks = {mark.number: mark for mark in strip(run)}
    page = get_template("leaderboard/run_file/page.html").render(page_context(run, marks, address))
    start, _, end = page.partition(TURNS_GO_HERE)
    yield start.encode(errors="replace")
    template = get_template("leaderboard/run_file/_turn.html")
    for given, turn in told_turns(run):
        # A turn that came in since the strip was drawn is in neither.
        if turn.number in marks:
            context = turn_context(turn, given, marks[turn.number])
            yield template.render(context).encode(errors="replace")
    yield end.encode(errors="replace")


@lru_cache(maxsize=1)
def style() -> str:
    """Return the sheet of the file; its colours are the site's own, which are the first rule there."""
    colours = (STYLES / "site.css").read_text(encoding="utf-8").partition("\n}\n")[0]
    return f"{colours}\n}}\n{(STYLES / 'run_file.css').read_text(encoding='utf-8')}"


def policy() -> str:
    """Return the content security policy of the file: its own style, and nothing else at all."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def page_context(run: Run, marks: dict[int, Mark], address: str) -> dict[str, Any]:
    grade = newest_grade(run)
    return {
        "run": run,
        "address": address,
        "policy": policy(),
        "style": style(),
        "grade": grade,
        "outcome": outcome_sentence(run, grade),
        "verdicts": verdicts_of(grade),
        "answer": answer_of(run),
        "marks": marks.values(),
        "kinds": kind_counts(list(marks.values())),
        "strip_width": 10 * len(marks),
        "strip_pixels": MARK_PIXELS * len(marks),
    }


def answer_of(run: Run) -> Text | None:
    raw = run.submission if run.submission is not None else run.unsubmitted
    return None if raw is None else text_of(bytes(raw).decode(errors="replace"))


def turn_context(turn: Turn, given: tuple[Given, ...], mark: Mark) -> dict[str, Any]:
    calls = list(turn.tool_calls.all())
    return {
        "turn": turn,
        "mark": mark,
        "told": [(each.source, text_of(each.text)) for each in given],
        "reasoning": text_of(turn.reasoning),
        "message": text_of(turn.message),
        "calls": [call_of(call) for call in calls],
        "seconds": turn.model_s + sum(call.duration_s for call in calls),
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
    plain = readable(text).strip("\n")
    kept = plain[:MOST_CHARACTERS]
    lines = kept.count("\n") + 1 if kept else 0
    preview = ""
    if lines > FOLD_LINES or len(kept) > FOLD_CHARACTERS:
        preview = "\n".join(kept.split("\n", PREVIEW_LINES)[:PREVIEW_LINES])[:PREVIEW_CHARACTERS]
    return Text(kept, preview, lines, len(plain) - len(kept))
