"""From LiteLLM's answer to a `Reply`."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from evals.llm.settings import ModelSettings
from evals.trajectory import ToolCall, Usage

# Providers that want to see a model's plain reasoning again while it works with tools. Others refuse
# the field, or (Anthropic, OpenAI) have a signed form of their own, which goes back to whoever sent it.
WANT_REASONING_AGAIN = frozenset({"deepseek", "moonshot", "zai", "minimax", "hosted_vllm"})
SIGNED_REASONING = ("thinking_blocks", "reasoning_items")


def text_of(content: object) -> str:
    """Return a reply's text; a content is None, a text, or a list of parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = (part.get("text") if isinstance(part, dict) else part for part in content)
    return "".join(text for text in texts if isinstance(text, str))


def tool_calls_of(message: Any) -> tuple[ToolCall, ...]:
    return tuple(
        ToolCall(
            # Some local servers send none; the tool's answer must find its call all the same.
            id=call.id or f"call_{uuid4().hex}",
            name=call.function.name or "",
            arguments=arguments_text(call.function.arguments),
        )
        for call in getattr(message, "tool_calls", None) or ()
    )


def arguments_text(arguments: object) -> str:
    if isinstance(arguments, str):
        return arguments
    return "" if arguments is None else json.dumps(arguments)


def provider_fields_of(message: Any, settings: ModelSettings) -> dict[str, object]:
    """Return what must stand in this assistant's message when it is sent again, JSON-ready."""
    told = message.model_dump(mode="json")
    fields: dict[str, object] = {name: told[name] for name in SIGNED_REASONING if told.get(name)}
    own = told.get("provider_specific_fields") or {}
    if settings.provider == "openrouter" and own.get("reasoning_details"):
        fields["reasoning_details"] = own["reasoning_details"]
    if settings.provider in ("gemini", "vertex_ai") and own.get("thought_signatures"):
        fields["provider_specific_fields"] = own
    if settings.provider in WANT_REASONING_AGAIN and told.get("reasoning_content"):
        fields["reasoning_content"] = told["reasoning_content"]
    return fields


def usage_of(told: Any) -> Usage | None:
    """Return the tokens by kind. A usage without a single token is one that LiteLLM filled in: None."""
    prompt, output = count(told, "prompt_tokens"), count(told, "completion_tokens")
    if not prompt and not output:
        return None
    details = getattr(told, "prompt_tokens_details", None)
    cache_read = count(details, "cached_tokens") or count(told, "cache_read_input_tokens")
    cache_write = (
        count(told, "cache_creation_input_tokens")
        or count(details, "cache_creation_tokens")
        or count(details, "cache_write_tokens")
    )
    reasoning = count(getattr(told, "completion_tokens_details", None), "reasoning_tokens")
    # Most providers count reasoning within the output. Where it stands beside it, the total tells.
    if reasoning and count(told, "total_tokens") == prompt + output + reasoning:
        output += reasoning
    return Usage(
        input_tokens=max(prompt - cache_read - cache_write, 0),
        cache_read_tokens=cache_read,
        cache_write_tokens=cache_write,
        output_tokens=output,
        reasoning_tokens=reasoning,
    )


def billed_usd(told: Any) -> float | None:
    """Return what the provider itself says the call cost (OpenRouter does), or None."""
    cost = getattr(told, "cost", None)
    return float(cost) if isinstance(cost, int | float) and cost > 0 else None


def count(told: Any, name: str) -> int:
    tokens = getattr(told, name, None)
    return tokens if isinstance(tokens, int) and tokens > 0 else 0
