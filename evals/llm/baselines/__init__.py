"""Three baselines that investigate by rules, to be run like any model.

They are measured as everybody else is: what they score is what they score. Their rules are what any
engineer could look for in a cluster's records; they know nothing of how an incident was made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from evals.llm.baselines.conversation import Move, Policy, next_move
from evals.llm.baselines.detective import detective
from evals.llm.baselines.exhaustive import exhaustive
from evals.llm.baselines.loudest import loudest

BASELINES: Mapping[str, Policy] = {
    "loudest": loudest,
    "detective": detective,
    "exhaustive": exhaustive,
}
CHARACTERS_PER_TOKEN = 4  # Baselines have no tokens: an estimate keeps their columns comparable.


def next_message(name: str, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a baseline's reply to a conversation as an OpenAI chat completion."""
    move = next_move(BASELINES[name], messages)
    message = assistant_message(move, turn=sum(one.get("role") == "assistant" for one in messages) + 1)
    prompt, output = tokens(messages), tokens([message])
    return {
        "model": name,
        "choices": [{"index": 0, "finish_reason": "tool_calls", "message": message}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output},
    }


def assistant_message(move: Move, turn: int) -> dict[str, Any]:
    function = {"name": move.tool, "arguments": json.dumps(move.arguments)}
    message: dict[str, Any] = {
        "role": "assistant",
        "content": move.says,
        "tool_calls": [{"id": f"call_{turn}", "type": "function", "function": function}],
    }
    return {**message, "reasoning_content": move.thinks} if move.thinks else message


def tokens(messages: Sequence[Mapping[str, Any]]) -> int:
    characters = 0
    for message in messages:
        characters += len(str(message.get("content") or "")) + len(
            str(message.get("reasoning_content") or "")
        )
        for call in message.get("tool_calls") or ():
            characters += len(call["function"]["arguments"])
    return characters // CHARACTERS_PER_TOKEN
