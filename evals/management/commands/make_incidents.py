"""manage.py make_incidents: synthetic incidents in the layout of ITBench-AA."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from evals.incidents.folder import FolderError, MadeIncident, make_incidents
from evals.incidents.scales import SCALES

MOST = 1000
LARGEST_SEED = 2**63 - 1


class Command(BaseCommand):
    help = "Make synthetic incidents to try agents on; the same seed makes the same incidents, byte for byte."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        # Values arrive as text and are checked here, so that a wrong one is answered by one sentence.
        parser.add_argument("--out", metavar="FOLDER", help="where to; empty, absent or made by this command")
        parser.add_argument("--count", metavar="N", default="12", help=f"how many, 1 to {MOST} (12)")
        parser.add_argument(
            "--seed", metavar="S", default="1", help="a whole number; another seed, other incidents (1)"
        )
        parser.add_argument(
            "--scale", default="small", help="small: under 2 MB each; real: hundreds of MB each (small)"
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["out"]:
            raise CommandError("--out is missing: name the folder to make the incidents in", returncode=2)
        count = whole_number("--count", options["count"], 1, MOST)
        seed = whole_number("--seed", options["seed"], 0, LARGEST_SEED)
        scale = SCALES.get(options["scale"])
        if scale is None:
            raise CommandError(f"--scale {options['scale']}: use {' or '.join(SCALES)}", returncode=2)
        tell = None if options["json"] else self._tell
        folder = Path(options["out"]).absolute()
        try:
            made = make_incidents(folder, count, seed, scale, tell)
        except FolderError as error:
            raise CommandError(str(error), returncode=2) from error
        except OSError as error:
            raise CommandError(
                f"{folder} can't be written: {error.strerror or error}", returncode=2
            ) from error
        total = sum(incident.size_bytes for incident in made)
        if options["json"]:
            report = {
                "folder": str(folder),
                "incidents": [asdict(each) for each in made],
                "size_bytes": total,
            }
            self.stdout.write(json.dumps(report, indent=2))
        else:
            self.stdout.write(f"{len(made)} incidents, {total / 1e6:,.1f} MB, in {folder}")

    def _tell(self, incident: MadeIncident) -> None:
        kinds = " and ".join(incident.faults)
        size = f"{incident.size_bytes / 1e6:,.1f} MB in {incident.files} files"
        self.stdout.write(f"{incident.slug:<14}{incident.difficulty:<8}{kinds} ({size})")


def whole_number(option: str, text: str, least: int, most: int) -> int:
    """Return the option's value, or end the command with a sentence."""
    text = str(text)  # call_command hands over what it was given
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise CommandError(f"{option} {text}: use a whole number from {least} to {most}", returncode=2)
    return int(text)
