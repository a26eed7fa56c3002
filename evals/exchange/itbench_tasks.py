"""ITBench's folders as they lie on disk: which tasks a folder holds, and all that is in one of them.

ITBench-AA has `sre/data.jsonl` and `sre/Scenario-N/`, ITBench-Lite `snapshots/sre/v0.2-*/Scenario-N/`. The
ground truth of a task stands in its folder, in a row of data.jsonl, or in both. Nothing here writes.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evals.exchange.itbench_alerts import summarise_alerts
from evals.grading.ground_truth import GroundTruth, GroundTruthFormatError, parse_ground_truth
from evals.sandbox import SNAPSHOT_ALLOW_LIST, SandboxError
from evals.sandbox.snapshot import shown_entries

SCENARIO = re.compile(r"scenario[-_](?P<id>[a-z0-9]+(?:[-._][a-z0-9]+)*)", re.IGNORECASE)
GROUND_TRUTH_NAMES = ("ground_truth.yaml", "ground_truth.yml", "ground_truth.json")
MARKER = "synthetic.json"

MAX_GROUND_TRUTH_BYTES = 4_000_000
MAX_ROW_BYTES = 8_000_000  # a row carries one ground truth as a string
LFS_POINTER = b"version https://git-lfs"


class BenchmarkFormatError(ValueError):
    """The folder as a whole can't be imported; the message says where and what was expected."""


class TaskRefused(ValueError):
    """One task can't be imported: the file, the place in it ("" for the whole), and the reason."""

    def __init__(self, task: str, file: Path, place: str, reason: str) -> None:
        super().__init__(": ".join(part for part in (str(file), place, reason) if part))
        self.task = task
        self.file = str(file)
        self.place = place
        self.reason = reason


@dataclass(frozen=True)
class Row:
    """What data.jsonl says of a task."""

    file: Path
    line: int
    category: str
    ground_truth_text: str  # "": the row has none


@dataclass(frozen=True)
class TaskSource:
    slug: str
    folder: Path
    row: Row | None  # None: no data.jsonl, or no row for this task in it


@dataclass(frozen=True)
class BenchmarkFolder:
    sources: tuple[TaskSource, ...]  # in the order of their numbers
    refused: tuple[TaskRefused, ...]  # folders that are no task, rows without a folder, broken rows
    marker: dict[str, Any] | None  # of synthetic.json; None: recorded incidents


@dataclass(frozen=True)
class TaskContent:
    """All that is stored of a task. JSON-ready but for the folder."""

    slug: str
    title: str
    fault_category: str
    folder: Path
    manifest: list[dict[str, Any]]  # {path, bytes, sha256}, sorted by path
    ground_truth: GroundTruth
    ground_truth_text: str
    ground_truth_sha256: str
    alert_summary: list[dict[str, Any]]
    notes: tuple[str, ...] = field(default=())  # what an operator should know


# --- Which tasks there are --------------------------------------------------------------------------


def read_benchmark(folder: Path) -> BenchmarkFolder:
    """Return the tasks that a folder holds, in any of the layouts.

    Raises:
        BenchmarkFormatError: there is no such folder, or no Scenario-N folder in it.
    """
    if not folder.is_dir():
        raise BenchmarkFormatError(f"{folder}: an existing folder expected")
    if SCENARIO.fullmatch(folder.resolve().name):
        raise BenchmarkFormatError(f"{folder}: this is one task; give the folder that holds it")
    places = [folder, folder / "sre", *sorted(folder.glob("snapshots/sre/*"))]
    places = [place for place in places if place.is_dir()]
    refused: list[TaskRefused] = []
    folders = _scenario_folders(places, refused)
    if not folders:
        expected = "Scenario-N, sre/Scenario-N or snapshots/sre/v0.2-*/Scenario-N"
        raise BenchmarkFormatError(f"{folder}: no benchmark; expected folders {expected}")
    rows = _rows(places, refused)
    for slug, row in rows.items():
        if slug not in folders:
            refused.append(TaskRefused(slug, row.file, f"line {row.line}", f"no folder {slug.capitalize()}"))
    sources = [TaskSource(slug, path, rows.get(slug)) for slug, path in folders.items()]
    return BenchmarkFolder(tuple(sorted(sources, key=_by_number)), tuple(refused), _marker(folder))


def _scenario_folders(places: list[Path], refused: list[TaskRefused]) -> dict[str, Path]:
    folders: dict[str, Path] = {}
    for path in (child for place in places for child in sorted(place.iterdir()) if child.is_dir()):
        if not path.name.lower().startswith("scenario"):
            continue
        name = SCENARIO.fullmatch(path.name)
        if name is None:
            refused.append(TaskRefused(path.name, path, "", "a name such as Scenario-31 expected"))
            continue
        slug = f"scenario-{name['id'].lower()}"
        if slug in folders:
            refused.append(TaskRefused(slug, path, "", f"{folders[slug]} is the same task; give one of them"))
            continue
        folders[slug] = path
    return folders


def _by_number(source: TaskSource) -> tuple[int, str]:
    number = re.search(r"\d+", source.slug)
    return (int(number[0]) if number else 0, source.slug)


def _rows(places: list[Path], refused: list[TaskRefused]) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for file in (place / "data.jsonl" for place in places):
        if not file.is_file():
            continue
        for number, line in _lines(file):
            try:
                slug, row = _row(file, number, line)
                if slug in rows:
                    raise TaskRefused(
                        slug, file, f"line {number}", f"line {rows[slug].line} is the same task"
                    )
                rows[slug] = row
            except TaskRefused as problem:
                refused.append(problem)
    return rows


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """Yield each line that is not empty, the last one cut when it is longer than a row can be."""
    with file.open("rb") as stream:
        number = 0
        while line := stream.readline(MAX_ROW_BYTES):
            number += 1
            if line.strip():
                yield number, line
            if len(line) == MAX_ROW_BYTES:
                return


def _row(file: Path, number: int, line: bytes) -> tuple[str, Row]:
    place = f"line {number}"
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise TaskRefused("", file, place, "a JSON object expected") from error
    if not isinstance(row, dict):
        raise TaskRefused("", file, place, "a JSON object expected")
    slug = _row_slug(row)
    if slug is None:
        reason = "Scenario-N expected in scenario_root or scenario_id"
        raise TaskRefused("", file, place, reason)
    text = row.get("ground_truth_yaml", "")
    text = "" if text is None else text
    if not isinstance(text, str):
        raise TaskRefused(slug, file, f"{place}, ground_truth_yaml", "YAML in a string expected")
    category = row.get("category")
    return slug, Row(file, number, category if isinstance(category, str) else "", text)


def _row_slug(row: dict[str, Any]) -> str | None:
    for key in ("scenario_root", "scenario_id"):
        last_part = str(row.get(key) or "").rstrip("/").rpartition("/")[2]
        if last_part.isascii() and last_part.isdigit():
            return f"scenario-{int(last_part)}"
        if name := SCENARIO.fullmatch(last_part):
            return f"scenario-{name['id'].lower()}"
    return None


def _marker(folder: Path) -> dict[str, Any] | None:
    """Return what synthetic.json says, from the folder or, when that is a benchmark's sre, from above it."""
    above = folder.resolve().parent if folder.resolve().name == "sre" else folder
    file = next((place / MARKER for place in (folder, above) if (place / MARKER).exists()), None)
    if file is None:
        return None
    expected = f'{file}: a JSON object such as {{"synthetic": true, "seed": 1}} expected'
    try:
        marker = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise BenchmarkFormatError(expected) from error
    if not isinstance(marker, dict) or not isinstance(marker.get("synthetic"), bool):
        raise BenchmarkFormatError(expected)
    return marker if marker["synthetic"] else None


# --- One task ---------------------------------------------------------------------------------------


def read_task(source: TaskSource) -> TaskContent:
    """Read and hash one task.

    Raises:
        TaskRefused: no usable ground truth, nothing to show an agent, a link out of the folder ...
    """
    try:
        folder = source.folder.resolve(strict=True)
        entries = shown_entries(folder)
        text, truth, notes = _ground_truth(source, folder)
        manifest = _manifest(source.slug, folder, entries)
        alerts, alert_notes = summarise_alerts(folder)
    except SandboxError as problem:
        raise TaskRefused(source.slug, source.folder, "", str(problem)) from problem
    except (OSError, RuntimeError) as problem:  # RuntimeError: links in a circle
        raise TaskRefused(source.slug, source.folder, "", f"can't be read: {problem}") from problem
    return TaskContent(
        slug=source.slug,
        title=source.folder.name.replace("-", " ").replace("_", " "),
        fault_category=_fault_category(truth, source.row),
        folder=folder,
        manifest=manifest,
        ground_truth=truth,
        ground_truth_text=text,
        ground_truth_sha256=hashlib.sha256(text.encode()).hexdigest(),
        alert_summary=alerts,
        notes=(*notes, *alert_notes),
    )


def _fault_category(truth: GroundTruth, row: Row | None) -> str:
    categories = dict.fromkeys(fault.category for fault in truth.faults if fault.category)
    return (", ".join(categories) or (row.category if row else ""))[:80]


def _ground_truth(source: TaskSource, folder: Path) -> tuple[str, GroundTruth, list[str]]:
    """Return text, meaning and notes; what lies in the folder goes before what data.jsonl says."""
    file = next((folder / name for name in GROUND_TRUTH_NAMES if os.path.lexists(folder / name)), None)
    row = source.row if source.row and source.row.ground_truth_text else None
    if file is not None:
        text = _ground_truth_text(source.slug, file, folder)
        truth = _parsed(source.slug, text, file, "")
        return text, truth, [] if row is None else _difference(truth, row)
    if row is None:
        where = " and no row of data.jsonl has one" if source.row is None else " and its row has none"
        raise TaskRefused(source.slug, folder / GROUND_TRUTH_NAMES[0], "", f"not there,{where}")
    text = row.ground_truth_text
    return text, _parsed(source.slug, text, row.file, f"line {row.line}, ground_truth_yaml"), []


def _ground_truth_text(slug: str, file: Path, folder: Path) -> str:
    if not file.resolve(strict=True).is_relative_to(folder) or not file.is_file():
        raise TaskRefused(slug, file, "", "a plain file of the task's own folder expected")
    if (size := file.stat().st_size) > MAX_GROUND_TRUTH_BYTES:
        raise TaskRefused(
            slug, file, "", f"at most {MAX_GROUND_TRUTH_BYTES:,} bytes expected, {size:,} found"
        )
    raw = file.read_bytes()
    _refuse_pointer(slug, file, raw)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TaskRefused(slug, file, f"byte {error.start}", "UTF-8 text expected") from error


def _parsed(slug: str, text: str, file: Path, place: str) -> GroundTruth:
    try:
        return parse_ground_truth(text)
    except GroundTruthFormatError as problem:
        where = ", ".join(part for part in (place, problem.place) if part)
        raise TaskRefused(slug, file, where, problem.reason) from problem


def _difference(truth: GroundTruth, row: Row) -> list[str]:
    try:
        same = parse_ground_truth(row.ground_truth_text) == truth
    except GroundTruthFormatError:
        same = False
    return (
        [] if same else [f"{row.file.name} line {row.line} has another ground truth; the folder's was taken"]
    )


# --- What an agent sees -----------------------------------------------------------------------------


def _manifest(slug: str, folder: Path, entries: list[Path]) -> list[dict[str, Any]]:
    """Hash every file of the snapshot, as a stream: one of them may have 400 MB."""
    files = sorted(path for entry in entries for path in _files(entry))
    if not files:
        raise TaskRefused(slug, folder, "", f"a file in one of {', '.join(SNAPSHOT_ALLOW_LIST)} expected")
    # Threads: hashing lets go of the interpreter's lock, and a benchmark has tens of gigabytes.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda path: _hashed(slug, folder, path), files))


def _files(entry: Path) -> Iterator[Path]:
    if not entry.is_dir():
        yield entry
    for place, _, names in os.walk(entry):
        yield from (Path(place, name) for name in names)


def _hashed(slug: str, folder: Path, path: Path) -> dict[str, Any]:
    name = path.relative_to(folder).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise TaskRefused(slug, folder, repr(name), "a file name in UTF-8 expected") from error
    with path.open("rb") as stream:
        _refuse_pointer(slug, path, stream.read(len(LFS_POINTER)))
        stream.seek(0)
        digest = hashlib.file_digest(stream, "sha256")
        return {"path": name, "bytes": stream.tell(), "sha256": digest.hexdigest()}


def _refuse_pointer(slug: str, file: Path, start: bytes) -> None:
    if start.startswith(LFS_POINTER):
        raise TaskRefused(
            slug, file, "", "a Git LFS pointer, not the file itself; fetch it with `git lfs pull`"
        )
