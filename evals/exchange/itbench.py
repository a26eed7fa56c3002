"""ITBench's folders into the database: each task whole or not at all, as often as one likes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import slugify

from evals.exchange.itbench_tasks import (
    BenchmarkFolder,
    BenchmarkFormatError,
    TaskContent,
    TaskRefused,
    TaskSource,
    read_benchmark,
    read_task,
)
from evals.models import Benchmark, Split, Task


class TaskState(StrEnum):
    MADE = "made"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True)
class TaskReport:
    """What became of one task."""

    task: str  # its slug; "": it could not be told
    state: TaskState
    file: str
    place: str  # in the file; "": the whole of it
    reason: str  # why refused, or what changed
    notes: tuple[str, ...] = ()
    files: int = 0
    bytes: int = 0
    ground_truth_sha256: str = ""
    ground_truth_sha256_before: str = ""  # "": not changed


@dataclass(frozen=True)
class ImportReport:
    benchmark: str
    tasks: tuple[TaskReport, ...]

    def in_state(self, state: TaskState) -> tuple[TaskReport, ...]:
        return tuple(report for report in self.tasks if report.state == state)


@dataclass(frozen=True)
class ImportWish:
    """What the person who imports asked for; None: not asked, so what is stored stays."""

    slug: str | None = None  # None: made of the folder's name
    name: str | None = None
    split: str | None = None  # None: public for tasks that are not stored yet
    tasks: frozenset[str] | None = None  # None: all
    # Of a benchmark that is not stored yet: name, source_url, licence, version.
    provenance: dict[str, str] | None = None


OnTask = Callable[[TaskReport], object]


def import_benchmark(folder: Path, wish: ImportWish, on_task: OnTask) -> ImportReport:
    """Store the tasks of a folder and tell `on_task` of each as it is done.

    A broken task is reported and the others go on. Importing again changes only what changed.

    Raises:
        BenchmarkFormatError: the folder is no benchmark, or does not fit the one that it would go to.
    """
    found = read_benchmark(folder)
    _check_tasks(folder, found, wish.tasks)
    benchmark = _benchmark(folder, found, wish)
    reports = []
    for report in _reports(found, benchmark, wish):
        on_task(report)
        reports.append(report)
    return ImportReport(benchmark.slug, tuple(reports))


def _reports(found: BenchmarkFolder, benchmark: Benchmark, wish: ImportWish) -> Iterable[TaskReport]:
    for source in found.sources:
        if wish.tasks is None or source.slug in wish.tasks:
            yield _imported(source, benchmark, wish.split)
    for problem in found.refused:
        if wish.tasks is None or problem.task in wish.tasks:
            yield _refusal(problem)


def _check_tasks(folder: Path, found: BenchmarkFolder, wished: frozenset[str] | None) -> None:
    there = {source.slug for source in found.sources} | {problem.task for problem in found.refused}
    if missing := sorted((wished or frozenset()) - there):
        raise BenchmarkFormatError(f"{folder}: there is no task {', '.join(missing)}")


# --- The benchmark ----------------------------------------------------------------------------------


def _benchmark(folder: Path, found: BenchmarkFolder, wish: ImportWish) -> Benchmark:
    """Return the stored benchmark, or one that is not stored yet: it is, with its first task."""
    slug = wish.slug or slugify(_folder_name(folder))
    stored = Benchmark.objects.filter(slug=slug).first()
    if stored is None:
        asked = {"name": wish.name} if wish.name else {}
        fields = {"name": _folder_name(folder), **(wish.provenance or {}), **asked}
        return _unsaved_benchmark(slug, fields, found.marker)
    if stored.synthetic != (found.marker is not None):
        here, there = ("synthetic", "recorded") if found.marker else ("recorded", "synthetic")
        raise BenchmarkFormatError(
            f"{folder}: {here} incidents; the benchmark {slug} holds {there} ones, so give another --slug"
        )
    if wish.name and stored.name != wish.name:
        stored.name = wish.name
        _check_fields(stored)
        stored.save(update_fields=["name"])
    return stored


def _folder_name(folder: Path) -> str:
    path = folder.resolve()
    return path.parent.name if path.name == "sre" else path.name


def _unsaved_benchmark(slug: str, fields: dict[str, str], marker: dict[str, Any] | None) -> Benchmark:
    benchmark = Benchmark(slug=slug, synthetic=marker is not None, **fields)
    if marker is not None and "seed" in marker:
        benchmark.version = f"seed {marker['seed']}"
    _check_fields(benchmark)
    return benchmark


def _check_fields(benchmark: Benchmark) -> None:
    try:
        benchmark.clean_fields()
    except ValidationError as problem:
        field, messages = next(iter(problem.message_dict.items()))
        value = getattr(benchmark, field)
        raise BenchmarkFormatError(f"the benchmark's {field} is {value!r}: {messages[0]}") from problem


# --- A task -----------------------------------------------------------------------------------------


def _imported(source: TaskSource, benchmark: Benchmark, split: str | None) -> TaskReport:
    try:
        content = read_task(source)
    except TaskRefused as problem:
        return _refusal(problem)
    with transaction.atomic():
        if benchmark.pk is None:
            benchmark.save()
        return _stored(content, benchmark, split)


def _refusal(problem: TaskRefused) -> TaskReport:
    return TaskReport(problem.task, TaskState.REFUSED, problem.file, problem.place, problem.reason)


def _stored(content: TaskContent, benchmark: Benchmark, split: str | None) -> TaskReport:
    fields = _fields(content)
    if split is not None:
        fields["split"] = split
    task = Task.objects.filter(benchmark=benchmark, slug=content.slug).first()
    if task is None:
        Task.objects.create(
            benchmark=benchmark,
            slug=content.slug,
            **{"title": content.title, "split": Split.PUBLIC, **fields},
        )
        return _report(content, TaskState.MADE)
    changed = {name: value for name, value in fields.items() if getattr(task, name) != value}
    if not changed:
        return _report(content, TaskState.UNCHANGED)
    reason, before = _what_changed(task, changed), task.ground_truth_sha256
    for name, value in changed.items():
        setattr(task, name, value)
    task.save()
    return _report(content, TaskState.UPDATED, reason, before)


def _fields(content: TaskContent) -> dict[str, Any]:
    """Return what a task's row holds, in the form in which the database gives it back."""
    return {
        "fault_category": content.fault_category,
        "snapshot_path": _stored_path(content.folder),
        "manifest": content.manifest,
        "ground_truth": json.loads(json.dumps(content.ground_truth.to_json())),
        "ground_truth_text": content.ground_truth_text,
        "ground_truth_sha256": content.ground_truth_sha256,
        "alert_summary": content.alert_summary,
    }


def _stored_path(folder: Path) -> str:
    """Return the path relative to the data folder where it lies in there, so that both can move together."""
    data_folder = Path(settings.ITBENCH_DATA_DIR).resolve()
    return str(folder.relative_to(data_folder) if folder.is_relative_to(data_folder) else folder)


def _report(content: TaskContent, state: TaskState, reason: str = "", sha256_before: str = "") -> TaskReport:
    differs = sha256_before != content.ground_truth_sha256
    return TaskReport(
        task=content.slug,
        state=state,
        file=str(content.folder),
        place="",
        reason=reason,
        notes=content.notes,
        files=len(content.manifest),
        bytes=sum(entry["bytes"] for entry in content.manifest),
        ground_truth_sha256=content.ground_truth_sha256,
        ground_truth_sha256_before=sha256_before if differs else "",
    )


def _what_changed(task: Task, changed: dict[str, Any]) -> str:
    said = []
    if "ground_truth_sha256" in changed:
        before, after = task.ground_truth_sha256[:12] or "none", changed["ground_truth_sha256"][:12]
        said.append(f"ground truth {before} -> {after}")
    if "manifest" in changed:
        said.append(_files_changed(task.manifest, changed["manifest"]))
    if "snapshot_path" in changed:
        said.append(f"folder {task.snapshot_path or 'none'} -> {changed['snapshot_path']}")
    if "split" in changed:
        said.append(f"split {task.split} -> {changed['split']}")
    # These follow from the files; alone they change only with a version of this site that reads more.
    return ", ".join(said) or f"read anew: {', '.join(sorted(changed))}"


def _files_changed(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> str:
    old, new = ({entry["path"]: entry["sha256"] for entry in entries} for entries in (before, after))
    changed = sum(new[path] != old[path] for path in old.keys() & new.keys())
    return (
        f"files: {changed} changed, {len(new.keys() - old.keys())} added, {len(old.keys() - new.keys())} gone"
    )
