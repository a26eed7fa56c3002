"""Samples of the counters as rows of the metric tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from evals.incidents.clock import Clock
from evals.incidents.cluster import SHOP
from evals.incidents.meters import BUCKETS_MS, Meters, PodMeter, SpanMeter
from evals.incidents.scales import Scale
from evals.incidents.state import Pod
from evals.incidents.tables import POD_COLUMNS, SERVICE_COLUMNS, Table
from evals.incidents.traffic import CONSUMER, SERVER, SpanKey, Traffic
from evals.incidents.world import World

CALLS = "traces_span_metrics_calls_total"
DURATION = "traces_span_metrics_duration_milliseconds_bucket"
MI = 1024 * 1024
Row = tuple[Any, ...]


class Series:
    """The metric files, one for each service and each pod, opened when first needed."""

    def __init__(self, folder: Path, clock: Clock, scale: Scale, files: ExitStack) -> None:
        self._folder = folder
        self._clock = clock
        self._scale = scale
        self._files = files
        self._tables: dict[str, Table] = {}

    def _add(self, name: str, columns: tuple[str, ...], rows: Iterable[Row]) -> None:
        table = self._tables.get(name)
        if table is None:
            table = self._files.enter_context(Table(self._folder / f"{name}_raw.tsv", columns))
            self._tables[name] = table
        table.add_all(rows)

    def sample_services(self, meters: Meters, traffic: Traffic, now: float) -> None:
        when = self._clock.column_second(now)
        with_durations = now % self._scale.durations_s == 0
        for service, spans in meters.by_service().items():
            shown = spans if self._scale.full else _merged(spans)
            rows = [row for key, meter in shown.items() for row in self._call_rows(key, meter, when)]
            if with_durations:
                rows += [row for key, meter in shown.items() for row in self._duration_rows(key, meter, when)]
            self._add(f"service_{service}", SERVICE_COLUMNS, rows)
        self._add("service_kafka", SERVICE_COLUMNS, _queue_rows(traffic, when))

    def _call_rows(self, key: SpanKey, meter: SpanMeter, when: str) -> Iterator[Row]:
        tags = self._tags(key)
        for status, value in (("STATUS_CODE_UNSET", meter.ok), ("STATUS_CODE_ERROR", meter.error)):
            if int(value) or status == "STATUS_CODE_UNSET":
                labels = tags | {"status_code": status} if self._scale.full else tags
                yield (CALLS, when, int(value), key.service, SHOP, "", labels, "error_rate", status)
        if key.kind == SERVER and self._scale.full:
            yield from _mesh_rows(key, meter, when)

    def _duration_rows(self, key: SpanKey, meter: SpanMeter, when: str) -> Iterator[Row]:
        if key.kind not in {SERVER, CONSUMER} and not self._scale.full:
            return
        tags, wanted = self._tags(key), self._scale.buckets_ms or BUCKETS_MS
        for limit, count in zip((*BUCKETS_MS, 0), meter.within, strict=True):
            if limit in wanted or not limit:
                le = f"{limit}.0" if limit else "+Inf"
                labels = tags | {"le": le} if self._scale.full else {"le": le}
                yield (DURATION, when, int(count), key.service, SHOP, le, labels, "duration_p95", "")

    def _tags(self, key: SpanKey) -> dict[str, str]:
        tags = {"span_kind": f"SPAN_KIND_{key.kind}"}
        if self._scale.full:
            tags |= {
                "span_name": key.name,
                "service_name": key.service,
                "namespace": SHOP,
                "job": "otel-collector",
                "instance": "10.244.2.9:8888",
                "prometheus": "prometheus/prometheus-server",
            }
        return tags

    def sample_pods(self, world: World, meters: Meters, now: float) -> None:
        when = self._clock.column_second(now)
        for pod in world.shop_pods():
            meter = meters.pods.get(pod.identity.uid)
            if meter is not None and pod.node:
                name = pod.identity.ref.name
                rows = [
                    (metric, when, value, name, SHOP, tags)
                    for metric, value, tags in self._pod_values(pod, meter)
                ]
                self._add(f"pod_{name}", POD_COLUMNS, rows)

    def _pod_values(self, pod: Pod, meter: PodMeter) -> Iterator[tuple[str, float, dict[str, str]]]:
        tags = {"container": pod.workload}
        if self._scale.full:
            tags |= {"namespace": SHOP, "pod": pod.identity.ref.name, "node": pod.node or "",
                     "image": pod.template.image, "job": "kubelet", "metrics_path": "/metrics/cadvisor",
                     "id": f"/kubepods/burstable/pod{pod.identity.uid}", "service": "kubelet"}  # fmt: skip
        memory = int(meter.memory_mi * MI)
        yield "container_cpu_usage_seconds_total", round(meter.cpu_s, 3), tags
        yield "container_cpu_cfs_periods_total", int(meter.periods), tags
        yield "container_cpu_cfs_throttled_periods_total", int(meter.throttled), tags
        yield "node_namespace_pod_container:container_memory_working_set_bytes", memory, tags
        if self._scale.full:
            yield "kube_pod_container_status_restarts_total", pod.restarts, tags
            limit = pod.template.memory_limit_mi * MI
            yield "container_memory_usage_bytes", int(memory * 1.04), tags
            yield "cluster:namespace:pod_memory:active:kube_pod_container_resource_limits", limit, tags
            yield "kube_pod_status_ready", int(pod.ready), tags


def _merged(spans: dict[SpanKey, SpanMeter]) -> dict[SpanKey, SpanMeter]:
    """Add the operations of each kind together."""
    merged: dict[SpanKey, SpanMeter] = {}
    for key, meter in spans.items():
        total = merged.setdefault(SpanKey(key.service, "", key.kind), SpanMeter())
        total.ok += int(meter.ok)
        total.error += int(meter.error)
        total.within = [sum(pair) for pair in zip(total.within, map(int, meter.within), strict=True)]
    return merged


def _queue_rows(traffic: Traffic, when: str) -> Iterator[Row]:
    for group, lag in sorted(traffic.lag.items()):
        tags = {"consumergroup": group, "topic": "orders"}
        yield ("kafka_consumergroup_lag_sum", when, int(lag), "kafka", SHOP, "", tags, "", "")
        yield ("kafka_consumergroup_members", when, traffic.members[group], "kafka", SHOP, "", tags, "", "")


def _mesh_rows(key: SpanKey, meter: SpanMeter, when: str) -> Iterator[Row]:
    for code, value in (("200", meter.ok), ("500", meter.error)):
        tags = {"reporter": "destination", "destination_service_name": key.service, "response_code": code,
                "request_protocol": "grpc" if "/" in key.name and " " not in key.name else "http",
                "destination_workload_namespace": SHOP, "operation": key.name}  # fmt: skip
        yield ("istio_requests_total", when, int(value), key.service, SHOP, "", tags, "error_rate", code)
