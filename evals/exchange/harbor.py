"""Harbor's job folders: a folder a trial, with its result and the trajectory its agent wrote.

https://harborframework.com/docs: `<job>/<task>__<id>/` with `config.json`, `result.json` and
`agent/trajectory.json`; a trial in several steps has the trajectory of each under `steps/<step>/agent/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from evals.agent.prompts import ANSWER_FILE
from evals.agent.tools import ANSWER_LIMIT_BYTES
from evals.exchange.atif_reader import Part, read_atif
from evals.exchange.fields import Fields, clean
from evals.exchange.incoming import IncomingRun, IncomingTotals, TrajectoryFormatError
from evals.exchange.json_members import Opener, members
from evals.trajectory import StopReason

# Files by their names below what was handed in, with / between; a folder on disk and an archive look alike.
Files = Mapping[str, Opener]

CONFIG, RESULT, TRAJECTORY = "config.json", "result.json", "trajectory.json"
MOST_PARTS = 1000

# Of Harbor's errors, those that are the agent's own doing: they end a run, and never excuse it.
ENDINGS = {
    "AgentTimeoutError": StopReason.TIME_LIMIT,
    "ContextWindowExceededError": StopReason.CONTEXT_FULL,
    "ContextLengthExceededError": StopReason.CONTEXT_FULL,
    "OutputTokenExceededError": StopReason.GAVE_UP,
    "OutputLengthExceededError": StopReason.GAVE_UP,
    "AgentSafetyRefusalError": StopReason.GAVE_UP,
    "ContentPolicyViolationError": StopReason.GAVE_UP,
    "NonZeroAgentExitCodeError": StopReason.GAVE_UP,
}
# Those of its verifier, which takes no part in a run and whose rewards we do not use.
OF_THE_VERIFIER = (
    "VerifierTimeoutError", "RewardFileNotFoundError", "RewardFileEmptyError", "VerifierOutputParseError",
)  # fmt: skip
# What is kept of a result beside the columns. Not its configuration, which names folders of another machine.
KEPT = ("trial_name", "source", "task_checksum", "verifier_result", "environment_setup", "agent_setup",
        "agent_execution", "verifier")  # fmt: skip


@dataclass(frozen=True)
class Trial:
    folder: str  # with its / at the end; empty: it is what was handed in
    result: dict[str, Any]


def trials_in(files: Files) -> Iterator[Trial]:
    """Yield the trials of a job folder, of several, or the one trial that was handed in.

    Raises:
        TrajectoryFormatError: a result breaks its format.
    """
    for folder in sorted(name.removesuffix(CONFIG) for name in files if PurePosixPath(name).name == CONFIG):
        name = f"{folder}{RESULT}"
        if name not in files:
            # Without a result it is a trial that was broken off, or no trial at all.
            if any(each.startswith(f"{folder}agent/") for each in files):
                yield Trial(folder, {})
            continue
        result = dict(members(files[name], name, "trial_results"))
        if "trial_name" in result:
            yield Trial(folder, result)


def read_trial(trial: Trial, files: Files) -> IncomingRun:
    """Read one trial.

    Raises:
        TrajectoryFormatError: its result or its trajectory breaks its format, or there is no trajectory.
    """
    name = f"{trial.folder}{RESULT}"
    if not trial.result:
        raise TrajectoryFormatError(name, "", "it is not there; a trial that came to its end expected")
    result = Fields(trial.result, name, "")
    run = read_atif(parts_of(trial, result, files))
    agent = result.object("agent_info")
    model = agent.object("model_info")
    submission = submission_in(trial, files)
    stop_reason, error, exception = ending_of(result.object("exception_info"), submission)
    kept = {key: result.left[key] for key in KEPT if result.left.get(key) is not None} | exception
    return replace(
        run,
        format="harbor",
        harness=agent.text("name") or run.harness,
        harness_version=agent.text("version") or run.harness_version,
        model=model.text("name") or run.model,
        task=result.text("task_name").rpartition("/")[2] or run.task,
        started_at=result.moment("started_at") or run.started_at,
        ended_at=result.moment("finished_at") or run.ended_at,
        submission=submission if submission is not None else run.submission,
        stop_reason=stop_reason,
        error=error,
        totals=totals_of(result.object("agent_result"), run.totals),
        unmapped=run.unmapped | {"harbor": clean(kept)},
    )


def parts_of(trial: Trial, result: Fields, files: Files) -> list[Part]:
    """Return the files of the trajectory, in the order in which they were played."""
    steps = [step.text("step_name") for step in result.objects("step_results")]
    folders = [f"{trial.folder}steps/{step}/agent/" for step in steps] or [f"{trial.folder}agent/"]
    parts = [part for folder in folders for part in continued(folder, files)]
    if not parts:
        missing = f"{folders[0]}{TRAJECTORY} expected; its agent wrote no trajectory in ATIF"
        raise TrajectoryFormatError(trial.folder.rstrip("/") or RESULT, "", missing)
    return parts


def continued(folder: str, files: Files) -> Iterator[Part]:
    """Yield a trajectory's file, and those in which it says that it goes on."""
    name, seen = f"{folder}{TRAJECTORY}", set[str]()
    while name in files and name not in seen and len(seen) < MOST_PARTS:
        seen.add(name)
        yield Part(name, files[name])
        ref = next((value for key, value in members(files[name], name, "steps") if key == CONTINUED), None)
        if not isinstance(ref, str):
            return
        # By its last part alone: it may have been written with a folder of the machine it was played on.
        name = f"{folder}{PurePosixPath(ref).name}"


CONTINUED = "continued_trajectory_ref"


def submission_in(trial: Trial, files: Files) -> bytes | None:
    """Return the answer file out of what Harbor collected; of several, the one nearest to the top."""
    names = [
        name for name in files
        if name.startswith(trial.folder) and PurePosixPath(name).name == ANSWER_FILE
    ]  # fmt: skip
    if not names:
        return None
    with files[min(names, key=lambda name: (name.count("/"), name))]() as file:
        return file.read(ANSWER_LIMIT_BYTES)


def ending_of(exception: Fields, submission: bytes | None) -> tuple[StopReason, str, dict[str, Any]]:
    """Return how the trial ended, why it errored if it did, and what was raised."""
    ended = StopReason.GAVE_UP if submission is None else StopReason.SUBMITTED
    kind, message = exception.text("exception_type"), exception.text("exception_message")
    if not kind:
        return ended, "", {}
    raised = {"exception": {"type": kind, "message": message}}
    if kind in ENDINGS:
        return ENDINGS[kind], "", raised
    return ended, "" if kind in OF_THE_VERIFIER else f"{kind}: {message}", raised


def totals_of(told: Fields, otherwise: IncomingTotals) -> IncomingTotals:
    """Return the totals Harbor tells of its agent; where it tells none, the trajectory's own."""
    read, cached, written = (
        told.count(name) for name in ("n_input_tokens", "n_cache_tokens", "n_output_tokens")
    )
    cost_usd = told.amount("cost_usd")
    if read is None or written is None:
        return replace(otherwise, cost_usd=otherwise.cost_usd if cost_usd is None else cost_usd)
    cached = min(cached or 0, read)
    return IncomingTotals(cost_usd, read - cached, cached, 0, written)
