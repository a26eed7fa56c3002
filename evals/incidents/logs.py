"""What the services log, each in the style of its language; every line follows from a span."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from evals.incidents.clock import Clock
from evals.incidents.cluster import WORKLOADS
from evals.incidents.dice import Dice
from evals.incidents.requests import PRODUCTS, Span
from evals.incidents.state import Pod
from evals.incidents.traces import resource_attributes, status_code
from evals.incidents.traffic import CLIENT, PRODUCER, SERVER

INFO, WARN, ERROR = ("INFO", 9), ("WARN", 13), ("ERROR", 17)


@dataclass(frozen=True)
class Line:
    service: str
    pod: Pod | None
    second: float
    level: tuple[str, int]
    body: str
    trace: str = ""
    span: str = ""
    attributes: dict[str, str] = field(default_factory=dict)


def lines(spans: list[Span], clock: Clock, dice: Dice, share: float) -> Iterator[Line]:
    """Yield the lines a request leaves: `share` of those that tell of success, all others."""
    for span in spans:
        if span.service == "frontend-proxy" and span.kind == SERVER:
            if span.error or dice.happens(share):
                yield _access(span, clock)
        elif span.error and span.code != "CANCELLED":
            yield _failure(span, clock)
        elif span.kind != CLIENT and span.service in _INFO and dice.happens(share):
            yield _line(span, INFO, _INFO[span.service](span, dice))


def row(line: Line, clock: Clock, full: bool) -> tuple[object, ...]:
    """Return the line as a row of the log table, less the optional EventName."""
    when = clock.column(line.second)
    resource = resource_attributes(line.service, line.pod, full)
    scope = line.service if full else ""
    text, number = line.level
    flags = 1 if line.trace else 0
    return (when, when[:19], line.trace, line.span, flags, text, number, line.service, line.body, "",
            resource, "", scope, "", {}, line.attributes)  # fmt: skip


def _line(span: Span, level: tuple[str, int], body: str) -> Line:
    return Line(span.service, span.pod, span.end_ns / 1e9, level, body, span.trace, span.id)


def _access(span: Span, clock: Clock) -> Line:
    status, duration = status_code(span), (span.end_ns - span.start_ns) // 1_000_000
    flag = "-" if not span.error else "UF" if span.code == "UNAVAILABLE" else "UT"
    details = f'"-" 0 {1200 + span.start_ns % 4000} {duration} {max(0, duration - 1)}'
    body = (
        f'[{clock.iso_nanoseconds(span.start_ns / 1e9)[:23]}Z] "{span.details["method"]} {span.details["path"]} '
        f'HTTP/1.1" {status} {flag} via_upstream {details} "-" "python-requests/2.32.4" "{span.trace[:8]}" '
        '"frontend-proxy:8080"'
    )
    attributes = {"url.path": span.details["path"], "event.name": "proxy.access", "http.response.status_code": status}
    return Line(span.service, span.pod, span.end_ns / 1e9, INFO, body, span.trace, span.id, attributes)


def _failure(span: Span, clock: Clock) -> Line:
    style = _FAILURES[WORKLOADS[span.service].language]
    level = WARN if span.call and not span.call.critical else ERROR
    what = span.name if span.kind in {CLIENT, PRODUCER} else f"serving {span.name}"
    return _line(span, level, style(span, what, clock.iso_nanoseconds(span.end_ns / 1e9)))


# -- failures, by language ------------------------------------------------------------------------


def _fail_json(span: Span, what: str, when: str) -> str:
    entry = {"time": when, "level": "ERROR", "msg": f"{what} failed", "code": span.code, "error": span.error}
    return json.dumps(entry, separators=(",", ":"))


def _fail_node(span: Span, what: str, when: str) -> str:
    return (
        f"Error: {_number(span)} {span.code}: {span.error}\n    at callErrorFromStatus (/app/node_modules/@grpc/"
        f"grpc-js/build/src/call.js:31:19)\n    for call at {what}"
    )


def _fail_java(span: Span, what: str, when: str) -> str:
    return f"{when[:19]} ERROR oteldemo.{span.service} - {what}: io.grpc.StatusRuntimeException: {span.code}: {span.error}"


def _fail_dotnet(span: Span, what: str, when: str) -> str:
    return f"fail: {span.service}[0]\n      {what}: RpcException: Status(StatusCode={span.code}, Detail=\"{span.error}\")"


def _fail_python(span: Span, what: str, when: str) -> str:
    return (
        f"{when[:19]} ERROR [{span.service}] [trace_id={span.trace} span_id={span.id}] - {what}: "
        f"<_InactiveRpcError of RPC that terminated with: status = StatusCode.{span.code} details = \"{span.error}\">"
    )


def _fail_plain(span: Span, what: str, when: str) -> str:
    return f"{when[:19]} [error] {what}: {span.code}: {span.error}"


def _number(span: Span) -> str:
    return {"UNAVAILABLE": "14", "DEADLINE_EXCEEDED": "4", "UNIMPLEMENTED": "12"}.get(span.code, "13")


_FAILURES: dict[str, Callable[[Span, str, str], str]] = {
    "go": _fail_json,
    "nodejs": _fail_node,
    "java": _fail_java,
    "dotnet": _fail_dotnet,
    "python": _fail_python,
    "cpp": _fail_plain,
    "envoy": _fail_plain,
    "nginx": _fail_plain,
    "php": _fail_plain,
    "ruby": _fail_plain,
    "rust": _fail_plain,
}


# -- successes, by service ------------------------------------------------------------------------


def _json(**entry: object) -> str:
    return json.dumps(entry, separators=(",", ":"))


_INFO: dict[str, Callable[[Span, Dice], str]] = {
    "accounting": lambda span, dice: f"info: Accounting.Consumer[0]\n      Order stored, id {dice.hexadecimal(8)}",
    "ad": lambda span, dice: f"INFO oteldemo.AdService - ad request for context [{dice.pick(('travel', 'telescopes', 'books'))}]",
    "cart": lambda span, dice: f"info: cart.CartStore[0]\n      {span.name.split('/')[-1]} for userId={span.details['user']}",
    "checkout": lambda span, dice: _json(level="INFO", msg="order placed", order_id=dice.hexadecimal(8), amount=dice.whole(20, 900)),
    "currency": lambda span, dice: f"[info] conversion done, currency={dice.pick(('USD', 'EUR', 'CHF', 'JPY'))}",
    "email": lambda span, dice: f"INFO -- : order confirmation sent to user {span.details['user']}",
    "fraud-detection": lambda span, dice: f"INFO frauddetection - consumed order {dice.hexadecimal(8)}, score {dice.whole(0, 30)}",
    "payment": lambda span, dice: _json(level=30, msg="charge accepted", cardType="visa", amount=dice.whole(20, 900)),
    "product-catalog": lambda span, dice: _json(level="INFO", msg="product found", id=span.details["product"]),
    "product-reviews": lambda span, dice: f"INFO [product_reviews] - {dice.whole(0, 9)} reviews for {span.details['product']}",
    "quote": lambda span, dice: f'quote.INFO: calculated quote {{"total":{dice.whole(5, 90)}.{dice.whole(0, 9)}}} []',
    "recommendation": lambda span, dice: f"INFO [recommendation] - list for {dice.pick(PRODUCTS)} has 5 products",
    "shipping": lambda span, dice: f"[INFO shipping] {span.name.split('/')[-1]}: answered with {dice.whole(5, 90)} USD",
}  # fmt: skip
