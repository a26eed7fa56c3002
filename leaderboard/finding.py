"""Where a text stands in one run: what the page's own search finds, with an excerpt for each place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import Coalesce, NullIf

from evals.models import Run, ToolCall
from leaderboard.terminal import one_line

LONGEST_WANTED = 200  # characters
MOST_SHOWN = 100
BEFORE, AFTER = 60, 160  # characters of an excerpt

OF_TURN = {"message": F("message"), "reasoning": F("reasoning")}
OF_CALL = {
    "command": Coalesce(NullIf("command", Value("", TextField())), "arguments"),
    "output": Coalesce("output", Value("", TextField())),
}


@dataclass(frozen=True, order=True)
class Place:
    turn: int
    call: int  # 0: in the model's own words
    field: str


@dataclass(frozen=True)
class Hit:
    """One text that holds what was wanted; of several places in it the first."""

    place: Place
    before: str
    match: str
    after: str


@dataclass(frozen=True)
class Hits:
    wanted: str
    shown: Sequence[Hit]
    total: int  # texts that hold it
    turns: frozenset[int]


def hits_in(run: Run, text: str) -> Hits:
    """Return where the text stands in a run, without regard to case.

    Two queries tell the places and read no text, two more read what is shown of them.
    """
    wanted = text.strip()[:LONGEST_WANTED].replace("\0", "")
    if not wanted:
        return Hits("", (), 0, frozenset())
    places = sorted(
        chain(places_in(turns_of(run), OF_TURN, wanted), places_in(calls_of(run), OF_CALL, wanted))
    )
    shown = places[:MOST_SHOWN]
    texts = texts_at(turns_of(run), OF_TURN, shown) | texts_at(calls_of(run), OF_CALL, shown)
    hits = [hit_of(place, texts[place], wanted) for place in shown if place in texts]
    return Hits(wanted, hits, len(places), frozenset(place.turn for place in places))


def turns_of(run: Run) -> QuerySet[Any]:
    return run.turns.order_by().annotate(turn_number=F("number"), call_number=Value(0))


def calls_of(run: Run) -> QuerySet[Any]:
    calls = ToolCall.objects.filter(turn__run=run).order_by()
    return calls.annotate(turn_number=F("turn__number"), call_number=F("number"))


def places_in(rows: QuerySet[Any], columns: Mapping[str, Any], wanted: str) -> list[Place]:
    read = {f"{field}_text": column for field, column in columns.items()}
    holds = {f"in_{field}": Q(**{f"{field}_text__icontains": wanted}) for field in columns}
    found = rows.annotate(**read).annotate(**holds).values_list("turn_number", "call_number", *holds)
    return [
        Place(turn, call, field)
        for turn, call, *held in found
        for field, holding in zip(columns, held, strict=True)
        if holding
    ]


def texts_at(rows: QuerySet[Any], columns: Mapping[str, Any], places: Sequence[Place]) -> dict[Place, str]:
    turns = {place.turn for place in places if place.field in columns}
    if not turns:
        return {}
    read = {f"{field}_text": column for field, column in columns.items()}
    found = (
        rows.filter(turn_number__in=turns).annotate(**read).values_list("turn_number", "call_number", *read)
    )
    return {
        Place(turn, call, field): text
        for turn, call, *texts in found.iterator()
        for field, text in zip(columns, texts, strict=True)
    }


def hit_of(place: Place, text: str, wanted: str) -> Hit:
    # Where the database and Python hold different letters for the same, the beginning is shown.
    start = max(text.lower().find(wanted.lower()), 0)
    end = start + len(wanted)
    parts = text[max(start - BEFORE, 0) : start], text[start:end], text[end : end + AFTER]
    return Hit(place, *(one_line(part) for part in parts))
