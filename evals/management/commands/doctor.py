"""manage.py doctor: what is ready, and how to get what is not."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from evals.management import readiness
from evals.runner import Check

# Without one of these no evaluation can run at all; of the sandboxes one will do.
NEEDED = {"data folder", "settings", "database", "queue", "benchmarks", "language models"}


class Command(BaseCommand):
    help = "Tell what is ready and how to get what is not. Ends with 0 when an evaluation could run, else 1."
    requires_migrations_checks = False
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        checks = all_checks()
        lacking = what_is_lacking(checks)
        if options["json"]:
            rows = [asdict(check) for check in checks]
            self.stdout.write(json.dumps({"can_evaluate": not lacking, "lacking": lacking, "checks": rows}))
        else:
            self.stdout.write("\n".join([*map(line_of, checks), "", verdict(lacking)]))
        if lacking:
            raise SystemExit(1)


def all_checks() -> list[Check]:
    checks = readiness.machine_checks()
    if all(check.ready for check in checks if check.name == "database"):
        checks += readiness.table_checks()
    return checks + readiness.sandbox_checks()


def what_is_lacking(checks: list[Check]) -> list[str]:
    """Return what keeps every evaluation from running."""
    ready = {check.name for check in checks if check.ready}
    sandbox = any(name.startswith("sandbox ") for name in ready)
    return sorted(NEEDED - ready) + ([] if sandbox else ["sandbox"])


def line_of(check: Check) -> str:
    mark = "ready  " if check.ready else "missing"
    line = f"{mark}  {check.name:<18} {check.detail}"
    return f"{line}\n{'':28}-> {check.remedy}" if check.remedy else line


def verdict(lacking: list[str]) -> str:
    if not lacking:
        return "An evaluation can run: manage.py evaluate --model SLUG --benchmark SLUG --wait"
    return f"No evaluation can run yet, for want of: {', '.join(lacking)}."
