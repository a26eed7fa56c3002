"""What is sent to a provider: the conversation, made fit to send, and where its cache may break off."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from evals.llm import Message
from evals.llm.settings import ModelSettings

CACHE_HERE = {"type": "ephemeral"}
CACHED_ENDINGS = 2  # with the system prompt three of the four breakpoints that Anthropic allows
REPLACEMENT = "\ufffd"


def outgoing(messages: Sequence[Message], settings: ModelSettings) -> list[dict[str, Any]]:
    """Return the messages as they are sent; the caller's own stay as they are."""
    sent = [sendable(message) for message in messages]
    if wants_cache_hints(settings):
        add_cache_hints(sent)
    return sent


def sendable(message: Message) -> dict[str, Any]:
    sent = {key: clean(value) if isinstance(value, str) else value for key, value in message.items()}
    if calls := message.get("tool_calls"):
        sent["tool_calls"] = [sendable_call(call) for call in calls]
    return sent


def sendable_call(call: Message) -> dict[str, Any]:
    function = {**call["function"], "arguments": sendable_arguments(call["function"]["arguments"])}
    return {**call, "function": function}


def sendable_arguments(arguments: str) -> str:
    """Return the arguments, or `{}` for what is no JSON object: most providers refuse to see it again."""
    try:
        valid = isinstance(json.loads(arguments, parse_constant=refuse_constant), dict)
    except (ValueError, RecursionError):
        valid = False
    return clean(arguments) if valid else "{}"


def refuse_constant(constant: str) -> None:
    """Refuse NaN and Infinity, which Python reads and JSON does not know."""
    raise ValueError(constant)


def clean(text: str) -> str:
    """Replace NUL and lone surrogates, which servers and JSON readers choke on."""
    if text.isascii():  # Known without a scan, and a history is mostly ASCII.
        return text.replace("\0", REPLACEMENT) if "\0" in text else text
    try:
        text.encode()
    except UnicodeEncodeError:
        text = "".join(REPLACEMENT if "\ud800" <= mark <= "\udfff" else mark for mark in text)
    return text.replace("\0", REPLACEMENT)


def wants_cache_hints(settings: ModelSettings) -> bool:
    """Tell whether the provider caches a prompt only where it is told to: Claude, wherever it is served."""
    if settings.provider == "anthropic":
        return True
    claude = "claude" in settings.name.lower()
    return claude and settings.provider in ("bedrock", "vertex_ai", "azure_ai", "openrouter")


def add_cache_hints(sent: list[dict[str, Any]]) -> None:
    """Mark the system prompt and the last messages that are not the model's own.

    The last one is what the next call will read from the cache; the one before is what this call reads.
    """
    marked = [message for message in sent if message["role"] == "system"][:1]
    endings = [message for message in sent if message["role"] in ("user", "tool")]
    for message in [*marked, *endings[-CACHED_ENDINGS:]]:
        # An empty text can't carry a breakpoint.
        if isinstance(text := message.get("content"), str) and text.strip():
            message["content"] = [{"type": "text", "text": text, "cache_control": CACHE_HERE}]
