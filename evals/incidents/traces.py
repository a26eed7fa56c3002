"""Spans as rows of the trace table."""

from __future__ import annotations

from evals.incidents.clock import Clock
from evals.incidents.cluster import RELEASE, SHOP
from evals.incidents.scales import Scale
from evals.incidents.state import Pod
from evals.incidents.traffic import CLIENT, CONSUMER, PRODUCER, SERVER
from evals.incidents.visits import Span

GRPC_CODES = {"CANCELLED": "1", "DEADLINE_EXCEEDED": "4", "UNIMPLEMENTED": "12", "INTERNAL": "13",
              "UNAVAILABLE": "14"}  # fmt: skip
HTTP_STATUS = {"DEADLINE_EXCEEDED": "504", "UNAVAILABLE": "503", "UNIMPLEMENTED": "404"}
DATABASES = {"valkey": "redis", "postgresql": "postgresql"}
SEE_THE_VISITORS_PATH = {"load-generator", "frontend-proxy", "frontend"}
KINDS = {SERVER: "Server", CLIENT: "Client", PRODUCER: "Producer", CONSUMER: "Consumer"}


def resource_attributes(service: str, pod: Pod | None, scale: Scale) -> dict[str, str]:
    """Return what the SDK and the collector say of where a span or log line comes from."""
    attributes = {"service.name": service, "k8s.namespace.name": SHOP}
    if pod is not None:
        attributes["k8s.pod.name"] = pod.identity.ref.name
    if scale.full:
        attributes |= {
            "k8s.deployment.name": service,
            "k8s.pod.uid": pod.identity.uid if pod else "",
            "k8s.node.name": (pod.node or "") if pod else "",
            "service.namespace": "opentelemetry-demo",
            "service.version": RELEASE,
            "telemetry.sdk.name": "opentelemetry",
        }
    return attributes


def status_code(span: Span) -> str:
    """Return the HTTP status a span ended with."""
    return HTTP_STATUS.get(span.code, "500") if span.error else "200"


def span_attributes(span: Span) -> dict[str, str]:
    protocol = span.call.protocol
    if protocol == "grpc":
        return _grpc_attributes(span)
    if protocol in DATABASES:
        return {
            "db.system": DATABASES[protocol],
            "db.statement": span.name,
            "server.address": span.call.callee,
        }
    if protocol == "kafka":
        return {"messaging.system": "kafka", "messaging.destination.name": "orders"}
    return _http_attributes(span)


def _grpc_attributes(span: Span) -> dict[str, str]:
    service, method = span.call.operation.split("/")
    code = GRPC_CODES.get(span.code, "2") if span.error else "0"
    return {"rpc.system": "grpc", "rpc.service": service, "rpc.method": method, "rpc.grpc.status_code": code}


def _http_attributes(span: Span) -> dict[str, str]:
    method, path = span.details["method"], span.details["path"]
    if span.service not in SEE_THE_VISITORS_PATH:
        method, path = span.name.split(" ", 1)
    return {"http.request.method": method, "url.path": path, "http.response.status_code": status_code(span)}


def row(span: Span, clock: Clock, scale: Scale) -> tuple[object, ...]:
    failed = bool(span.error)
    timestamps = [clock.column_of_nanosecond(span.end_ns)] if failed else []
    failures = [{"exception.type": span.code, "exception.message": span.error}] if failed else []
    link_traces, link_spans = ([span.link[0]], [span.link[1]]) if span.link else ([], [])
    return (
        clock.column_of_nanosecond(span.start_ns),
        span.trace,
        span.id,
        span.parent,
        "",
        span.name,
        KINDS[span.kind],
        span.service,
        resource_attributes(span.service, span.pod, scale),
        f"@opentelemetry/instrumentation-{span.call.protocol}" if scale.full else "",
        RELEASE if scale.full else "",
        span_attributes(span),
        span.end_ns - span.start_ns,
        "Error" if failed else "Unset",
        f"{span.code}: {span.error}" if failed else "",
        timestamps,
        ["exception"] if failed else [],
        failures,
        link_traces,
        link_spans,
        [""] if span.link else [],
        [{}] if span.link else [],
    )
