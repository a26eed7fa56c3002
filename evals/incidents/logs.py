"""What the services log, each in the style of its language; every line follows from a span."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from evals.incidents.clock import Clock
from evals.incidents.cluster import WORKLOADS
from evals.incidents.dice import Dice
from evals.incidents.scales import Scale
from evals.incidents.state import Pod
from evals.incidents.traces import GRPC_CODES, resource_attributes, status_code
from evals.incidents.traffic import CLIENT, PRODUCER, SERVER
from evals.incidents.visits import Span

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
        elif span.kind != CLIENT and span.service in _SUCCESSES and dice.happens(share):
            yield _line(span, INFO, _success(span, dice))


def row(line: Line, clock: Clock, scale: Scale) -> tuple[object, ...]:
    """Return the line as a row of the log table, less the optional EventName."""
    when = clock.column(line.second)
    text, number = line.level
    return (
        when,
        when[:19],
        line.trace,
        line.span,
        1 if line.trace else 0,
        text,
        number,
        line.service,
        line.body,
        "",
        resource_attributes(line.service, line.pod, scale),
        "",
        line.service if scale.full else "",
        "",
        {},
        line.attributes,
    )


def _line(span: Span, level: tuple[str, int], body: str) -> Line:
    return Line(span.service, span.pod, span.end_ns / 1e9, level, body, span.trace, span.id)


def _access(span: Span, clock: Clock) -> Line:
    """Return the line of the proxy's access log."""
    status, duration = status_code(span), (span.end_ns - span.start_ns) // 1_000_000
    flag = "-" if not span.error else "UF" if span.code == "UNAVAILABLE" else "UT"
    path, when = span.details["path"], clock.iso_nanoseconds(span.start_ns / 1e9)[:23]
    body = (
        f'[{when}Z] "{span.details["method"]} {path} HTTP/1.1" {status} {flag} via_upstream '
        f'"-" 0 {1200 + span.start_ns % 4000} {duration} {max(0, duration - 1)} "-" '
        f'"python-requests/2.32.4" "{span.trace[:8]}" "frontend-proxy:8080"'
    )
    attributes = {"url.path": path, "event.name": "proxy.access", "http.response.status_code": status}
    return Line(span.service, span.pod, span.end_ns / 1e9, INFO, body, span.trace, span.id, attributes)


# -- failures, by language ------------------------------------------------------------------------


@dataclass(frozen=True)
class _Failure:
    span: Span
    what: str
    when: str


def _failure(span: Span, clock: Clock) -> Line:
    style = _FAILURES[WORKLOADS[span.service].language]
    level = ERROR if span.call.critical else WARN
    what = span.name if span.kind in {CLIENT, PRODUCER} else f"serving {span.name}"
    return _line(span, level, style(_Failure(span, what, clock.iso_nanoseconds(span.end_ns / 1e9))))


def _as_json(failure: _Failure) -> str:
    span = failure.span
    entry = {"time": failure.when, "level": "ERROR", "msg": f"{failure.what} failed"}
    return json.dumps(entry | {"code": span.code, "error": span.error}, separators=(",", ":"))


def _as_node(failure: _Failure) -> str:
    span = failure.span
    return (
        f"Error: {GRPC_CODES.get(span.code, '2')} {span.code}: {span.error}\n"
        "    at callErrorFromStatus (/app/node_modules/@grpc/grpc-js/build/src/call.js:31:19)\n"
        f"    for call at {failure.what}"
    )


def _as_java(failure: _Failure) -> str:
    span, second = failure.span, failure.when[:19]
    problem = f"io.grpc.StatusRuntimeException: {span.code}: {span.error}"
    return f"{second} ERROR oteldemo.{span.service} - {failure.what}: {problem}"


def _as_dotnet(failure: _Failure) -> str:
    span = failure.span
    problem = f'RpcException: Status(StatusCode={span.code}, Detail="{span.error}")'
    return f"fail: {span.service}[0]\n      {failure.what}: {problem}"


def _as_python(failure: _Failure) -> str:
    span = failure.span
    return (
        f"{failure.when[:19]} ERROR [{span.service}] [trace_id={span.trace} span_id={span.id}] - "
        f"{failure.what}: StatusCode.{span.code}, {span.error}"
    )


def _as_plain(failure: _Failure) -> str:
    return f"{failure.when[:19]} [error] {failure.what}: {failure.span.code}: {failure.span.error}"


_FAILURES: dict[str, Callable[[_Failure], str]] = {
    "cpp": _as_plain,
    "dotnet": _as_dotnet,
    "envoy": _as_plain,
    "go": _as_json,
    "java": _as_java,
    "nginx": _as_plain,
    "nodejs": _as_node,
    "php": _as_plain,
    "python": _as_python,
    "ruby": _as_plain,
    "rust": _as_plain,
}


# -- successes, by service ------------------------------------------------------------------------

_SUCCESSES = {
    "accounting": "info: Accounting.Consumer[0]\n      Order {id} stored",
    "ad": "INFO oteldemo.AdService - ad request for context [{word}]",
    "cart": "info: cart.CartStore[0]\n      {method} for userId={user}",
    "checkout": '{{"level":"INFO","msg":"order placed","order_id":"{id}","amount":{number}}}',
    "currency": "[info] conversion done, amount {number}",
    "email": "INFO -- : order confirmation sent to user {user}",
    "fraud-detection": "INFO frauddetection - consumed order {id}, nothing suspicious",
    "payment": '{{"level":30,"msg":"charge accepted","cardType":"visa","amount":{number}}}',
    "product-catalog": '{{"level":"INFO","msg":"product found","id":"{product}"}}',
    "product-reviews": "INFO [product_reviews] - reviews for {product} loaded",
    "quote": 'quote.INFO: calculated quote {{"total":{number}}} []',
    "recommendation": "INFO [recommendation] - recommending 5 products beside {product}",
    "shipping": "[INFO shipping] {method} answered with {number} USD",
}


def _success(span: Span, dice: Dice) -> str:
    return _SUCCESSES[span.service].format(
        id=dice.hexadecimal(8),
        method=span.name.split("/")[-1],
        number=dice.whole(5, 900),
        product=span.details["product"],
        user=span.details["user"],
        word=dice.pick(("books", "telescopes", "travel")),
    )
