"""Reading the tables and times of a snapshot."""

from __future__ import annotations

import ast
import csv
import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

EVENTS = "k8s_events_raw.tsv"
OBJECTS = "k8s_objects_raw.tsv"
LOGS = "otel_logs_raw.tsv"
TRACES = "otel_traces_raw.tsv"

Row = dict[str, Any]

MOST_CHARACTERS = 18_000  # An agent's shell cuts an output of more than 20,000 in the middle.

csv.field_size_limit(1 << 30)  # One field may hold a whole Kubernetes object.

POD_OF_REPLICA_SET = re.compile(r"-(?=[a-z0-9]*\d)[a-z0-9]{6,10}-[a-z0-9]{5}$")
POD_OF_STATEFUL_SET = re.compile(r"-\d{1,3}$")
# The alphabet of Kubernetes' random names: no vowels, so that "collector-agent" is no such name.
POD_OF_DAEMON_SET = re.compile(r"-[bcdfghjklmnpqrstvwxz2456789]{5}$")


def table(path: str | Path) -> Iterator[Row]:
    """Yield the rows of a tab-separated file by column name; a missing file has none."""
    if not Path(path).is_file():
        return
    with Path(path).open(encoding="utf-8", errors="replace", newline="") as file:
        for row in csv.DictReader((line.replace("\0", "") for line in file), delimiter="\t"):
            yield {key: value or "" for key, value in row.items() if isinstance(key, str)}


def bodies(path: str) -> Iterator[tuple[float | None, Row]]:
    """Yield the time and the JSON object of each row's Body; JSON within a JSON string is opened."""
    for row in table(path):
        body = json_of(row.get("Body", ""))
        if isinstance(body, str):
            body = json_of(body)
        if isinstance(body, dict):
            yield seconds_of(row.get("Timestamp") or row.get("TimestampTime", "")), body


def json_of(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def attributes(text: str) -> Row:
    """Return a column of attributes, which is a Python literal or JSON."""
    found = json_of(text)
    if found is None and text.strip():
        try:
            found = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            found = None
    return found if isinstance(found, dict) else {}


def seconds_of(text: Any) -> float | None:
    """Return a time as seconds since 1970: ISO with any fraction, or a number of s, ms, us or ns."""
    text = str(text or "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        number = float(text)
        while number > 1e11:
            number /= 1000
        return number
    found = re.match(r"(\d{4}-\d\d-\d\d)[T ](\d\d[:-]\d\d[:-]\d\d)(\.\d+)?\s*(Z|[+-]\d\d:?\d\d)?", text)
    if not found:
        return None
    day, clock, fraction, zone = found.groups()
    zone = "+00:00" if zone in (None, "Z") else f"{zone[:3]}:{zone[-2:]}"
    moment = datetime.fromisoformat(f"{day}T{clock.replace('-', ':')}{zone}")
    return moment.timestamp() + float(fraction or 0)


def clock(seconds: float | None) -> str | None:
    """Return a time as people write it."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def workload_of(pod: str) -> str:
    """Return the name of what a pod belongs to, judged by the pod's name."""
    for ending in (POD_OF_REPLICA_SET, POD_OF_STATEFUL_SET, POD_OF_DAEMON_SET):
        if ending.search(pod):
            return ending.sub("", pod)
    return pod


def short(text: Any, limit: int = 200) -> str:
    words = " ".join(str(text).split())
    return words if len(words) <= limit else words[:limit] + "..."


def show(rows: list[Row], limit: int) -> None:
    """Print rows as JSON lines, at most `limit` and no more than fits, and how many there are more."""
    characters = 0
    for place, row in enumerate(rows):
        line = json.dumps({key: value for key, value in row.items() if value not in (None, [], {})})
        characters += len(line) + 1
        if place >= limit or characters > MOST_CHARACTERS:
            sys.stdout.write(json.dumps({"more": len(rows) - place}) + "\n")
            return
        sys.stdout.write(line + "\n")
