"""What comes back from a provider over HTTP."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from evals.llm.litellm_client import LiteLLMModel
from evals.llm.settings import ModelSettings, Prices
from evals.trajectory import ToolCall, Usage

from .conftest import PATH, QUESTION, SHELL, called, completion, sent


def test_a_text_reply_comes_back_whole(model: LiteLLMModel, httpserver: HTTPServer):
    httpserver.expect_request(PATH).respond_with_json(completion())
    reply = model.reply(QUESTION, [SHELL])
    assert (reply.text, reply.tool_calls, reply.finish_reason) == ("It was DNS.", (), "stop")
    assert reply.usage == Usage(input_tokens=100, output_tokens=20)


def test_parallel_tool_calls_keep_their_order_and_their_arguments_byte_for_byte(
    model: LiteLLMModel, httpserver: HTTPServer
):
    odd_spacing, cut_off = '{"cmd":   "ls\\u00e9"}', '{"cmd": "cat '
    message = called(("a", odd_spacing), ("b", cut_off))
    httpserver.expect_request(PATH).respond_with_json(completion(message, finish_reason="length"))
    reply = model.reply(QUESTION, [SHELL])
    assert reply.tool_calls == (ToolCall("a", "run_shell", odd_spacing), ToolCall("b", "run_shell", cut_off))
    assert reply.text == ""


def test_a_tool_call_without_an_id_gets_one(model: LiteLLMModel, httpserver: HTTPServer):
    httpserver.expect_request(PATH).respond_with_json(completion(called(("", "{}"), ("", "{}"))))
    first, second = model.reply(QUESTION, [SHELL]).tool_calls
    assert first.id
    assert second.id
    assert first.id != second.id


def test_reasoning_stands_apart_from_the_text(model: LiteLLMModel, httpserver: HTTPServer):
    message = {"role": "assistant", "content": "DNS.", "reasoning_content": "What else?"}
    httpserver.expect_request(PATH).respond_with_json(completion(message))
    reply = model.reply(QUESTION, [])
    assert (reply.text, reply.reasoning) == ("DNS.", "What else?")


def test_an_empty_reply_is_returned_as_such(model: LiteLLMModel, httpserver: HTTPServer):
    httpserver.expect_request(PATH).respond_with_json(completion({"role": "assistant", "content": ""}))
    reply = model.reply(QUESTION, [SHELL])
    assert (reply.text, reply.tool_calls) == ("", ())


def test_each_token_is_counted_in_one_kind(model: LiteLLMModel, httpserver: HTTPServer):
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "total_tokens": 120,
        "prompt_tokens_details": {"cached_tokens": 60},
        "completion_tokens_details": {"reasoning_tokens": 7},
    }
    httpserver.expect_request(PATH).respond_with_json(completion(usage=usage))
    told = model.reply(QUESTION, []).usage
    assert told == Usage(input_tokens=40, cache_read_tokens=60, output_tokens=20, reasoning_tokens=7)
    assert told.total == 120


def test_reasoning_beside_the_output_is_added_to_it(model: LiteLLMModel, httpserver: HTTPServer):
    details = {"reasoning_tokens": 30}
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "total_tokens": 150,
        "completion_tokens_details": details,
    }
    httpserver.expect_request(PATH).respond_with_json(completion(usage=usage))
    told = model.reply(QUESTION, []).usage
    assert told == Usage(input_tokens=100, output_tokens=50, reasoning_tokens=30)


def test_a_provider_that_tells_no_usage_leaves_tokens_and_cost_unknown(
    model: LiteLLMModel, httpserver: HTTPServer
):
    told = completion()
    del told["usage"]
    httpserver.expect_request(PATH).respond_with_json(told)
    reply = model.reply(QUESTION, [])
    assert (reply.usage, reply.cost_usd) == (None, None)


def test_a_model_without_a_price_costs_unknown_and_not_nothing(model: LiteLLMModel, httpserver: HTTPServer):
    httpserver.expect_request(PATH).respond_with_json(completion())
    assert model.reply(QUESTION, []).cost_usd is None


def test_a_call_is_charged_by_the_prices_of_the_settings(route: str, httpserver: HTTPServer):
    httpserver.expect_request(PATH).respond_with_json(completion())
    prices = Prices(input=2.0, output=10.0)
    settings = ModelSettings(f"{route}/m", api_base=httpserver.url_for("/v1"), prices=prices)
    assert LiteLLMModel(settings).reply(QUESTION, []).cost_usd == pytest.approx((100 * 2 + 20 * 10) / 1e6)


def test_a_bill_of_the_provider_counts_where_no_price_is_set(model: LiteLLMModel, httpserver: HTTPServer):
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120, "cost": 0.0123}
    httpserver.expect_request(PATH).respond_with_json(completion(usage=usage))
    assert model.reply(QUESTION, []).cost_usd == 0.0123


def test_the_whole_conversation_the_tools_and_the_parameters_arrive(route: str, httpserver: HTTPServer):
    httpserver.expect_request(PATH).respond_with_json(completion())
    settings = ModelSettings(
        f"{route}/org/name",
        api_base=httpserver.url_for("/v1"),
        temperature=0.6,
        max_tokens=500,
        reasoning_effort="high",
        extra_parameters={"seed": 7, "extra_body": {"chat_template_kwargs": {"thinking": True}}},
    )
    history = [
        {"role": "system", "content": "You are on call."},
        *QUESTION,
        called(("a", '{"cmd": "ls"}'), content="I look."),
        {"role": "tool", "tool_call_id": "a", "content": "alerts"},
    ]
    LiteLLMModel(settings).reply(history, [SHELL])
    body = sent(httpserver)
    assert (body["model"], body["tools"]) == ("org/name", [SHELL])
    assert (body["temperature"], body["max_tokens"], body["reasoning_effort"]) == (0.6, 500, "high")
    assert (body["seed"], body["chat_template_kwargs"]) == (7, {"thinking": True})
    assert body["messages"] == history


def test_no_tools_are_offered_for_a_summary(model: LiteLLMModel, httpserver: HTTPServer):
    httpserver.expect_request(PATH).respond_with_json(completion())
    model.reply(QUESTION, [])
    assert "tools" not in sent(httpserver)


def test_the_callers_messages_are_left_as_they_are(model: LiteLLMModel, httpserver: HTTPServer):
    httpserver.expect_request(PATH).respond_with_json(completion())
    history = [*QUESTION, called(("a", "not json"))]
    before = json.dumps(history)
    model.reply(history, [SHELL])
    assert json.dumps(history) == before


def test_a_local_reasoner_sees_its_reasoning_again_and_others_do_not(route: str, httpserver: HTTPServer):
    message = {"role": "assistant", "content": "DNS.", "reasoning_content": "What else?"}
    httpserver.expect_request(PATH).respond_with_json(completion(message))
    model = LiteLLMModel(ModelSettings(f"{route}/m", api_base=httpserver.url_for("/v1")))
    fields = model.reply(QUESTION, []).provider_fields
    assert fields == ({"reasoning_content": "What else?"} if route == "hosted_vllm" else {})
    model.reply([*QUESTION, {"role": "assistant", "content": "DNS.", **fields}, *QUESTION], [])
    assert sent(httpserver)["messages"][1] == {"role": "assistant", "content": "DNS.", **fields}


def test_one_run_keeps_its_connection_and_eight_share_a_pool(route: str, keeping_alive: Any):
    model = LiteLLMModel(ModelSettings(f"{route}/m", api_base=keeping_alive.url))
    for _ in range(4):
        model.reply(QUESTION, [])
    assert len(set(keeping_alive.callers)) == 1
    with ThreadPoolExecutor(8) as runs:
        list(runs.map(lambda _: model.reply(QUESTION, []), range(40)))
    assert len(set(keeping_alive.callers)) <= 8


def test_eight_runs_call_at_once_and_each_gets_its_own_answer(model: LiteLLMModel, httpserver: HTTPServer):
    def echo(request: Request) -> Response:
        asked = json.loads(request.get_data())["messages"][-1]["content"]
        told = completion({"role": "assistant", "content": f"answer to {asked}"})
        return Response(json.dumps(told), content_type="application/json")

    httpserver.expect_request(PATH).respond_with_handler(echo)
    questions = [f"question {number}" for number in range(32)]
    with ThreadPoolExecutor(8) as runs:
        replies = runs.map(lambda text: model.reply([{"role": "user", "content": text}], []).text, questions)
    assert list(replies) == [f"answer to {question}" for question in questions]
