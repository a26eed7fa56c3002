"""ATIF of other tools: what a turn is, what is kept beside it, and what is refused with which words."""

import hashlib
import io
import json
import tracemalloc

import pytest

from evals.exchange.atif_reader import Part, read_atif
from evals.exchange.incoming import Given, TrajectoryFormatError
from evals.trajectory import StopReason, Usage

AGENT = {"name": "terminus-2", "version": "2.0", "model_name": "anthropic/claude"}


def document(*steps, **more):
    numbered = [{"step_id": number, **step} for number, step in enumerate(steps, start=1)]
    return {"schema_version": "ATIF-v1.8", "agent": AGENT, "steps": numbered, **more}


def agent_step(**more):
    return {"source": "agent", "message": "", **more}


def part(told, name="run.json"):
    raw = told if isinstance(told, bytes) else json.dumps(told).encode()
    return Part(name, lambda: io.BytesIO(raw))


def read(*steps, **more):
    return read_atif([part(document(*steps, **more))])


def only_turn(step):
    (turn,) = read(step).turns()
    return turn


def refusal(told):
    with pytest.raises(TrajectoryFormatError) as refused:
        read_atif([part(told)])
    return str(refused.value)


def test_a_run_says_what_played_it_and_when():
    raw = json.dumps(
        document(
            agent_step(timestamp="2026-01-02T03:04:05+01:00"),
            {"source": "user", "message": "go on"},
            agent_step(timestamp="2026-01-02T03:05:05+01:00"),
        )
    ).encode()
    run = read_atif([part(raw)])
    assert (run.format, run.harness, run.harness_version, run.model) == (
        "atif",
        "terminus-2",
        "2.0",
        "anthropic/claude",
    )
    assert run.sha256 == hashlib.sha256(raw).hexdigest()
    assert run.started_at.isoformat() == "2026-01-02T02:04:05+00:00"
    assert run.ended_at.isoformat() == "2026-01-02T02:05:05+00:00"
    assert (run.stop_reason, run.submission, run.error) == (StopReason.GAVE_UP, None, "")


def test_a_turn_is_what_the_agent_was_told_and_what_it_did():
    first, second = read(
        {"source": "system", "message": "You are ..."},
        {"source": "user", "message": "Find it."},
        agent_step(message="Looking.", reasoning_content="Hm."),
        {"source": "user", "message": "Please continue."},
        agent_step(message="Done."),
    ).turns()
    assert first.given == (Given("system", "You are ..."), Given("user", "Find it."))
    assert (first.record.number, first.record.reply.text, first.record.reply.reasoning) == (
        1,
        "Looking.",
        "Hm.",
    )
    assert (second.given, second.record.number) == ((Given("user", "Please continue."),), 2)


def test_turns_can_be_read_as_often_as_wanted():
    run = read(agent_step(message="a"), agent_step(message="b"))
    assert [turn.record.reply.text for turn in run.turns()] == ["a", "b"]
    assert len(list(run.turns())) == 2


def call(name="bash", call_id="1", **arguments):
    return {"tool_call_id": call_id, "function_name": name, "arguments": arguments}


def result(content, call_id=None):
    return {"content": content} | ({} if call_id is None else {"source_call_id": call_id})


@pytest.mark.parametrize(
    ("name", "arguments", "command"),
    [
        ("Bash", {"command": "ls", "description": "look"}, "ls"),
        ("bash_command", {"keystrokes": "ls\n", "duration": 0.1}, "ls\n"),
        ("run_shell", {"cmd": "ls"}, "ls"),
        ("exec_command", {"cmd": "ls"}, "ls"),
        ("shell", {"command": ["bash", "-lc", "ls | wc"]}, "ls | wc"),
        ("shell", {"command": ["ls", "-l"]}, "ls -l"),
        ("execute_bash", {"command": ""}, ""),
        ("str_replace_editor", {"command": "view", "path": "/a"}, ""),
        ("Read", {"file_path": "/a"}, ""),
        ("bash", {"other": 1}, ""),
    ],
)
def test_the_command_of_a_shell_call_is_found(name, arguments, command):
    step = agent_step(tool_calls=[call(name, **arguments)], observation={"results": [result("out", "1")]})
    record = only_turn(step).record
    assert record.observations[0].command == command
    assert record.observations[0].output == "out"
    assert json.loads(record.reply.tool_calls[0].arguments) == arguments


def test_outputs_find_their_calls_in_any_order():
    calls = [call(call_id="a"), call(call_id="b")]
    step = agent_step(tool_calls=calls, observation={"results": [result("of b", "b"), result("of a", "a")]})
    assert [seen.output for seen in only_turn(step).record.observations] == ["of a", "of b"]


def test_several_outputs_of_one_call_are_one_text():
    step = agent_step(tool_calls=[call()], observation={"results": [result("a", "1"), result("b", "1")]})
    turn = only_turn(step)
    assert turn.record.observations[0].output == "a\nb"
    assert turn.unmapped["atif"]["observation"] == step["observation"]


def test_an_output_that_names_no_call_is_that_of_the_last_one():
    step = agent_step(
        tool_calls=[call(call_id="a"), call(call_id="b")], observation={"results": [result("the screen")]}
    )
    assert [seen.output for seen in only_turn(step).record.observations] == ["", "the screen"]


def test_an_output_without_any_call_is_kept_as_that_of_an_unnamed_tool():
    record = only_turn(agent_step(message="ls", observation={"results": [result("a")]})).record
    assert (record.reply.tool_calls[0].name, record.observations[0].output) == ("observation", "a")


def test_a_call_without_an_output_is_unfinished():
    calls = [call(call_id="a"), call(call_id="b")]
    step = agent_step(tool_calls=calls, observation={"results": [result("of a", "a")]})
    record = only_turn(step).record
    assert (len(record.reply.tool_calls), len(record.observations)) == (2, 1)


def test_parts_of_a_message_become_text_and_stay_what_they_were():
    parts = [
        {"type": "text", "text": "See"},
        {"type": "image", "source": {"media_type": "image/png", "path": "a.png"}},
    ]
    turn = only_turn(agent_step(message=parts))
    assert turn.record.reply.text == "See\n[image: a.png]"
    assert turn.unmapped["atif"]["step"]["message"] == parts


def test_the_trajectory_of_a_subagent_is_named_in_the_output_and_kept():
    sub = document({"source": "user", "message": "x"}, trajectory_id="sub-1")
    step = agent_step(
        tool_calls=[call("task")],
        observation={
            "results": [{"source_call_id": "1", "subagent_trajectory_ref": [{"trajectory_id": "sub-1"}]}]
        },
    )
    run = read(step, subagent_trajectories=[sub])
    (turn,) = run.turns()
    assert turn.record.observations[0].output == "[trajectory of a subagent: sub-1]"
    assert run.unmapped["atif"]["subagent_trajectories"] == [sub]


@pytest.mark.parametrize(
    ("metrics", "usage"),
    [
        ({"prompt_tokens": 100, "completion_tokens": 5, "cached_tokens": 60}, Usage(40, 60, 0, 5, 0)),
        ({"prompt_tokens": 100, "completion_tokens": 5}, Usage(100, 0, 0, 5, 0)),
        ({"prompt_tokens": 100, "completion_tokens": 5, "cached_tokens": 900}, Usage(100, 900, 0, 5, 0)),
        (
            {"prompt_tokens": 9, "completion_tokens": 5, "extra": {"cache_creation_input_tokens": 4}},
            Usage(5, 0, 4, 5, 0),
        ),
        (
            {"prompt_tokens": 9, "completion_tokens": 5, "extra": {"reasoning_output_tokens": 3}},
            Usage(9, 0, 0, 5, 3),
        ),
        ({"prompt_tokens": 9.0, "completion_tokens": 5}, Usage(9, 0, 0, 5, 0)),
        ({"prompt_tokens": 100}, None),
        ({"completion_tokens": 100}, None),
        ({"cost_usd": 0.5}, None),
        ({}, None),
    ],
)
def test_tokens_are_counted_once_each_and_what_is_not_told_is_unknown(metrics, usage):
    assert only_turn(agent_step(metrics=metrics)).record.reply.usage == usage
    totals = {f"total_{name}": value for name, value in metrics.items() if name != "extra"}
    told = read(agent_step(), final_metrics={**totals, "extra": metrics.get("extra", {})}).totals
    wanted = (None,) * 4 if usage is None else (
        usage.input_tokens, usage.cache_read_tokens, usage.cache_write_tokens, usage.output_tokens,
    )  # fmt: skip
    assert (told.input_tokens, told.cache_read_tokens, told.cache_write_tokens, told.output_tokens) == wanted
    assert told.cost_usd == metrics.get("cost_usd")


def test_what_the_tables_have_no_column_for_is_kept():
    step = agent_step(
        model_name="other",
        llm_call_count=2,
        extra={"a": 1},
        metrics={"logprobs": [-0.5]},
        timestamp="2026-01-02",
    )
    run = read(
        {"source": "user", "message": "x", "extra": {"b": 2}},
        step,
        {"source": "user", "message": "bye"},
        notes="n",
    )
    (turn,) = run.turns()
    assert turn.unmapped["atif"] == {
        "given": [{"extra": {"b": 2}}],
        "step": {"model_name": "other", "llm_call_count": 2, "timestamp": "2026-01-02", "extra": {"a": 1},
                 "metrics": {"logprobs": [-0.5]}},
    }  # fmt: skip
    assert run.unmapped["atif"]["notes"] == "n"
    assert run.unmapped["atif"]["after"] == [{"source": "user", "message": "bye"}]


def test_a_trajectory_in_several_files_is_one_run_without_what_was_copied():
    first = document(agent_step(message="a"), continued_trajectory_ref="two.json", notes="kept")
    second = document(
        {"source": "user", "message": "So far: a", "is_copied_context": True},
        agent_step(message="a", is_copied_context=True),
        agent_step(message="b"),
        final_metrics={"total_cost_usd": 2.5},
    )
    run = read_atif([part(first, "one.json"), part(second, "two.json")])
    told = list(run.turns())
    assert [turn.record.reply.text for turn in told] == ["a", "b"]
    assert [turn.record.number for turn in told] == [1, 2]
    assert told[1].given == (Given("user", "So far: a"),)
    assert run.totals.cost_usd == 2.5
    assert run.unmapped["atif"]["notes"] == "kept"
    assert "continued_trajectory_ref" not in run.unmapped["atif"]


def test_a_file_that_goes_on_in_another_one_says_so():
    run = read(agent_step(), continued_trajectory_ref="two.json")
    assert run.unmapped["atif"]["continued_trajectory_ref"] == "two.json"


def test_what_no_database_takes_is_replaced():
    raw = json.dumps(document(agent_step(message="a\0b", extra={"c\0": "d\0"}))).encode()
    (turn,) = read_atif([part(raw)]).turns()
    assert turn.record.reply.text == "a\ufffdb"
    assert turn.unmapped["atif"]["step"]["extra"] == {"c\ufffd": "d\ufffd"}


def test_a_number_beyond_64_bits_is_read_and_no_step_twice():
    first, second = read(
        agent_step(message="a"), agent_step(message="b", extra={"seed": 2**64, "share": 0.1})
    ).turns()
    assert (first.record.reply.text, second.record.reply.text) == ("a", "b")
    assert second.unmapped["atif"]["step"]["extra"] == {"seed": 2**64, "share": 0.1}


@pytest.mark.parametrize("version", [f"ATIF-v1.{minor}" for minor in range(9)])
def test_all_versions_are_read(version):
    assert len(list(read(agent_step(), schema_version=version).turns())) == 1


def one(**fields):
    return document(agent_step(**fields))


def ours(**run):
    return document(agent_step(), extra={"itbench": {"run": run}})


DEEP = b'{"schema_version": "ATIF-v1.8", "agent": ' + b"[" * 200 + b"]" * 200 + b', "steps": []}'
REFUSED = [
    (b"", "run.json: no valid JSON: "),
    (b"[]", "run.json: a JSON object expected"),
    (b'{"schema_version": "ATIF-v1.8", "steps": [', "run.json: no valid JSON: parse error: premature EOF"),
    (b'{"steps": [], "a": NaN}', "run.json: no valid JSON: lexical error"),
    (b'{"steps": [], "a": ' + b"9" * 5000 + b"}", "run.json: no valid JSON: Unexpected symbol '9999"),
    (b'{"steps": [], "a": 1e' + b"9" * 5000 + b"}", "run.json: no valid JSON: Unexpected symbol '1e99"),
    (b'{"steps": [], "a": 18446744073709551615, "b": "\xff"}', "run.json: no valid JSON: 'utf-8' codec"),
    (b'{"steps": [], "b": "\xff"}', "run.json: no valid JSON: lexical error: invalid bytes in UTF8"),
    (b'{"steps": [], "a": 1e999}', "run.json: a: 1E+999; a number of usual size expected"),
    (DEEP, "run.json: agent: nested deeper than 100 levels"),
    ({"steps": {}}, "run.json: steps: a list expected"),
    ({"steps": ["a"]}, "run.json: steps[0]: an object expected"),
    (document(), "run.json: steps: at least one step expected"),
    (document(agent_step(), schema_version="ATIF-v2.0"), "schema_version: 'ATIF-v2.0'; one of ATIF-v1.0, "),
    (document(agent_step(), agent=None), "run.json: agent: an object expected"),
    (document(agent_step(), agent={"version": "1"}), "agent.name: the name of what played it expected"),
    (document(agent_step(), {"source": "tool"}), "steps[1].source: 'tool'; one of system, user, agent exp"),
    (one(message=1), "steps[0].message: a text or a list of parts expected"),
    (one(message=[1]), "steps[0].message[0]: an object expected"),
    (one(reasoning_content=[]), "steps[0].reasoning_content: a text expected"),
    (one(tool_calls=[{"arguments": 1}]), "steps[0].tool_calls[0].arguments: an object expected"),
    (
        one(observation={"results": [result("", "x")]}, tool_calls=[call()]),
        "steps[0].observation.results[0].source_call_id: the id of a call of the same step expected",
    ),
    (one(metrics={"cost_usd": -1}), "steps[0].metrics.cost_usd: -1; a number not below 0 expected"),
    (one(metrics={"prompt_tokens": 1.5}), "steps[0].metrics.prompt_tokens: a whole number expected"),
    (one(metrics={"prompt_tokens": 2**70}), "steps[0].metrics.prompt_tokens: 1180591620717411303424; a"),
    (one(extra={"itbench": {"kind": "x"}}), "steps[0].extra.itbench.kind: 'x'; one of reply, summary exp"),
    (ours(state="running"), "extra.itbench.run.state: 'running'; a run that came to its end expected"),
    (ours(submission={"base64": "?"}), "extra.itbench.run.submission: "),
]


@pytest.mark.parametrize(("told", "sentence"), REFUSED)
def test_what_breaks_the_format_is_refused_with_its_place(told, sentence):
    assert sentence in refusal(told)


def test_too_much_beside_the_steps_is_refused():
    said = refusal(document(agent_step(), notes="x" * 16_000_001))
    assert said == "run.json: notes: at most 16,000,000 characters expected beside steps"


def test_memory_does_not_grow_with_the_file(tmp_path):
    path = tmp_path / "run.json"
    step = json.dumps(agent_step(tool_calls=[call()], observation={"results": [result("x" * 100_000, "1")]}))
    with path.open("w") as file:
        file.write(f'{{"agent": {json.dumps(AGENT)}, "steps": [{step}')
        file.writelines(f",{step}" for _ in range(399))
        file.write('], "schema_version": "ATIF-v1.8"}')
    assert path.stat().st_size > 40_000_000
    tracemalloc.start()
    try:
        run = read_atif([Part("run.json", lambda: path.open("rb"))])
        assert sum(1 for _ in run.turns()) == 400
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
