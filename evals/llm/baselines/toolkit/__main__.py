"""The commands: `python3 -m toolkit <command>`, in the folder that holds the snapshot."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from . import metrics, objects, problems, suspects, symptoms, telemetry
from .rows import EVENTS, LOGS, OBJECTS, TRACES, Row, seconds_of, show


def main() -> None:
    told = arguments()
    show(rows_for(told), told.limit)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="toolkit")
    parser.add_argument("command")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--since", default="1970-01-01T00:00:00Z", help="what counts as after")
    parser.add_argument("--limit", type=int, default=60)
    return parser.parse_args()


def rows_for(told: argparse.Namespace) -> list[Row]:
    since, names = seconds_of(told.since) or 0.0, told.names
    name = names[0] if names else None
    commands: dict[str, Callable[[], list[Row]]] = {
        "files": files,
        "alerts": symptoms.alerts,
        "events": lambda: symptoms.events(name or "Warning"),
        "changes": objects.changes,
        "describe": lambda: objects.describe(*(names + [""] * 3)[:3]),
        "problems": problems.problems,
        "chaos": suspects.chaos,
        "flags": suspects.flags,
        "policies": suspects.policies,
        "wiring": suspects.wiring,
        "dependencies": suspects.dependencies,
        "logs": lambda: telemetry.logs(since, name),
        "traces": lambda: telemetry.traces(since),
        "metrics": lambda: metrics.metrics(since, name),
    }
    if told.command not in commands:
        raise SystemExit(f"toolkit: no command {told.command!r}; there are {', '.join(sorted(commands))}")
    return commands[told.command]()


def files() -> list[Row]:
    """Return the tables with their sizes, and the names of alert and metric files."""
    tables = [path for path in (EVENTS, OBJECTS, LOGS, TRACES, "topology.json") if Path(path).is_file()]
    rows: list[Row] = [{"file": path, "bytes": Path(path).stat().st_size} for path in tables]
    rows.append({"alerts": [path.name for path in symptoms.alert_files()][:200]})
    rows.append({"metrics": [path.name for path in metrics.metric_files()][:400]})
    return rows


main()
