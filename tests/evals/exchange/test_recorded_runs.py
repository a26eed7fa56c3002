"""Recorded runs of other tools are imported as they are: the source is read once more here."""

import ast
import json
import re
import zipfile
from pathlib import Path

import pytest

from evals.models import Run, RunSource, RunState, ToolCall
from evals.runner.importing import ELSEWHERE, FileState, ImportWish, import_runs

RECORDED = Path(__file__).resolve().parents[4] / "shared" / "data" / "trajectories"

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded trajectories beside this project"),
]


def imported(name):
    (report,) = import_runs(RECORDED / name, name, ImportWish(), lambda _: None)
    assert (report.state, len(report.runs)) == (FileState.IMPORTED, 1)
    return Run.objects.get(pk=report.runs[0])


def calls_of(run):
    return list(ToolCall.objects.filter(turn__run=run).order_by("turn__number", "number"))


def test_mini_swe_agents_messages():
    source = json.loads((RECORDED / "mini_swe_agent_github_issue.traj.json").read_text())
    run = imported("mini_swe_agent_github_issue.traj.json")
    replies = [message["content"] for message in source if message["role"] == "assistant"]
    assert [turn.message for turn in run.turns.all()] == replies
    fence = re.compile(r"```mswea_bash_command\n(.*?)\n```", re.DOTALL)
    assert [call.command for call in calls_of(run)] == [fence.search(reply)[1] for reply in replies]
    results = [message["content"] for message in source[2:] if message["role"] == "user"]
    assert [call.output for call in calls_of(run)] == results
    told = [re.match(r"<returncode>(\d+)", result) for result in results]
    assert [call.exit_code for call in calls_of(run)] == [int(code[1]) if code else None for code in told]
    assert [each["text"] for each in run.turns.first().given] == [source[0]["content"], source[1]["content"]]
    assert (run.state, run.stop_reason) == (RunState.ENDED, "submitted")
    assert bytes(run.submission).decode() == source[-1]["content"]
    assert (run.cost_usd, run.tokens_known, run.turns_total) == (None, False, len(replies))


def test_swe_agents_steps():
    source = json.loads((RECORDED / "swe_agent_marshmallow_1867.traj").read_text())
    run = imported("swe_agent_marshmallow_1867.traj")
    steps = source["trajectory"]
    assert [turn.message for turn in run.turns.all()] == [step["response"] for step in steps]
    assert [call.command for call in calls_of(run)] == [step["action"].strip("\n") for step in steps]
    assert [call.output for call in calls_of(run)] == [step["observation"] for step in steps]
    assert [call.duration_s for call in calls_of(run)] == [step["execution_time"] for step in steps]
    told, stats = source["info"], source["info"]["model_stats"]
    assert bytes(run.submission).decode() == told["submission"]
    assert (run.finish_reason, run.stop_reason) == (told["exit_status"], "submitted")
    assert run.cost_usd == pytest.approx(stats["instance_cost"])
    assert (run.input_tokens, run.output_tokens) == (stats["tokens_sent"], stats["tokens_received"])
    given = [each["text"] for each in run.turns.first().given]
    assert given == [each["content"] for each in source["history"][:2]]


def test_swe_agents_conversation_alone():
    source = json.loads((RECORDED / "swe_agent_function_calling_simple.traj").read_text())["history"]
    run = imported("swe_agent_function_calling_simple.traj")
    replies = [message for message in source if message["role"] == "assistant"]
    assert [turn.message for turn in run.turns.all()] == [reply["content"] for reply in replies]
    assert [call.command for call in calls_of(run)] == [reply["action"].strip("\n") for reply in replies]
    tools = [reply["tool_calls"][0] for reply in replies]
    tools = [ast.literal_eval(tool) if isinstance(tool, str) else tool for tool in tools]
    assert [call.call_id for call in calls_of(run)] == [tool["id"] for tool in tools]
    assert [call.tool for call in calls_of(run)] == [tool["function"]["name"] for tool in tools]
    assert [call.output for call in calls_of(run)] == [
        each["content"] for each in source if each["role"] == "tool"
    ]


@pytest.mark.parametrize("name", ["inspect_log_formats.eval", "inspect_message_deduplication.eval"])
def test_inspects_samples(name):
    with zipfile.ZipFile(RECORDED / name) as archive:
        header = json.loads(archive.read("header.json"))
        (member,) = [each for each in archive.namelist() if each.startswith("samples/")]
        sample = json.loads(archive.read(member))
    run = imported(name)
    replies = [message for message in sample["messages"] if message["role"] == "assistant"]
    assert [turn.message for turn in run.turns.all()] == [reply["content"] for reply in replies]
    calls = [call for reply in replies for call in reply.get("tool_calls", [])]
    assert [call.command for call in calls_of(run)] == [call["arguments"]["cmd"] for call in calls]
    outputs = [message["content"] for message in sample["messages"] if message["role"] == "tool"]
    assert [call.output for call in calls_of(run)] == outputs
    usages = [event["output"].get("usage") for event in sample["events"] if event["event"] == "model"]
    assert [turn.output_tokens for turn in run.turns.all()] == [u and u["output_tokens"] for u in usages]
    assert run.evaluation.harness_version == header["eval"]["packages"]["inspect_ai"]
    assert run.evaluation.language_model.name == header["eval"]["model"].rpartition("/")[2]
    assert bytes(run.submission).decode() == sample["output"]["choices"][0]["message"]["content"]
    assert run.source.unmapped["scores"] == sample["scores"]


def test_runs_of_unknown_tasks_are_kept_apart_and_never_graded():
    for path in sorted(RECORDED.iterdir()):
        imported(path.name)
    runs = Run.objects.all()
    assert {run.task.benchmark.slug for run in runs} == {ELSEWHERE}
    assert all(run.evaluation.imported and not run.grades.exists() for run in runs)


def test_a_second_import_of_the_same_file_makes_no_second_run():
    first = imported("swe_agent_marshmallow_1867.traj")
    (report,) = import_runs(
        RECORDED / "swe_agent_marshmallow_1867.traj", "again.traj", ImportWish(), lambda _: None
    )
    assert (report.state, report.runs) == (FileState.ALREADY_THERE, (first.pk,))
    assert RunSource.objects.count() == 1
