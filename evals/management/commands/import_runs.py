"""Import runs that were played elsewhere."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from evals.exchange.trajectory_files import KNOWN
from evals.runner.importing import FileReport, FileState, ImportRefused, ImportWish, import_runs


class Command(BaseCommand):
    help = (
        f"Import runs that were played elsewhere: {KNOWN}; files, folders or zip archives. A file is"
        " imported whole or not at all, and once however often one tries. Where its task is known here it"
        " is graded."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--benchmark", default="", metavar="SLUG", help="where its tasks are looked for")
        parser.add_argument(
            "--task", default="", metavar="SLUG", help="the task, where the files do not tell it"
        )
        parser.add_argument(
            "--model", default="", metavar="NAME", help="the model, where the files do not tell it"
        )
        parser.add_argument("--dry-run", action="store_true", help="read everything, keep nothing")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        for path in options["paths"]:
            if not path.exists():
                raise CommandError(f"{path}: there is no such file or folder", returncode=2)
        wish = ImportWish(options["benchmark"], options["task"], options["model"], dry_run=options["dry_run"])
        tell = (lambda _: None) if options["json"] else self.tell
        try:
            reports = [
                report for path in options["paths"] for report in import_runs(path, path.name, wish, tell)
            ]
        except ImportRefused as problem:
            raise CommandError(str(problem), returncode=2) from problem
        if options["json"]:
            self.stdout.write(json.dumps([asdict(report) for report in reports]))
        else:
            self.summarise(reports)
        if refused := sum(report.state == FileState.REFUSED for report in reports):
            raise CommandError(f"{refused} of {len(reports)} files refused", returncode=2)

    def tell(self, report: FileReport) -> None:
        if report.state == FileState.LEFT_OUT:
            return
        runs = ", ".join(f"/runs/{run}/" for run in report.runs[:3]) + (
            " ..." if len(report.runs) > 3 else ""
        )
        self.stdout.write(f"{report.state:13} {report.name}: {report.sentence} {runs}".rstrip())

    def summarise(self, reports: list[FileReport]) -> None:
        states = [report.state for report in reports]
        told = (f"{states.count(state)} {state}" for state in FileState if state in states)
        self.stdout.write(f"{len(reports)} files: {', '.join(told)}.")
