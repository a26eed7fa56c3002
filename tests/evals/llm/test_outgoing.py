"""What is changed on the way to a provider, and what is not."""

from __future__ import annotations

import pytest

from evals.llm.outgoing import outgoing
from evals.llm.settings import ModelSettings

from .conftest import called

LOCAL = ModelSettings("hosted_vllm/m")
HINT = {"type": "ephemeral"}
HISTORY = [
    {"role": "system", "content": "You are on call."},
    {"role": "user", "content": "Begin."},
    called(("a", '{"cmd": "ls"}')),
    {"role": "tool", "tool_call_id": "a", "content": "alerts"},
    called(("b", '{"cmd": "cat alerts"}')),
    {"role": "tool", "tool_call_id": "b", "content": "all firing"},
]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('{"cmd":  "ls"}', '{"cmd":  "ls"}'),
        ('{"cmd": "ls', "{}"),
        ('["ls"]', "{}"),
        ("", "{}"),
        ('{"cmd": NaN}', "{}"),
        ("[" * 100_000, "{}"),
    ],
    ids=["object", "cut off", "list", "empty", "not a number", "too deep"],
)
def test_arguments_that_are_no_json_object_are_sent_as_an_empty_one(arguments: str, expected: str):
    (message,) = outgoing([called(("a", arguments))], LOCAL)
    assert message["tool_calls"][0]["function"]["arguments"] == expected


@pytest.mark.parametrize("bad", ["\0", "\ud800"], ids=["NUL", "lone surrogate"])
def test_text_that_no_server_can_read_is_replaced(bad: str):
    messages = [
        {"role": "tool", "tool_call_id": "a", "content": f"é{bad}x"},
        called(("a", f'{{"cmd": "{bad}"}}')),
    ]
    tool, assistant = outgoing(messages, LOCAL)
    assert tool["content"] == "é\ufffdx"
    assert bad not in assistant["tool_calls"][0]["function"]["arguments"]


def test_emoji_are_sent_as_they_are():
    (message,) = outgoing([{"role": "user", "content": "🔥 in prod"}], LOCAL)
    assert message["content"] == "🔥 in prod"


@pytest.mark.parametrize(
    "name",
    [
        "anthropic/claude-sonnet-4-5",
        "bedrock/us.anthropic.claude-sonnet-4-5-v1:0",
        "vertex_ai/claude-sonnet-4-5",
        "openrouter/anthropic/claude-sonnet-4.5",
    ],
)
def test_claude_is_told_where_its_cache_ends(name: str):
    sent = outgoing(HISTORY, ModelSettings(name))
    hinted = [place for place, message in enumerate(sent) if isinstance(message["content"], list)]
    assert hinted == [0, 3, 5]
    assert sent[5]["content"] == [{"type": "text", "text": "all firing", "cache_control": HINT}]


@pytest.mark.parametrize("name", ["openai/gpt-5.5", "hosted_vllm/claude-like", "openrouter/openai/gpt-5.5"])
def test_others_cache_by_themselves_and_are_told_nothing(name: str):
    assert outgoing(HISTORY, ModelSettings(name)) == HISTORY


def test_an_empty_text_carries_no_hint():
    sent = outgoing([*HISTORY, {"role": "user", "content": ""}], ModelSettings("anthropic/claude-x"))
    assert sent[-1]["content"] == ""
