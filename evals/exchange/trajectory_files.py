"""Which of the files that were handed in are trajectories, and who reads them."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from evals.exchange import harbor, ibm_session, inspect_log, mini_swe, swe_agent
from evals.exchange.archives import open_member, opened_archive
from evals.exchange.atif_reader import Part, read_atif
from evals.exchange.incoming import IncomingRun, TrajectoryFormatError
from evals.exchange.streams import Document

INSPECT = ".eval"
# Endings of what may be a trajectory; a folder of runs holds much else.
CANDIDATES = (".json", ".traj", ".jsonl", INSPECT)
KNOWN = (
    "ATIF 1.0 to 1.8, a Harbor job folder, mini-swe-agent, SWE-agent, Inspect's .eval or IBM's session.jsonl"
)


@dataclass(frozen=True)
class Found:
    """A trajectory, or a log of several. `runs` raises TrajectoryFormatError where it is broken."""

    name: str  # of its file, within what was handed in
    runs: Callable[[], Iterator[IncomingRun]]


class NoTrajectory(TrajectoryFormatError):
    """A file that is no trajectory at all: left out of a folder, refused when it was named itself."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "", f"no trajectory; {KNOWN} expected")


def trajectories_at(path: Path, name: str) -> Iterator[Found]:
    """Yield what there is to import at a path: a file, a folder, or a zip archive of one.

    Raises:
        TrajectoryFormatError: the archive is not bearable, or a Harbor trial's result is broken.
    """
    if path.is_dir():
        yield from trajectories_among(files_below(path))
    elif path.suffix != INSPECT and zipfile.is_zipfile(path):
        if is_inspect_log(path, name):
            yield Found(name, partial(inspect_log.read, path, name))
        else:
            yield from trajectories_among(members_of(path, name))
    elif path.suffix == INSPECT:
        yield Found(name, partial(inspect_log.read, path, name))
    else:
        files: harbor.Files = {name: OnDisk(path)}
        yield Found(name, partial(read_one, name, files))


def is_inspect_log(path: Path, name: str) -> bool:
    with opened_archive(path, name) as archive:
        return inspect_log.HEADER in archive.namelist()


@dataclass(frozen=True)
class OnDisk:
    """An opener that also knows where the file lies: an Inspect log is read at any place of it."""

    path: Path

    def __call__(self) -> BinaryIO:
        return self.path.open("rb")


def files_below(folder: Path) -> harbor.Files:
    """Return the files of a folder. Links are not followed: a folder from outside must not lead out of it."""
    return {
        Path(parent, name).relative_to(folder.parent).as_posix(): OnDisk(Path(parent, name))
        for parent, _, names in os.walk(folder)
        for name in sorted(names)
        if not Path(parent, name).is_symlink()
    }


def members_of(path: Path, name: str) -> harbor.Files:
    with opened_archive(path, name) as archive:
        return {
            member.filename: partial(open_member, path, member.filename)
            for member in archive.infolist()
            if not member.is_dir()
        }


def trajectories_among(files: harbor.Files) -> Iterator[Found]:
    """Yield Harbor's trials, then each file outside of them that may be a trajectory."""
    trials = list(harbor.trials_in(files))
    for trial in trials:
        name = trial.folder.rstrip("/") or harbor.RESULT
        yield Found(name, partial(trial_runs, trial, files))
    for name in sorted(files):
        if any(name.startswith(trial.folder) for trial in trials) or not may_be_one(name):
            continue
        opener = files[name]
        if name.endswith(INSPECT) and isinstance(opener, OnDisk):
            yield Found(name, partial(inspect_log.read, opener.path, name))
        else:
            yield Found(name, partial(read_one, name, files))


def may_be_one(name: str) -> bool:
    last = PurePosixPath(name).name
    return last.endswith(CANDIDATES) and (not last.endswith(".jsonl") or last == ibm_session.FILE)


def trial_runs(trial: harbor.Trial, files: harbor.Files) -> Iterator[IncomingRun]:
    yield harbor.read_trial(trial, files)


DECISIVE = frozenset(
    {"schema_version", "trajectory_format", "trajectory", "history", "item.role", "item.content"}
)


def read_one(name: str, files: harbor.Files) -> Iterator[IncomingRun]:
    """Yield the run of one file.

    Raises:
        NoTrajectory: it is none.
        TrajectoryFormatError: it is one, and broken.
    """
    document = Document(name, files[name])
    if name.endswith(".jsonl"):
        beside = str(PurePosixPath(name).with_name(ibm_session.ANSWER))
        answer = Document(beside, files[beside]) if beside in files else None
        yield ibm_session.read(document, answer)
        return
    if name.endswith(INSPECT):
        raise TrajectoryFormatError(name, "", "an Inspect log within an archive; hand it in by itself")
    keys = document.shape(DECISIVE)
    if "schema_version" in keys or "steps" in keys:
        yield read_atif([Part(name, files[name])])
    elif "trajectory_format" in keys or {"info", "messages"} <= keys or {"item.role", "item.content"} & keys:
        yield mini_swe.read(document)
    elif keys & {"trajectory", "history"}:
        yield swe_agent.read(document)
    else:
        raise NoTrajectory(name)
