"""Out as ATIF and in again, nothing of a run is lost; nor is anything of another tool's trajectory."""

import io
import json
from dataclasses import asdict
from datetime import UTC
from itertools import zip_longest

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from evals.exchange.atif_reader import Part, read_atif
from evals.exchange.atif_writer import atif_pieces
from evals.exchange.incoming import IncomingTotals
from evals.exchange.run_facts import exported_runs
from evals.exchange.stored_turns import told_turns
from evals.models import RunSource, ToolCall, Turn
from evals.runner import store
from evals.trajectory import StopReason, TurnKind
from tests.evals.exchange.atif_schema import problems
from tests.factories import make_evaluation, make_run

pytestmark = pytest.mark.django_db

# What a table can hold: any character but NUL and halves of surrogate pairs.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
ODD_TEXT = TEXT | st.sampled_from(
    [
        "\x1b[31mred\x1b[0m\r\n",
        "```\n</script>\u202e\u2028\ufeff\ufffd",
        "\\u0000 \\ud800",
        "null",
        " \n",
        "\x85",
    ]
)
SECONDS = st.floats(0, 1e6)
TOKENS = st.integers(0, 10**12)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | ODD_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
OBJECT = st.dictionaries(TEXT, JSON, max_size=3)
ARGUMENTS = (
    ODD_TEXT
    | OBJECT.map(json.dumps)
    | OBJECT.map(lambda value: json.dumps(value, ensure_ascii=False))
    | st.sampled_from(
        ['{"cmd": "ls"}', '{"cmd":"ls"}', '{"cmd": "a\\u0000b"}', '{"n": 1e999}', '{"cmd": "ls"']
    )
)
CALL = st.fixed_dictionaries(
    {
        "tool": ODD_TEXT | st.just("run_shell"),
        "arguments": ARGUMENTS,
        "command": ODD_TEXT | st.just("ls"),
        "output": ODD_TEXT,
        "output_bytes": st.integers(0, 10**9),
        "exit_code": st.none() | st.integers(-255, 255),
        "timed_out": st.booleans(),
        "duration_s": SECONDS,
    }
)
NO_USAGE = dict.fromkeys(
    ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
)
TURN = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(TurnKind),
        "message": ODD_TEXT,
        "reasoning": ODD_TEXT,
        "finish_reason": ODD_TEXT,
        "provider_fields": OBJECT,
        "usage": st.just(NO_USAGE) | st.fixed_dictionaries(dict.fromkeys(NO_USAGE, TOKENS)),
        "cost_usd": st.none() | SECONDS,
        "model_s": SECONDS,
        "started_at": st.none() | st.datetimes(timezones=st.just(UTC)),
        "calls": st.lists(CALL, max_size=3),
        "unfinished": st.integers(0, 2),
    }
)


def stored(turns, **fields):
    run = make_run(make_evaluation(prompt_text="Find it."), **fields)
    for number, turn in enumerate(turns, start=1):
        columns = {
            name: value for name, value in turn.items() if name not in ("usage", "calls", "unfinished")
        }
        row = Turn.objects.create(run=run, number=number, **columns, **turn["usage"])
        done = max(len(turn["calls"]) - turn["unfinished"], 0)
        for place, call in enumerate(turn["calls"], start=1):
            told = call if place <= done else {"tool": call["tool"], "arguments": call["arguments"]}
            ToolCall.objects.create(turn=row, number=place, call_id=f"call-{place}", **told)
    return run


def exported(run):
    raw = b"".join(atif_pieces(exported_runs().get(pk=run.pk)))
    assert problems(json.loads(raw)) == []
    return raw


def imported(raw):
    return read_atif([Part("run.json", lambda: io.BytesIO(raw))])


def records(run):
    return list(store.load_turns(run))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    turns=st.lists(TURN, max_size=4),
    submission=st.none() | st.binary(max_size=40),
    finish_reason=ODD_TEXT,
    stop_reason=st.sampled_from(StopReason),
)
def test_every_turn_comes_back_as_it_was(turns, submission, finish_reason, stop_reason):
    run = stored(turns, submission=submission, finish_reason=finish_reason, stop_reason=stop_reason)
    back = imported(exported(run))
    told = list(back.turns())
    assert [turn.record for turn in told] == records(run)
    assert [turn.given for turn in told] == [turn.told for turn in told_turns(run)]
    assert all(turn.unmapped == {} for turn in told)
    assert (back.submission, back.finish_reason, back.stop_reason) == (submission, finish_reason, stop_reason)
    assert (back.started_at, back.ended_at, back.error) == (run.started_at, run.ended_at, "")


def test_the_totals_of_a_run_come_back_and_what_is_unknown_stays_so():
    run = make_run(
        input_tokens=70, cache_read_tokens=20, cache_write_tokens=10, output_tokens=5, cost_usd=0.1 + 0.2
    )
    assert imported(exported(run)).totals == IncomingTotals(0.1 + 0.2, 70, 20, 10, 5)
    unknown = make_run(tokens_known=False, cost_usd=None)
    assert imported(exported(unknown)).totals == IncomingTotals()


def test_a_run_that_errored_comes_back_as_one():
    run = make_run(score=None, error="SandboxError: gone\n\x1b[31m")
    back = imported(exported(run))
    assert (back.error, back.submission) == ("SandboxError: gone\n\x1b[31m", run.submission)


def test_a_run_says_after_two_ways_where_it_came_from_first():
    run = make_run(unsubmitted=b"\xff", note="Taken up after turn 2.")
    once = kept(imported(exported(run)))
    twice = imported(exported(once))
    first = twice.unmapped["itbench"]["source"]["facts"]
    assert (twice.harness, twice.task) == ("itbench-leaderboard", once.task.slug)
    assert (first["run"]["id"], first["run"]["note"]) == (run.pk, "Taken up after turn 2.")
    assert twice.unsubmitted == b"\xff"


def kept(incoming):
    """Store a run that was read."""
    evaluation = make_evaluation(
        harness=incoming.harness, harness_version=incoming.harness_version, prompt_text=""
    )
    totals = incoming.totals
    run = make_run(
        evaluation,
        submission=incoming.submission,
        unsubmitted=incoming.unsubmitted,
        finish_reason=incoming.finish_reason,
        stop_reason=incoming.stop_reason,
        cost_usd=totals.cost_usd,
        tokens_known=totals.input_tokens is not None,
        input_tokens=totals.input_tokens or 0,
        cache_read_tokens=totals.cache_read_tokens or 0,
        cache_write_tokens=totals.cache_write_tokens or 0,
        output_tokens=totals.output_tokens or 0,
    )
    RunSource.objects.create(
        run=run,
        format=incoming.format,
        name=incoming.name,
        sha256=f"{run.pk:064}",
        unmapped=incoming.unmapped,
    )
    for turn in incoming.turns():
        keep_turn(run, turn)
    return run


def keep_turn(run, turn):
    reply = turn.record.reply
    row = Turn.objects.create(
        run=run,
        number=turn.record.number,
        kind=turn.record.kind,
        message=reply.text,
        reasoning=reply.reasoning,
        finish_reason=reply.finish_reason,
        provider_fields=reply.provider_fields,
        cost_usd=reply.cost_usd,
        model_s=reply.duration_s,
        started_at=turn.record.started_at,
        given=[asdict(each) for each in turn.given],
        unmapped=turn.unmapped,
        **store.usage_columns(reply.usage),
    )
    for place, (call, seen) in enumerate(zip_longest(reply.tool_calls, turn.record.observations), start=1):
        told = {} if seen is None else {
            "command": seen.command, "output": seen.output, "output_bytes": seen.bytes_before_cut,
            "exit_code": seen.exit_code, "timed_out": seen.timed_out, "duration_s": seen.duration_s,
        }  # fmt: skip
        ToolCall.objects.create(
            turn=row, number=place, call_id=call.id, tool=call.name, arguments=call.arguments, **told
        )


def maybe(**fields):
    """Return a strategy of objects in which each of these may be left out."""
    return st.fixed_dictionaries({}, optional=fields)


FINITE = st.floats(0, 1e9)
SMALL = st.integers(0, 10**6)
CONTENT = ODD_TEXT | st.lists(
    st.fixed_dictionaries({"type": st.just("text"), "text": ODD_TEXT})
    | st.just({"type": "image", "source": {"media_type": "image/png", "path": "images/a.png"}}),
    max_size=3,
)
TIMES = st.sampled_from(
    ["2026-01-02T03:04:05.123456+00:00", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05", "2026-01-02"]
)
RESULT = st.fixed_dictionaries(
    {},
    optional={
        "source_call_id": st.integers(0, 2),  # its place among the calls, put right below
        "content": CONTENT,
        "subagent_trajectory_ref": st.just([{"trajectory_path": "sub.json", "extra": {"a": 1}}]),
        "extra": OBJECT,
    },
)
FOREIGN_CALL = st.fixed_dictionaries(
    {
        "tool_call_id": st.sampled_from(["a", "b", "c"]),
        "function_name": st.sampled_from(["bash", "bash_command", "str_replace_editor", "Read", ""]),
        "arguments": OBJECT
        | st.sampled_from([{"command": "ls"}, {"keystrokes": "ls\n"}, {"cmd": ["bash", "-lc", "ls"]}]),
    },
    optional={"extra": OBJECT},
)
AGENT_STEP = st.fixed_dictionaries(
    {"source": st.just("agent"), "message": CONTENT},
    optional={
        "timestamp": TIMES,
        "model_name": ODD_TEXT,
        "reasoning_effort": st.just("high") | FINITE,
        "reasoning_content": ODD_TEXT,
        "tool_calls": st.lists(FOREIGN_CALL, max_size=3, unique_by=lambda call: call["tool_call_id"]),
        "observation": st.fixed_dictionaries({"results": st.lists(RESULT, max_size=4)}),
        "metrics": maybe(
            prompt_tokens=SMALL, completion_tokens=SMALL, cached_tokens=SMALL, cost_usd=FINITE,
            logprobs=st.just([-0.5]), extra=OBJECT | st.just({"cache_creation_input_tokens": 3}),
        ),
        "is_copied_context": st.booleans(),
        "llm_call_count": st.integers(1, 3),
        "extra": OBJECT,
    },
)  # fmt: skip
TOLD_STEP = st.fixed_dictionaries(
    {"source": st.sampled_from(["system", "user"]), "message": CONTENT},
    optional={
        "timestamp": TIMES,
        "extra": OBJECT,
        "observation": st.fixed_dictionaries({"results": st.lists(maybe(content=CONTENT), max_size=2)}),
    },
)
DOCUMENT = st.fixed_dictionaries(
    {
        "schema_version": st.sampled_from(["ATIF-v1.0", "ATIF-v1.5", "ATIF-v1.8"]),
        "agent": st.fixed_dictionaries(
            {"name": st.just("terminus-2"), "version": ODD_TEXT},
            optional={"model_name": ODD_TEXT, "tool_definitions": st.lists(OBJECT, max_size=2),
                      "extra": OBJECT},
        ),
        "steps": st.lists(AGENT_STEP | TOLD_STEP, min_size=1, max_size=5),
    },
    optional={
        "session_id": ODD_TEXT,
        "trajectory_id": ODD_TEXT,
        "notes": ODD_TEXT,
        "continued_trajectory_ref": st.just("trajectory.cont-1.json"),
        "extra": OBJECT,
        "final_metrics": maybe(
            total_prompt_tokens=SMALL, total_completion_tokens=SMALL, total_cached_tokens=SMALL,
            total_cost_usd=FINITE, total_steps=SMALL, extra=OBJECT,
        ),
        "subagent_trajectories": st.just(
            [{"schema_version": "ATIF-v1.7", "trajectory_id": "s", "agent": {"name": "n", "version": "1"},
              "steps": [{"step_id": 1, "source": "user", "message": "x"}]}]
        ),
    },
)  # fmt: skip


def put_right(document):
    """Number the steps, and let results name calls that are there."""
    for number, step in enumerate(document["steps"], start=1):
        step["step_id"] = number
        ids = [call["tool_call_id"] for call in step.get("tool_calls", [])]
        for result in step.get("observation", {"results": []})["results"]:
            place = result.pop("source_call_id", len(ids))
            if place < len(ids):
                result["source_call_id"] = ids[place]
    return document


def missing(told, back, place="$"):
    """Return where `back` does not say what `told` says; what says nothing need not be said again."""
    if isinstance(told, dict) and isinstance(back, dict):
        return [
            problem
            for key, value in told.items()
            for problem in missing(value, back.get(key), f"{place}.{key}")
        ]
    if isinstance(told, list) and isinstance(back, list) and len(told) == len(back):
        return [
            problem
            for n, pair in enumerate(zip(told, back, strict=True))
            for problem in missing(*pair, f"{place}[{n}]")
        ]
    if same(told, back) or (says_nothing(told) and says_nothing(back)):
        return []
    return [f"{place}: {told!r}, {back!r}"]


def says_nothing(value):
    if isinstance(value, dict):
        return all(says_nothing(inner) for inner in value.values())
    return value in (None, "", [])


def same(told, back):
    numbers = isinstance(told, int | float) and isinstance(back, int | float)
    # PostgreSQL writes 1e300 in full, which is then a whole number.
    return float(told) == float(back) if numbers else told == back or str(told).replace("Z", "+00:00") == back


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(document=DOCUMENT.map(put_right))
def test_a_trajectory_of_another_tool_goes_out_as_it_came_in(document):
    assert problems(document) == []
    incoming = imported(json.dumps(document).encode())
    back = json.loads(exported(kept(incoming)))
    assert missing({**document, "schema_version": "ATIF-v1.8"}, back) == []
    again = imported(json.dumps(back).encode())
    assert [turn.record for turn in again.turns()] == [turn.record for turn in incoming.turns()]
    assert [turn.given for turn in again.turns()] == [turn.given for turn in incoming.turns()]
