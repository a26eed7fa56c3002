"""Harbor's job folders: a run a trial, graded by us, with Harbor's rewards beside it."""

import io
import json

import pytest

from evals.exchange.harbor import read_trial, trials_in
from evals.exchange.incoming import TrajectoryFormatError
from evals.trajectory import StopReason
from tests.evals.exchange.test_atif_reader import agent_step, document

ANSWER = b'{"root_causes": [{"name": "ad", "kind": "Deployment", "namespace": "otel-demo"}]}'
RESULT = {
    "id": "1f0c7c1e-0000-4000-8000-000000000000",
    "task_name": "itbench/scenario-31",
    "trial_name": "scenario-31__abc",
    "trial_uri": "file:///home/somebody/jobs/scenario-31__abc",
    "task_id": {"path": "/home/somebody/tasks/scenario-31"},
    "source": "itbench",
    "task_checksum": "c0ffee",
    "config": {"task": {"path": "/home/somebody/tasks/scenario-31"}},
    "agent_info": {
        "name": "codex",
        "version": "0.5",
        "model_info": {"name": "gpt-5.5", "provider": "openai"},
    },
    "agent_result": {"n_input_tokens": 100, "n_cache_tokens": 60, "n_output_tokens": 7, "cost_usd": 0.25},
    "verifier_result": {"rewards": {"reward": 1.0}},
    "exception_info": None,
    "started_at": "2026-01-02T03:04:05.000001Z",
    "finished_at": "2026-01-02T03:14:05Z",
}


def opener(content):
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return lambda: io.BytesIO(raw)


def trial_files(prefix="", result=None, **more):
    files = {
        "config.json": opener({}),
        "result.json": opener(RESULT | (result or {})),
        "agent/trajectory.json": opener(document(agent_step(message="a"))),
        **{name: opener(content) for name, content in more.items()},
    }
    return {f"{prefix}{name}": file for name, file in files.items()}


def only_run(files):
    (trial,) = trials_in(files)
    return read_trial(trial, files)


def test_a_trial_is_a_run_with_the_figures_harbor_tells():
    run = only_run(trial_files())
    assert (run.format, run.harness, run.harness_version, run.model) == ("harbor", "codex", "0.5", "gpt-5.5")
    assert (run.task, run.name) == ("scenario-31", "agent/trajectory.json")
    assert run.started_at.isoformat() == "2026-01-02T03:04:05.000001+00:00"
    assert run.ended_at.isoformat() == "2026-01-02T03:14:05+00:00"
    totals = run.totals
    assert (totals.input_tokens, totals.cache_read_tokens, totals.output_tokens, totals.cost_usd) == (
        40,
        60,
        7,
        0.25,
    )
    assert [turn.record.reply.text for turn in run.turns()] == ["a"]


def test_rewards_are_kept_and_folders_of_another_machine_are_not():
    unmapped = only_run(trial_files()).unmapped
    assert unmapped["harbor"]["verifier_result"] == {"rewards": {"reward": 1.0}}
    assert unmapped["harbor"]["task_checksum"] == "c0ffee"
    assert "somebody" not in json.dumps(unmapped)


def test_a_job_folder_has_its_trials_and_its_own_result_is_none():
    job = {"n_total_trials": 2, "stats": {}, "trial_results": [RESULT, RESULT]}
    files = {
        "job/config.json": opener({}),
        "job/result.json": opener(job),
        **trial_files("job/b/", {"task_name": "two"}),
        **trial_files("job/a/", {"task_name": "one"}),
    }
    runs = [read_trial(trial, files) for trial in trials_in(files)]
    assert [(run.task, run.name) for run in runs] == [
        ("one", "job/a/agent/trajectory.json"),
        ("two", "job/b/agent/trajectory.json"),
    ]


def test_the_answer_nearest_to_the_top_is_the_submission():
    files = trial_files(**{
        "artifacts/deep/er/agent_output.json": b"{}",
        "artifacts/home/agent_output.json": ANSWER,
        "artifacts/home/agent_output.json.bak": b"old",
    })  # fmt: skip
    run = only_run(files)
    assert (run.submission, run.stop_reason, run.error) == (ANSWER, StopReason.SUBMITTED, "")
    assert only_run(trial_files()).stop_reason == StopReason.GAVE_UP


@pytest.mark.parametrize(
    ("kind", "stop_reason", "error"),
    [
        ("AgentTimeoutError", StopReason.TIME_LIMIT, ""),
        ("ContextLengthExceededError", StopReason.CONTEXT_FULL, ""),
        ("NonZeroAgentExitCodeError", StopReason.GAVE_UP, ""),
        ("VerifierTimeoutError", StopReason.GAVE_UP, ""),
        ("RateLimitError", StopReason.GAVE_UP, "RateLimitError: too fast"),
        ("SomethingNewError", StopReason.GAVE_UP, "SomethingNewError: too fast"),
    ],
)
def test_who_failed_is_known(kind, stop_reason, error):
    raised = {
        "exception_type": kind,
        "exception_message": "too fast",
        "exception_traceback": "/home/somebody",
    }
    run = only_run(trial_files(result={"exception_info": raised}))
    assert (run.stop_reason, run.error) == (stop_reason, error)
    assert run.unmapped["harbor"]["exception"] == {"type": kind, "message": "too fast"}


def test_a_trajectory_that_goes_on_in_other_files_is_one_run():
    first = document(agent_step(message="a"), continued_trajectory_ref="/logs/agent/trajectory.cont-1.json")
    second = document(agent_step(message="a", is_copied_context=True), agent_step(message="b"))
    files = trial_files(**{"agent/trajectory.json": first, "agent/trajectory.cont-1.json": second})
    assert [turn.record.reply.text for turn in only_run(files).turns()] == ["a", "b"]


def test_a_trajectory_that_goes_on_in_itself_ends_all_the_same():
    told = document(agent_step(message="a"), continued_trajectory_ref="trajectory.json")
    assert len(list(only_run(trial_files(**{"agent/trajectory.json": told})).turns())) == 1


def test_a_trial_in_several_steps_is_one_run_in_their_order():
    files = trial_files(result={"step_results": [{"step_name": "second"}, {"step_name": "first"}]}, **{
        "steps/first/agent/trajectory.json": document(agent_step(message="1")),
        "steps/second/agent/trajectory.json": document(agent_step(message="2")),
    })  # fmt: skip
    del files["agent/trajectory.json"]
    assert [turn.record.reply.text for turn in only_run(files).turns()] == ["2", "1"]


def test_a_trial_without_totals_has_those_of_its_trajectory():
    told = document(agent_step(), final_metrics={"total_prompt_tokens": 5, "total_completion_tokens": 6})
    files = trial_files(result={"agent_result": None}, **{"agent/trajectory.json": told})
    assert (only_run(files).totals.input_tokens, only_run(files).totals.output_tokens) == (5, 6)


def test_a_trial_without_a_trajectory_is_refused_in_a_sentence():
    files = trial_files("job/a/")
    del files["job/a/agent/trajectory.json"]
    with pytest.raises(TrajectoryFormatError) as refused:
        only_run(files)
    assert str(refused.value) == (
        "job/a: job/a/agent/trajectory.json expected; its agent wrote no trajectory in ATIF"
    )


def test_a_trial_that_was_broken_off_is_refused_in_a_sentence():
    files = trial_files("a/")
    del files["a/result.json"]
    with pytest.raises(
        TrajectoryFormatError, match=r"^a/result\.json: it is not there; a trial that came to its"
    ):
        only_run(files)


def test_a_result_that_is_no_json_is_refused_in_a_sentence():
    files = trial_files() | {"result.json": opener(b"{")}
    with pytest.raises(TrajectoryFormatError, match=r"^result\.json: no valid JSON"):
        list(trials_in(files))


def test_a_folder_without_trials_has_none():
    assert list(trials_in({"config.json": opener({}), "notes/config.json": opener({})})) == []
