"""Kubernetes entities as an agent names them, and whether one is what a group of the ground truth means."""

from __future__ import annotations

import re
from dataclasses import dataclass

from evals.grading.ground_truth import Group
from evals.grading.patterns import name_patterns

CHAOS_NAMESPACE = "chaos-mesh"

# What Kubernetes hangs on a workload's name. Its generated parts hold no vowels, so that no word such as
# "proxy" is taken for one; hashes of old versions and of copied examples are hexadecimal, with a digit.
_GENERATED = "[bcdfghjklmnpqrstvwxz2456789]"
_POD_NAME_ENDINGS = (
    re.compile(rf"-(?:{_GENERATED}{{6,10}}|(?=[a-z]*\d)[a-z0-9]{{6,10}})-[a-z0-9]{{5}}\Z"),  # of a Deployment
    re.compile(r"-\d+\Z"),  # of a StatefulSet
    re.compile(rf"-{_GENERATED}{{5}}\Z"),  # of a DaemonSet or a Job
)

# First parts of API groups, to tell `apps.deployment` from kubectl's `deployments.apps`.
_API_GROUPS = frozenset(
    {"apps", "batch", "core", "v1", "autoscaling", "policy", "extensions", "networking", "rbac", "chaos-mesh"}
)


@dataclass(frozen=True)
class Entity:
    """`namespace/Kind/name`, in the form in which two spellings of one entity are equal."""

    namespace: str  # lower case
    kind: str  # lower case, singular, without its API group
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.kind}/{self.name}"

    @property
    def names(self) -> tuple[str, ...]:
        """The name, and of a Pod also its workload's where the name tells it."""
        workload = _workload_name(self.name) if self.kind == "pod" else None
        return (self.name, workload) if workload else (self.name,)


def parse_entity(text: str) -> Entity | None:
    """Return the entity, or None when the text is not `namespace/Kind/name`."""
    parts = [part.strip() for part in text.strip().strip("/").split("/")]
    if len(parts) != 3 or not all(parts):
        return None
    namespace, kind, name = parts
    return Entity(namespace.lower(), normalised_kind(kind), name)


def normalised_kind(kind: str) -> str:
    """Forgive case, plural and API group: `deployments`, `apps.Deployment`, `deployments.apps`."""
    parts = [part for part in kind.split(".") if part] or [kind]
    capitalised = [part for part in parts if part[0].isupper()]
    if capitalised:
        return _singular(capitalised[-1].lower())
    return _singular(parts[-1] if parts[0] in _API_GROUPS else parts[0])


def _singular(kind: str) -> str:
    if kind.endswith("ies"):
        return f"{kind[:-3]}y"
    if kind.endswith(("sses", "xes", "ches", "shes")):
        return kind[:-2]
    if kind.endswith(("ss", "chaos")):
        return kind
    return kind.removesuffix("s")


def _workload_name(pod_name: str) -> str | None:
    """Return `checkout` for `checkout-8546fdc74d-d68cn`, `kafka` for `kafka-0`, None for `cart`."""
    found = next((match for ending in _POD_NAME_ENDINGS if (match := ending.search(pod_name))), None)
    return pod_name[: found.start()] or None if found else None


def matches(entity: Entity, group: Group) -> bool:
    """Tell whether namespace, kind and name all fit."""
    return namespace_fits(entity, group) and kind_fits(entity, group) and name_fits(entity, group)


def namespace_fits(entity: Entity, group: Group) -> bool:
    return group.namespace is None or group.namespace.lower() == entity.namespace


def kind_fits(entity: Entity, group: Group) -> bool:
    kind = normalised_kind(group.kind)
    if entity.kind == kind or {entity.kind, kind} == {"deployment", "pod"}:
        return True
    # A schedule stands for the experiments that it spawned, whatever their kind.
    in_chaos_mesh = entity.namespace == CHAOS_NAMESPACE == (group.namespace or "").lower()
    return in_chaos_mesh and entity.kind == "schedule"


def name_fits(entity: Entity, group: Group) -> bool:
    if not group.filters:
        return group.name in entity.names
    patterns = name_patterns(group.filters)
    return any(pattern.fullmatch(name) for pattern in patterns for name in entity.names)
