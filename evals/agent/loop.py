"""The agent: ask the model, use the tools it calls for, until it hands in or meets a limit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from evals.agent import context
from evals.agent.context import Brief
from evals.agent.limits import Budget, Limits
from evals.agent.prompts import ANSWER_FILE
from evals.agent.tools import (
    ANSWER_LIMIT_BYTES,
    HANDED_IN,
    TOOLS,
    HandIn,
    shell_observation,
    storable,
    use_tool,
)
from evals.llm import ChatModel, ContextOverflow, Message
from evals.sandbox import Sandbox
from evals.trajectory import Observation, Outcome, Reply, StopReason, ToolCall, TurnKind, TurnRecord


class Recorder(Protocol):
    """Who keeps the turns. Both methods may raise to end the run from outside."""

    def reply_came(self, turn: TurnRecord) -> None:
        """A reply has been paid for: keep it before anything else happens."""

    def turn_ended(self, turn: TurnRecord) -> None:
        """The turn's tools have been used: keep what they gave back."""


@dataclass(frozen=True)
class Agent:
    """A model, a sandbox and a brief, ready to play one run."""

    model: ChatModel
    sandbox: Sandbox
    brief: Brief
    limits: Limits
    recorder: Recorder

    def play(self, history: Sequence[TurnRecord] = ()) -> Outcome:
        """Play a run to its end, going on after the turns of `history`.

        The sandbox must already be in the state those turns left it in: see `replay`.

        Raises:
            ModelError, SandboxError: we failed; the run has no outcome.
        """
        turns = list(history)
        if turns and (handed_in := self._take_up(turns)):
            return submitted(handed_in)
        budget = Budget(self.limits)
        for turn in turns:
            budget.spend(turn)
        while (limit := budget.limit_met()) is None:
            try:
                turn = self._next_turn(turns)
            except ContextOverflow:
                return self._ended(StopReason.CONTEXT_FULL)
            turns.append(turn)
            self.recorder.reply_came(turn)
            turns[-1], handed_in = self._use_tools(turn)
            budget.spend(turns[-1])
            if handed_in is not None:
                return submitted(handed_in)
        return self._ended(limit)

    def _take_up(self, turns: list[TurnRecord]) -> HandIn | None:
        """Bring the last turn of a history to its end, whatever it was lost in the middle of."""
        last = turns[-1]
        if unfinished(last):
            turns[-1], handed_in = self._use_tools(last)
            return handed_in
        for call, seen in zip(last.reply.tool_calls, last.observations, strict=True):
            if seen.output == HANDED_IN:
                return use_tool(call, self.sandbox)[1]
        return None

    def _next_turn(self, turns: Sequence[TurnRecord]) -> TurnRecord:
        messages = context.conversation(self.brief, turns)
        if context.should_summarise(turns, self.model.context_window):
            return self._ask(context.summary_request(messages), len(turns) + 1, TurnKind.SUMMARY)
        try:
            return self._ask(messages, len(turns) + 1, TurnKind.REPLY)
        except ContextOverflow:
            if not turns or turns[-1].kind is TurnKind.SUMMARY:
                raise
        request = context.summary_request(context.shortened(messages))
        return self._ask(request, len(turns) + 1, TurnKind.SUMMARY)

    def _ask(self, messages: Sequence[Message], number: int, kind: TurnKind) -> TurnRecord:
        started_at = datetime.now(UTC)
        reply = self.model.reply(messages, TOOLS)
        if kind is TurnKind.SUMMARY:
            # It was told not to call a tool; a call it makes all the same is not carried out.
            reply = replace(reply, tool_calls=())
        return TurnRecord(number, kept_form(reply, number), (), kind, started_at)

    def _use_tools(self, turn: TurnRecord) -> tuple[TurnRecord, HandIn | None]:
        observations: list[Observation] = []
        handed_in: HandIn | None = None
        for call in turn.reply.tool_calls:
            if handed_in is not None:
                observations.append(Observation(call.id, "Not carried out: the answer is already handed in."))
                continue
            observation, handed_in = use_tool(call, self.sandbox)
            observations.append(observation)
        ended = replace(turn, observations=tuple(observations))
        self.recorder.turn_ended(ended)
        return ended, handed_in

    def _ended(self, reason: StopReason) -> Outcome:
        left = self.sandbox.read(f"{self.sandbox.home}/{ANSWER_FILE}", ANSWER_LIMIT_BYTES)
        return Outcome(reason, unsubmitted=left)


@dataclass(frozen=True)
class Divergence:
    """A recorded command that gave something else when it was run again."""

    turn: int
    recorded_exit_code: int | None
    exit_code: int | None


def replay(history: Sequence[TurnRecord], sandbox: Sandbox) -> list[Divergence]:
    """Run the recorded commands again in a fresh sandbox, so that its files are as they were.

    The last turn's commands are left out when it is unfinished: they will be run as new.
    """
    divergences = []
    for turn in history:
        if unfinished(turn):
            break
        for seen in turn.observations:
            if not seen.command:
                continue
            again = shell_observation(seen.call_id, seen.command, sandbox)
            if (again.exit_code, again.output) != (seen.exit_code, seen.output):
                divergences.append(Divergence(turn.number, seen.exit_code, again.exit_code))
    return divergences


def unfinished(turn: TurnRecord) -> bool:
    return len(turn.observations) < len(turn.reply.tool_calls)


def submitted(handed_in: HandIn) -> Outcome:
    reason = StopReason.GAVE_UP if handed_in.submission is None else StopReason.SUBMITTED
    return Outcome(reason, submission=handed_in.submission, finish_reason=handed_in.reason)


def kept_form(reply: Reply, number: int) -> Reply:
    """Return the reply as it can be stored, and with ids by which an answer finds its call."""
    ids = [call.id for call in reply.tool_calls]
    # Some servers send tool calls with empty or equal ids.
    distinct = all(ids) and len(set(ids)) == len(ids)
    calls = tuple(
        ToolCall(
            id=storable(call.id) if distinct else f"call-{number}-{place}",
            name=storable(call.name),
            arguments=storable(call.arguments),
        )
        for place, call in enumerate(reply.tool_calls, start=1)
    )
    fields = json.loads(json.dumps(reply.provider_fields).replace("\\u0000", "\\ufffd"))
    return replace(
        reply,
        text=storable(reply.text),
        reasoning=storable(reply.reasoning),
        tool_calls=calls,
        provider_fields=fields,
    )
