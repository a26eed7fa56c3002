"""What the objects' own status says is wrong, and from when to when."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .objects import dumped, key_of
from .rows import Row, clock, short, workload_of

Problem = tuple[str, str]  # what it is, what the object says of it
FINE_WAITING = ("ContainerCreating", "PodInitializing")
QUANTITY = re.compile(r"^(\d+(?:\.\d+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$")
UNITS = {
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}


def problems() -> list[Row]:
    """Return every problem of every object with the first and the last dump that showed it."""
    found: dict[tuple[str, str, str, str], Row] = {}
    latest: float = 0.0
    for time, thing in dumped():
        latest = max(latest, time or 0.0)
        namespace, kind, name = key_of(thing)
        owner = owner_of(thing) if kind == "Pod" else name
        for what, says in problems_of(kind, thing):
            row = found.setdefault((namespace, kind, owner, what), {"first": time, "names": set()})
            row.update(last=time, says=says)
            row["names"].add(name)
    rows = [problem_row(key, row, latest) for key, row in found.items()]
    return sorted(rows, key=lambda row: (row["first"] or "", row["namespace"], row["kind"], row["name"]))


def problem_row(key: tuple[str, str, str, str], row: Row, latest: float) -> Row:
    return {
        "namespace": key[0],
        "kind": key[1],
        "name": key[2],
        "problem": key[3],
        "first": clock(row["first"]),
        "last": clock(row["last"]),
        "at_the_end": row["last"] is not None and row["last"] >= latest - 90,
        "objects": len(row["names"]),
        "says": row["says"],
    }


def owner_of(pod: Row) -> str:
    for owner in pod["metadata"].get("ownerReferences") or ():
        if owner.get("kind") != "ReplicaSet":
            return str(owner.get("name"))
    return workload_of(str(pod["metadata"].get("name")))


def problems_of(kind: str, thing: Row) -> Iterator[Problem]:
    spec, status = thing.get("spec") or {}, thing.get("status") or {}
    if kind == "Pod":
        yield from pod_problems(status)
    elif kind in ("Deployment", "StatefulSet"):
        yield from workload_problems(spec, status)
    elif kind == "HorizontalPodAutoscaler":
        yield from autoscaler_problems(spec, status)
    elif kind == "ResourceQuota":
        yield from quota_problems(status)
    elif kind == "Node":
        yield from node_problems(spec, status)
    elif kind == "Endpoints" and not any(
        (part or {}).get("addresses") for part in thing.get("subsets") or ()
    ):
        yield "no ready endpoint", ""


def pod_problems(status: Row) -> Iterator[Problem]:
    for condition in status.get("conditions") or ():
        if condition.get("reason") == "Unschedulable":
            yield "Unschedulable", short(condition.get("message", ""))
    if status.get("reason") == "Evicted":
        yield "Evicted", short(status.get("message", ""))
    for container in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") and waiting["reason"] not in FINE_WAITING:
            yield str(waiting["reason"]), short(waiting.get("message", ""))
        for state in (container.get("state"), container.get("lastState")):
            ended = (state or {}).get("terminated") or {}
            if ended.get("reason") and ended.get("exitCode") != 0:
                yield f"terminated: {ended['reason']}", f"exit code {ended.get('exitCode')}"


def workload_problems(spec: Row, status: Row) -> Iterator[Problem]:
    wanted = spec.get("replicas", 1)
    if wanted == 0:
        yield "scaled to 0", ""
    elif (status.get("readyReplicas") or status.get("availableReplicas") or 0) < (wanted or 0):
        yield "too few ready", f"{status.get('readyReplicas') or 0} of {wanted}"
    for condition in status.get("conditions") or ():
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            yield "ReplicaFailure", short(condition.get("message", ""))


def autoscaler_problems(spec: Row, status: Row) -> Iterator[Problem]:
    low, high, now = spec.get("minReplicas", 1), spec.get("maxReplicas"), status.get("currentReplicas")
    wanted = status.get("desiredReplicas")
    target = (spec.get("scaleTargetRef") or {}).get("name")
    bounds = f"target {target}, min {low}, max {high}, current {now}, desired {wanted}"
    for condition in status.get("conditions") or ():
        limited = condition.get("type") == "ScalingLimited" and condition.get("status") == "True"
        if (
            limited
            and "max" in str(condition.get("message", "")).lower() + str(condition.get("reason")).lower()
        ):
            yield "held at its maximum", bounds
        if condition.get("type") in ("AbleToScale", "ScalingActive") and condition.get("status") == "False":
            yield f"not {condition['type']}", short(condition.get("message", ""))
    if high is not None and high == low and high == now:
        yield "can't scale", bounds


def quota_problems(status: Row) -> Iterator[Problem]:
    used = status.get("used") or {}
    for name, hard in (status.get("hard") or {}).items():
        limit, spent = amount(hard), amount(used.get(name))
        if limit is not None and spent is not None and spent >= 0.9 * limit:
            yield "quota nearly or wholly used", f"{name}: {used.get(name)} of {hard}"


def node_problems(spec: Row, status: Row) -> Iterator[Problem]:
    if spec.get("unschedulable"):
        yield "cordoned", ""
    for condition in status.get("conditions") or ():
        ready = condition.get("type") == "Ready"
        if condition.get("status") == ("False" if ready else "True") or (
            ready and condition.get("status") == "Unknown"
        ):
            yield f"{condition.get('type')}={condition.get('status')}", short(condition.get("message", ""))


def amount(quantity: Any) -> float | None:
    """Return a Kubernetes quantity as a number, or None for what is none."""
    found = QUANTITY.match(str(quantity if quantity is not None else ""))
    return float(found[1]) * UNITS.get(found[2] or "", 1.0) if found else None
