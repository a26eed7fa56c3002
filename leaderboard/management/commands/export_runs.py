"""Write runs as files, one a run."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet

from evals.exchange.run_facts import exported_runs
from evals.models import Benchmark, Evaluation, Run
from leaderboard.run_files import RUN_FILES, file_name


class Command(BaseCommand):
    help = (
        "Write runs as files, one a run: ATIF for other tools, JSON with all that is stored, Markdown, HTML "
        "pages that work offline, or recordings for asciinema. Runs of held-out tasks are written too."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("runs", nargs="*", type=int, metavar="RUN", help="numbers of runs")
        parser.add_argument("--format", choices=RUN_FILES, default="atif", help="atif if not given")
        parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="made where it is not")
        parser.add_argument("--evaluation", type=int, metavar="ID", help="all runs of this evaluation")
        parser.add_argument("--benchmark", metavar="SLUG", help="all runs on this benchmark")

    def handle(self, *args: Any, **options: Any) -> None:
        runs = chosen_runs(options)
        folder, written = options["out"], 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for run in runs.order_by("pk").iterator(chunk_size=100):
                write_run(run, options["format"], folder / file_name(run, options["format"]))
                written += 1
        except OSError as problem:
            raise CommandError(f"{problem.filename}: {problem.strerror}", returncode=2) from problem
        self.stdout.write(f"{written} run{'' if written == 1 else 's'} written to {folder}.")


def chosen_runs(options: dict[str, Any]) -> QuerySet[Run]:
    numbers, evaluation, benchmark = options["runs"], options["evaluation"], options["benchmark"]
    if [bool(numbers), evaluation is not None, benchmark is not None].count(True) != 1:
        raise CommandError(
            "Say which runs: their numbers, --evaluation or --benchmark, one of them", returncode=2
        )
    runs: QuerySet[Run] = exported_runs()
    if evaluation is not None:
        if not Evaluation.objects.filter(pk=evaluation).exists():
            raise CommandError(f"There is no evaluation {evaluation}", returncode=2)
        return runs.filter(evaluation=evaluation)
    if benchmark is not None:
        if not Benchmark.objects.filter(slug=benchmark).exists():
            raise CommandError(f"There is no benchmark {benchmark!r}", returncode=2)
        return runs.filter(evaluation__benchmark__slug=benchmark)
    found = runs.filter(pk__in=numbers)
    if missing := sorted(set(numbers) - set(found.values_list("pk", flat=True))):
        raise CommandError(f"There is no run {', '.join(map(str, missing))}", returncode=2)
    return found


def write_run(run: Run, kind: str, path: Path) -> None:
    """Write a run beside its place first: whatever happens, no half of a file stands there."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.writelines(RUN_FILES[kind].pieces(run))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
