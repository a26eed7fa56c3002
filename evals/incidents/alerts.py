"""Alerting rules over the metrics and the pods: pending when true, firing when true for long enough."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from evals.incidents.clock import Clock
from evals.incidents.cluster import SHOP
from evals.incidents.meters import BUCKETS_MS, Meters, Reading
from evals.incidents.state import Pod, Stage
from evals.incidents.traffic import SpanKey, Traffic
from evals.incidents.world import World

WITHOUT_RULES = {"flagd", "load-generator"}
SLOW_MS = 1500.0
LAG_LIMIT = 100.0

# The rules were renamed over the years; recordings carry one set or the other.
NAME_SETS: tuple[Mapping[str, str], ...] = (
    {"errors": "RequestErrorRate", "latency": "RequestLatency", "silence": "NoRequestsDetected",
     "crash": "PodCrashLoopBackOff"},
    {"errors": "HighRequestErrorRate", "latency": "HighRequestLatency", "silence": "NoRequestsReceived",
     "crash": "KubePodCrashLooping"},
)  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """A rule that holds at the moment."""

    name: str
    severity: str
    labels: tuple[tuple[str, str], ...]
    for_s: float  # how long it must hold before it fires
    value: float
    description: str
    since: float | None = None  # when it began to hold, where that is known better than by looking


@dataclass
class Alert:
    finding: Finding
    active_at: float
    firing: bool = False


class AlertManager:
    """Evaluates the rules once a minute and remembers since when each has held."""

    def __init__(self, names: Mapping[str, str], oddity_since: float) -> None:
        self._names = names
        self._oddity_since = oddity_since  # of what fires in every cluster, always
        self.alerts: dict[tuple[str, tuple[tuple[str, str], ...]], Alert] = {}
        self.fired: set[tuple[str, str]] = set()  # (name, service or pod) that ever fired

    def evaluate(self, world: World, meters: Meters, traffic: Traffic, now: float) -> list[Alert]:
        held: dict[tuple[str, tuple[tuple[str, str], ...]], Alert] = {}
        for finding in self._findings(world, meters, traffic, now):
            key = (finding.name, finding.labels)
            known = self.alerts.get(key)
            alert = Alert(finding, known.active_at if known else now if finding.since is None else finding.since)
            alert.firing = now - alert.active_at >= finding.for_s
            held[key] = alert
            if alert.firing:
                labels = dict(finding.labels)
                self.fired.add((finding.name, labels.get("service_name") or labels.get("pod", "")))
        self.alerts = held
        return [*self._always(), *held.values()]

    def _always(self) -> Iterator[Alert]:
        text = "This is an alert meant to ensure that the entire alerting pipeline is functional."
        labels = (("namespace", "prometheus"),)
        yield Alert(Finding("Watchdog", "none", labels, 0, 1.0, text), self._oddity_since, firing=True)
        text = "100% of the kube-proxy/kube-proxy targets in kube-system namespace are down."
        labels = (("job", "kube-proxy"), ("namespace", "kube-system"), ("service", "kube-proxy"))
        yield Alert(Finding("TargetDown", "warning", labels, 600, 100.0, text), self._oddity_since + 9, firing=True)

    def _findings(self, world: World, meters: Meters, traffic: Traffic, now: float) -> Iterator[Finding]:
        for service, readings in sorted(meters.history.items()):
            if service not in WITHOUT_RULES:
                yield from self._service_findings(service, readings, now)
        yield from _database_findings(meters)
        yield from _queue_findings(traffic)
        pods = [*world.shop_pods(), *world.restless]
        yield from _pending_pods(pods)
        for pod in sorted(pods, key=lambda pod: pod.identity.ref.name):
            yield from self._pod_findings(pod, meters)
        yield from _spend_findings(meters, now)

    def _service_findings(self, service: str, readings: deque[Reading], now: float) -> Iterator[Finding]:
        labels = (("namespace", SHOP), ("service_name", service))
        where = f"service {service} in namespace {SHOP}"
        last = readings[-1]
        recent = _since(readings, now - 120)
        errors = (last.error - recent.error) / 120
        if errors > 0:
            text = f"Request error rate in {where} is above 0 (current: {errors:.4f} a second)"
            yield Finding(self._names["errors"], "critical", labels, 180, errors, text)
        slow = quantile(0.95, recent.within, last.within)
        if slow is not None and slow > SLOW_MS:
            text = f"Latency (p95) in {where} is above {SLOW_MS:.0f}ms (current: {slow:.0f}ms)"
            yield Finding(self._names["latency"], "critical", labels, 180, slow, text)
        if now - readings[0].second >= 300 and last.ok == _since(readings, now - 300).ok:
            text = f"Service {service} in namespace {SHOP} has received no requests"
            yield Finding(self._names["silence"], "critical", labels, 240, 0.0, text)

    def _pod_findings(self, pod: Pod, meters: Meters) -> Iterator[Finding]:
        ref = pod.identity.ref
        name = f"{ref.namespace}/{ref.name}"
        labels = (("container", pod.workload), ("namespace", ref.namespace or ""), ("pod", ref.name))
        # Of what was broken before the window the rules have known for long.
        since = pod.identity.created + 30 if pod.identity.created < 0 and not meters.pods.get(pod.identity.uid) else None
        if not pod.ready:
            text = f"Pod {name} has been in a non-ready state for longer than 5 minutes."
            yield Finding("KubePodNotReady", "warning", labels[1:], 300, 1.0, text, since)
        if pod.waiting:
            text = f"Container {pod.workload} in pod {name} waits since more than 5 minutes (reason: {pod.waiting})."
            yield Finding("KubeContainerWaiting", "warning", (*labels, ("reason", pod.waiting)), 300, 1.0, text, since)
        if pod.waiting == "CrashLoopBackOff":
            text = f'Pod {name} ({pod.workload}) is in waiting state (reason: "CrashLoopBackOff").'
            yield Finding(self._names["crash"], "warning", labels, 60, float(pod.restarts), text, since)
        meter = meters.pods.get(pod.identity.uid)
        if meter is not None and pod.stage is Stage.RUNNING and meter.throttled_share > 0.25:
            share = 100 * meter.throttled_share
            text = f"{share:.2f}% throttling of CPU in namespace {ref.namespace} for container {pod.workload}."
            yield Finding("CPUThrottlingHigh", "info", labels, 300, share, text)


def quantile(share: float, before: tuple[int, ...], after: tuple[int, ...]) -> float | None:
    """Return the quantile of what was added between two histogram readings, as PromQL reckons it.

    None when nothing was added. Beyond the last limit the limit is returned.
    """
    added = [late - early for early, late in zip(before, after, strict=True)]
    if added[-1] <= 0:
        return None
    rank, lower, below = share * added[-1], 0.0, 0
    for limit, count in zip(BUCKETS_MS, added, strict=False):
        if count >= rank and count > below:
            return lower + (limit - lower) * (rank - below) / (count - below)
        lower, below = float(limit), count
    return float(BUCKETS_MS[-1])


def _since(readings: deque[Reading], second: float) -> Reading:
    """Return the newest reading that is not younger than `second`, else the oldest there is."""
    for reading in reversed(readings):
        if reading.second <= second:
            return reading
    return readings[0]


def _database_findings(meters: Meters) -> Iterator[Finding]:
    readings = meters.history.get("accounting")
    key = SpanKey("accounting", "INSERT orderitem", "CLIENT")
    if readings is None or key not in meters.spans or readings[-1].second - readings[0].second < 300:
        return
    if readings[-1].ok == _since(readings, readings[-1].second - 300).ok:
        labels = (("namespace", SHOP), ("service_name", "accounting"))
        text = f"Service accounting in namespace {SHOP} has stopped performing database operations"
        yield Finding("NoDatabaseOperations", "warning", labels, 240, 0.0, text)


def _queue_findings(traffic: Traffic) -> Iterator[Finding]:
    for group, lag in sorted(traffic.lag.items()):
        labels = (("consumergroup", group), ("namespace", SHOP), ("service_name", "kafka"), ("topic", "orders"))
        if lag > LAG_LIMIT:
            text = f"Kafka consumer group {group} has high lag on topic orders (current: {lag:.0f} messages)"
            yield Finding("HighKafkaConsumerLag", "warning", labels, 180, float(int(lag)), text)
        if not traffic.members[group]:
            text = f"Kafka consumer group {group} in namespace {SHOP} has no active members (current: 0)"
            yield Finding("KafkaConsumerGroupInactive", "critical", labels[:3], 120, 0.0, text)


def _pending_pods(pods: list[Pod]) -> Iterator[Finding]:
    waiting = {Stage.UNSCHEDULED, Stage.PULLING, Stage.PULL_FAILED}
    pending = sum(pod.stage in waiting for pod in pods if pod.identity.ref.namespace == SHOP)
    if pending:
        text = f"Pods in pending state in namespace {SHOP} is above 0 (current: {pending})"
        yield Finding("PendingPodsDetected", "critical", (("namespace", SHOP),), 120, float(pending), text)


def _spend_findings(meters: Meters, now: float) -> Iterator[Finding]:
    recent = [entry for entry in meters.spend if entry[0] > now - 120]
    earlier = [entry for entry in meters.spend if entry[0] <= now - 480]
    if len(earlier) < 8:
        return
    for index, name, what in ((1, "CPUSpend", "CPU"), (2, "MemorySpend", "Memory")):
        before = sum(entry[index] for entry in earlier) / len(earlier)
        growth = 100 * (sum(entry[index] for entry in recent) / len(recent) / before - 1)
        if growth > 20:
            text = f"{what} spend in namespace {SHOP} has increased by 20 percent (current: {growth:.1f})"
            yield Finding(name, "warning", (("namespace", SHOP),), 180, growth, text)


def alert_document(alert: Alert, clock: Clock) -> dict[str, Any]:
    """Return the alert as Prometheus' API shows it."""
    finding = alert.finding
    return {
        "labels": {"alertname": finding.name, **dict(finding.labels), "severity": finding.severity},
        "annotations": {"description": finding.description},
        "state": "firing" if alert.firing else "pending",
        "activeAt": clock.iso_nanoseconds(alert.active_at),
        "value": f"{finding.value:.4e}",
    }
