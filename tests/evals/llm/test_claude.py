"""Anthropic's own protocol: its caches, its signed thinking, its errors."""

from __future__ import annotations

import pytest
from pytest_httpserver import HTTPServer

from evals.llm import ContextOverflow
from evals.llm.litellm_client import LiteLLMModel
from evals.llm.settings import ModelSettings
from evals.trajectory import ToolCall, Usage

from .conftest import QUESTION, SHELL, FakeTime, sent

PATH = "/v1/messages"
THINKING = {"type": "thinking", "thinking": "Where first?", "signature": "c2lnbmVk"}
ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [
        THINKING,
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "toolu_1", "name": "run_shell", "input": {"cmd": "ls"}},
    ],
    "stop_reason": "tool_use",
    "usage": {
        "input_tokens": 100,
        "cache_creation_input_tokens": 300,
        "cache_read_input_tokens": 2000,
        "output_tokens": 50,
    },
}


@pytest.fixture
def claude(httpserver: HTTPServer, time: FakeTime, monkeypatch: pytest.MonkeyPatch) -> LiteLLMModel:
    monkeypatch.setenv("LAB_KEY", "sk-ant-of-the-lab-0123456789")
    settings = ModelSettings(
        "anthropic/claude-sonnet-4-5", api_base=httpserver.url_for(""), api_key_variable="LAB_KEY"
    )
    return LiteLLMModel(settings, time.clock)


def test_tokens_of_both_caches_are_counted_and_charged_apart(claude: LiteLLMModel, httpserver: HTTPServer):
    httpserver.expect_request(PATH).respond_with_json(ANSWER)
    reply = claude.reply(QUESTION, [SHELL])
    told = reply.usage
    assert told is not None
    assert (told.input_tokens, told.cache_read_tokens, told.cache_write_tokens) == (100, 2000, 300)
    assert told.output_tokens == 50
    dollars = 100 * 3 + 2000 * 0.3 + 300 * 3.75 + 50 * 15  # by Anthropic's list, per million
    assert reply.cost_usd == pytest.approx(dollars / 1e6)


def test_signed_thinking_goes_back_to_whoever_signed_it(claude: LiteLLMModel, httpserver: HTTPServer):
    httpserver.expect_request(PATH).respond_with_json(ANSWER)
    reply = claude.reply(QUESTION, [SHELL])
    assert (reply.text, reply.reasoning) == ("I look.", "Where first?")
    assert reply.tool_calls == (ToolCall("toolu_1", "run_shell", '{"cmd": "ls"}'),)
    function = {"name": "run_shell", "arguments": reply.tool_calls[0].arguments}
    assistant = {
        "role": "assistant",
        "content": reply.text,
        **reply.provider_fields,
        "tool_calls": [{"id": "toolu_1", "type": "function", "function": function}],
    }
    claude.reply([*QUESTION, assistant, {"role": "tool", "tool_call_id": "toolu_1", "content": "x"}], [SHELL])
    assert sent(httpserver)["messages"][1]["content"][0] == THINKING


def test_the_cache_is_told_where_to_end(claude: LiteLLMModel, httpserver: HTTPServer):
    httpserver.expect_request(PATH).respond_with_json(ANSWER)
    claude.reply([{"role": "system", "content": "You are on call."}, *QUESTION], [SHELL])
    body = sent(httpserver)
    assert body["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert body["messages"][-1]["content"][-1]["cache_control"] == {"type": "ephemeral"}


def test_an_overload_is_tried_again_and_a_prompt_too_long_is_not(
    claude: LiteLLMModel, httpserver: HTTPServer, time: FakeTime
):
    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    too_long = {"type": "error", "error": {"message": "prompt is too long: 210000 tokens > 200000 maximum"}}
    httpserver.expect_ordered_request(PATH).respond_with_json(overloaded, status=529)
    httpserver.expect_ordered_request(PATH).respond_with_json(too_long, status=400)
    with pytest.raises(ContextOverflow, match="prompt is too long"):
        claude.reply(QUESTION, [])
    assert len(time.slept) == 1


def test_a_usage_is_one_number_for_each_token(claude: LiteLLMModel, httpserver: HTTPServer):
    httpserver.expect_request(PATH).respond_with_json(ANSWER)
    told = claude.reply(QUESTION, [SHELL]).usage
    assert isinstance(told, Usage)
    assert told.total == 100 + 300 + 2000 + 50
