"""Import a benchmark's tasks from a folder, or from the Hugging Face Hub."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.text import slugify

from evals.exchange.itbench import ImportReport, ImportWish, TaskReport, TaskState, import_benchmark
from evals.exchange.itbench_tasks import BenchmarkFormatError
from evals.models import Split


class Command(BaseCommand):
    help = (
        "Import tasks in ITBench's layouts. Files stay where they are and are hashed. Importing again is"
        " safe: only what changed is updated. Exit code 1: a task was refused; 2: nothing could be imported."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", nargs="?", type=Path, help="a benchmark's folder")
        parser.add_argument("--slug", help="of the benchmark; default: made of the folder's name")
        parser.add_argument("--name", help="of the benchmark; default: the folder's name")
        parser.add_argument("--split", choices=Split.values, help="default: public, or as stored")
        parser.add_argument("--tasks", metavar="A,B", help="only these, such as scenario-1,scenario-2")
        parser.add_argument("--from-hub", metavar="OWNER/NAME", help="download this dataset first, resumable")
        parser.add_argument("--revision", help="of the dataset: commit, tag or branch; default: main")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["folder"]) == bool(options["from_hub"]):
            raise CommandError("Give either a folder or --from-hub OWNER/NAME", returncode=2)
        if options["revision"] and not options["from_hub"]:
            raise CommandError("--revision goes with --from-hub OWNER/NAME", returncode=2)
        folder, wish = downloaded(options) if options["from_hub"] else (options["folder"], wished(options))
        try:
            report = import_benchmark(folder, wish, on_task=lambda task: self.tell(task, options))
        except (BenchmarkFormatError, OSError) as problem:
            raise CommandError(str(problem), returncode=2) from problem
        self.stdout.write(json.dumps(report_json(report)) if options["json"] else summary(report))
        if refused := report.in_state(TaskState.REFUSED):
            raise CommandError(f"{len(refused)} of {len(report.tasks)} tasks refused", returncode=1)

    def tell(self, task: TaskReport, options: dict[str, Any]) -> None:
        if not options["json"]:
            self.stdout.write("\n".join(lines(task)))


def wished(options: dict[str, Any]) -> ImportWish:
    slugs = [slug.strip() for slug in (options["tasks"] or "").split(",")]
    return ImportWish(
        slug=options["slug"],
        name=options["name"],
        split=options["split"],
        tasks=frozenset(slug for slug in slugs if slug) or None,
    )


def downloaded(options: dict[str, Any]) -> tuple[Path, ImportWish]:
    # Imported here: the hub's client takes half a second to load, and most imports are of a folder.
    from evals.exchange.itbench_hub import HubError, download

    wish = wished(options)
    try:
        dataset = download(
            options["from_hub"],
            options["revision"] or "main",
            wish.tasks,
            into=settings.ITBENCH_DATA_DIR / "hub",
            endpoint=os.environ.get("HF_ENDPOINT"),
        )
    except HubError as problem:
        raise CommandError(str(problem), returncode=2) from problem
    slug = wish.slug or slugify(dataset.provenance["name"])
    return dataset.folder, replace(wish, slug=slug, provenance=dataset.provenance)


def lines(task: TaskReport) -> list[str]:
    if task.state == TaskState.REFUSED:
        where = ": ".join(part for part in (task.file, task.place) if part)
        return [f"{task.state:<10} {task.task or '-':<14} {where}: {task.reason}"]
    what = task.reason or f"{task.files} files, {task.bytes / 1e6:.1f} MB"
    return [f"{task.state:<10} {task.task:<14} {what}", *(f"{'':10} note: {note}" for note in task.notes)]


def summary(report: ImportReport) -> str:
    counts = ", ".join(f"{len(report.in_state(state))} {state}" for state in TaskState)
    text = f"Benchmark {report.benchmark}: {counts}."
    if any(task.ground_truth_sha256_before for task in report.tasks):
        text += f"\nA ground truth changed: `manage.py regrade --benchmark {report.benchmark}` grades anew."
    return text


def report_json(report: ImportReport) -> dict[str, Any]:
    tasks = {state.value: [asdict(task) for task in report.in_state(state)] for state in TaskState}
    return {"benchmark": report.benchmark, **tasks}
