"""The alerts of a task along its time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

LEAST_WIDTH = 0.006  # an alert seen once still shows


@dataclass(frozen=True)
class AlertLine:
    name: str
    service: str
    namespace: str
    severity: str
    first: datetime | None  # when it began, maybe long before the snapshot; None: not told
    seen: datetime | None  # in the earliest file that has it
    last: datetime | None
    count: int  # files it stands in: one a minute
    start: float = 0.0  # share of the time that the alert files cover
    width: float = 0.0  # 0: no time is known


@dataclass(frozen=True)
class Span:
    first: datetime
    last: datetime

    def share(self, when: datetime) -> float:
        seconds = (self.last - self.first).total_seconds()
        return (when - self.first).total_seconds() / seconds if seconds else 0.0


def alert_lines(summary: Iterable[Mapping[str, Any]]) -> tuple[list[AlertLine], Span | None]:
    """Return the alerts, the earliest first, and the time their files cover (None when none is told)."""
    alerts = [read_alert(alert) for alert in summary]
    span = span_of(alerts)
    placed = [place(alert, span) for alert in alerts]
    return sorted(placed, key=lambda alert: (alert.start, alert.name, alert.service)), span


def read_alert(alert: Mapping[str, Any]) -> AlertLine:
    seen = moment(alert.get("first_seen"))
    first = moment(alert.get("since")) or seen
    return AlertLine(
        name=str(alert.get("name", "")),
        service=str(alert.get("service", "")),
        namespace=str(alert.get("namespace", "")),
        severity=str(alert.get("severity", "")),
        first=first,
        seen=seen or first,
        last=moment(alert.get("last_seen")) or first,
        count=int(alert.get("count", 1)),
    )


def moment(text: object) -> datetime | None:
    try:
        when = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def span_of(alerts: Sequence[AlertLine]) -> Span | None:
    # From the files, not from when alerts began: one that is weeks old would press all others to a dot.
    moments = [when for alert in alerts for when in (alert.seen, alert.last) if when]
    return Span(min(moments), max(moments)) if moments else None


def place(alert: AlertLine, span: Span | None) -> AlertLine:
    if span is None or alert.first is None or alert.last is None:
        return alert
    start = min(max(span.share(alert.first), 0.0), 1 - LEAST_WIDTH)
    width = max(span.share(alert.last) - start, LEAST_WIDTH)
    return AlertLine(**{**vars(alert), "start": start, "width": width})
