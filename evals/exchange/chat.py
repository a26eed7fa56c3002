"""Conversations as most harnesses record them, put together into turns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from evals.agent.tools import storable
from evals.exchange.incoming import Given, IncomingTurn
from evals.trajectory import Observation, Reply, ToolCall, TurnRecord, Usage

# Names under which harnesses offer a shell, and of the argument that holds its command.
COMMAND_ARGUMENTS = ("cmd", "command", "code", "script", "input")


@dataclass(frozen=True)
class Call:
    """A tool call; `command` is empty where it is no shell's."""

    id: str
    name: str
    arguments: str  # JSON text
    command: str = ""


@dataclass(frozen=True)
class ChatMessage:
    role: str  # "system", "user", "assistant", "tool"
    text: str
    reasoning: str = ""
    calls: tuple[Call, ...] = ()  # of an assistant
    answers: str = ""  # of a tool: the id of the call; empty: the first that waits for an answer
    exit_code: int | None = None  # of a tool
    duration_s: float = 0.0
    usage: Usage | None = None
    cost_usd: float | None = None
    at: datetime | None = None
    unmapped: dict[str, Any] = field(default_factory=dict)


class Turns:
    """Takes messages in their order, and gives a turn for every reply of the model."""

    def __init__(self) -> None:
        self._number = 0
        self._given: list[Given] = []
        self._reply: ChatMessage | None = None
        self._given_before_reply: tuple[Given, ...] = ()
        self._results: dict[int, ChatMessage] = {}  # by the place of the call

    def of(self, messages: Iterable[ChatMessage]) -> Iterator[IncomingTurn]:
        for message in messages:
            if message.role == "assistant":
                yield from self._ended()
                self._number += 1
                self._reply = message
                self._given_before_reply, self._given = tuple(self._given), []
            elif message.role == "tool" and self._takes(message):
                continue
            else:
                self._given.append(Given(message.role, storable(message.text)))
        yield from self._ended()

    def _takes(self, result: ChatMessage) -> bool:
        """Keep a tool's result with its call; tell whether there was one that waited for it."""
        calls = self._reply.calls if self._reply else ()
        waiting = [place for place in range(len(calls)) if place not in self._results]
        meant = [place for place in waiting if not result.answers or calls[place].id == result.answers]
        if not meant:
            return False
        self._results[meant[0]] = result
        return True

    def _ended(self) -> Iterator[IncomingTurn]:
        if self._reply is None:
            return
        reply, self._reply = self._reply, None
        results, self._results = self._results, {}
        yield IncomingTurn(record_of(self._number, reply, results), self._given_before_reply, reply.unmapped)


def record_of(number: int, reply: ChatMessage, results: dict[int, ChatMessage]) -> TurnRecord:
    calls = tuple(
        ToolCall(storable(call.id) or f"call-{number}-{place}", storable(call.name), storable(call.arguments))
        for place, call in enumerate(reply.calls, start=1)
    )
    # A call without a result behind one with a result was carried out, and nothing is told of it.
    answered = max(results, default=-1) + 1
    observations = tuple(
        observation_of(calls[place].id, reply.calls[place], results.get(place)) for place in range(answered)
    )
    said = Reply(
        text=storable(reply.text),
        tool_calls=calls,
        reasoning=storable(reply.reasoning),
        usage=reply.usage,
        cost_usd=reply.cost_usd,
        duration_s=reply.duration_s,
    )
    return TurnRecord(number, said, observations, started_at=reply.at)


def observation_of(call_id: str, call: Call, result: ChatMessage | None) -> Observation:
    output = storable(result.text) if result else ""
    return Observation(
        call_id=call_id,
        output=output,
        command=storable(call.command),
        exit_code=result.exit_code if result else None,
        bytes_before_cut=len(output.encode()),
        duration_s=result.duration_s if result else 0.0,
    )


def text_of(content: Any) -> str:
    """Return the text of a message's content: a text, or a list of parts of which some may be pictures."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(part_text(part) for part in content)
    return json.dumps(content, ensure_ascii=False)


def part_text(part: Any) -> str:
    if not isinstance(part, dict):
        return str(part)
    text = part.get("text") or part.get("refusal")
    return text if isinstance(text, str) else f"[{part.get('type', 'part')}]"


def call_of(raw: Any) -> Call:
    """Return a tool call as OpenAI's chat tells it: {id, function: {name, arguments}}, or flat."""
    raw = raw if isinstance(raw, dict) else {}
    function = raw.get("function")
    told = function if isinstance(function, dict) else {"name": function or raw.get("name"), **raw}
    arguments = told.get("arguments")
    text = arguments if isinstance(arguments, str) else json.dumps(arguments or {}, ensure_ascii=False)
    return Call(
        str(raw.get("id") or raw.get("call_id") or ""), str(told.get("name") or ""), text, command_in(text)
    )


def command_in(arguments: str) -> str:
    """Return the shell command among a tool's arguments, or nothing."""
    try:
        read = json.loads(arguments)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(read, dict):
        return ""
    return next((read[name] for name in COMMAND_ARGUMENTS if isinstance(read.get(name), str)), "")


def usage_of(raw: Any) -> Usage | None:
    """Return the tokens that a reply tells in the words of OpenAI, Anthropic or Inspect, or None."""
    if not isinstance(raw, dict):
        return None
    prompt = whole(raw.get("prompt_tokens"), raw.get("input_tokens"))
    output = whole(raw.get("completion_tokens"), raw.get("output_tokens"))
    if prompt is None or output is None:
        return None
    details = raw.get("prompt_tokens_details")
    inside = whole(details.get("cached_tokens")) if isinstance(details, dict) else None
    read = whole(raw.get("input_tokens_cache_read"), raw.get("cache_read_input_tokens"), inside) or 0
    written = whole(raw.get("input_tokens_cache_write"), raw.get("cache_creation_input_tokens")) or 0
    # OpenAI counts the cached ones among the prompt's, the others apart.
    fresh = max(prompt - inside, 0) if inside else prompt
    return Usage(fresh, read, written, output, whole(raw.get("reasoning_tokens")) or 0)


def whole(*values: Any) -> int | None:
    return next((value for value in values if type(value) is int and 0 <= value < 2**62), None)


def amount(value: Any) -> float | None:
    """Return dollars or seconds; None for what is no such number."""
    known = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12
    return float(value) if known else None
