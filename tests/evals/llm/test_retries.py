"""What is tried again, how patiently, and what is said when it was for nothing."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from email.utils import formatdate
from time import monotonic
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from evals.llm import ContextOverflow, ModelError
from evals.llm.litellm_client import LiteLLMModel
from evals.llm.settings import ModelSettings

from .conftest import PATH, QUESTION, FakeTime, completion, error_body, raw_answer

NOON = 1_800_000_000


def answer_in_turn(httpserver: HTTPServer, *answers: tuple[int, dict[str, Any], dict[str, str]]) -> None:
    for status, body, headers in answers:
        httpserver.expect_ordered_request(PATH).respond_with_json(body, status=status, headers=headers)
    httpserver.expect_ordered_request(PATH).respond_with_json(completion())


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"retry-after-ms": "1500"}, 1.5),
    ],
)
def test_a_429_is_tried_again_when_the_provider_said_so(
    model: LiteLLMModel, httpserver: HTTPServer, time: FakeTime, headers: dict[str, str], seconds: float
):
    answer_in_turn(httpserver, (429, error_body("slow down"), headers))
    assert model.reply(QUESTION, []).text == "It was DNS."
    assert len(time.slept) == 1
    assert seconds <= time.slept[0] <= seconds + 1


def test_a_date_to_retry_after_is_read_by_the_clock_of_the_server(
    route: str, breaking_off: Any, time: FakeTime
):
    dates = f"Date: {formatdate(NOON, usegmt=True)}\r\nRetry-After: {formatdate(NOON + 42, usegmt=True)}"
    turned_away = f"HTTP/1.1 429 Too Many Requests\r\n{dates}\r\nContent-Length: 2\r\n\r\n{{}}"
    breaking_off.script += [turned_away.encode(), raw_answer(completion())]
    model = LiteLLMModel(ModelSettings(f"{route}/m", api_base=breaking_off.url), time.clock)
    assert model.reply(QUESTION, []).text == "It was DNS."
    assert 42 <= time.slept[0] <= 43


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_what_may_pass_is_tried_again(model: LiteLLMModel, httpserver: HTTPServer, status: int):
    answer_in_turn(httpserver, (status, error_body("try later"), {}), (status, error_body("try later"), {}))
    assert model.reply(QUESTION, []).text == "It was DNS."
    assert len(httpserver.log) == 3


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 422])
def test_what_will_not_pass_is_asked_once(model: LiteLLMModel, httpserver: HTTPServer, status: int):
    httpserver.expect_request(PATH).respond_with_json(error_body("no such thing"), status=status)
    with pytest.raises(ModelError, match=f"the provider answered {status}: no such thing"):
        model.reply(QUESTION, [])
    assert len(httpserver.log) == 1


def test_an_error_within_a_200_is_tried_again(model: LiteLLMModel, httpserver: HTTPServer):
    told = {"error": {"message": "Provider returned error", "code": 502}}
    answer_in_turn(httpserver, (200, told, {}))
    assert model.reply(QUESTION, []).text == "It was DNS."


@pytest.mark.parametrize("first", [b"", raw_answer(completion(), cut_after=60)], ids=["hung up", "cut off"])
def test_a_connection_that_breaks_is_tried_again(route: str, time: FakeTime, breaking_off: Any, first: bytes):
    breaking_off.script += [first, raw_answer(completion())]
    model = LiteLLMModel(ModelSettings(f"{route}/m", api_base=breaking_off.url), time.clock)
    assert model.reply(QUESTION, []).text == "It was DNS."
    assert len(time.slept) == 1


def test_a_reply_whose_json_ends_in_the_middle_is_tried_again(model: LiteLLMModel, httpserver: HTTPServer):
    httpserver.expect_ordered_request(PATH).respond_with_data(
        '{"choices": [', content_type="application/json"
    )
    answer_in_turn(httpserver)
    assert model.reply(QUESTION, []).text == "It was DNS."


def test_a_server_whose_replies_nobody_can_read_is_given_up_after_five(
    model: LiteLLMModel, httpserver: HTTPServer
):
    httpserver.expect_request(PATH).respond_with_json(completion(choices=[]))
    with pytest.raises(ModelError, match="no reply after 5 attempts; the last: the reply could not be read"):
        model.reply(QUESTION, [])
    assert len(httpserver.log) == 5


def test_a_quota_window_of_a_minute_is_outlived(model: LiteLLMModel, httpserver: HTTPServer, time: FakeTime):
    def until_the_minute_is_over(_: object) -> Response:
        if time.seconds < 60:
            return Response('{"error": {"message": "quota of this minute"}}', status=429)
        return Response(json.dumps(completion()), content_type="application/json")

    httpserver.expect_request(PATH).respond_with_handler(until_the_minute_is_over)
    assert model.reply(QUESTION, []).text == "It was DNS."
    assert time.seconds >= 60


def test_pauses_grow_and_are_random(settings: ModelSettings, httpserver: HTTPServer):
    httpserver.expect_request(PATH).respond_with_json(error_body("busy"), status=503)
    pauses = []
    for _ in range(2):
        time = FakeTime()
        with pytest.raises(ModelError):
            LiteLLMModel(replace(settings, deadline_s=200), time.clock).reply(QUESTION, [])
        assert all(pause <= 2.0**place for place, pause in enumerate(time.slept))
        pauses.append(time.slept)
    assert pauses[0] != pauses[1]


def test_after_the_deadline_the_error_tells_the_attempts_and_the_last_cause(
    settings: ModelSettings, httpserver: HTTPServer, time: FakeTime
):
    httpserver.expect_request(PATH).respond_with_json(error_body("overloaded"), status=503)
    model = LiteLLMModel(replace(settings, deadline_s=90), time.clock)
    with pytest.raises(
        ModelError, match=r"no reply after \d+ attempts; the last: .* 503: overloaded"
    ) as raised:
        model.reply(QUESTION, [])
    assert str(raised.value).startswith(settings.model)
    assert time.seconds <= 90
    assert len(httpserver.log) == len(time.slept) + 1


def test_a_wait_past_the_deadline_is_not_begun(
    settings: ModelSettings, httpserver: HTTPServer, time: FakeTime
):
    headers = {"Retry-After": "3600"}
    httpserver.expect_request(PATH).respond_with_json(error_body("tomorrow"), status=429, headers=headers)
    with pytest.raises(ModelError, match="429: tomorrow"):
        LiteLLMModel(settings, time.clock).reply(QUESTION, [])
    assert time.slept == []


def test_a_quota_that_is_used_up_is_not_waited_for(model: LiteLLMModel, httpserver: HTTPServer):
    body = error_body("You exceeded your current quota, check your billing.", code="insufficient_quota")
    httpserver.expect_request(PATH).respond_with_json(body, status=429)
    with pytest.raises(ModelError, match="exceeded your current quota"):
        model.reply(QUESTION, [])
    assert len(httpserver.log) == 1


def test_a_server_that_never_answers_is_given_up_in_time(route: str):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        base = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        settings = ModelSettings(f"{route}/m", api_base=base, timeout_s=0.3, deadline_s=0.6)
        started = monotonic()
        with pytest.raises(ModelError, match="no answer in"):
            LiteLLMModel(settings).reply(QUESTION, [])
    assert monotonic() - started < 2


def test_a_server_that_sends_a_blank_now_and_then_does_not_outlive_the_deadline(
    route: str, keeping_open: str
):
    settings = ModelSettings(f"{route}/m", api_base=keeping_open, timeout_s=0.5, deadline_s=1)
    with pytest.raises(ModelError, match="no answer in"):
        LiteLLMModel(settings).reply(QUESTION, [])


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, error_body("Please reduce the length of the messages.", code="context_length_exceeded")),
        (
            400,
            {
                "object": "error",
                "message": "This model's maximum context length is 4096 tokens.",
                "code": 400,
            },
        ),
        (
            400,
            error_body("The decoder prompt (length 9000) is longer than the maximum model length of 4096."),
        ),
        (400, error_body("the request exceeds the available context size, try increasing it")),
        (500, error_body("the request exceeds the available context size. try increasing the context size")),
        (400, error_body("prompt is too long: 210000 tokens > 200000 maximum")),
        (413, error_body("Request Entity Too Large")),
    ],
    ids=["OpenAI", "vLLM", "vLLM, newer", "llama.cpp", "llama.cpp, older", "Anthropic", "a proxy"],
)
def test_a_conversation_that_is_too_long_is_told_apart_and_not_sent_again(
    model: LiteLLMModel, httpserver: HTTPServer, status: int, body: dict[str, Any]
):
    httpserver.expect_request(PATH).respond_with_json(body, status=status)
    with pytest.raises(ContextOverflow):
        model.reply(QUESTION, [])
    assert len(httpserver.log) == 1


def test_a_key_never_stands_in_an_error(route: str, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LAB_KEY", "plain-looking-9731")
    body = error_body("Incorrect API key provided: plain-looking-9731 (Bearer plain-looking-9731).")
    httpserver.expect_request(PATH).respond_with_json(body, status=401)
    settings = ModelSettings(f"{route}/m", api_base=httpserver.url_for("/v1"), api_key_variable="LAB_KEY")
    with pytest.raises(ModelError) as raised:
        LiteLLMModel(settings).reply(QUESTION, [])
    assert "plain-looking-9731" not in str(raised.value)
    assert raised.value.__suppress_context__
    assert httpserver.log[0][0].headers["Authorization"] == "Bearer plain-looking-9731"


def test_a_key_that_is_not_set_is_named_and_nothing_is_sent(
    settings: ModelSettings, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("LAB_KEY", raising=False)
    with pytest.raises(ModelError, match="LAB_KEY"):
        LiteLLMModel(replace(settings, api_key_variable="LAB_KEY")).reply(QUESTION, [])
    assert httpserver.log == []


def test_a_providers_usual_key_is_not_sent_to_somebody_elses_server(
    model: LiteLLMModel, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
):
    for name in ("OPENAI_API_KEY", "HOSTED_VLLM_API_KEY"):
        monkeypatch.setenv(name, "sk-the-real-one-0123456789")
    httpserver.expect_request(PATH).respond_with_json(completion())
    model.reply(QUESTION, [])
    assert "the-real-one" not in str(httpserver.log[0][0].headers)
