"""A model behind a real HTTP server, evaluated through LiteLLM in a real sandbox, end to end."""

from __future__ import annotations

import pytest

from evals import runner
from evals.models import Grade, LanguageModel, Run, ToolCall, Turn
from evals.runner.workers import this_worker
from tests.evals.openai_server import Act, finish, refuses, says, serving, shell
from tests.factories import RIGHT_ANSWER, make_benchmark, make_model, make_task

pytestmark = [pytest.mark.django_db, pytest.mark.bubblewrap]

WRITE = shell(f"echo '{RIGHT_ANSWER.decode()}' > agent_output.json")


@pytest.fixture(params=["openai", "hosted_vllm"])
def route(request, monkeypatch) -> str:
    monkeypatch.setenv("STUB_KEY", "sk-a-secret-that-must-not-show")
    return request.param


@pytest.fixture
def benchmark_of_one(tmp_path):
    folder = tmp_path / "scenario-1"
    (folder / "alerts").mkdir(parents=True)
    (folder / "alerts" / "one.json").write_text("[]")
    benchmark = make_benchmark(repeats=1, turn_cap=40)
    make_task(benchmark, snapshot_path=str(folder))
    return benchmark


def model_at(route: str, api_base: str, **fields) -> LanguageModel:
    return make_model(
        litellm_model=f"{route}/stub",
        api_base=api_base,
        api_key_variable="STUB_KEY",
        price_input=1.0,
        price_output=10.0,
        **fields,
    )


def evaluate(benchmark, route: str, *acts: Act, **fields) -> tuple[Run, list[dict]]:
    """Run one task against the acts; return the run and the requests the server saw."""
    with serving(*acts) as server:
        model = model_at(route, server.api_base, **fields)
        request = runner.EvaluationRequest(benchmark, model, concurrency=1, sandbox="bubblewrap")
        evaluation = runner.plan(request)
        assert runner.work(evaluation.pk, this_worker())
    return evaluation.runs.get(), server.requests


def outputs(run: Run) -> list[str]:
    calls = ToolCall.objects.filter(turn__run=run).order_by("turn__number", "number")
    return list(calls.values_list("output", flat=True))


def test_a_model_that_calls_tools_is_graded_and_its_usage_and_cost_are_stored(benchmark_of_one, route):
    run, requests = evaluate(benchmark_of_one, route, shell("ls alerts"), WRITE, finish())
    assert (run.state, run.stop_reason, run.error) == ("ended", "submitted", "")
    assert Grade.objects.get(run=run).score == 1
    assert (run.turns_total, run.input_tokens, run.output_tokens) == (3, 300, 60)
    assert run.cost_usd == pytest.approx((300 * 1 + 60 * 10) / 1e6)
    assert "one.json" in outputs(run)[0]
    assert requests[1]["messages"][-1]["role"] == "tool"
    assert {tool["function"]["name"] for tool in requests[0]["tools"]} == {"run_shell", "finish"}


def test_parallel_tool_calls_each_get_their_own_answer(benchmark_of_one, route):
    run, requests = evaluate(benchmark_of_one, route, shell("echo one", "echo two"), WRITE, finish())
    answers = [message for message in requests[1]["messages"] if message["role"] == "tool"]
    calls = requests[1]["messages"][-3]["tool_calls"]
    assert [answer["tool_call_id"] for answer in answers] == [call["id"] for call in calls]
    assert ["one" in outputs(run)[0], "two" in outputs(run)[1]] == [True, True]


def test_a_reply_of_text_only_is_asked_to_continue(benchmark_of_one, route):
    run, requests = evaluate(benchmark_of_one, route, says("I wonder."), WRITE, finish())
    assert requests[1]["messages"][-1]["content"].startswith("Please continue")
    assert Turn.objects.get(run=run, number=1).message == "I wonder."


def test_malformed_arguments_are_stored_raw_told_to_the_model_and_never_sent_back(benchmark_of_one, route):
    broken = says(None, ("run_shell", '{"cmd": "ls'))
    run, requests = evaluate(benchmark_of_one, route, broken, WRITE, finish())
    assert run.state == "ended"
    assert ToolCall.objects.get(turn__run=run, turn__number=1).arguments == '{"cmd": "ls'
    assert "not valid JSON" in requests[1]["messages"][-1]["content"]
    sent_back = requests[1]["messages"][-2]["tool_calls"][0]["function"]["arguments"]
    assert sent_back == "{}"


def test_a_quota_is_waited_out_as_long_as_the_server_says(benchmark_of_one, route):
    busy = refuses(429, "slow down", Retry_After="1")
    run, requests = evaluate(benchmark_of_one, route, busy, WRITE, finish())
    assert (run.state, run.turns_total, len(requests)) == ("ended", 2, 3)
    assert Turn.objects.get(run=run, number=1).model_s >= 1


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(refuses(500, "oops"), id="500"),
        pytest.param(Act(drop=True), id="dropped connection"),
        pytest.param(Act(body=says("x" * 4000).body, cut=True), id="reply cut off"),
    ],
)
def test_a_passing_trouble_is_tried_again_and_costs_no_turn(benchmark_of_one, route, trouble):
    run, requests = evaluate(benchmark_of_one, route, trouble, WRITE, finish())
    assert (run.state, run.turns_total, len(requests)) == ("ended", 2, 3)
    assert Grade.objects.get(run=run).score == 1


def test_a_context_overflow_is_answered_with_a_summary(benchmark_of_one, route):
    overflow = refuses(
        400,
        "This model's maximum context length is 4096 tokens. However, your messages resulted in 9000 tokens.",
        "context_length_exceeded",
    )
    run, requests = evaluate(
        benchmark_of_one, route, shell("seq 5000"), overflow, says("Numbers."), WRITE, finish()
    )
    assert (run.state, run.turns_total) == ("ended", 3)
    assert list(run.turns.values_list("kind", flat=True)) == ["reply", "summary", "reply", "reply"]
    assert requests[3]["messages"][1]["content"].endswith("Numbers.")


def test_a_wrong_key_is_our_failure_is_not_tried_again_and_never_shows_the_key(benchmark_of_one, route):
    run, requests = evaluate(
        benchmark_of_one, route, refuses(401, "Incorrect API key sk-a-secret-that-must-not-show")
    )
    assert (run.state, len(requests)) == ("errored", 1)
    assert "must-not-show" not in run.error
    assert not Grade.objects.exists()
