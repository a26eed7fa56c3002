"""The agent's loop, with a scripted model and the plain process sandbox."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from evals.agent.context import CONTINUE, Brief, conversation
from evals.agent.limits import Limits
from evals.agent.loop import Agent, replay
from evals.llm import ContextOverflow, ModelError
from evals.llm.scripted import ScriptedModel
from evals.sandbox import Sandbox, SandboxSpec
from evals.sandbox.catalogue import open_sandbox
from evals.trajectory import Outcome, Reply, StopReason, ToolCall, TurnKind, TurnRecord, Usage

ANSWER = '{"contributing_factors": [{"name": "shop/Deployment/cart"}]}'


class Tape:
    """Keeps what a recorder is given."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.replies: list[TurnRecord] = []
        self.turns: list[TurnRecord] = []
        self._stop_after = stop_after

    def reply_came(self, turn: TurnRecord) -> None:
        self.replies.append(turn)
        if len(self.replies) == self._stop_after:
            raise KeyboardInterrupt

    def turn_ended(self, turn: TurnRecord) -> None:
        self.turns.append(turn)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    (tmp_path / "alerts").mkdir()
    (tmp_path / "alerts" / "one.json").write_text("[]")
    with open_sandbox("process", SandboxSpec(tmp_path, "loop-test")) as opened:
        yield opened


def shell(*commands: str, **fields: object) -> Reply:
    calls = [ToolCall(f"c{n}", "run_shell", json.dumps({"cmd": cmd})) for n, cmd in enumerate(commands)]
    return Reply("", tuple(calls), **fields)


def finish(*paths: str) -> Reply:
    arguments = json.dumps({"reason": "found it", "paths": paths})
    return Reply("", (ToolCall("end", "finish", arguments),))


def write_answer() -> Reply:
    return shell(f"echo '{ANSWER}' > agent_output.json")


def agent(model: ScriptedModel, sandbox: Sandbox, tape: Tape | None = None, **limits: float) -> Agent:
    bounds = Limits(**{"turns": 100, **limits})
    return Agent(model, sandbox, Brief("Investigate.", bounds.turns), bounds, tape or Tape())


def play(script: list[Reply | Exception], sandbox: Sandbox, **limits: float) -> tuple[Outcome, Tape]:
    tape = Tape()
    return agent(ScriptedModel(script), sandbox, tape, **limits).play(), tape


def test_an_answer_that_is_handed_in_is_the_outcome_byte_for_byte(sandbox):
    outcome, tape = play([write_answer(), finish("/home/user/agent_output.json")], sandbox)
    assert outcome.stop_reason is StopReason.SUBMITTED
    assert outcome.submission == ANSWER.encode() + b"\n"
    assert outcome.finish_reason == "found it"
    assert [turn.number for turn in tape.turns] == [1, 2]


def test_a_command_is_shown_with_exit_code_and_both_streams_apart(sandbox):
    _, tape = play([shell("echo out; echo err >&2; exit 3"), finish()], sandbox)
    seen = tape.turns[0].observations[0]
    assert seen.exit_code == 3
    assert seen.command == "echo out; echo err >&2; exit 3"
    assert seen.output == (
        "<shell_result>\n<exit_code>3</exit_code>\n<stdout>\nout\n</stdout>\n<stderr>\nerr\n</stderr>\n</shell_result>"
    )


def test_a_reply_is_recorded_before_its_tools_are_used(sandbox):
    tape = Tape(stop_after=1)
    with pytest.raises(KeyboardInterrupt):
        agent(ScriptedModel([shell("touch used")]), sandbox, tape).play()
    assert not sandbox.exists("used")


def test_parallel_calls_are_carried_out_in_order(sandbox):
    _, tape = play([shell("echo one > f", "cat f", "rm f"), finish()], sandbox)
    assert ["one" in seen.output for seen in tape.turns[0].observations] == [False, True, False]


def test_finishing_without_an_answer_is_giving_up(sandbox):
    outcome, _ = play([finish()], sandbox)
    assert (outcome.stop_reason, outcome.submission) == (StopReason.GAVE_UP, None)


def test_finishing_with_a_missing_file_is_told_and_the_run_goes_on(sandbox):
    outcome, tape = play([finish("agent_output.json"), write_answer(), finish("agent_output.json")], sandbox)
    assert "not there: agent_output.json" in tape.turns[0].observations[0].output
    assert outcome.stop_reason is StopReason.SUBMITTED


def test_calls_after_an_accepted_hand_in_are_not_carried_out(sandbox):
    both = Reply("", (*finish().tool_calls, *shell("touch late").tool_calls))
    _, tape = play([both], sandbox)
    assert len(tape.turns[0].observations) == 2
    assert not sandbox.exists("late")


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("run_shell", '{"cmd": "ls', "not valid JSON"),
        ("run_shell", '["ls"]', "must be a JSON object"),
        ("run_shell", '{"command": "ls"}', 'needs its argument "cmd"'),
        ("run_shell", '{"cmd": 5}', 'needs its argument "cmd"'),
        ("run_shell", '{"cmd": "a\\u0000b"}', "NUL"),
        ("finish", '{"reason": "x", "paths": [1]}', "a list of file paths"),
        ("open_browser", "{}", "there is no tool 'open_browser'"),
        ("run_shell", "[" * 100_000, "not valid JSON"),
    ],
)
def test_a_call_that_is_wrong_is_told_to_the_model_and_costs_a_turn(sandbox, name, arguments, told):
    _, tape = play([Reply("", (ToolCall("x", name, arguments),)), finish()], sandbox)
    assert told in tape.turns[0].observations[0].output
    assert tape.turns[0].reply.tool_calls[0].arguments == arguments


def test_a_reply_without_a_tool_call_is_asked_to_continue_and_counts_as_a_turn(sandbox):
    model = ScriptedModel([Reply("Let me think."), Reply("Still thinking.")])
    outcome = agent(model, sandbox, turns=2).play()
    assert outcome.stop_reason is StopReason.TURN_CAP
    assert model.seen[1][-2]["content"] == "Let me think."
    assert model.seen[1][-1]["content"].startswith(CONTINUE)


def test_an_answer_left_at_the_turn_cap_is_kept_but_not_handed_in(sandbox):
    outcome, _ = play([write_answer()], sandbox, turns=1)
    assert outcome.stop_reason is StopReason.TURN_CAP
    assert (outcome.submission, outcome.unsubmitted) == (None, ANSWER.encode() + b"\n")


def test_the_last_twenty_turns_carry_a_warning_and_those_before_do_not(sandbox):
    model = ScriptedModel([shell("true")] * 25)
    agent(model, sandbox, turns=25).play()
    warned = ["turns are left" in str(seen[-1]["content"]) for seen in model.seen]
    assert warned == [False] * 5 + [True] * 19 + [False]
    assert "Only 1 turn is left" in str(model.seen[24][-1]["content"])


def test_a_cost_limit_ends_the_run_after_the_turn_that_met_it(sandbox):
    outcome, tape = play([shell("true", cost_usd=0.4)] * 5, sandbox, cost_usd=0.8)
    assert (outcome.stop_reason, len(tape.turns)) == (StopReason.COST_LIMIT, 2)


def test_a_time_limit_counts_model_and_tools(sandbox):
    outcome, tape = play([shell("true", duration_s=5.0)] * 5, sandbox, seconds=9.0)
    assert (outcome.stop_reason, len(tape.turns)) == (StopReason.TIME_LIMIT, 2)


def test_long_output_keeps_its_start_and_its_end(sandbox):
    _, tape = play([shell("echo START; yes | head -c 5000000; echo END"), finish()], sandbox)
    seen = tape.turns[0].observations[0]
    assert seen.bytes_before_cut == 5_000_010
    assert "START" in seen.output
    assert "END" in seen.output
    assert "the middle is left out: this output has 5000010 bytes" in seen.output
    assert len(seen.output) < 20_500


def test_output_that_no_database_takes_is_made_harmless(sandbox):
    _, tape = play([shell(r"printf 'a\0b\xff'"), finish()], sandbox)
    assert "a\ufffdb\ufffd\n" in tape.turns[0].observations[0].output


def test_a_full_context_is_summarised_and_the_work_goes_on_from_the_summary(sandbox):
    full = Usage(input_tokens=71, output_tokens=0)
    model = ScriptedModel(
        [shell("echo one", usage=full), Reply("I saw one.", usage=Usage(output_tokens=5)), finish()],
        context_window=100,
    )
    tape = Tape()
    agent(model, sandbox, tape).play()
    assert [turn.kind for turn in tape.turns] == [TurnKind.REPLY, TurnKind.SUMMARY, TurnKind.REPLY]
    assert "Write down" in model.seen[1][-1]["content"]
    assert [message["role"] for message in model.seen[2]] == ["system", "user"]
    assert model.seen[2][1]["content"].endswith("I saw one.")


def test_summaries_do_not_count_as_turns(sandbox):
    full = Usage(input_tokens=90)
    script = [shell("true", usage=full), Reply("So far."), shell("true", usage=full)]
    model = ScriptedModel(script, context_window=100)
    outcome = agent(model, sandbox, turns=2).play()
    assert (outcome.stop_reason, len(model.seen)) == (StopReason.TURN_CAP, 3)


def test_an_overflow_is_answered_with_a_summary_of_the_shortened_conversation(sandbox):
    model = ScriptedModel(
        [shell("seq 10000"), ContextOverflow("too long"), Reply("It counted."), write_answer(), finish()]
    )
    outcome = agent(model, sandbox).play()
    assert outcome.stop_reason is StopReason.SUBMITTED
    assert sum(len(str(m["content"])) for m in model.seen[2]) < 2_000
    assert model.seen[3][1]["content"].endswith("It counted.")


def test_a_context_that_overflows_even_when_summarised_ends_the_run(sandbox):
    overflow = ContextOverflow("too long")
    outcome, _ = play([shell("true"), overflow, Reply("short"), overflow], sandbox)
    assert outcome.stop_reason is StopReason.CONTEXT_FULL


def test_an_empty_summary_is_not_asked_for_again_at_once(sandbox):
    full = Usage(input_tokens=90)
    model = ScriptedModel(
        [shell("true", usage=full), Reply(""), write_answer(), finish()], context_window=100
    )
    assert agent(model, sandbox).play().stop_reason is StopReason.SUBMITTED


def test_a_provider_that_fails_is_our_failure_and_no_outcome(sandbox):
    with pytest.raises(ModelError):
        play([ModelError("no quota left")], sandbox)


def test_equal_or_empty_call_ids_are_told_apart(sandbox):
    twins = Reply("", tuple(ToolCall("", "run_shell", f'{{"cmd": "echo {n}"}}') for n in (1, 2)))
    _, tape = play([twins, finish()], sandbox)
    calls, seen = tape.turns[0].reply.tool_calls, tape.turns[0].observations
    assert len({call.id for call in calls}) == 2
    assert [call.id for call in calls] == [one.call_id for one in seen]


def test_a_run_taken_up_again_sees_the_same_conversation_and_pays_for_nothing_twice(sandbox):
    script = [shell("echo 1 >> log"), shell("cat log"), write_answer(), finish()]
    whole = ScriptedModel(script)
    tape = Tape()
    agent(whole, sandbox, tape).play()
    with open_sandbox("process", SandboxSpec(None, "again")) as fresh:
        assert replay(tape.turns[:2], fresh) == []
        rest = ScriptedModel(script)
        outcome = agent(rest, fresh).play(tape.turns[:2])
    assert outcome.stop_reason is StopReason.SUBMITTED
    assert [len(seen) for seen in rest.seen] == [len(seen) for seen in whole.seen[2:]]
    assert rest.seen == whole.seen[2:]


def test_a_turn_lost_before_its_tools_were_used_is_finished_without_asking_the_model(sandbox):
    lost = TurnRecord(1, write_answer())
    model = ScriptedModel([write_answer(), finish()])
    outcome = agent(model, sandbox).play([lost])
    assert (outcome.stop_reason, len(model.seen)) == (StopReason.SUBMITTED, 1)


def test_a_run_lost_after_handing_in_ends_without_asking_the_model(sandbox):
    tape = Tape()
    agent(ScriptedModel([write_answer(), finish()]), sandbox, tape).play()
    model = ScriptedModel([])
    outcome = agent(model, sandbox).play(tape.turns)
    assert (outcome.stop_reason, model.seen) == (StopReason.SUBMITTED, [])
    assert outcome.submission == ANSWER.encode() + b"\n"


def test_a_command_that_gives_something_else_when_run_again_is_noted(sandbox):
    tape = Tape()
    agent(ScriptedModel([shell("ls alerts"), shell("echo same"), finish()]), sandbox, tape).play()
    with open_sandbox("process", SandboxSpec(None, "elsewhere")) as bare:
        divergences = replay(tape.turns, bare)
    assert [(each.turn, each.recorded_exit_code, each.exit_code) for each in divergences] == [(1, 0, 2)]


def test_a_conversation_only_grows_at_its_end(sandbox):
    tape = Tape()
    agent(ScriptedModel([shell("true")] * 24), sandbox, tape, turns=24).play()
    brief = Brief("Investigate.", 24)
    whole = conversation(brief, tape.turns)
    for n in range(len(tape.turns)):
        part = conversation(brief, tape.turns[:n])
        assert whole[: len(part)] == part
