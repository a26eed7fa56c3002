"""Stored turns for what goes out: a few at a time, each with what the model was told before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from evals.agent import context
from evals.agent.prompts import Prompt
from evals.exchange.incoming import Given
from evals.models import Evaluation, Run, ToolCall, Turn
from evals.trajectory import TurnKind

BATCH = 10  # turns in memory at once: each may hold some forty thousand characters a tool call


@dataclass(frozen=True)
class StoredTurn:
    """A turn with its calls in order. Not by Django's prefetching, which ties calls and turn into a knot
    that lies about until the garbage collector comes by, with all their texts."""

    row: Turn
    calls: list[ToolCall]
    told: tuple[Given, ...] = ()  # what the model was told since the reply before


def stored_turns(run: Run) -> Iterator[StoredTurn]:
    """Yield the turns in order, in two queries a batch.

    By number and not through a cursor: a reader on a slow line would keep the cursor open, and with it
    the state of the whole database as it was when the reader began.
    """
    last = 0
    while batch := next_batch(run, last):
        last = batch[-1].row.number
        full = len(batch) == BATCH
        yield from batch
        if not full:
            return


def next_batch(run: Run, last: int) -> list[StoredTurn]:
    rows = Turn.objects.filter(run=run.pk, number__gt=last).order_by("number")[:BATCH]
    batch = {row.pk: StoredTurn(row, []) for row in rows}
    for call in ToolCall.objects.filter(turn__in=list(batch)).order_by("turn_id", "number"):
        batch[call.turn_id].calls.append(call)
    return list(batch.values())


def told_turns(run: Run) -> Iterator[StoredTurn]:
    """Yield each turn with what its model was told before it."""
    if run.evaluation.imported:
        for turn in stored_turns(run):
            yield replace(turn, told=tuple(Given(**each) for each in turn.row.given))
    else:
        yield from turns_of_our_loop(run)


def turns_of_our_loop(run: Run) -> Iterator[StoredTurn]:
    evaluation = run.evaluation
    waiting = opening_of(evaluation)
    turns_left = evaluation.turn_cap
    for turn in stored_turns(run):
        if turn.row.kind == TurnKind.SUMMARY:
            waiting.append(Given("user", context.SUMMARISE))
        else:
            turns_left -= 1
        yield replace(turn, told=tuple(waiting))
        waiting = told_after(turn, turns_left)


def opening_of(evaluation: Evaluation) -> list[Given]:
    """Return what begins every run of an evaluation."""
    if evaluation.imported or not evaluation.prompt_text:
        return []
    prompt = Prompt(evaluation.prompt_name, evaluation.prompt_text).filled(evaluation.turn_cap)
    return [Given("system", prompt), Given("user", context.opening())]


def told_after(turn: StoredTurn, turns_left: int) -> list[Given]:
    """Return what a run played here tells its model after a turn, beside the outputs of its tools."""
    if turn.row.kind == TurnKind.SUMMARY:
        return [Given("user", context.opening(turn.row.message))] if turn.row.message.strip() else []
    words = context.words_after(calls=len(turn.calls), turns_left=turns_left)
    return [Given("user", words)] if words else []
