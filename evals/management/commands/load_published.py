"""manage.py load_published: figures that others published, with their link and date."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from evals.exchange.published import SHIPPED, PublishedFormatError, load_published


class Command(BaseCommand):
    help = "Load published results. They stand apart from runs made here and are never ranked with them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "folder",
            nargs="?",
            type=Path,
            default=SHIPPED,
            help="default: the figures that come with the site",
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = load_published(options["folder"])
        except PublishedFormatError as problem:
            raise CommandError(str(problem), returncode=2) from problem
        if options["json"]:
            self.stdout.write(json.dumps(asdict(report)))
            return
        self.stdout.write(
            f"Published results on {report.benchmarks} benchmarks: "
            f"{report.made} made, {report.updated} updated, {report.unchanged} unchanged."
        )
