"""Imports: whole or nothing, graded where the task is known, and no match for hostile files."""

import io
import json
import zipfile

import pytest
from django.core.management import CommandError, call_command

from evals.models import Benchmark, Evaluation, LanguageModel, Run, RunState, ToolCall, Turn
from evals.queries import standing_evaluations
from evals.runner.importing import ELSEWHERE, FileState, ImportRefused, ImportWish, import_runs
from tests.factories import make_benchmark, make_model, make_run, make_task

pytestmark = pytest.mark.django_db

RIGHT = json.dumps({"contributing_factors": [{"name": "otel-demo/ConfigMap/flagd-config"}]})
RIGHT_IN_IBMS_SHAPE = json.dumps(
    {"entities": [{"name": "otel-demo/ConfigMap/flagd-config", "contributing_factor": True},
                  {"name": "otel-demo/Service/ad", "contributing_factor": False}]}
)  # fmt: skip
RIGHT_IN_HARBORS_SHAPE = json.dumps(
    {"root_causes": [{"name": "flagd-config", "kind": "ConfigMap", "namespace": "otel-demo"}]}
)


def mini(submission=RIGHT, **info):
    said = {
        "role": "assistant",
        "content": "I look.",
        "extra": {"actions": [{"command": "ls"}], "cost": 0.25},
    }
    seen = {"role": "tool", "content": "flagd-config", "extra": {"returncode": 3, "timestamp": 1_760_000_000}}
    return {
        "trajectory_format": "mini-swe-agent-1.1",
        "messages": [{"role": "system", "content": "Be good."}, said, seen],
        "info": {
            "exit_status": "Submitted", "submission": submission, "mini_version": "2.1",
            "model_stats": {"instance_cost": 0.25}, "config": {"model": {"model_name": "openai/gpt-x"}},
            **info,
        },
    }  # fmt: skip


@pytest.fixture
def write(tmp_path):
    def written(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    return written


def run_import(path, **wish):
    return import_runs(path, path.name, ImportWish(**wish), lambda _: None)


def only(path, **wish):
    (report,) = run_import(path, **wish)
    return report


def test_a_run_of_a_known_task_is_graded_and_stands_on_no_board(write):
    task = make_task(make_benchmark(slug="b"), slug="scenario-31")
    report = only(write("a.traj.json", mini()), benchmark="b", task="scenario_31")
    run = Run.objects.get(pk=report.runs[0])
    assert (report.sentence, run.task, run.grades.get().score) == ("1 run, 1 graded", task, 1.0)
    assert (run.evaluation.harness, run.evaluation.harness_version) == ("mini-swe-agent", "2.1")
    assert run.grades.get().sightings[0]["seen_turn"] == 1
    assert (run.cost_usd, run.turns_total, run.evaluation.language_model.slug) == (0.25, 1, "gpt-x")
    assert standing_evaluations(task.benchmark) == []


@pytest.mark.parametrize("submission", [RIGHT, RIGHT_IN_IBMS_SHAPE, RIGHT_IN_HARBORS_SHAPE])
def test_answers_of_all_three_shapes_are_graded(write, submission):
    task = make_task(slug="scenario-1")
    report = only(write("a.json", mini(submission)), benchmark=task.benchmark.slug, task="1")
    run = Run.objects.get(pk=report.runs[0])
    assert (run.grades.get().score, bytes(run.submission).decode()) == (1.0, submission)


def test_a_run_made_here_is_graded_by_our_own_shape_alone(write):
    from evals.runner.grades import grade_run

    run = make_run(submission=RIGHT_IN_IBMS_SHAPE.encode())
    assert grade_run(run).outcome == "no_answer"


def test_the_model_is_found_by_any_of_its_names(write):
    known = make_model(slug="some-model", name="GPT X", litellm_model="openai/gpt-x")
    only(write("a.json", mini()))
    assert Evaluation.objects.get().language_model == known
    only(write("b.json", mini("other")), model="gpt x")
    assert LanguageModel.objects.count() == 1


def test_repeats_of_a_task_are_counted_up(write):
    make_task(make_benchmark(slug="b"), slug="scenario-1")
    for number in range(3):
        only(write(f"{number}.json", mini(str(number))), benchmark="b", task="scenario-1")
    assert sorted(Run.objects.values_list("repeat", flat=True)) == [1, 2, 3]
    assert Evaluation.objects.get().repeats == 3


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        ("LimitsExceeded", RunState.ENDED, "turn_cap"),
        ("Submitted", RunState.ENDED, "gave_up"),
        ("RateLimitError", RunState.ERRORED, ""),
    ],
)
def test_how_a_run_ended_is_taken_over(write, status, state, reason):
    report = only(write("a.json", mini("", exit_status=status)))
    run = Run.objects.get(pk=report.runs[0])
    assert (run.state, run.stop_reason, run.grades.count()) == (state, reason, 0)


def test_a_folder_is_walked_and_what_is_no_trajectory_is_left_out(write, tmp_path):
    write("runs/a.traj.json", mini("a"))
    write(
        "runs/deep/b.traj",
        {"trajectory": [{"action": "ls", "observation": "x", "response": "y"}], "info": {}},
    )
    write("runs/package.json", {"name": "x"})
    write("runs/readme.md", b"hello")
    reports = run_import(tmp_path / "runs")
    assert [(report.name, report.state) for report in reports] == [
        ("runs/a.traj.json", FileState.IMPORTED),
        ("runs/deep/b.traj", FileState.IMPORTED),
        ("runs/package.json", FileState.LEFT_OUT),
    ]


def test_ibms_session_is_read_with_the_answer_beside_it(write):
    make_task(make_benchmark(slug="b"), slug="scenario-31")
    call = {"call_id": "c1", "name": "shell", "arguments": '{"command": "ls"}'}
    output = '{"output": "alerts", "metadata": {"exit_code": 2}}'
    payloads = [
        {"cli_version": "0.9"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Begin."}]},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "First the alerts."}]},
        {"type": "function_call", **call},
        {"type": "function_call_output", "call_id": "c1", "output": output},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Done."}]},
    ]
    lines = [
        {"timestamp": f"2026-01-01T10:00:0{second}Z", "type": "response_item", "payload": payload}
        for second, payload in enumerate(payloads)
    ]
    text = "\n".join(json.dumps(line) for line in lines)
    write("sre/Scenario-31/1/agent_output.json", RIGHT_IN_IBMS_SHAPE.encode())
    path = write("sre/Scenario-31/1/session.jsonl", text.encode())
    report = next(r for r in run_import(path.parents[2]) if r.state == FileState.IMPORTED)
    run = Run.objects.get(pk=report.runs[0])
    first, last = run.turns.all()
    assert (first.reasoning, last.message, first.given) == (
        "First the alerts.", "Done.", [{"source": "user", "text": "Begin."}],
    )  # fmt: skip
    call = first.tool_calls.get()
    assert (call.command, call.output, call.exit_code) == ("ls", "alerts", 2)
    assert (run.task.slug, run.grades.get().score, run.duration_s) == ("scenario-31", 1.0, 5.0)


def zipped(members, compression=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content if isinstance(content, str | bytes) else json.dumps(content))
    return file.getvalue()


HEADER = {
    "version": 2,
    "eval": {"task": "tasks/sre", "model": "openai/gpt-x", "packages": {"inspect_ai": "0.3"}},
}


def sample(**fields):
    messages = [
        {"role": "user", "content": "attachment://" + "a" * 32},
        {"role": "assistant", "content": "Yes"},
    ]
    return {
        "id": "scenario-1",
        "epoch": 1,
        "messages": messages,
        "attachments": {"a" * 32: "Long ago."},
        **fields,
    }


def test_a_log_of_many_samples_is_imported_whole_or_not_at_all(write):
    good = {
        "header.json": HEADER,
        "samples/1_epoch_1.json": sample(),
        "samples/1_epoch_2.json": sample(epoch=2),
    }
    broken = good | {"samples/1_epoch_3.json": '{"id": 1, "messages": [{"role": "assistant", "content"'}
    report = only(write("broken.eval", zipped(broken)))
    assert (report.state, Run.objects.count(), LanguageModel.objects.count()) == (FileState.REFUSED, 0, 0)
    assert report.sentence.startswith("broken.eval/samples/1_epoch_3.json: no valid JSON")
    report = only(write("good.eval", zipped(good)))
    assert (report.state, len(report.runs)) == (FileState.IMPORTED, 2)
    assert Turn.objects.first().given == [{"source": "user", "text": "Long ago."}]


def test_a_sample_that_errored_or_met_a_limit_says_so(write):
    members = {
        "header.json": HEADER,
        "samples/1_epoch_1.json": sample(error={"message": "docker died"}),
        "samples/2_epoch_1.json": sample(id="two", limit={"type": "time"}),
    }
    report = only(write("a.eval", zipped(members)))
    errored, limited = Run.objects.filter(pk__in=report.runs).order_by("pk")
    assert (errored.state, errored.error) == (RunState.ERRORED, "docker died")
    assert (limited.state, limited.stop_reason) == (RunState.ENDED, "time_limit")


REFUSED = {
    "empty": b"",
    "no JSON": b"hello",
    "cut off": json.dumps(mini()).encode()[:-40],
    "a number": b"7",
    "nested deep": b'{"trajectory_format": "mini-swe-agent-1.1", "messages": '
    + b"[" * 5000
    + b"]" * 5000
    + b"}",
    "messages of numbers": b'{"info": {}, "messages": [1, 2]}',
    "no reply": b'{"info": {}, "messages": [{"role": "user", "content": "hi"}]}',
    "a step of text": b'{"trajectory": ["ls"], "info": {}}',
    "info of text": b'{"trajectory": [{"action": "ls"}], "info": "x"}',
    "another format": b'{"name": "package"}',
    "not UTF-8": b'{"info": {}, "messages": [{"role": "assistant", "content": "\xff\xfe"}]}',
    "a zip of nothing": zipped({}),
    "a zip bomb": zipped({"a.json": b"0" * 50_000_000}),
    "a way out": zipped({"../../etc/a.json": mini()}),
    "an absolute path": zipped({"/etc/a.json": mini()}),
    "a broken zip": zipped({"a.json": mini()})[:-30],
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_imported_is_refused_with_a_sentence_and_leaves_nothing(write, content):
    path = write("upload.zip" if content.startswith(b"PK") else "upload.json", content)
    reports = run_import(path)
    assert reports[-1].state == FileState.REFUSED
    assert len(reports[-1].sentence.splitlines()) == 1
    assert str(path.parent) not in reports[-1].sentence
    assert (Run.objects.count(), Benchmark.objects.count(), LanguageModel.objects.count()) == (0, 0, 0)


def test_a_link_in_an_archive_is_refused(write):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        link = zipfile.ZipInfo("a.json")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert "a link" in only(write("a.zip", file.getvalue())).sentence


def test_links_in_a_folder_are_not_followed(write, tmp_path):
    write("secret.json", mini())
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "a.json").symlink_to(tmp_path / "secret.json")
    assert [report.state for report in run_import(tmp_path / "runs")] == [FileState.REFUSED]


def test_text_that_no_database_takes_is_made_fit_for_it(write):
    told = mini()
    told["messages"][1]["content"] = "nul \0 half \ud800"
    told["messages"][2]["content"] = "x" * 3_000_000 + "\0"
    report = only(write("a.json", told))
    turn = Turn.objects.get(run=report.runs[0])
    assert turn.message == "nul \ufffd half ?"
    assert ToolCall.objects.get().output.endswith("x\ufffd")


def test_a_wish_that_cannot_be_granted_is_refused_before_anything_is_read(write):
    path = write("a.json", mini())
    with pytest.raises(ImportRefused, match="There is no benchmark 'nowhere'"):
        run_import(path, benchmark="nowhere")
    make_task(make_benchmark(slug="one"), slug="scenario-1")
    make_task(make_benchmark(slug="two"), slug="scenario-1")
    with pytest.raises(ImportRefused, match="several benchmarks have it"):
        run_import(path, task="scenario-1")


def test_the_command_reports_and_ends_with_two_when_a_file_is_refused(write, capsys):
    good, bad = write("good.json", mini()), write("bad.json", b"{")
    with pytest.raises(CommandError, match="1 of 2 files refused") as refused:
        call_command("import_runs", str(good), str(bad))
    assert refused.value.returncode == 2
    printed = capsys.readouterr().out
    assert f"/runs/{Run.objects.get().pk}/" in printed
    assert "2 files: 1 imported, 1 refused." in printed


def test_a_dry_run_keeps_nothing(write, capsys):
    call_command("import_runs", str(write("good.json", mini())), "--dry-run", "--json")
    (report,) = json.loads(capsys.readouterr().out)
    assert (report["state"], report["sentence"]) == ("imported", "would be imported: 1 run")
    assert (Run.objects.count(), Benchmark.objects.filter(slug=ELSEWHERE).exists()) == (0, False)
