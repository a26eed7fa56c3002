"""Whether an address in a pod's environment leads to the service it is meant for."""

from __future__ import annotations

import re
from enum import StrEnum

from evals.incidents.cluster import ADDRESS_VARIABLES, PodTemplate
from evals.incidents.world import World

_DATABASE = re.compile(r"host=(?P<host>[^; ]+)[; ]port=(?P<port>\d+)", re.IGNORECASE)
_PLAIN = re.compile(r"(?:\w+://)?(?P<host>[^:/]+):(?P<port>\d+)")


class AddressProblem(StrEnum):
    UNKNOWN_HOST = "unknown host"
    CLOSED_PORT = "closed port"
    OTHER_SERVICE = "other service"


def problem(world: World, template: PodTemplate, caller: str, callee: str) -> AddressProblem | None:
    """Return what is wrong with the caller's address of the callee, or None when it leads there."""
    variable = ADDRESS_VARIABLES.get((caller, callee))
    value = template.variable(variable) if variable else None
    if value is None:
        return None
    match = _DATABASE.search(value) or _PLAIN.match(value)
    if match is None or match["host"] not in world.services:
        return AddressProblem.UNKNOWN_HOST
    service = world.services[match["host"]]
    if int(match["port"]) != service.port:
        return AddressProblem.CLOSED_PORT
    return None if service.workload == callee else AddressProblem.OTHER_SERVICE
