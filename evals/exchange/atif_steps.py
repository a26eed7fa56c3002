"""A stored turn as steps of an ATIF trajectory.

What a turn of ours has and a step has not stands in `extra` under one key. What an imported turn had
and our tables have not (`unmapped`, see `atif_turns`) is laid over the steps again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evals.exchange.atif_calls import EXTRA, arguments_object, command_of
from evals.exchange.stored_turns import StoredTurn
from evals.models import ToolCall, Turn
from evals.trajectory import TurnKind

Step = dict[str, Any]
ATIF = "atif"  # the part of `unmapped` that came from ATIF


def steps_of(turn: StoredTurn) -> list[Step]:
    """Return what the model was told, then its reply with its tool calls; the steps have no ids yet."""
    rest = turn.row.unmapped.get(ATIF, {})
    told = [
        {"source": each.source, "message": each.text, **over}
        for each, over in zip(turn.told, rest.get("given") or [{}] * len(turn.told), strict=True)
    ]
    return [*told, agent_step(turn.row, turn.calls, rest)]


def agent_step(turn: Turn, calls: Sequence[ToolCall], rest: dict[str, Any]) -> Step:
    step = {
        "source": "agent",
        "timestamp": turn.started_at and turn.started_at.isoformat(),
        "message": turn.message,
        "reasoning_content": turn.reasoning or None,
        "tool_calls": None if "no_calls" in rest else tool_calls(calls, rest.get("calls")),
        "observation": observation(calls, rest),
        "metrics": metrics(turn),
        "extra": ours(turn_extra(turn)),
    }
    return known(laid_over(step, rest.get("step", {})))


def turn_extra(turn: Turn) -> dict[str, Any]:
    return {
        "kind": turn.kind if turn.kind != TurnKind.REPLY else None,
        "finish_reason": turn.finish_reason or None,
        "duration_s": turn.model_s or None,
        "provider_fields": turn.provider_fields or None,
        "unmapped": {name: value for name, value in turn.unmapped.items() if name != ATIF} or None,
    }


def tool_calls(calls: Sequence[ToolCall], rest: Sequence[Step] | None) -> list[Step]:
    return [
        known(laid_over(tool_call(call), over))
        for call, over in zip(calls, rest or [{}] * len(calls), strict=True)
    ]


def tool_call(call: ToolCall) -> Step:
    arguments, faithful = arguments_object(call.arguments)
    same_command = call.command == command_of(call.tool, arguments)
    extra = {
        "arguments": None if faithful else call.arguments,
        "command": None if same_command else call.command,
        "exit_code": call.exit_code,
        "timed_out": call.timed_out or None,
        "duration_s": call.duration_s or None,
        "output_bytes": None if call.output_bytes == output_size(call.output) else call.output_bytes,
    }
    return {
        "tool_call_id": call.call_id,
        "function_name": call.tool,
        "arguments": arguments,
        "extra": ours(extra),
    }


def output_size(output: str | None) -> int:
    """Return the bytes of an output that nobody cut."""
    return len((output or "").encode(errors="replace"))


def observation(calls: Sequence[ToolCall], rest: dict[str, Any]) -> Step | None:
    if "observation" in rest:
        whole: Step = rest["observation"]
        return whole
    entries = rest.get("results") or [
        {"call": place} for place, call in enumerate(calls) if call.output is not None
    ]
    return {"results": [result(calls[entry["call"]], entry) for entry in entries]} if entries else None


def result(call: ToolCall, entry: Step) -> Step:
    over = {name: value for name, value in entry.items() if name not in ("call", "without_id")}
    source = {} if entry.get("without_id") else {"source_call_id": call.call_id}
    return {**source, "content": call.output, **over}


def metrics(turn: Turn) -> Step | None:
    prompt = (turn.input_tokens, turn.cache_read_tokens, turn.cache_write_tokens)
    told = {
        "prompt_tokens": known_sum(prompt),
        "completion_tokens": turn.output_tokens,
        "cached_tokens": turn.cache_read_tokens,
        "cost_usd": turn.cost_usd,
        "extra": ours(
            {
                "cache_write_tokens": turn.cache_write_tokens or None,
                "reasoning_tokens": turn.reasoning_tokens or None,
            }
        ),
    }
    return known(told) or None


def known_sum(numbers: Sequence[int | None]) -> int | None:
    known_ones = [number for number in numbers if number is not None]
    return sum(known_ones) if len(known_ones) == len(numbers) else None


def ours(extra: dict[str, Any]) -> dict[str, Any] | None:
    told = known(extra)
    return {EXTRA: told} if told else None


def known(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


HOLD_BOTH = ("agent", "extra", "final_metrics", "metrics", EXTRA)


def laid_over(ours_: Step, over: Step) -> Step:
    """Return a step, or a part of one, with what it had beyond our columns; None there: it had none of it."""
    merged = {**ours_, **over}
    for name in HOLD_BOTH:
        if isinstance(ours_.get(name), dict) and isinstance(over.get(name), dict):
            merged[name] = known(laid_over(ours_[name], over[name]))
    return merged
