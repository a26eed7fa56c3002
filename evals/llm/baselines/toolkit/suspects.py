"""Objects that can break others: chaos experiments, feature flags, network policies, wrong addresses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from .objects import PAUSE, History, Key, dumped, histories, key_of, named
from .rows import Row, clock, json_of, short

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
COMMON = 4  # workloads with the same address
OFF = (False, 0, "off", "false", "disabled", "0", None)
ADDRESS = re.compile(
    r"^(?:[a-z][a-z0-9+.-]*://)?(?:[^/@\s]*@)?([a-z][a-z0-9.-]*):(\d{1,5})(?:/\S*)?$", re.IGNORECASE
)


def chaos() -> list[Row]:
    """Return chaos-mesh's objects: what each does to whom, and its phases through the dumps."""
    found: dict[Key, Row] = {}
    for time, thing in dumped():
        if str(thing.get("apiVersion", "")).startswith("chaos-mesh.org"):
            row = found.setdefault(key_of(thing), {"first": time, "phases": []})
            row.update(last=time, thing=thing)
            phase = chaos_phase(thing)
            if not row["phases"] or row["phases"][-1][1] != phase:
                row["phases"].append([clock(time), phase])
    return [chaos_row(key, row) for key, row in sorted(found.items())]


def chaos_phase(thing: Row) -> str:
    if str((thing["metadata"].get("annotations") or {}).get(PAUSE)).lower() == "true":
        return "paused"
    status = thing.get("status") or {}
    conditions = {str(part.get("type")): part.get("status") for part in status.get("conditions") or ()}
    if conditions.get("Paused") == "True":
        return "paused"
    if conditions.get("AllRecovered") == "True":
        return "recovered"
    if conditions.get("AllInjected") == "True":
        return "injected"
    desired = str((status.get("experiment") or {}).get("desiredPhase", ""))
    return {"Run": "running", "Stop": "stopped"}.get(desired, "unknown")


def chaos_row(key: Key, row: Row) -> Row:
    thing = row["thing"]
    spec = thing.get("spec") or {}
    inner = next((part for part in spec.values() if isinstance(part, dict) and "selector" in part), {})
    experiment = inner if key[1] == "Schedule" else spec
    metadata = thing["metadata"]
    return {
        **named(key),
        "created": metadata.get("creationTimestamp"),
        "first": clock(row["first"]),
        "last": clock(row["last"]),
        "does": " ".join(str(experiment.get(part)) for part in ("action", "mode") if experiment.get(part)),
        "runs": spec.get("schedule"),
        "spawned_by": spawned_by(metadata),
        "selector": experiment.get("selector"),
        "target": (experiment.get("target") or {}).get("selector"),
        "duration": experiment.get("duration"),
        "phases": row["phases"],
    }


def spawned_by(metadata: Row) -> str | None:
    """Return the name of the schedule that made an experiment, or None for one made by hand."""
    owners = [
        owner.get("name")
        for owner in metadata.get("ownerReferences") or ()
        if owner.get("kind") == "Schedule"
    ]
    return next(iter(owners), (metadata.get("labels") or {}).get("managed-by"))


def flags() -> list[Row]:
    """Return the feature flags of flagd that are not off, with how each was before."""
    rows: list[Row] = []
    for key, history in sorted(histories().items()):
        if key[1] == "ConfigMap":
            rows += [{**named(key), **row} for row in flags_of(history)]
    return rows


def flags_of(history: History) -> Iterator[Row]:
    states = [(version.first, flag_states(version.wanted)) for version in history.versions]
    for flag, (value, shown) in sorted(states[-1][1].items() if states else ()):
        before = [(time, told[flag]) for time, told in states[:-1] if flag in told]
        changed = [pair for pair in before if pair[1][0] != value]
        if value in OFF and not changed:
            continue
        since = next((time for time, told in states if told.get(flag, (None, ""))[0] == value), None)
        yield {
            "flag": flag,
            "now": shown,
            "off_now": value in OFF,
            "was": changed[-1][1][1] if changed else None,
            "was_off": bool(changed) and changed[-1][1][0] in OFF,
            "since": clock(since) if changed else None,
        }


def flag_states(config_map: Row) -> dict[str, tuple[Any, str]]:
    """Return each flag's value in effect, and how to write it."""
    states: dict[str, tuple[Any, str]] = {}
    for text in (config_map.get("data") or {}).values():
        told = json_of(text) if isinstance(text, str) else None
        for flag, definition in ((told or {}).get("flags") or {}).items() if isinstance(told, dict) else ():
            variant = definition.get("defaultVariant")
            value = (definition.get("variants") or {}).get(variant, variant)
            off = definition.get("state") == "DISABLED" or str(variant).lower() == "off"
            targeted = " and by targeting" if definition.get("targeting") else ""
            states[flag] = (
                False if off and not targeted else hashable(value),
                f"{variant} ({short(value, 60)}){targeted}",
            )
    return states


def hashable(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def policies() -> list[Row]:
    """Return the network policies: whom each selects, and what it lets through."""
    found = histories()
    templates = pod_templates(found)
    rows = []
    for key, history in sorted(found.items()):
        if key[1] == "NetworkPolicy":
            spec = history.latest.get("spec") or {}
            wanted = spec.get("podSelector") or {}
            picked = [
                (name, template)
                for (namespace, name), template in sorted(templates.items())
                if namespace == key[0] and selects(wanted, labels_of(template))
            ]
            rows.append({**named(key), **policy_row(spec, history, picked)})
    return rows


def pod_templates(found: dict[Key, History]) -> dict[tuple[str, str], Row]:
    """Return the pod template of each workload by namespace and name."""
    return {
        (key[0], key[2]): (history.latest.get("spec") or {}).get("template") or {}
        for key, history in found.items()
        if key[1] in WORKLOADS
    }


def labels_of(template: Row) -> Row:
    return (template.get("metadata") or {}).get("labels") or {}


def selects(selector: Row, labels: Row) -> bool:
    """Tell whether a label selector matches; an empty one matches all."""
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(name) != value for name, value in wanted.items()):
        return False
    for rule in selector.get("matchExpressions") or ():
        value, values = labels.get(rule.get("key")), rule.get("values") or ()
        fits = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if not fits.get(str(rule.get("operator")), True):
            return False
    return True


def policy_row(spec: Row, history: History, picked: list[tuple[str, Row]]) -> Row:
    types = spec.get("policyTypes") or ["Ingress"]
    ports = {port for _, template in picked for port in container_ports(template)}
    rules = spec.get("ingress") or []
    blocks = [
        f"all {name.lower()}"
        for name in ("Ingress", "Egress")
        if name in types and not spec.get(name.lower())
    ]
    if "Ingress" in types and rules and ports and not any(opens(rule, ports) for rule in rules):
        blocks.append("ingress to the ports in use")
    return {
        "selects": [name for name, _ in picked],
        "selects_all": not spec.get("podSelector"),
        "blocks": blocks,
        "lets_in": [peer for rule in rules for peer in rule.get("from") or [{"anybody": True}]],
        "created": history.latest["metadata"].get("creationTimestamp"),
        "first": clock(history.first),
        "changed": clock(history.versions[-1].first) if len(history.versions) > 1 else None,
    }


def container_ports(template: Row) -> list[Any]:
    containers = (template.get("spec") or {}).get("containers") or ()
    named_ports = [port for container in containers for port in container.get("ports") or ()]
    return [value for port in named_ports for value in (port.get("containerPort"), port.get("name")) if value]


def opens(rule: Row, ports: set[Any]) -> bool:
    """Tell whether an ingress rule lets anything through to one of the ports in use."""
    told = rule.get("ports")
    return not told or any(
        port.get("port") is None or port["port"] in ports or "endPort" in port for port in told
    )


def wiring() -> list[Row]:
    """Return addresses in the workloads' environment that no service of the cluster answers to.

    One that many workloads share is how this cluster is built, not what broke: it is left out.
    """
    found = histories()
    services = {
        (key[0], key[2]): service_ports(history.latest)
        for key, history in found.items()
        if key[1] == "Service"
    }
    rows: list[Row] = []
    for key, history in sorted(found.items()):
        for variable, value in environment_of(history.latest) if key[1] in WORKLOADS and services else ():
            if wrong := wrong_address(value, key[0], services):
                rows.append({**named(key), "variable": variable, "value": value, "wrong": wrong})
    shared = Counter(row["value"] for row in rows)
    return [row for row in rows if shared[row["value"]] < COMMON]


def dependencies() -> list[Row]:
    """Return which services each workload has addresses of in its environment."""
    found = histories()
    services = {(key[0], key[2]) for key in found if key[1] == "Service"}
    rows: list[Row] = []
    for key, history in sorted(found.items()):
        if key[1] not in WORKLOADS:
            continue
        hosts = {address_host(value, key[0]) for _, value in environment_of(history.latest)}
        called = sorted(host[1] for host in hosts & services if host and host[1] != key[2])
        rows.append({**named(key), "calls": called})
    return rows


def address_host(value: str, namespace: str) -> tuple[str, str] | None:
    """Return namespace and name of the service an address means, or None for no address."""
    found = ADDRESS.match(value.strip())
    if not found:
        return None
    host = found[1].lower().split(".")
    return (host[1] if len(host) > 1 else namespace), host[0]


def service_ports(service: Row) -> list[int]:
    return [port.get("port") for port in (service.get("spec") or {}).get("ports") or ()]


def environment_of(workload: Row) -> Iterator[tuple[str, str]]:
    pod = ((workload.get("spec") or {}).get("template") or {}).get("spec") or {}
    for container in [*(pod.get("containers") or ()), *(pod.get("initContainers") or ())]:
        for entry in container.get("env") or ():
            if isinstance(entry.get("value"), str):
                yield str(entry.get("name")), entry["value"]


def wrong_address(value: str, namespace: str, services: dict[tuple[str, str], list[int]]) -> str | None:
    found = ADDRESS.match(value.strip())
    if not found or found[1].lower() == "localhost":
        return None
    address = address_host(value, namespace)
    if address is None or not any(address[0] == home for home, _ in services):
        return None  # A name of the outside.
    ports = services.get(address)
    if ports is None:
        return f"there is no service {address[1]} in {address[0]}"
    return None if int(found[2]) in ports or not ports else f"service {address[1]} listens on {ports}"
