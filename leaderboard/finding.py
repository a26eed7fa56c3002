"""Where a text stands in one run: what the page's own search finds, with an excerpt for each place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet, TextField, Value
from django.db.models.functions import Coalesce, Greatest, Lower, NullIf, StrIndex, Substr

from evals.exchange.asciicast import STDERR_OPENS, STDOUT_OPENS
from evals.models import Run, ToolCall
from leaderboard.terminal import ESCAPE_SEQUENCE, seen

LONGEST_WANTED = 200  # characters
MOST_SHOWN = 100
BEFORE, EXCERPT = 60, 220  # characters

FIELD_WORDS = {"message": "message", "reasoning": "reasoning", "command": "command", "output": "output"}
COLUMNS_OF_TURN = {"message": F("message"), "reasoning": F("reasoning")}
COLUMNS_OF_CALL = {
    "command": Coalesce(NullIf("command", Value("")), "arguments"),
    "output": Coalesce("output", Value("")),
}


@dataclass(frozen=True)
class Hit:
    """One text that holds what was wanted; of several places in it the first."""

    turn: int
    call: int  # 0: in the model's own words
    field: str  # a key of FIELD_WORDS
    before: str
    match: str
    after: str

    @property
    def words(self) -> str:
        return FIELD_WORDS[self.field]


@dataclass(frozen=True)
class Hits:
    wanted: str
    shown: Sequence[Hit]
    total: int  # texts that hold it
    turns: frozenset[int]


def hits_in(run: Run, text: str) -> Hits:
    """Return where the text stands in a run, without regard to case. Two queries that read excerpts only."""
    wanted = text.strip()[:LONGEST_WANTED].replace("\0", "")
    if not wanted:
        return Hits("", (), 0, frozenset())
    calls = ToolCall.objects.filter(turn__run=run).annotate(
        turn_number=F("turn__number"), call_number=F("number")
    )
    turns = run.turns.annotate(turn_number=F("number"), call_number=Value(0))
    found = sorted(
        [*matches(turns, COLUMNS_OF_TURN, wanted), *matches(calls, COLUMNS_OF_CALL, wanted)],
        key=lambda hit: (hit.turn, hit.call),
    )
    return Hits(wanted, found[:MOST_SHOWN], len(found), frozenset(hit.turn for hit in found))


def matches(rows: QuerySet[Any], columns: dict[str, Any], wanted: str) -> Iterator[Hit]:
    # Both sides are lowered by the database, which knows fewer letters than Python does.
    lowered = Lower(Value(wanted, TextField()))
    places = {f"{name}_at": StrIndex(Lower(column), lowered) for name, column in columns.items()}
    excerpts = {
        f"{name}_excerpt": Substr(column, Greatest(F(f"{name}_at") - BEFORE, Value(1)), EXCERPT + len(wanted))
        for name, column in columns.items()
    }
    read = ("turn_number", "call_number", *places, *excerpts)
    for row in rows.order_by().annotate(**places).annotate(**excerpts).values(*read).iterator():
        for name in columns:
            if at := row[f"{name}_at"]:
                yield hit_of(row, name, min(at - 1, BEFORE), len(wanted))


def hit_of(row: dict[str, Any], name: str, start: int, length: int) -> Hit:
    text = row[f"{name}_excerpt"]
    parts = text[:start], text[start : start + length], text[start + length :]
    return Hit(row["turn_number"], row["call_number"], name, *(one_line(part) for part in parts))


def one_line(text: str) -> str:
    """Return the text in one line, without the tags that the shell tool writes around what was printed."""
    text = text.rpartition(STDOUT_OPENS)[2].partition(STDERR_OPENS)[0]
    return seen(" ".join(ESCAPE_SEQUENCE.sub("", text).replace("\r", " ").split("\n")))
