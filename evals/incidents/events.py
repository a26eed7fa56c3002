"""Kubernetes events: what happened to which object, counted when it repeats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evals.incidents.clock import Clock
from evals.incidents.state import Ref

FORGET_AFTER_S = 3600.0  # the API server's own default for events
API_VERSIONS = {
    "Pod": "v1", "Namespace": "v1", "Node": "v1", "ConfigMap": "v1", "Service": "v1", "ResourceQuota": "v1",
    "ReplicaSet": "apps/v1", "Deployment": "apps/v1", "Job": "batch/v1", "CronJob": "batch/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2", "NetworkPolicy": "networking.k8s.io/v1",
    "NetworkChaos": "chaos-mesh.org/v1alpha1", "StressChaos": "chaos-mesh.org/v1alpha1",
    "Schedule": "chaos-mesh.org/v1alpha1",
}  # fmt: skip


@dataclass(frozen=True)
class Happening:
    """Something a component saw."""

    reason: str
    message: str
    component: str
    warning: bool = False
    host: str = ""
    field_path: str = ""


@dataclass
class Event:
    """A happening on an object; the same one again raises the count."""

    about: Ref
    about_uid: str
    happening: Happening
    name: str
    uid: str
    version: int
    first: float
    last: float
    count: int = 1


class EventLog:
    """Collects events until somebody drains them."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], Event] = {}
        self._fresh: list[tuple[Event, int, float]] = []

    def record(self, event: Event) -> None:
        key = (event.about_uid, event.happening.reason, event.happening.message)
        known = self._known.get(key)
        if known is None:
            self._known[key] = known = event
        else:
            known.count += 1
            known.last = max(known.last, event.last)
            known.version = event.version
        self._fresh.append((known, known.count, known.last))

    def drain(self, now: float) -> list[tuple[Event, int, float]]:
        """Return what was recorded since the last call, each with its count and time then."""
        fresh, self._fresh = self._fresh, []
        # Otherwise every failed attempt of a long window would be kept.
        self._known = {key: event for key, event in self._known.items() if event.last > now - FORGET_AFTER_S}
        return sorted(fresh, key=lambda entry: (entry[2], entry[0].name, entry[1]))


def core_event(event: Event, count: int, last: float, clock: Clock) -> dict[str, Any]:
    """Return the event as the core API shows it."""
    return {
        "kind": "Event",
        "apiVersion": "v1",
        "metadata": _metadata(event, clock),
        "involvedObject": _about(event),
        "reason": event.happening.reason,
        "message": event.happening.message,
        "source": _source(event),
        "firstTimestamp": clock.iso(event.first),
        "lastTimestamp": clock.iso(last),
        "count": count,
        "type": "Warning" if event.happening.warning else "Normal",
        "eventTime": None,
        "reportingComponent": event.happening.component,
        "reportingInstance": event.happening.host,
    }


def grouped_event(event: Event, count: int, last: float, clock: Clock) -> dict[str, Any]:
    """Return the event as events.k8s.io shows it."""
    return {
        "kind": "Event",
        "apiVersion": "events.k8s.io/v1",
        "metadata": _metadata(event, clock),
        "regarding": _about(event),
        "reason": event.happening.reason,
        "note": event.happening.message,
        "type": "Warning" if event.happening.warning else "Normal",
        "eventTime": None,
        "reportingController": event.happening.component,
        "reportingInstance": event.happening.host,
        "deprecatedSource": _source(event),
        "deprecatedFirstTimestamp": clock.iso(event.first),
        "deprecatedLastTimestamp": clock.iso(last),
        "deprecatedCount": count,
    }


def _metadata(event: Event, clock: Clock) -> dict[str, Any]:
    return {
        "name": event.name,
        "namespace": event.about.namespace or "default",
        "uid": event.uid,
        "resourceVersion": str(event.version),
        "creationTimestamp": clock.iso(event.first),
    }


def _about(event: Event) -> dict[str, Any]:
    about: dict[str, Any] = {"kind": event.about.kind, "name": event.about.name, "uid": event.about_uid}
    about["apiVersion"] = API_VERSIONS[event.about.kind]
    if event.about.namespace:
        about["namespace"] = event.about.namespace
    if event.happening.field_path:
        about["fieldPath"] = event.happening.field_path
    return about


def _source(event: Event) -> dict[str, str]:
    source = {"component": event.happening.component}
    if event.happening.host:
        source["host"] = event.happening.host
    return source
