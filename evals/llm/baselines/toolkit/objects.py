"""The cluster's objects through time: what they are, and what was changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from .rows import OBJECTS, Row, bodies, clock, json_of, seconds_of, short

# What controllers rewrite all the time, or what only mirrors something else.
UNINTERESTING = (
    "Pod", "ReplicaSet", "Event", "Endpoints", "EndpointSlice", "Lease", "ControllerRevision", "Node",
    "PodMetrics", "NodeMetrics",
)  # fmt: skip
CONTROLLERS = ("kube-controller-manager", "kube-scheduler", "kubelet", "cloud-controller", "chaos-controller")
PAUSE = "experiment.chaos-mesh.org/pause"
Key = tuple[str, str, str]  # namespace, kind, name


class Version:
    """What was set on an object (not its status), from one dump to another."""

    def __init__(self, time: float | None, wanted: Row) -> None:
        self.first = self.last = time
        self.wanted = wanted


class History:
    """One object through the dumps."""

    def __init__(self, time: float | None) -> None:
        self.first = self.last = time  # when it was first and last dumped
        self.latest: Row = {}
        self.versions: list[Version] = []


def dumped() -> Iterator[tuple[float | None, Row]]:
    """Yield every dumped object with the time of its dump; lists and watch events are opened."""
    for time, body in bodies(OBJECTS):
        inner = body.get("object")
        thing = inner if isinstance(inner, dict) and "kind" in inner else body
        for single in thing.get("items") or [thing] if str(thing.get("kind")).endswith("List") else [thing]:
            if isinstance(single, dict) and isinstance(single.get("metadata"), dict):
                yield time, single


def key_of(thing: Row) -> Key:
    metadata = thing["metadata"]
    return str(metadata.get("namespace") or ""), str(thing.get("kind")), str(metadata.get("name"))


def histories() -> dict[Key, History]:
    found: dict[Key, History] = {}
    texts: dict[Key, str] = {}
    for time, thing in dumped():
        key = key_of(thing)
        history = found.setdefault(key, History(time))
        history.last, history.latest = time, thing
        wanted = settled(thing)
        text = json.dumps(wanted, sort_keys=True)
        if texts.get(key) != text:
            texts[key] = text
            history.versions.append(Version(time, wanted))
        history.versions[-1].last = time
    return found


def settled(thing: Row) -> Row:
    """Return what somebody set on an object: no status, no bookkeeping."""
    wanted = {
        name: value
        for name, value in thing.items()
        if name not in ("apiVersion", "kind", "metadata", "status")
    }
    paused = (thing["metadata"].get("annotations") or {}).get(PAUSE)
    if paused is not None:
        wanted["paused"] = paused
    return wanted


def changes() -> list[Row]:
    """Return what was created, changed or removed between the dumps, in order of time."""
    found = histories()
    times = [time for history in found.values() for time in (history.first, history.last) if time is not None]
    start, end = min(times, default=0.0), max(times, default=0.0)
    rows: list[Row] = []
    for key, history in found.items():
        if key[1] not in UNINTERESTING:
            rows += [{**row, **named(key)} for row in changes_of(history, start, end)]
    return sorted(rows, key=lambda row: (row["time"] or "", row["namespace"], row["kind"], row["name"]))


def named(key: Key) -> Row:
    return {"namespace": key[0], "kind": key[1], "name": key[2]}


def changes_of(history: History, start: float, end: float) -> list[Row]:
    rows: list[Row] = []
    created = seconds_of(history.latest["metadata"].get("creationTimestamp"))
    if created is not None and created >= start - 3600:
        rows.append({"change": "created", "time": clock(created)})
    elif history.first is not None and history.first > start + 60:
        rows.append({"change": "appeared", "time": clock(history.first)})
    rows += [changed(old, new) for old, new in pairwise(history.versions)]
    edited = last_edit(history.latest)
    if edited is not None and edited[0] >= start - 3600 and (created is None or edited[0] > created + 60):
        rows.append({"change": "edited", "time": clock(edited[0]), "by": edited[1]})
    # Two dumps without it: a single one may have been cut off.
    if history.last is not None and history.last < end - 660:
        rows.append({"change": "gone", "time": clock(history.last)})
    return rows


def changed(old: Version, new: Version) -> Row:
    """Return a change, made after the last dump of the old version and before the first of the new."""
    paths = [
        [path, short(was, 120), short(now, 120)] for path, was, now in differences(old.wanted, new.wanted)
    ]
    return {"change": "changed", "time": clock(new.first), "not_before": clock(old.last), "paths": paths[:8]}


def last_edit(thing: Row) -> tuple[float, str] | None:
    """Return when and by what somebody other than a controller last wrote the object."""
    edits = []
    for entry in thing["metadata"].get("managedFields") or ():
        manager, time = str(entry.get("manager")), seconds_of(entry.get("time"))
        if time is not None and not entry.get("subresource") and not manager.startswith(CONTROLLERS):
            edits.append((time, manager))
    return max(edits, default=None)


def differences(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield path, old and new value of every difference; lists of named things are compared by name."""
    old, new = opened(old), opened(new)
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from differences(old.get(name), new.get(name), f"{path}.{name}" if path else str(name))
    elif old != new:
        yield path, old, new


def opened(value: Any) -> Any:
    """Return a value with its inner structure: named lists as dictionaries, JSON text as what it says."""
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        inner = json_of(value)
        return value if inner is None else inner
    if isinstance(value, list) and value and all(isinstance(item, dict) and "name" in item for item in value):
        return {item["name"]: item for item in value}
    return value


def describe(namespace: str, kind: str, name: str) -> list[Row]:
    """Return what is set on an object, and how it was when it was first seen if that differs."""
    history = histories().get((namespace, kind, name))
    if history is None:
        return [{"missing": f"{namespace}/{kind}/{name}"}]
    metadata = history.latest["metadata"]
    rows = [
        {
            "object": f"{namespace}/{kind}/{name}",
            "created": metadata.get("creationTimestamp"),
            "generation": metadata.get("generation"),
            "set": short(json.dumps(history.versions[-1].wanted), 3000),
            "status": short(json.dumps(history.latest.get("status")), 800),
        }
    ]
    if len(history.versions) > 1:
        rows.append({"was": short(json.dumps(history.versions[0].wanted), 3000)})
    return rows
