"""The commands: `python3 -m toolkit <command> [names] [--since T] [--limit N]`, where the snapshot lies."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from .rows import EVENTS, LOGS, OBJECTS, TRACES, Row, seconds_of, show

# Read by hand and loaded by need: a run starts this some twenty times, and argparse alone is a third of it.
HOMES = {
    "alerts": "symptoms",
    "events": "symptoms",
    "changes": "objects",
    "describe": "objects",
    "problems": "problems",
    "chaos": "suspects",
    "flags": "suspects",
    "policies": "suspects",
    "wiring": "suspects",
    "dependencies": "suspects",
    "logs": "telemetry",
    "traces": "telemetry",
    "metrics": "metrics",
}
TAKE_A_TIME = ("logs", "traces", "metrics")


def main(arguments: list[str]) -> None:
    names, options = [], {"--since": "", "--limit": "60"}
    words = iter(arguments)
    for word in words:
        if word in options:
            options[word] = next(words, "")
        else:
            names.append(word)
    show(rows_for(names, seconds_of(options["--since"]) or 0.0), int(options["--limit"]))


def rows_for(names: list[str], since: float) -> list[Row]:
    command = names[0] if names else ""
    if command == "files":
        return files()
    if command not in HOMES:
        raise SystemExit(f"toolkit: no command {command!r}; there are files, {', '.join(HOMES)}")
    function = getattr(import_module(f".{HOMES[command]}", __package__), command)
    rows: list[Row] = function(since, *names[1:]) if command in TAKE_A_TIME else function(*names[1:])
    return rows


def files() -> list[Row]:
    """Return the tables with their sizes, and the names of alert and metric files."""
    tables = [path for path in (EVENTS, OBJECTS, LOGS, TRACES, "topology.json") if Path(path).is_file()]
    rows: list[Row] = [{"file": path, "bytes": Path(path).stat().st_size} for path in tables]
    alerts = sorted(path.name for path in (*Path("alerts").glob("*.json"), *Path().glob("alerts*.json")))
    rows.append({"alerts": alerts[:200]})
    rows.append({"metrics": sorted(path.name for path in Path("metrics").glob("*.tsv"))[:400]})
    return rows


if __name__ == "__main__":
    main(sys.argv[1:])
