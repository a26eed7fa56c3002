"""Alerting rules: what holds at the moment, judged by the counters and the pods alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from evals.incidents.cluster import SHOP
from evals.incidents.meters import BUCKETS_MS, Meters, PodMeter, Reading
from evals.incidents.state import Pod, Stage
from evals.incidents.traffic import Traffic
from evals.incidents.world import World

WITHOUT_RULES = {"flagd", "load-generator"}
SLOW_MS = 1500.0
LAG_LIMIT = 100.0
THROTTLED_SHARE = 0.25
SPEND_GROWTH_PERCENT = 20.0
INACTIVE_STAGES = {Stage.UNSCHEDULED, Stage.PULLING, Stage.PULL_FAILED}

# The rules were renamed over the years; recordings carry one set or the other.
NAME_SETS: tuple[Mapping[str, str], ...] = (
    {"errors": "RequestErrorRate", "latency": "RequestLatency", "silence": "NoRequestsDetected",
     "crash": "PodCrashLoopBackOff"},
    {"errors": "HighRequestErrorRate", "latency": "HighRequestLatency", "silence": "NoRequestsReceived",
     "crash": "KubePodCrashLooping"},
)  # fmt: skip

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Rule:
    name: str
    severity: str
    for_s: float  # how long it must hold before it fires


@dataclass(frozen=True)
class Finding:
    """A rule that holds at the moment."""

    rule: Rule
    labels: Labels
    value: float
    description: str
    since: float | None = None  # when it began to hold, where that is known better than by looking


NOT_READY = Rule("KubePodNotReady", "warning", 300)
WAITING = Rule("KubeContainerWaiting", "warning", 300)
THROTTLED = Rule("CPUThrottlingHigh", "info", 300)
PENDING = Rule("PendingPodsDetected", "critical", 120)
NO_DATABASE = Rule("NoDatabaseOperations", "warning", 240)
LAG = Rule("HighKafkaConsumerLag", "warning", 180)
INACTIVE = Rule("KafkaConsumerGroupInactive", "critical", 120)
CPU_SPEND = Rule("CPUSpend", "warning", 180)
MEMORY_SPEND = Rule("MemorySpend", "warning", 180)

# What fires in every cluster, always.
PERMANENT = (
    Finding(
        Rule("Watchdog", "none", 0),
        (("namespace", "prometheus"),),
        1.0,
        "This is an alert meant to ensure that the entire alerting pipeline is functional.",
    ),
    Finding(
        Rule("TargetDown", "warning", 600),
        (("job", "kube-proxy"), ("namespace", "kube-system"), ("service", "kube-proxy")),
        100.0,
        "100% of the kube-proxy/kube-proxy targets in kube-system namespace are down.",
    ),
)


def findings(world: World, meters: Meters, traffic: Traffic, names: Mapping[str, str]) -> Iterator[Finding]:
    """Yield every rule that holds, each for every service or pod it holds for."""
    for service, readings in sorted(meters.history.items()):
        if service not in WITHOUT_RULES:
            yield from _service_findings(service, readings, names)
    if "accounting" in meters.history:
        yield from _database_findings(meters.history["accounting"])
    yield from _queue_findings(traffic)
    pods = [*world.shop_pods(), *world.restless]
    yield from _pending_findings(pods)
    for pod in sorted(pods, key=lambda pod: pod.identity.ref.name):
        yield from _pod_findings(pod, Rule(names["crash"], "warning", 60))
        meter = meters.pods.get(pod.identity.uid)
        if meter is not None and pod.stage is Stage.RUNNING:
            yield from _throttling_findings(pod, meter)
    yield from _spend_findings(meters)


def _service_findings(service: str, readings: deque[Reading], names: Mapping[str, str]) -> Iterator[Finding]:
    labels = (("namespace", SHOP), ("service_name", service))
    where = f"service {service} in namespace {SHOP}"
    last, recent = readings[-1], _since(readings, 120)
    errors = (last.error - recent.error) / 120
    if errors > 0:
        text = f"Request error rate in {where} is above 0 (current: {errors:.4f} a second)"
        yield Finding(Rule(names["errors"], "critical", 180), labels, errors, text)
    slow = quantile(0.95, recent.within, last.within)
    if slow is not None and slow > SLOW_MS:
        text = f"Latency (p95) in {where} is above {SLOW_MS:.0f}ms (current: {slow:.0f}ms)"
        yield Finding(Rule(names["latency"], "critical", 180), labels, slow, text)
    if _silent(readings):
        text = f"Service {service} in namespace {SHOP} has received no requests"
        yield Finding(Rule(names["silence"], "critical", 240), labels, 0.0, text)


def quantile(share: float, before: tuple[int, ...], after: tuple[int, ...]) -> float | None:
    """Return the quantile of what was added between two histogram readings, as PromQL reckons it.

    None when nothing was added. Beyond the last limit the limit is returned.
    """
    added = [late - early for early, late in zip(before, after, strict=True)]
    if not added or added[-1] <= 0:
        return None
    rank, lower, below = share * added[-1], 0.0, 0
    for limit, count in zip(BUCKETS_MS, added, strict=False):
        if count >= rank and count > below:
            return lower + (limit - lower) * (rank - below) / (count - below)
        lower, below = float(limit), count
    return float(BUCKETS_MS[-1])


def _since(readings: deque[Reading], seconds: float) -> Reading:
    """Return the newest reading that is at least so many seconds old, else the oldest there is."""
    for reading in reversed(readings):
        if reading.second <= readings[-1].second - seconds:
            return reading
    return readings[0]


def _silent(readings: deque[Reading]) -> bool:
    """Tell whether nothing has been answered for five minutes."""
    last, earlier = readings[-1], _since(readings, 300)
    return last.second - earlier.second >= 300 and last.ok == earlier.ok


def _database_findings(readings: deque[Reading]) -> Iterator[Finding]:
    if _silent(readings):
        labels = (("namespace", SHOP), ("service_name", "accounting"))
        text = f"Service accounting in namespace {SHOP} has stopped performing database operations"
        yield Finding(NO_DATABASE, labels, 0.0, text)


def _queue_findings(traffic: Traffic) -> Iterator[Finding]:
    for group, lag in sorted(traffic.lag.items()):
        labels = (("consumergroup", group), ("namespace", SHOP), ("service_name", "kafka"))
        if lag > LAG_LIMIT:
            text = f"Kafka consumer group {group} has high lag on topic orders (current: {lag:.0f} messages)"
            yield Finding(LAG, (*labels, ("topic", "orders")), float(int(lag)), text)
        if not traffic.members[group]:
            text = f"Kafka consumer group {group} in namespace {SHOP} has no active members (current: 0)"
            yield Finding(INACTIVE, labels, 0.0, text)


def _pending_findings(pods: list[Pod]) -> Iterator[Finding]:
    pending = sum(pod.stage in INACTIVE_STAGES for pod in pods if pod.identity.ref.namespace == SHOP)
    if pending:
        text = f"Pods in pending state in namespace {SHOP} is above 0 (current: {pending})"
        yield Finding(PENDING, (("namespace", SHOP),), float(pending), text)


def _pod_findings(pod: Pod, crash: Rule) -> Iterator[Finding]:
    ref = pod.identity.ref
    about = f"{ref.namespace}/{ref.name}"
    labels = (("container", pod.workload), ("namespace", ref.namespace or ""), ("pod", ref.name))
    # Of the pods outside the shop, those that are broken were so long before the window.
    since = None if ref.namespace == SHOP else pod.identity.created + 30
    if not pod.ready:
        text = f"Pod {about} has been in a non-ready state for longer than 5 minutes."
        yield Finding(NOT_READY, labels[1:], 1.0, text, since)
    if pod.waiting:
        text = f"Container {pod.workload} in pod {about} waits longer than 5 minutes ({pod.waiting})."
        yield Finding(WAITING, (*labels, ("reason", pod.waiting)), 1.0, text, since)
    if pod.waiting == "CrashLoopBackOff":
        text = f'Pod {about} ({pod.workload}) is in waiting state (reason: "CrashLoopBackOff").'
        yield Finding(crash, labels, float(pod.restarts), text, since)


def _throttling_findings(pod: Pod, meter: PodMeter) -> Iterator[Finding]:
    if meter.throttled_share > THROTTLED_SHARE:
        ref, percent = pod.identity.ref, 100 * meter.throttled_share
        labels = (("container", pod.workload), ("namespace", ref.namespace or ""), ("pod", ref.name))
        text = f"{percent:.2f}% throttling of CPU in namespace {ref.namespace} for container {pod.workload}."
        yield Finding(THROTTLED, labels, percent, text)


def _spend_findings(meters: Meters) -> Iterator[Finding]:
    now = meters.spend[-1][0]
    recent = [entry for entry in meters.spend if entry[0] > now - 120]
    earlier = [entry for entry in meters.spend if entry[0] <= now - 480]
    if not earlier:
        return
    for index, rule, what in ((1, CPU_SPEND, "CPU"), (2, MEMORY_SPEND, "Memory")):
        before = sum(entry[index] for entry in earlier) / len(earlier)
        growth = 100 * (sum(entry[index] for entry in recent) / len(recent) / before - 1)
        if growth > SPEND_GROWTH_PERCENT:
            text = f"{what} spend in namespace {SHOP} has increased by 20 percent (current: {growth:.1f})"
            yield Finding(rule, (("namespace", SHOP),), growth, text)
