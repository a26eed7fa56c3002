"""How much is recorded of an incident."""

from __future__ import annotations

from dataclasses import dataclass

# Kinds that hardly change are dumped less often where room is scarce.
STEADY_KINDS = frozenset({"deployments", "namespaces", "nodes", "replicasets", "services"})


@dataclass(frozen=True)
class Scale:
    name: str
    window_s: int
    calls_s: int  # between two samples of a service's calls
    durations_s: int  # between two samples of its duration histogram
    pod_metrics_s: int
    objects_s: int  # between two dumps of the objects
    steady_objects_s: int  # of the kinds that hardly change
    requests_a_step: float  # that leave log lines and, a part of them, spans
    traced_share: float  # of those requests
    success_lines: float  # share of log lines that tell of success
    buckets_ms: tuple[int, ...] | None  # of the duration histogram; None: all
    full: bool  # every label and attribute, and a series for each operation


SMALL = Scale(
    name="small",
    window_s=30 * 60,
    calls_s=60,
    durations_s=120,
    pod_metrics_s=120,
    objects_s=300,
    steady_objects_s=900,
    requests_a_step=1.6,
    traced_share=0.28,
    success_lines=0.2,
    buckets_ms=(100, 1000, 2000, 5000),
    full=False,
)
REAL = Scale(
    name="real",
    window_s=90 * 60,
    calls_s=15,
    durations_s=15,
    pod_metrics_s=15,
    objects_s=300,
    steady_objects_s=300,
    requests_a_step=120.0,
    traced_share=0.75,
    success_lines=1.0,
    buckets_ms=None,
    full=True,
)
SCALES = {scale.name: scale for scale in (SMALL, REAL)}
