"""The counters behind the metrics: spans by service, CPU and memory by pod."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from evals.incidents import conditions as physics
from evals.incidents.conditions import Conditions
from evals.incidents.state import Pod, Stage
from evals.incidents.traffic import CONSUMER, SERVER, Flow, SpanKey, Volume
from evals.incidents.world import World

# Upper ends of the duration histogram, in milliseconds; the last bucket holds everything.
BUCKETS_MS = (2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1000, 1400, 2000, 5000, 10000, 15000)
HISTORY_S = 900.0
PERIODS_A_SECOND = 10.0  # the kernel's CPU accounting


@dataclass
class SpanMeter:
    ok: float = 0.0
    error: float = 0.0
    within: list[float] = field(default_factory=lambda: [0.0] * (len(BUCKETS_MS) + 1))

    def add(self, volume: Volume, seconds: float) -> None:
        self.ok += volume.ok * seconds
        self.error += volume.error * seconds
        for rate, latency in volume.times:
            count = rate * seconds
            for index, share in enumerate(latency.shares_within(BUCKETS_MS)):
                self.within[index] += count * share
            self.within[-1] += count


@dataclass
class PodMeter:
    """Counters of the container that runs; a restart begins them anew."""

    restarts: int
    cpu_s: float = 0.0
    periods: float = 0.0
    throttled: float = 0.0
    throttled_share: float = 0.0  # of the periods of the last minutes
    memory_mi: float = 0.0


@dataclass(frozen=True)
class Reading:
    """A service's counters at one moment, as an alerting rule sees them: whole numbers."""

    second: float
    ok: int
    error: int
    within: tuple[int, ...]  # server side only


class Meters:
    """Counts up; the past beyond `HISTORY_S` is forgotten."""

    def __init__(self, uptime_s: float) -> None:
        self._uptime_s = uptime_s
        self._begun = False
        self.spans: dict[SpanKey, SpanMeter] = {}
        self.pods: dict[str, PodMeter] = {}
        self.history: dict[str, deque[Reading]] = {}
        self.spend: deque[tuple[float, float, float]] = deque()  # (second, CPU in m, memory in MiB)

    def record_spans(self, flow: Flow, now: float, step_s: float) -> None:
        # The counters of a shop that has been open for days do not start at nothing.
        seconds = step_s if self._begun else self._uptime_s
        self._begun = True
        for key, volume in flow.volumes.items():
            self.spans.setdefault(key, SpanMeter()).add(volume, seconds)
        for service, meters in self.by_service().items():
            readings = self.history.setdefault(service, deque())
            readings.append(_reading(meters, now))
            while readings[0].second < now - HISTORY_S:
                readings.popleft()

    def by_service(self) -> dict[str, dict[SpanKey, SpanMeter]]:
        """Return the meters of each service, in alphabetical order of the services."""
        found: dict[str, dict[SpanKey, SpanMeter]] = {}
        for key, meter in sorted(self.spans.items(), key=lambda entry: entry[0]):
            found.setdefault(key.service, {})[key] = meter
        return found

    def record_pods(self, world: World, conditions: Conditions, now: float, step_s: float) -> None:
        pods = world.shop_pods()
        known = {pod.identity.uid for pod in pods}
        self.pods = {uid: meter for uid, meter in self.pods.items() if uid in known}
        for pod in pods:
            self._record_pod(world, pod, conditions, (now, step_s))
        cpu = sum(conditions.cpu_m[pod.workload] for pod in pods if pod.stage is Stage.RUNNING)
        self.spend.append((now, cpu, sum(self.pods[pod.identity.uid].memory_mi for pod in pods)))
        while self.spend[0][0] < now - HISTORY_S:
            self.spend.popleft()

    def _record_pod(self, world: World, pod: Pod, conditions: Conditions, span: tuple[float, float]) -> None:
        (now, step_s), uid = span, pod.identity.uid
        meter = self.pods.get(uid)
        if meter is None or meter.restarts != pod.restarts:
            self.pods[uid] = meter = PodMeter(pod.restarts)
        if pod.stage is not Stage.RUNNING:
            meter.memory_mi = 0.0
            return
        lived_s = now - pod.started if meter.periods == 0 else step_s
        meter.cpu_s += conditions.cpu_m[pod.workload] / 1000 * lived_s
        meter.periods += PERIODS_A_SECOND * lived_s
        meter.throttled += PERIODS_A_SECOND * lived_s * conditions.throttled[pod.workload]
        meter.throttled_share += 0.1 * (conditions.throttled[pod.workload] - meter.throttled_share)
        limit = pod.template.memory_limit_mi
        meter.memory_mi = min(limit, physics.memory_mi(world, pod, now)) * world.dice.between(0.985, 1.0)


def _reading(meters: dict[SpanKey, SpanMeter], now: float) -> Reading:
    served = [meter.within for key, meter in meters.items() if key.kind in {SERVER, CONSUMER}]
    return Reading(
        second=now,
        ok=sum(int(meter.ok) for meter in meters.values()),
        error=sum(int(meter.error) for meter in meters.values()),
        within=tuple(sum(map(int, counts)) for counts in zip(*served, strict=True)),
    )
