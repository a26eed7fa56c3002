"""Logs and traces, before and after a moment."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from typing import Any

from .rows import LOGS, TRACES, Row, attributes, clock, json_of, seconds_of, short, table

BAD_SEVERITY = ("ERROR", "FATAL", "CRITICAL", "WARN", "WARNING", "SEVERE")
BAD_WORDS = re.compile(
    r"\b(error|exception|fail(ed|ure)?|refused|timed? ?out|unavailable|denied|panic|fatal)\b", re.I
)
VARYING = re.compile(r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b|\b0x[0-9a-f]+\b|\b(?=\w*\d)[0-9a-f]{8,}\b|\d+", re.I)
MESSAGE_KEYS = ("message", "msg", "error", "err", "exception", "body")
PEER_KEYS = (
    "peer.service",
    "server.address",
    "net.peer.name",
    "upstream_cluster",
    "rpc.service",
    "db.system",
    "messaging.system",
)
ERROR_COLUMNS = (
    "SpanId", "ParentSpanId", "ServiceName", "SpanKind", "SpanAttributes", "StatusMessage", "SpanName",
)  # fmt: skip
MOST_SPANS = 2_000_000  # whose parents are kept: a sandbox has 2 GB


def logs(since: float, service: str | None = None) -> list[Row]:
    """Return the complaints in the logs by service and wording, those that grew most after `since` first."""
    found: dict[tuple[str, str], Row] = {}
    for row in table(LOGS):
        if service is not None and row.get("ServiceName") != service:
            continue
        message = message_of(row.get("Body", ""))
        severity = row.get("SeverityText", "").upper()
        if severity not in BAD_SEVERITY and not (severity in ("", "INFO") and BAD_WORDS.search(message)):
            continue
        time = seconds_of(row.get("Timestamp"))
        key = (row.get("ServiceName", ""), short(VARYING.sub("#", message), 160))
        entry = found.setdefault(key, {"before": 0, "after": 0, "first": time, "says": short(message, 240)})
        entry["after" if time is not None and time >= since else "before"] += 1
        entry["severity"] = severity
    rows = [{"service": key[0], **entry, "first": clock(entry["first"])} for key, entry in found.items()]
    return sorted(rows, key=lambda row: (row["before"] - row["after"], row["service"], row["says"]))


def message_of(body: str) -> str:
    told = json_of(body) if body.lstrip().startswith("{") else None
    if isinstance(told, dict):
        body = next((str(told[key]) for key in MESSAGE_KEYS if told.get(key)), body)
    return body[:2000]


class Service:
    """What the spans of one service tell, before (0) and after (1) the moment."""

    def __init__(self) -> None:
        self.spans, self.errors, self.deepest = [0, 0], [0, 0], [0, 0]
        self.milliseconds = (array("d"), array("d"))
        self.says: Counter[str] = Counter()


class Spans:
    """What is kept of all spans of a file, read one by one."""

    def __init__(self) -> None:
        self.services: dict[str, Service] = {}
        self.homes: dict[str, str] = {}  # the service of each span
        self.children: list[tuple[str, str, int, bool]] = []  # parent, service, before or after, failed
        self.errors: list[Row] = []

    def add(self, row: Row, when: int) -> None:
        name, failed = row.get("ServiceName", ""), has_failed(row)
        note_span(self.services.setdefault(name, Service()), row, when)
        if len(self.homes) < MOST_SPANS:
            self.homes[row.get("SpanId", "")] = name
            self.children.append((row.get("ParentSpanId", ""), name, when, failed))
        if failed:
            self.errors.append({"when": when, **{column: row.get(column, "") for column in ERROR_COLUMNS}})


def traces(since: float) -> list[Row]:
    """Return each service's spans, errors and times, the calls between services, and calls nobody answered.

    An error is deepest when no span below it has one: where a failure starts and not where it passes.
    """
    spans = Spans()
    for row in table(TRACES):
        time = seconds_of(row.get("Timestamp"))
        spans.add(row, int(time is not None and time >= since))
    unanswered = note_errors(spans)
    return [*service_rows(spans.services), *call_rows(spans), *unanswered]


def has_failed(row: Row) -> bool:
    return row.get("StatusCode", "").lower() in ("error", "status_code_error")


def note_span(service: Service, row: Row, when: int) -> None:
    service.spans[when] += 1
    service.errors[when] += has_failed(row)
    duration = row.get("Duration", "")
    if duration.isdigit() and row.get("SpanKind", "").lower().removeprefix("span_kind_") in (
        "server",
        "consumer",
    ):
        service.milliseconds[when].append(int(duration) / 1e6)


def note_errors(spans: Spans) -> list[Row]:
    """Count the deepest errors of each service, and return those calls outward that reached nobody."""
    above_errors = {error["ParentSpanId"] for error in spans.errors}
    with_children = {parent for parent, _, _, _ in spans.children}
    unanswered: dict[tuple[str, str], Row] = {}
    for error in spans.errors:
        if error["SpanId"] in above_errors:
            continue
        service = spans.services[error["ServiceName"]]
        service.deepest[error["when"]] += 1
        service.says[short(error["StatusMessage"] or error["SpanName"], 160)] += 1
        if is_outward(error) and error["SpanId"] not in with_children:
            row = unanswered.setdefault((error["ServiceName"], peer_of(error)), {"before": 0, "after": 0})
            row["after" if error["when"] else "before"] += 1
            row["says"] = short(error["StatusMessage"], 160)
    return [{"unanswered": key[0], "peer": key[1], **row} for key, row in sorted(unanswered.items())]


def is_outward(span: Row) -> bool:
    return span["SpanKind"].lower().removeprefix("span_kind_") in ("client", "producer")


def peer_of(error: Row) -> str:
    told = attributes(error["SpanAttributes"])
    return next((str(told[key]) for key in PEER_KEYS if told.get(key)), error["SpanName"])


def service_rows(services: dict[str, Service]) -> list[Row]:
    return [
        {
            "service": name,
            "spans": service.spans,
            "errors": service.errors,
            "deepest_errors": service.deepest,
            "p95_ms": [high_mark(times) for times in service.milliseconds],
            "says": [f"{count} x {text}" for text, count in service.says.most_common(2)],
        }
        for name, service in sorted(services.items())
    ]


def call_rows(spans: Spans) -> list[Row]:
    calls: dict[tuple[str, str], Any] = {}
    for parent, callee, when, failed in spans.children:
        caller = spans.homes.get(parent)
        if caller is not None and caller != callee:
            row = calls.setdefault((caller, callee), {"calls": [0, 0], "failed": [0, 0]})
            row["calls"][when] += 1
            row["failed"][when] += failed
    return [{"caller": key[0], "callee": key[1], **row} for key, row in sorted(calls.items())]


def high_mark(times: array[float]) -> float | None:
    """Return the 95th percentile, or None for none."""
    return round(sorted(times)[int(0.95 * (len(times) - 1))], 1) if times else None
