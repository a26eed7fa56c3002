"""What all objects have in common."""

from __future__ import annotations

from typing import Any

from evals.incidents.clock import Clock
from evals.incidents.state import Identity


def metadata(identity: Identity, clock: Clock, labels: dict[str, str] | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"name": identity.ref.name}
    if identity.ref.namespace:
        made["namespace"] = identity.ref.namespace
    made |= {
        "uid": identity.uid,
        "resourceVersion": str(identity.version),
        "creationTimestamp": clock.iso(identity.created),
    }
    if labels:
        made["labels"] = labels
    return made


def specified(identity: Identity, clock: Clock, labels: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the metadata of an object that people specify: with its generation and who changed it."""
    made = metadata(identity, clock, labels)
    made["generation"] = identity.generation
    made["managedFields"] = [
        {"manager": manager, "operation": "Update", "time": clock.iso(second)}
        for manager, second in identity.managers
    ]
    return made


def condition(kind: str, status: str, since: str, reason: str = "", message: str = "") -> dict[str, Any]:
    """Return a status condition; the status is "True" or "False"."""
    made: dict[str, Any] = {"type": kind, "status": status, "lastTransitionTime": since}
    if reason:
        made["reason"] = reason
    if message:
        made["message"] = message
    return made


def owner(identity: Identity, api_version: str) -> list[dict[str, Any]]:
    return [{"apiVersion": api_version, "kind": identity.ref.kind, "name": identity.ref.name,
             "uid": identity.uid, "controller": True}]  # fmt: skip
