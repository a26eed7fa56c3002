"""Schedules and experiments of chaos-mesh."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from evals.incidents.clock import Clock
from evals.incidents.cluster import CHAOS, SHOP
from evals.incidents.manifests.metadata import specified
from evals.incidents.state import Experiment, Injection, Schedule
from evals.incidents.world import World

API_VERSION = "chaos-mesh.org/v1alpha1"
EVERY = "@every 2h"
PAUSE = "experiment.chaos-mesh.org/pause"


def network_chaos(world: World, clock: Clock, now: float) -> Iterator[dict[str, Any]]:
    yield from _experiments(world, "NetworkChaos", clock, now)


def stress_chaos(world: World, clock: Clock, now: float) -> Iterator[dict[str, Any]]:
    yield from _experiments(world, "StressChaos", clock, now)


def schedules(world: World, clock: Clock, now: float) -> Iterator[dict[str, Any]]:
    for schedule in world.schedules.values():
        yield _schedule(world, schedule, clock)


def _experiments(world: World, kind: str, clock: Clock, now: float) -> Iterator[dict[str, Any]]:
    for experiment in world.experiments.values():
        if experiment.injection.kind == kind:
            yield _experiment(experiment, clock, now)


def _schedule(world: World, schedule: Schedule, clock: Clock) -> dict[str, Any]:
    kind = schedule.injection.kind
    about = specified(schedule.identity, clock)
    if schedule.paused:
        about["annotations"] = {PAUSE: "true"}
    experiments = [world.experiments[name].identity for name in schedule.active]
    return {
        "apiVersion": API_VERSION,
        "kind": "Schedule",
        "metadata": about,
        "spec": {
            "schedule": EVERY,
            "type": kind,
            "concurrencyPolicy": "Forbid",
            "historyLimit": 1,
            kind[0].lower() + kind[1:]: _injection(schedule.injection),
        },
        "status": {
            "active": [
                {"apiVersion": API_VERSION, "kind": kind, "namespace": CHAOS,
                 "name": identity.ref.name, "uid": identity.uid}
                for identity in experiments
            ],
            "time": clock.iso(experiments[-1].created if experiments else schedule.identity.created),
        },
    }  # fmt: skip


def _selector(workload: str) -> dict[str, Any]:
    return {"namespaces": [SHOP], "labelSelectors": {"app.kubernetes.io/component": workload}}


def _injection(injection: Injection) -> dict[str, Any]:
    spec: dict[str, Any] = {"mode": "all", "selector": _selector(injection.selects)}
    spec["duration"] = f"{injection.duration_s // 60}m"
    if injection.kind == "NetworkChaos":
        spec |= {"action": injection.action, "direction": "to"}
    if injection.action == "delay":
        latency, jitter = f"{injection.latency_ms}ms", f"{injection.jitter_ms}ms"
        spec["delay"] = {"latency": latency, "correlation": "100", "jitter": jitter}
    if injection.target:
        spec["target"] = {"mode": "all", "selector": _selector(injection.target)}
    if injection.action == "cpu":
        spec["stressors"] = {"cpu": {"workers": injection.workers, "load": injection.load_percent}}
    if injection.action == "memory":
        spec["stressors"] = {"memory": {"workers": 1, "size": f"{injection.size_mi}MB"}}
    return spec


def _experiment(experiment: Experiment, clock: Clock, now: float) -> dict[str, Any]:
    running = experiment.active(now)
    about = specified(experiment.identity, clock)
    about["labels"] = {"managed-by": experiment.schedule or ""}
    over = experiment.injected is False and bool(experiment.pods)
    container = f"/{experiment.injection.selects}" if experiment.injection.kind == "StressChaos" else ""
    phase = "Injected" if running else "Not Injected"
    counts = {"injectedCount": 1, "recoveredCount": int(over)}
    states = {
        "Selected": bool(experiment.pods),
        "AllInjected": running,
        "AllRecovered": over,
        "Paused": False,
    }
    return {
        "apiVersion": API_VERSION,
        "kind": experiment.injection.kind,
        "metadata": about,
        "spec": _injection(experiment.injection),
        "status": {
            "conditions": [{"type": name, "status": str(state)} for name, state in states.items()],
            "experiment": {
                "desiredPhase": "Run" if running else "Stop",
                "containerRecords": [
                    {"id": f"{SHOP}/{pod}{container}", "phase": phase, "selectorKey": ".", **counts}
                    for pod in experiment.pods
                ],
            },
        },
    }
