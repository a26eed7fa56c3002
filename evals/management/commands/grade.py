"""Grade one answer file against one ground-truth file. Needs no database."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from evals.grading.ground_truth import GroundTruthFormatError, parse_ground_truth
from evals.grading.precision import GradeResult, grade


class Command(BaseCommand):
    help = "Grade an answer file against a ground-truth file by the grader aa-precision."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--ground-truth", type=Path, required=True, metavar="FILE", help="YAML or JSON")
        parser.add_argument(
            "--answer",
            type=Path,
            required=True,
            metavar="FILE",
            help='the agent\'s {"contributing_factors": [{"name": "namespace/Kind/name"}]}',
        )
        parser.add_argument("--json", action="store_true", help="print the grade as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            truth = parse_ground_truth(file_bytes(options["ground_truth"]))
        except GroundTruthFormatError as problem:
            raise CommandError(f"{options['ground_truth']}: {problem}", returncode=2) from problem
        result = grade(truth, file_bytes(options["answer"]))
        if options["json"]:
            self.stdout.write(json.dumps(result.to_json()))
            return
        self.stdout.write("\n".join(lines(result)))


def file_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise CommandError(f"{path}: {problem.strerror}; a readable file expected", returncode=2) from problem


def lines(result: GradeResult) -> Iterator[str]:
    yield f"score {result.score:.3f}  {result.outcome.replace('_', ' ')}  ({result.grader} {result.version})"
    yield (
        f"{result.true_positives} true positives, {result.false_positives} false positives, "
        f"{result.false_negatives} false negatives"
    )
    names = [printable(verdict.name) for verdict in result.verdicts]
    width = max(map(len, names), default=0)
    for name, verdict in zip(names, result.verdicts, strict=True):
        kind = verdict.verdict.replace("_", " ")
        yield f"  {name:<{width}}  {kind:<14}  {printable(verdict.reason)}"
    for root in result.missed:
        yield f"  missed: {root.description}"
    for note in result.notes:
        yield f"  note: {note}"


def printable(text: str) -> str:
    """Return text that does nothing to a terminal but stand there."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
