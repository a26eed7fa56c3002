"""The ground truth of an incident, in the shapes ITBench's own come in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from evals.incidents.cluster import SHOP, WORKLOADS
from evals.incidents.faults.model import Entity, Fault, workload_entities
from evals.incidents.journeys import QUEUE, VISITORS, callers, edges
from evals.incidents.plan import Plan, Quirks

Fired = set[tuple[str, str]]  # alert name, service or pod


def ground_truth(plan: Plan, fired: Fired) -> str:
    """Return the ground truth as YAML; `fired` are the alerts that really did."""
    services = _suffering(plan, fired)
    payload = {
        "alerts": list(_alerts(services, fired)),
        "aliases": _aliases(plan, services),
        "fault": [_fault(fault) for fault in plan.faults],
        "groups": _groups(plan, services),
        "propagations": [
            step
            for fault in plan.faults
            for step in _propagations(fault, _without_others(plan, fault, services))
        ],
        "recommendedActions" if plan.quirks.truth_camel_case else "recommended_actions": _actions(plan),
    }
    name = plan.slug.lower()
    document: dict[str, Any] = {"metadata": {"name": name}, **payload}
    if plan.quirks.truth_in_spec:
        document = {
            "apiVersion": "itbench.io/v1",
            "kind": "GroundTruth",
            "metadata": {"name": name},
            "spec": payload,
        }
    return yaml.safe_dump(document, sort_keys=False, width=1000, allow_unicode=True)


def _suffering(plan: Plan, fired: Fired) -> list[str]:
    """Return the services with a place in the story: victims first, then all that had an alert."""
    victims = [fault.victim for fault in plan.faults if fault.victim in WORKLOADS]
    alerted = sorted({name for _, name in fired if name in WORKLOADS} - set(victims))
    return [*dict.fromkeys(victims), *alerted]


def _alerts(services: list[str], fired: Fired) -> Iterator[dict[str, Any]]:
    for service in services:
        deployment_pods = f"{service}-"
        for name, about in sorted(fired):
            if about == service:
                yield _alert(name, f"{service}-service-1", f"{name} for service {service}")
            elif about.startswith(deployment_pods) and about.count("-") == service.count("-") + 2:
                yield _alert(name, f"{service}-pod-1", f"{name} for a pod of {service}")


def _alert(name: str, group: str, description: str) -> dict[str, Any]:
    return {"group_id": group, "id": name, "metadata": {"description": description}}


def _root_aliases(fault: Fault, quirks: Quirks) -> list[Entity]:
    aliases = list(fault.aliases)
    if fault.root.kind == "Deployment" and quirks.service_in_root:
        aliases.append(workload_entities(fault.victim)[2])
    return aliases


def _aliases(plan: Plan, services: list[str]) -> list[list[str]]:
    """Return which ids mean the same. No two lists overlap, or two roots would become one."""
    lists = []
    for fault in plan.faults:
        ids = [fault.root.id, *(entity.id for entity in _root_aliases(fault, plan.quirks))]
        lists.append(ids)
    taken = {id_ for ids in lists for id_ in ids}
    for service in services:
        _, pod, front = workload_entities(service)
        pair = [entity.id for entity in (front, pod) if entity.id not in taken]
        if pair:
            lists.append(pair)
    return lists


def _groups(plan: Plan, services: list[str]) -> list[dict[str, Any]]:
    groups: dict[str, dict[str, Any]] = {}
    for fault in plan.faults:
        groups[fault.root.id] = _group(fault.root, plan.quirks) | {"root_cause": True}
        for entity in _root_aliases(fault, plan.quirks):
            groups.setdefault(entity.id, _group(entity, plan.quirks))
    for service in services:
        _, pod, front = workload_entities(service)
        for entity in (pod, front):
            groups.setdefault(entity.id, _group(entity, plan.quirks))
    return list(groups.values())


def _group(entity: Entity, quirks: Quirks) -> dict[str, Any]:
    group: dict[str, Any] = {}
    one_object = entity.filters == (entity.name,)
    if not entity.filters or (one_object and quirks.bare_names):
        group["name"] = entity.name
    else:
        group["filter"] = list(entity.filters)
    group |= {"id": entity.id, "kind": entity.kind}
    return group | ({"namespace": entity.namespace} if entity.namespace else {})


def _fault(fault: Fault) -> dict[str, Any]:
    return {
        "category": fault.story.category,
        "condition": fault.story.condition,
        "entity": {"group_id": fault.root.id, "kind": fault.root.kind, "name": fault.root.name},
        "fault_mechanism": fault.story.mechanism,
    }


def _without_others(plan: Plan, fault: Fault, services: list[str]) -> list[str]:
    """Return the services less the victims of the other faults, whose trouble is another story."""
    others = {other.victim for other in plan.faults if other is not fault}
    return [service for service in services if service not in others]


def _propagations(fault: Fault, services: list[str]) -> Iterator[dict[str, Any]]:
    """Yield how trouble went from the root to the victim, and on to whoever calls it."""
    victim = fault.victim
    yield _step(fault.root.id, f"{victim}-pod-1", fault.story.condition, fault.story.effect)
    effect = f"Service {victim} no longer serves its callers as it should"
    yield _step(f"{victim}-pod-1", f"{victim}-service-1", fault.story.effect, effect)
    above, seen, reached = callers(), {victim}, [victim]
    for callee in reached:  # grows while it is read: breadth first
        # Whoever fills the queue does not feel that nobody empties it.
        for caller in () if callee == QUEUE != victim else above.get(callee, ()):
            if caller in seen or caller == VISITORS or caller not in services:
                continue
            seen.add(caller)
            reached.append(caller)
            condition, effect = f"{caller} calls {callee}", f"Requests of {caller} fail or are slow"
            if caller == QUEUE:
                condition, effect = f"{callee} reads orders from {caller}", "Orders wait in the queue"
            yield _step(f"{callee}-service-1", f"{caller}-service-1", condition, effect)
    yield from _starved(fault, services, seen)


def _starved(fault: Fault, services: list[str], seen: set[str]) -> Iterator[dict[str, Any]]:
    """Yield who gets fewer requests because those who call it are in trouble."""
    below: dict[str, str] = {}
    reached = sorted(seen - {fault.victim})
    for caller in reached:  # grows while it is read
        for edge_caller, call in edges():
            if edge_caller == caller and call.callee not in seen and call.callee not in below:
                below[call.callee] = caller if caller in services else below[caller]
                reached.append(call.callee)
    for callee, caller in below.items():
        if callee in services:
            condition = f"Requests of {caller} end before they reach {callee}"
            effect = f"{callee} receives fewer requests or none in namespace {SHOP}"
            yield _step(f"{caller}-service-1", f"{callee}-service-1", condition, effect)


def _step(source: str, target: str, condition: str, effect: str) -> dict[str, Any]:
    return {"condition": condition, "effect": effect, "source": source, "target": target}


def _actions(plan: Plan) -> list[dict[str, Any]]:
    return [
        {"solution": {"actions": list(fault.story.actions), "id": f"undo_{fault.kind}_of_{fault.victim}"}}
        for fault in plan.faults
    ]
