"""A whole run as one JSON document: the facts, then the turns, one a line. Unknown is null.

Fields have the names they have in the API.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from evals.exchange.json_text import json_text, utf8
from evals.exchange.run_facts import TOKEN_KINDS, run_facts
from evals.exchange.stored_turns import StoredTurn, told_turns
from evals.models import Run, ToolCall

FORMAT = {"format": "itbench-run", "version": 1}


def json_pieces(run: Run) -> Iterator[bytes]:
    """Yield the document piece by piece, reading the turns in small batches."""
    facts = run_facts(run)
    if facts["source"] is not None:
        facts["source"]["unmapped"] = run.source.unmapped
    head = [f"{json_text(name)}:{json_text(value)}" for name, value in (FORMAT | facts).items()]
    yield utf8("{" + ",\n".join(head) + ',\n"turns":[\n')
    parting = ""
    for turn in told_turns(run):
        yield utf8(f"{parting}{json_text(turn_values(turn))}\n")
        parting = ","
    yield b"]}\n"


def turn_values(stored: StoredTurn) -> dict[str, Any]:
    turn = stored.row
    return {
        "number": turn.number,
        "kind": turn.kind,
        "started_at": turn.started_at and turn.started_at.isoformat(),
        "told": [asdict(each) for each in stored.told],
        "message": turn.message,
        "reasoning": turn.reasoning or None,
        "finish_reason": turn.finish_reason or None,
        **{kind: getattr(turn, kind) for kind in TOKEN_KINDS},
        "cost_usd": turn.cost_usd,
        "model_duration_s": turn.model_s,
        "tool_calls": [call_values(call) for call in stored.calls],
        "provider_fields": turn.provider_fields or None,
        "unmapped": turn.unmapped or None,
    }


def call_values(call: ToolCall) -> dict[str, Any]:
    return {
        "number": call.number,
        "id": call.call_id,
        "tool": call.tool,
        "arguments": call.arguments,
        "command": call.command or None,
        "output": call.output,
        "output_bytes": call.output_bytes,
        "exit_code": call.exit_code,
        "timed_out": call.timed_out,
        "duration_s": call.duration_s,
    }
