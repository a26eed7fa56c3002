"""The conversation a model sees, as a pure function of the turns so far.

A run that is taken up again therefore goes on with exactly the messages it would have had, and
every conversation only ever grows at its end, which is what a provider's prompt cache pays for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evals.agent.limits import WARN_WITHIN_TURNS
from evals.llm import Message
from evals.trajectory import Reply, TurnKind, TurnRecord

SUMMARISE_ABOVE = 0.7  # of the context window, as the reference harness does
CHARACTERS_PER_TOKEN = 4  # a rule of thumb, for providers that tell no usage
SHORTENED_OUTPUT_CHARACTERS = 400

ASSIGNMENT = "Investigate the incident recorded in your home folder and hand in its root causes."
CONTINUE = "Please continue. Use run_shell to investigate, and finish to hand in your answer."
SUMMARISE = (
    "Your conversation has grown too long to go on. Write down, for yourself, all you need to finish the"
    " work without it: what you looked at, what you found with names and times, what you ruled out and why,"
    " your best explanation, what is left to check, and the state of the answer file. Do not call a tool now."
)
GO_ON_FROM = "This is your own summary of the work so far; the earlier messages are gone.\n\n"


@dataclass(frozen=True)
class Brief:
    """What one run is told and bound by."""

    system_prompt: str
    turn_cap: int


def conversation(brief: Brief, turns: Sequence[TurnRecord]) -> list[Message]:
    """Return the messages that lead to the next reply."""
    start = last_summary(turns)
    messages: list[Message] = [
        {"role": "system", "content": brief.system_prompt},
        {"role": "user", "content": opening("" if start is None else turns[start].reply.text)},
    ]
    replies = sum(turn.kind is TurnKind.REPLY for turn in turns[: start or 0])
    for turn in turns[start or 0 :]:
        if turn.kind is TurnKind.REPLY:
            replies += 1
            messages += turn_messages(turn, turns_left=brief.turn_cap - replies)
    return messages


def last_summary(turns: Sequence[TurnRecord]) -> int | None:
    """Return the place of the latest summary that says anything."""
    for place in range(len(turns) - 1, -1, -1):
        if turns[place].kind is TurnKind.SUMMARY and turns[place].reply.text.strip():
            return place
    return None


def turn_messages(turn: TurnRecord, turns_left: int) -> list[Message]:
    messages = [assistant_message(turn.reply)]
    messages += [
        {"role": "tool", "tool_call_id": seen.call_id, "content": seen.output} for seen in turn.observations
    ]
    if words := words_after(calls=len(turn.reply.tool_calls), turns_left=turns_left):
        messages.append({"role": "user", "content": words})
    return messages


def words_after(*, calls: int, turns_left: int) -> str:
    """Return what the agent is told after a reply beside the outputs of its tools; empty: nothing."""
    words = [] if calls else [CONTINUE]
    if turns_left <= WARN_WITHIN_TURNS:
        words.append(warning(turns_left))
    return "\n\n".join(words)


def opening(summary: str = "") -> str:
    """Return the first message of a conversation, or of one that goes on from a summary."""
    return f"{ASSIGNMENT}\n\n{GO_ON_FROM}{summary}" if summary else ASSIGNMENT


def assistant_message(reply: Reply) -> Message:
    # Providers refuse an assistant's message that holds nothing at all.
    content = reply.text or (None if reply.tool_calls else "(no text)")
    message: dict[str, Any] = {"role": "assistant", "content": content, **reply.provider_fields}
    if reply.tool_calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in reply.tool_calls
        ]
    return message


def warning(turns_left: int) -> str:
    plural = "turn is" if turns_left == 1 else "turns are"
    return f"Only {turns_left} {plural} left. Hand in your answer with finish before they are used up."


def summary_request(messages: Sequence[Message]) -> list[Message]:
    return [*messages, {"role": "user", "content": SUMMARISE}]


def shortened(messages: Sequence[Message]) -> list[Message]:
    """Return the messages with long tool outputs cut to their start: for a conversation that overflows."""
    return [
        {**message, "content": message["content"][:SHORTENED_OUTPUT_CHARACTERS] + "\n[... cut ...]"}
        if message["role"] == "tool" and len(message["content"]) > SHORTENED_OUTPUT_CHARACTERS
        else message
        for message in messages
    ]


def tokens_in_use(turns: Sequence[TurnRecord]) -> int:
    """Return how many tokens the next request will hold, from the last usage told and what came since."""
    tokens = 0
    for turn in reversed(turns):
        tokens += sum(len(seen.output) for seen in turn.observations) // CHARACTERS_PER_TOKEN
        if turn.kind is TurnKind.SUMMARY:
            return tokens + len(turn.reply.text) // CHARACTERS_PER_TOKEN
        if turn.reply.usage is not None:
            return tokens + turn.reply.usage.total
        tokens += len(turn.reply.text) // CHARACTERS_PER_TOKEN
        tokens += sum(len(call.arguments) for call in turn.reply.tool_calls) // CHARACTERS_PER_TOKEN
    return tokens


def should_summarise(turns: Sequence[TurnRecord], context_window: int | None) -> bool:
    if context_window is None or not turns or turns[-1].kind is TurnKind.SUMMARY:
        return False
    return tokens_in_use(turns) > SUMMARISE_ABOVE * context_window
