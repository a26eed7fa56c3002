"""Stored turns for what goes out: a few at a time, each with what the model was told before it."""

from __future__ import annotations

from collections.abc import Iterator

from evals.agent import context
from evals.agent.prompts import Prompt
from evals.exchange.incoming import Given
from evals.models import Evaluation, Run, Turn
from evals.trajectory import TurnKind

BATCH = 10  # turns in memory at once: each may hold some forty thousand characters a tool call


def stored_turns(run: Run) -> Iterator[Turn]:
    """Yield the turns in order with their tool calls, in two queries a batch.

    By number and not through a cursor: a reader on a slow line would keep the cursor open, and with it
    the state of the whole database as it was when the reader began.
    """
    last = 0
    while batch := list(
        run.turns.filter(number__gt=last).order_by("number").prefetch_related("tool_calls")[:BATCH]
    ):
        yield from batch
        last = batch[-1].number
        if len(batch) < BATCH:
            return


def told_turns(run: Run) -> Iterator[tuple[tuple[Given, ...], Turn]]:
    """Yield each turn behind what its model was told since the reply before."""
    if run.evaluation.imported:
        for turn in stored_turns(run):
            yield tuple(Given(**each) for each in turn.given), turn
    else:
        yield from turns_of_our_loop(run)


def turns_of_our_loop(run: Run) -> Iterator[tuple[tuple[Given, ...], Turn]]:
    evaluation = run.evaluation
    waiting = opening_of(evaluation)
    turns_left = evaluation.turn_cap
    for turn in stored_turns(run):
        if turn.kind == TurnKind.SUMMARY:
            waiting.append(Given("user", context.SUMMARISE))
        else:
            turns_left -= 1
        yield tuple(waiting), turn
        waiting = told_after(turn, turns_left)


def opening_of(evaluation: Evaluation) -> list[Given]:
    """Return what begins every run of an evaluation."""
    if evaluation.imported or not evaluation.prompt_text:
        return []
    prompt = Prompt(evaluation.prompt_name, evaluation.prompt_text).filled(evaluation.turn_cap)
    return [Given("system", prompt), Given("user", context.opening())]


def told_after(turn: Turn, turns_left: int) -> list[Given]:
    """Return what a run played here tells its model after a turn, beside the outputs of its tools."""
    if turn.kind == TurnKind.SUMMARY:
        return [Given("user", context.opening(turn.message))] if turn.message.strip() else []
    words = context.words_after(calls=len(turn.tool_calls.all()), turns_left=turns_left)
    return [Given("user", words)] if words else []
