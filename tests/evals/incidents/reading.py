"""Reads a snapshot as an agent would: from the files alone, knowing only the published layout."""

from __future__ import annotations

import ast
import csv
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

csv.field_size_limit(10**9)
LOGS = ("k8s_events_raw.tsv", "k8s_objects_raw.tsv", "otel_logs_raw.tsv")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", strict=True))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=None)


def decoded(text: str) -> Any:
    body = json.loads(text)
    return json.loads(body) if isinstance(body, str) else body


@dataclass(frozen=True)
class Event:
    kind: str
    name: str
    reason: str
    message: str
    at: datetime


class Snapshot:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes = json.loads((folder / "assertion.json").read_text())
        truth = yaml.safe_load((folder / "ground_truth.yaml").read_text())
        self.truth: dict[str, Any] = truth.get("spec", truth)

    @property
    def kinds(self) -> list[str]:
        return [fault["kind"] for fault in self.notes["faults"]]

    @property
    def fault_at(self) -> datetime:
        return min(moment(fault["at"]) for fault in self.notes["faults"])

    @property
    def roots(self) -> list[dict[str, Any]]:
        return [group for group in self.truth["groups"] if group.get("root_cause")]

    @cached_property
    def objects(self) -> list[tuple[datetime, dict[str, Any]]]:
        table = rows(self.folder / "k8s_objects_raw.tsv")
        return [(moment(row["Timestamp"]), decoded(row["Body"])) for row in table]

    def versions(self, kind: str, name: str) -> list[dict[str, Any]]:
        """Return every dump of one object, the oldest first."""
        return [body for _, body in self.objects if (body["kind"], body["metadata"]["name"]) == (kind, name)]

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [body for _, body in self.objects if body["kind"] == kind]

    @cached_property
    def events(self) -> list[Event]:
        found = []
        for row in rows(self.folder / "k8s_events_raw.tsv"):
            body = json.loads(row["Body"])["object"]
            about = body.get("involvedObject") or body["regarding"]
            text = body.get("message") or body["note"]
            found.append(Event(about["kind"], about["name"], body["reason"], text, moment(row["Timestamp"])))
        return found

    @cached_property
    def spans(self) -> list[dict[str, str]]:
        return rows(self.folder / "otel_traces_raw.tsv")

    @cached_property
    def logs(self) -> list[dict[str, str]]:
        return rows(self.folder / "otel_logs_raw.tsv")

    def alert_files(self) -> list[Path]:
        return sorted((self.folder / "alerts").glob("alerts_at_*.json"))

    @cached_property
    def alerts(self) -> list[dict[str, Any]]:
        """Return every alert of every file of the series, as often as it stands there."""
        return [alert for path in self.alert_files() for alert in alerts_in(path)]

    def metric(self, file: str, name: str, **tags: str) -> list[tuple[datetime, float]]:
        """Return the samples of one series."""
        return [
            (moment(row["timestamp"]), float(row["value"]))
            for row in rows(self.folder / "metrics" / f"{file}_raw.tsv")
            if row["metric_name"] == name and tags.items() <= (ast.literal_eval(row["tags"]) | row).items()
        ]


def alerts_in(path: Path) -> list[dict[str, Any]]:
    document = json.loads(path.read_text())
    if isinstance(document, dict):
        document = document.get("data", document)["alerts"]
    return document
