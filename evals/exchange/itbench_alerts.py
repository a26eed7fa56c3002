"""The alerts of a snapshot, put together for people: one line for an alert, however many files repeat it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MAX_FILE_BYTES = 50_000_000
MAX_ALERTS = 1_000  # shown on one page

# alerts_at_2025-12-15T17-34-49.528434.json: colons are no good in file names. Times are UTC.
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d(?:\.\d+)?)")


def summarise_alerts(folder: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the distinct alerts of a task's folder, oldest first, and notes on what could not be read.

    An alert: name, namespace, service, severity, since, first_seen, last_seen (ISO times, "" for
    unknown) and count, the number of files it stands in. Alerts are the same when labels and
    activeAt are.
    """
    notes: list[str] = []
    alerts: dict[str, dict[str, Any]] = {}
    for file in _alert_files(folder, notes):
        document = _document(file, folder, notes)
        for identity, alert in _alerts(document, _seen_at(file, document)).items():
            known = alerts.setdefault(identity, {**alert, "count": 0})
            known["count"] += 1
            known["first_seen"] = min(known["first_seen"], alert["first_seen"])
            known["last_seen"] = max(known["last_seen"], alert["last_seen"])
    if len(alerts) > MAX_ALERTS:
        notes.append(f"{len(alerts)} distinct alerts; the summary shows the first {MAX_ALERTS}")
    ordered = sorted(alerts.values(), key=lambda alert: (alert["first_seen"], alert["since"], alert["name"]))
    return ordered[:MAX_ALERTS], notes


def _alert_files(folder: Path, notes: list[str]) -> list[Path]:
    loose = sorted(path for path in folder.glob("alerts_*.json") if path.resolve().is_relative_to(folder))
    inside = sorted((folder / "alerts").rglob("*.json"))
    if loose:
        reach = "an agent sees only those in alerts/" if inside else "an agent sees no alerts"
        notes.append(f"{len(loose)} alert files lie loose in the folder: summarised, but {reach}")
    return [path for path in (*inside, *loose) if path.is_file()]


def _document(file: Path, folder: Path, notes: list[str]) -> Any:
    """Return the parsed file, or None (with a note) when it is no JSON: a torn file costs no task."""
    name = file.relative_to(folder).as_posix()
    if file.stat().st_size > MAX_FILE_BYTES:
        notes.append(f"{name}: more than {MAX_FILE_BYTES:,} bytes, left out of the alert summary")
        return None
    try:
        return json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        notes.append(f"{name}: not JSON, left out of the alert summary")
        return None


def _seen_at(file: Path, document: Any) -> str:
    if name := _TIME.search(file.name):
        day, hour, minute, second = name.groups()
        return f"{day}T{hour}:{minute}:{second}Z"
    return _text(document.get("timestamp")) if isinstance(document, dict) else ""


def _alerts(document: Any, seen_at: str) -> dict[str, dict[str, Any]]:
    """Return the alerts of one file by what makes them distinct."""
    alerts = {}
    for item in _items(document):
        labels = item.get("labels") if isinstance(item, dict) else None
        if not isinstance(labels, dict):
            continue
        since = _text(item.get("activeAt"))
        alerts[json.dumps([labels, since], sort_keys=True)] = {
            "name": _text(labels.get("alertname")),
            "namespace": _text(labels.get("namespace")),
            "service": _text(labels.get("service_name") or labels.get("service")),
            "severity": _text(labels.get("severity")),
            "since": since,
            "first_seen": seen_at or since,
            "last_seen": seen_at or since,
        }
    return alerts


def _items(document: Any) -> Iterator[Any]:
    """Yield the alerts of any of the three shapes: a list, Prometheus' answer, an object with a timestamp."""
    while isinstance(document, dict):
        document = document.get("alerts", document.get("data"))
    if isinstance(document, list):
        yield from document


def _text(value: Any) -> str:
    """Return text that every database takes; "" for what is missing."""
    text = "" if value is None else str(value)
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
