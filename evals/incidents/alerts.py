"""Alerts: a rule is pending while it holds, and fires once it has held for long enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evals.incidents.clock import Clock
from evals.incidents.meters import Meters
from evals.incidents.rules import PERMANENT, Finding, Labels, findings
from evals.incidents.traffic import Traffic
from evals.incidents.world import World


@dataclass(frozen=True)
class Alert:
    finding: Finding
    active_at: float
    firing: bool


class AlertManager:
    """Evaluates the rules and remembers since when each has held."""

    def __init__(self, names: Mapping[str, str], permanent_since: float) -> None:
        self._names = names
        self._permanent = [Alert(finding, permanent_since, firing=True) for finding in PERMANENT]
        self._active_at: dict[tuple[str, Labels], float] = {}
        self.fired: set[tuple[str, str]] = set()  # (name, service or pod) of all that ever fired

    def evaluate(self, world: World, meters: Meters, traffic: Traffic, now: float) -> list[Alert]:
        """Return the alerts that are active at `now`."""
        found = {
            (finding.rule.name, finding.labels): finding
            for finding in findings(world, meters, traffic, self._names)
        }
        self._active_at = {
            key: self._active_at.get(key, now if finding.since is None else finding.since)
            for key, finding in found.items()
        }
        alerts = [
            Alert(finding, self._active_at[key], now - self._active_at[key] >= finding.rule.for_s)
            for key, finding in found.items()
        ]
        self.fired |= {_about(alert) for alert in alerts if alert.firing}
        return [*self._permanent, *alerts]


def _about(alert: Alert) -> tuple[str, str]:
    labels = dict(alert.finding.labels)
    return alert.finding.rule.name, labels.get("service_name") or labels.get("pod", "")


def alert_document(alert: Alert, clock: Clock) -> dict[str, Any]:
    """Return the alert as Prometheus' API shows it."""
    finding, rule = alert.finding, alert.finding.rule
    return {
        "labels": {"alertname": rule.name, **dict(finding.labels), "severity": rule.severity},
        "annotations": {"description": finding.description},
        "state": "firing" if alert.firing else "pending",
        "activeAt": clock.iso_nanoseconds(alert.active_at),
        "value": f"{finding.value:.4e}",
    }
