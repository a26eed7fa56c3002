"""A run as an ATIF trajectory: valid by the specification, and nothing unknown told as 0."""

import json

import pytest

from evals.agent.context import ASSIGNMENT, CONTINUE, GO_ON_FROM, SUMMARISE
from evals.agent.tools import TOOLS
from evals.exchange.atif_writer import atif_pieces
from evals.exchange.json_text import json_text, utf8
from evals.exchange.run_facts import exported_runs
from evals.models import Run, RunSource, RunState, ToolCall
from tests.evals.exchange.atif_schema import problems
from tests.factories import make_evaluation, make_model, make_run, make_task, make_turn

pytestmark = pytest.mark.django_db

USAGE = {
    "input_tokens": 70, "cache_read_tokens": 20, "cache_write_tokens": 10, "output_tokens": 5,
    "reasoning_tokens": 2,
}  # fmt: skip


def trajectory(run):
    document = json.loads(b"".join(atif_pieces(exported_runs().get(pk=run.pk))))
    assert problems(document) == []
    return document


def agent_steps(run):
    return [step for step in trajectory(run)["steps"] if step["source"] == "agent"]


def test_a_run_begins_with_what_its_agent_was_told():
    run = make_run(make_evaluation(prompt_text="Find it in $turn_cap turns.", turn_cap=50))
    make_turn(run, 1)
    steps = trajectory(run)["steps"]
    assert [(step["source"], step["message"]) for step in steps[:2]] == [
        ("system", "Find it in 50 turns."),
        ("user", ASSIGNMENT),
    ]
    assert [step["step_id"] for step in steps] == [1, 2, 3]


def test_a_turn_is_a_step_with_its_reasoning_its_call_and_what_came_of_it():
    run = make_run()
    make_turn(run, 1, reasoning="Hm.", cost_usd=0.25, finish_reason="tool_calls", **USAGE)
    ToolCall.objects.update(exit_code=3, duration_s=1.5, output_bytes=9000, output="cut")
    assert agent_steps(run) == [
        {
            "step_id": 3,
            "source": "agent",
            "message": "Looking.",
            "reasoning_content": "Hm.",
            "tool_calls": [
                {
                    "tool_call_id": "call-1",
                    "function_name": "run_shell",
                    "arguments": {"cmd": "ls"},
                    "extra": {"itbench": {"exit_code": 3, "duration_s": 1.5, "output_bytes": 9000}},
                }
            ],
            "observation": {"results": [{"source_call_id": "call-1", "content": "cut"}]},
            "metrics": {
                "prompt_tokens": 100,
                "completion_tokens": 5,
                "cached_tokens": 20,
                "cost_usd": 0.25,
                "extra": {"itbench": {"cache_write_tokens": 10, "reasoning_tokens": 2}},
            },
            "extra": {"itbench": {"finish_reason": "tool_calls", "duration_s": 1.0}},
        }
    ]


def test_what_is_unknown_is_left_out_and_never_0():
    run = make_run(cost_usd=None, tokens_known=False, input_tokens=0, output_tokens=0)
    make_turn(run, 1)
    assert "metrics" not in agent_steps(run)[0]
    told = trajectory(run)["final_metrics"]
    assert told.keys() == {"total_steps", "extra"}
    assert told["extra"]["itbench"].keys() == {"turns", "duration_s"}


def test_the_totals_are_those_of_the_run():
    run = make_run(cost_usd=0.75, **{**USAGE, "reasoning_tokens": 0})
    make_turn(run, 1)
    told = trajectory(run)["final_metrics"]
    assert (told["total_prompt_tokens"], told["total_cached_tokens"]) == (100, 20)
    assert (told["total_completion_tokens"], told["total_cost_usd"], told["total_steps"]) == (5, 0.75, 3)


ODD_ARGUMENTS = [
    "", "{", "[1]", '"ls"', "{'cmd': 'ls'}", '{"n": NaN}', '{"n": 1e999}', '{"cmd": "\\ud800"}',
    '{"a":' * 5000,
    '{"a":' * 90 + "1" + "}" * 90, '{"a": 1, "a": 2}', '{"cmd":"ls"}',
]  # fmt: skip


@pytest.mark.parametrize("raw", ODD_ARGUMENTS)
def test_arguments_that_json_can_not_say_again_are_kept_as_they_were_written(raw):
    run = make_run()
    make_turn(run, 1)
    ToolCall.objects.update(arguments=raw)
    call = agent_steps(run)[0]["tool_calls"][0]
    assert call["extra"]["itbench"]["arguments"] == raw
    assert isinstance(call["arguments"], dict)


def test_a_call_that_was_never_carried_out_has_no_result():
    run = make_run()
    turn = make_turn(run, 1)
    ToolCall.objects.create(turn=turn, number=2, call_id="b", tool="run_shell", arguments='{"cmd": "w"}')
    step = agent_steps(run)[0]
    assert [call["tool_call_id"] for call in step["tool_calls"]] == ["call-1", "b"]
    assert [result["source_call_id"] for result in step["observation"]["results"]] == ["call-1"]


def test_an_output_of_nothing_is_a_result_all_the_same():
    run = make_run()
    make_turn(run, 1)
    ToolCall.objects.update(output="", output_bytes=0)
    assert agent_steps(run)[0]["observation"]["results"] == [{"source_call_id": "call-1", "content": ""}]


def test_the_steps_tell_all_that_the_agent_was_told_on_the_way():
    run = make_run(make_evaluation(turn_cap=23))
    make_turn(run, 1, message="Let me think.").tool_calls.all().delete()
    make_turn(run, 2, kind="summary", message="So far: ad.").tool_calls.all().delete()
    make_turn(run, 3)
    make_turn(run, 4)
    steps = [(step["source"], step["message"]) for step in trajectory(run)["steps"][2:]]
    assert steps == [
        ("agent", "Let me think."),
        ("user", CONTINUE),
        ("user", SUMMARISE),
        ("agent", "So far: ad."),
        ("user", f"{ASSIGNMENT}\n\n{GO_ON_FROM}So far: ad."),
        ("agent", "Looking."),
        ("agent", "Looking."),
    ]
    make_turn(run, 5)
    warned = trajectory(run)["steps"][-2]
    assert warned["source"] == "user"
    assert warned["message"].startswith("Only 20 turns are left.")


def test_a_summary_says_that_it_is_one():
    run = make_run()
    make_turn(run, 1, kind="summary")
    assert agent_steps(run)[0]["extra"]["itbench"]["kind"] == "summary"


def test_the_facts_of_the_run_stand_beside_the_steps():
    run = make_run(make_evaluation(language_model=make_model(slug="m")), score=0.5, finish_reason="Done.")
    run.grades.update(verdicts=[{"name": "a/Pod/b", "verdict": "true_positive", "reason": "flag"}])
    facts = trajectory(run)["extra"]["itbench"]
    assert (facts["run"]["id"], facts["run"]["state"], facts["run"]["repeat"]) == (run.pk, "ended", 1)
    assert (facts["run"]["stop_reason"], facts["run"]["finish_reason"]) == ("submitted", "Done.")
    assert facts["task"]["slug"] == run.task.slug
    assert facts["benchmark"]["slug"] == run.evaluation.benchmark.slug
    assert (facts["model"]["slug"], facts["evaluation"]["id"]) == ("m", run.evaluation_id)
    assert (facts["grade"]["score"], facts["grade"]["outcome"]) == (0.5, "over_reported")
    assert facts["grade"]["verdicts"][0]["name"] == "a/Pod/b"


@pytest.mark.parametrize(
    ("raw", "form"),
    [
        (b'{"a": "\xc3\xa9"}', {"text": '{"a": "\u00e9"}'}),
        (b"\xff\x00", {"base64": "/wA="}),
        (b"", {"text": ""}),
    ],
)
def test_an_answer_is_kept_byte_for_byte(raw, form):
    run = make_run(submission=raw)
    assert trajectory(run)["extra"]["itbench"]["run"]["submission"] == form


def test_who_worked_on_a_run_and_who_asked_for_it_stay_out(django_user_model):
    person = django_user_model.objects.create_user("ada.lovelace")
    evaluation = make_evaluation(
        requested_by=person,
        reason="ada.lovelace waits",
        language_model=make_model(api_base="http://ada.lovelace:8000", api_key_variable="ADA_LOVELACE_KEY"),
        manifest={"version": "1.2.3", "sandbox_image": "ada.lovelace"},
    )
    run = make_run(evaluation, claimed_by="ada.lovelace")
    document = trajectory(run)
    assert "lovelace" not in json.dumps(document).lower()
    assert document["agent"]["version"] == "1.2.3"


def test_an_errored_run_has_no_grade_whatever_it_had_before():
    run = make_run(score=1)
    Run.objects.update(state=RunState.ERRORED, error="SandboxError: gone")
    facts = trajectory(run)["extra"]["itbench"]
    assert "grade" not in facts
    assert facts["run"]["error"] == "SandboxError: gone"


def test_a_trajectory_has_a_step_even_where_nothing_was_recorded():
    assert [step["source"] for step in trajectory(make_run())["steps"]] == ["system", "user"]
    imported = make_run(make_evaluation(harness="stirrup", harness_version="0.2", prompt_text=""))
    RunSource.objects.create(run=imported, format="atif", name="a.json", sha256="0" * 64)
    document = trajectory(imported)
    assert len(document["steps"]) == 1
    assert document["agent"] == {
        "name": "stirrup", "version": "0.2", "model_name": imported.evaluation.language_model.slug,
    }  # fmt: skip


def test_our_own_harness_tells_its_tools():
    agent = trajectory(make_run())["agent"]
    assert (agent["name"], agent["version"]) == ("itbench-leaderboard", "unknown")
    assert agent["tool_definitions"] == list(TOOLS)


def test_text_from_outside_goes_out_as_it_came():
    hostile = "<script>\x1b[31m\x08\u202e\U0001f600\ufffd\u2028\x7f"
    run = make_run(finish_reason=hostile, note=hostile)
    make_turn(run, 1, message=hostile, reasoning=hostile, provider_fields={hostile: hostile})
    ToolCall.objects.update(output=hostile, tool=hostile, call_id=hostile)
    step = agent_steps(run)[0]
    assert step["message"] == step["reasoning_content"] == hostile
    assert step["observation"]["results"][0] == {"source_call_id": hostile, "content": hostile}
    assert step["extra"]["itbench"]["provider_fields"] == {hostile: hostile}


def test_numbers_and_characters_that_json_has_not_are_no_broken_json():
    assert json_text({"a": [float("nan"), {"b": float("inf")}, 0.1]}) == '{"a":[null,{"b":null},0.1]}'
    assert json.loads(utf8(json_text("half \ud83d a pair"))) == "half \ud83d a pair"


@pytest.mark.parametrize("turns", [5, 25])
def test_turns_are_read_in_batches(turns, django_assert_num_queries):
    run = make_run(task=make_task())
    for number in range(1, turns + 1):
        make_turn(run, number)
    read = exported_runs().get(pk=run.pk)
    batches = turns // 10 + 1
    with django_assert_num_queries(2 * batches + 1):  # and the grade
        assert sum(1 for _ in atif_pieces(read)) > turns
