"""Single requests, walked along the calls under the conditions of the moment: what becomes spans and logs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from evals.incidents import conditions as physics
from evals.incidents.conditions import Conditions, deadline_ms
from evals.incidents.dice import Dice
from evals.incidents.journeys import CONSUMERS, QUEUE, SILENT, VISITORS, Call, Journey
from evals.incidents.latency import sample
from evals.incidents.state import Pod
from evals.incidents.traffic import CLIENT, CONSUMER, PRODUCER, SERVER, Traffic, client_span_name
from evals.incidents.world import World

PRODUCTS = ("0PUK6V6EV0", "1YMWWN1N4O", "2ZYFJ3GM2N", "66VCHSJNUP", "6E92ZMYYFZ", "9SIQT8TOJO",
            "L9ECAV7KIM", "LS4PSXUNUM", "OLJCESPC7Z", "HQTGWGPNH4")  # fmt: skip
PICTURES = ("EclipsmartTravelRefractorTelescope.jpg", "LensCleaningKit.jpg", "RoofBinoculars.jpg",
            "SolarFilter.jpg", "TheCometBook.jpg")  # fmt: skip
NETWORK_MS = 0.3  # one way


@dataclass(slots=True, eq=False)
class Span:
    trace: str
    id: str
    parent: str  # empty: the trace's root
    service: str
    pod: Pod | None
    name: str
    kind: str
    start_ns: int  # since the window began
    end_ns: int
    call: Call  # that it makes or serves
    error: str = ""  # what went wrong; empty: nothing
    code: str = ""  # of the error, as gRPC names it
    link: tuple[str, str] | None = None  # trace and span of the message it answers to
    details: dict[str, str] = field(default_factory=dict)


class Place(NamedTuple):
    """Where a span arises."""

    service: str
    pod: Pod | None
    trace: str
    parent: str  # id of the span above; empty: none


class Walker:
    """Walks requests; all of one walker happen under the same conditions."""

    def __init__(self, world: World, conditions: Conditions, dice: Dice) -> None:
        self._conditions = conditions
        self._dice = dice
        self._pods = {name: physics.serving(world, name) for name in world.deployments}
        self._spans: list[Span] = []
        self._details: dict[str, str] = {}

    def visit(self, journey: Journey, start_ns: int) -> list[Span]:
        """Return the spans of one visitor's request, each after its parent."""
        self._spans = []
        product, picture = self._dice.pick(PRODUCTS), self._dice.pick(PICTURES)
        path = journey.route.replace("{productId}", product).replace("{picture}", picture)
        user = self._dice.hexadecimal(8)
        self._details = {"path": path, "method": journey.method, "product": product, "user": user}
        self._call(journey.call, self._place(VISITORS, self._dice.hexadecimal(32), ""), start_ns)
        return self._spans

    def orders(self, spans: list[Span], traffic: Traffic) -> Iterator[list[Span]]:
        """Yield what the consumers make of an order that was published among the spans."""
        published = [span for span in spans if span.kind == PRODUCER and not span.error]
        for span in published:
            for consumer in CONSUMERS:
                if traffic.members[consumer.callee] and traffic.lag[consumer.callee] < 1:
                    self._spans = []
                    start_ns = span.end_ns + int(self._dice.between(3, 60) * 1e6)
                    place = self._place(consumer.callee, self._dice.hexadecimal(32), "")
                    self._serve(consumer, place, start_ns, CONSUMER).link = (span.trace, span.id)
                    yield self._spans

    def _place(self, service: str, trace: str, parent: str) -> Place:
        pods = self._pods[service]
        return Place(service, self._dice.pick(pods) if pods else None, trace, parent)

    def _begin(self, call: Call, place: Place, start_ns: int, kind: str) -> Span:
        name = call.operation if kind in {SERVER, CONSUMER} else client_span_name(call)
        ids = (place.trace, self._dice.hexadecimal(16), place.parent)
        span = Span(*ids, place.service, place.pod, name, kind, start_ns, start_ns, call)
        span.details = self._details
        if place.service not in SILENT:
            self._spans.append(span)
        return span

    def _call(self, call: Call, place: Place, start_ns: int) -> Span:
        span = self._begin(call, place, start_ns, PRODUCER if call.callee == QUEUE else CLIENT)
        link = self._conditions.link(place.service, call.callee)
        if link.failure is not None:
            span.end_ns = start_ns + int(link.failure.wait_ms * 1e6)
            span.error, span.code = link.failure.detail, link.failure.code
            return span
        way_ns = int((NETWORK_MS + link.delay_ms / 2) * 1e6)
        there = self._place(call.callee, place.trace, span.id)
        answer = self._serve(call, there, start_ns + way_ns, SERVER)
        span.end_ns, span.error, span.code = answer.end_ns + way_ns, answer.error, answer.code
        limit_ns = start_ns + int(deadline_ms(place.service) * 1e6)
        if span.end_ns > limit_ns:
            self._cut(span, limit_ns)
        return span

    def _cut(self, span: Span, limit_ns: int) -> None:
        """Give up waiting: what the call had started is cancelled."""
        span.end_ns, span.error, span.code = limit_ns, "context deadline exceeded", "DEADLINE_EXCEEDED"
        first = self._spans.index(span) + 1
        kept = [below for below in self._spans[first:] if below.start_ns < limit_ns]
        for below in kept:
            if below.end_ns > limit_ns:
                below.end_ns, below.error, below.code = limit_ns, "context canceled", "CANCELLED"
        self._spans[first:] = kept

    def _serve(self, call: Call, place: Place, start_ns: int, kind: str) -> Span:
        span = self._begin(call, place, start_ns, kind)
        health = self._conditions.health(call.callee)
        own_ms = sample(call.own_ms * health.slowdown + 0.3 * health.added_ms, self._dice)
        own_ns = int((own_ms + 0.7 * health.added_ms) * 1e6)
        now_ns = start_ns + own_ns // 2
        if health.error and self._dice.happens(health.error):
            span.end_ns, span.error, span.code = now_ns, health.detail, "INTERNAL"
            return span
        for inner in call.calls:
            answer = self._call(inner, place._replace(parent=span.id), now_ns)
            now_ns = answer.end_ns
            if answer.error and inner.critical:
                span.error, span.code = f"{inner.callee}: {answer.error}", answer.code
                break
        span.end_ns = now_ns + own_ns - own_ns // 2
        return span
