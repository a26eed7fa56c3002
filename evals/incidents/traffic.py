"""Visitors and what they make the services do: requests, errors and times, computed along the calls.

A caller inherits what its callees do to it: a critical callee's failure is its own, a slow one's time
is added to its own, and what it no longer reaches gets no requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from evals.incidents.conditions import Conditions, deadline_ms
from evals.incidents.dice import Dice
from evals.incidents.journeys import CONSUMERS, JOURNEYS, QUEUE, SILENT, VISITORS, Call
from evals.incidents.latency import Latency

SERVER, CLIENT, PRODUCER, CONSUMER = "SERVER", "CLIENT", "PRODUCER", "CONSUMER"
THINK_S = 2.1  # a visitor's pause between two requests
CONSUMER_RATE = 25.0  # orders a second a healthy consumer can work off
DELAYED_CONSUMER_RATE = 0.05
FLOOD = 40  # times as many messages as there are orders, in a troubled queue


class SpanKey(NamedTuple):
    service: str
    name: str
    kind: str


@dataclass
class Volume:
    """Spans of one key, a second."""

    ok: float = 0.0
    error: float = 0.0
    times: list[tuple[float, Latency]] = field(default_factory=list)  # (rate, how long)


@dataclass
class Flow:
    """All traffic of one moment."""

    volumes: dict[SpanKey, Volume] = field(default_factory=dict)
    requests: dict[str, float] = field(default_factory=dict)  # that reached a service, a second

    def add(self, key: SpanKey, rate: float, ok: float, latency: Latency) -> None:
        volume = self.volumes.setdefault(key, Volume())
        volume.ok += rate * ok
        volume.error += rate * (1 - ok)
        volume.times.append((rate, latency))

    def attempts(self, service: str) -> float:
        return self.requests.get(service, 0.0)


@dataclass(frozen=True)
class Surge:
    """More visitors than usual: grows from `second` over `ramp_s` to `factor` times the usual."""

    second: float
    ramp_s: float
    factor: float

    def at(self, now: float) -> float:
        grown = min(1.0, max(0.0, (now - self.second) / self.ramp_s))
        return 1 + (self.factor - 1) * grown


def _wave(position: float) -> float:
    """Return a triangle wave between -1 and 1 with period 1."""
    return 4 * abs(position % 1 - 0.5) - 1


def client_span_name(call: Call) -> str:
    return f"grpc.{call.operation}" if call.protocol == "grpc" else call.operation


class Traffic:
    """The visitors, and the orders that wait in the queue."""

    def __init__(self, dice: Dice, users: float, surges: Sequence[Surge] = ()) -> None:
        self._dice = dice
        self._users = users
        self._surges = surges
        self._phases = (dice.fraction(), dice.fraction())
        self._answer_s = 0.05
        self.lag = {consumer.callee: 0.0 for consumer in CONSUMERS}
        self.members = {consumer.callee: 1 for consumer in CONSUMERS}

    def load(self, now: float) -> float:
        """Return the requests visitors make a second; slow answers keep them busy waiting."""
        users = self._users
        users *= 1 + 0.07 * _wave(now / 2700 + self._phases[0]) + 0.04 * _wave(now / 610 + self._phases[1])
        for surge in self._surges:
            users *= surge.at(now)
        return users / (THINK_S + self._answer_s) * self._dice.bell(1, 0.02)

    def flow(self, conditions: Conditions, now: float, step_s: float) -> Flow:
        flow, load = Flow(), self.load(now)
        answer_ms = 0.0
        for journey in JOURNEYS:
            _, latency = _call(journey.call, VISITORS, load * journey.share, conditions, flow)
            answer_ms += journey.share * latency.total
        self._answer_s = 0.5 * self._answer_s + 0.5 * answer_ms / 1000
        self._consume(conditions, flow, step_s)
        return flow

    def _consume(self, conditions: Conditions, flow: Flow, step_s: float) -> None:
        key = SpanKey("checkout", "orders publish", PRODUCER)
        published = flow.volumes[key].ok if key in flow.volumes else 0.0
        for consumer in CONSUMERS:
            name = consumer.callee
            connected = conditions.link(name, QUEUE).failure is None and conditions.works(name)
            self.members[name] = int(connected)
            waiting = self.lag[name] / step_s + published * (FLOOD if conditions.queue_troubled else 1)
            limit = DELAYED_CONSUMER_RATE if conditions.queue_troubled else CONSUMER_RATE
            rate = min(waiting, limit) if connected else 0.0
            self.lag[name] = (waiting - rate) * step_s
            if rate > 0:
                _serve(consumer, rate, conditions, flow, CONSUMER)


def _call(call: Call, caller: str, rate: float, conditions: Conditions, flow: Flow) -> tuple[float, Latency]:
    """Send a call's traffic; return the share that succeeds and how long it takes the caller."""
    link, kind = conditions.link(caller, call.callee), PRODUCER if call.callee == QUEUE else CLIENT
    key = SpanKey(caller, client_span_name(call), kind)
    if link.failure is not None:
        waited = Latency(fixed=link.failure.wait_ms)
        flow.add(key, rate, 0.0, waited)
        return 0.0, waited
    ok, latency = _serve(call, rate, conditions, flow, SERVER)
    latency = latency.plus(Latency(fixed=link.delay_ms + 0.6))
    limit = deadline_ms(caller)
    ok *= latency.share_within(limit)
    latency = latency.at_most(limit)
    flow.add(key, rate, ok, latency)
    return ok, latency


def _serve(call: Call, rate: float, conditions: Conditions, flow: Flow, kind: str) -> tuple[float, Latency]:
    health = conditions.health(call.callee)
    ok = 1 - health.error
    own = Latency(health.added_ms * 0.7, call.own_ms * health.slowdown + health.added_ms * 0.3)
    # A request that the service fails by itself ends half-way.
    latency = Latency().plus(own, weight=1 - health.error / 2)
    for inner in call.calls:
        inner_ok, inner_latency = _call(inner, call.callee, rate * ok, conditions, flow)
        latency = latency.plus(inner_latency, weight=ok)
        ok *= inner_ok if inner.critical else 1.0
    flow.requests[call.callee] = flow.requests.get(call.callee, 0.0) + rate
    if call.callee not in SILENT:
        flow.add(SpanKey(call.callee, call.operation, kind), rate, ok, latency)
    return ok, latency
