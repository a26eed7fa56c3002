"""What the cluster complained about: alerts and events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .rows import EVENTS, Row, bodies, clock, seconds_of, short, workload_of

TARGET_LABELS = ("service_name", "service", "deployment", "workload", "statefulset", "container", "app")


def alert_files() -> list[Path]:
    return sorted([*Path("alerts").glob("*.json"), *Path().glob("alerts*.json")], key=lambda path: path.name)


def alerts_in(told: Any) -> list[Row]:
    """Return the alerts of a file: a bare list, or an answer of Prometheus around one."""
    for _ in range(3):
        if isinstance(told, list):
            return [alert for alert in told if isinstance(alert, dict)]
        if not isinstance(told, dict):
            return []
        told = told.get("alerts", told.get("data"))
    return []


def read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8", errors="replace"))
    except ValueError:
        return None


def alerts() -> list[Row]:
    """Return each distinct alert once: what it names, since when, in how many files it stood."""
    found: dict[tuple[str, str, str], Row] = {}
    files = alert_files()
    for place, path in enumerate(files):
        for alert in alerts_in(read_json(path)):
            labels = alert.get("labels") or {}
            target = alert_target(labels)
            key = (str(labels.get("alertname")), str(labels.get("namespace", "")), target)
            since = seconds_of(alert.get("activeAt"))
            row = found.setdefault(key, {"since": since, "files": set(), "first_file": place})
            row["files"].add(place)
            row["since"] = min((time for time in (row["since"], since) if time is not None), default=None)
            row["severity"] = labels.get("severity")
            row["says"] = short((alert.get("annotations") or {}).get("description", ""), 160)
    return [alert_row(key, row, len(files)) for key, row in sorted(found.items(), key=alert_order)]


def alert_target(labels: Row) -> str:
    for label in TARGET_LABELS:
        if labels.get(label):
            return str(labels[label])
    return workload_of(str(labels.get("pod") or labels.get("job") or ""))


def alert_order(item: tuple[tuple[str, str, str], Row]) -> tuple[float, tuple[str, str, str]]:
    return item[1]["since"] or 0.0, item[0]


def alert_row(key: tuple[str, str, str], row: Row, files: int) -> Row:
    return {
        "alert": key[0],
        "namespace": key[1],
        "target": key[2],
        "since": clock(row["since"]),
        "files": len(row["files"]),
        "of": files,
        "from_the_start": row["first_file"] == 0,
        "severity": row["severity"],
        "says": row["says"],
    }


def event_objects() -> Iterator[tuple[float | None, Row]]:
    for time, body in bodies(EVENTS):
        event = body.get("object", body)
        if isinstance(event, dict):
            yield time, event


def events(kind: str = "Warning") -> list[Row]:
    """Return the events of a type, one row for each reason and workload, the most frequent first."""
    found: dict[tuple[str, str, str, str], Row] = {}
    for seen_at, event in event_objects():
        if kind != "all" and event.get("type", "Normal") != kind:
            continue
        about = event.get("involvedObject") or event.get("regarding") or {}
        name, about_kind = str(about.get("name", "")), str(about.get("kind", ""))
        owner = workload_of(name) if about_kind == "Pod" else name
        key = (str(event.get("reason")), str(about.get("namespace", "")), about_kind, owner)
        message = short(event.get("message") or event.get("note") or "", 300)
        row = found.setdefault(key, {"names": set(), "counts": {}, "times": [], "says": message})
        row["names"].add(name)
        row["counts"][event_id(event, name, message)] = int(event.get("count") or 1)
        first = event.get("firstTimestamp") or event.get("eventTime")
        row["times"] += [seconds_of(first), seconds_of(event.get("lastTimestamp")) or seen_at]
    rows = [event_row(key, row) for key, row in found.items()]
    return sorted(rows, key=lambda row: (-row["count"], row["reason"], row["namespace"], row["workload"]))


def event_id(event: Row, name: str, message: str) -> str:
    """Return what tells an event from its own later versions, whose counts hold the earlier ones."""
    return str((event.get("metadata") or {}).get("uid") or (name, message))


def event_row(key: tuple[str, str, str, str], row: Row) -> Row:
    times = [time for time in row["times"] if time is not None]
    return {
        "reason": key[0],
        "namespace": key[1],
        "kind": key[2],
        "workload": key[3],
        "count": sum(row["counts"].values()),
        "objects": len(row["names"]),
        "first": clock(min(times, default=None)),
        "last": clock(max(times, default=None)),
        "says": row["says"],
    }
