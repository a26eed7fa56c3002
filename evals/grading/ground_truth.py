"""What really caused an incident, read from the benchmark's ground-truth file (YAML or JSON)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from evals.grading.documents import (
    DocumentError,
    load_document,
    mappings_at,
    required_text,
    shape,
    text_at,
    texts_at,
)
from evals.grading.patterns import regular_expression, without_pod_suffix


class GroundTruthFormatError(DocumentError):
    """The text is no usable ground truth: `place` in it, and `reason` with what was expected."""


@dataclass(frozen=True)
class Group:
    """Kubernetes entities that the ground truth treats as one thing."""

    id: str  # not unique: the same group may be defined twice, and then both definitions count
    kind: str
    namespace: str | None  # None: cluster-scoped or not told; any namespace is accepted
    filters: tuple[str, ...]  # patterns on names; empty: only `name` itself
    name: str | None
    root_cause: bool

    def __str__(self) -> str:
        names = " or ".join(self.filters) or self.name or "without a name"
        return f"{self.kind} {names}" + (f" in {self.namespace}" if self.namespace else "")


@dataclass(frozen=True)
class AliasSet:
    """Group ids that mean the same thing; a group without an alias is a set of its own."""

    ids: tuple[str, ...]  # in the order of the groups
    root_ids: tuple[str, ...]  # those of them that are a root cause


@dataclass(frozen=True)
class Fault:
    category: str
    mechanism: str
    condition: str
    kind: str
    name: str
    group_id: str


@dataclass(frozen=True)
class Alert:
    """An alert that the fault is expected to raise. The group id may be unknown or empty."""

    id: str
    group_id: str
    description: str


@dataclass(frozen=True)
class Propagation:
    """How the fault spread. Source and target are group ids; real files also name unknown ones."""

    source: str
    target: str
    condition: str
    effect: str


@dataclass(frozen=True)
class RecommendedAction:
    id: str
    actions: tuple[str, ...]


class FlagCode(StrEnum):
    DOWNSTREAM_VICTIM = "downstream_victim"  # an alias makes a victim of the fault count as its cause
    INDISTINCT_ROOTS = "indistinct_roots"  # one name satisfies two root causes
    PATTERN_AS_GLOB = "pattern_as_glob"  # a filter that is no regular expression


@dataclass(frozen=True)
class Flag:
    """Something a reader of this task's scores should know. The file is taken as it is."""

    code: FlagCode
    detail: str


@dataclass(frozen=True)
class GroundTruth:
    groups: tuple[Group, ...]
    alias_sets: tuple[AliasSet, ...]  # every group id is in exactly one
    faults: tuple[Fault, ...]
    alerts: tuple[Alert, ...]
    propagations: tuple[Propagation, ...]
    recommended_actions: tuple[RecommendedAction, ...]

    @property
    def root_sets(self) -> tuple[AliasSet, ...]:
        """What has to be found: the alias sets with a root cause in them, at least one."""
        return tuple(alias_set for alias_set in self.alias_sets if alias_set.root_ids)

    @property
    def flags(self) -> tuple[Flag, ...]:
        return tuple(_flags(self))

    def set_of(self, group_id: str) -> AliasSet:
        return next(alias_set for alias_set in self.alias_sets if group_id in alias_set.ids)

    def groups_of(self, ids: Collection[str]) -> tuple[Group, ...]:
        return tuple(group for group in self.groups if group.id in ids)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "flags": [asdict(flag) for flag in self.flags]}


# --- What a reader of a task's scores should know -------------------------------------------------


def _flags(truth: GroundTruth) -> Iterator[Flag]:
    for root_set in truth.root_sets:
        yield from _victims_among_the_roots(truth, root_set)
    yield from _indistinct_roots(truth)
    for group in truth.groups:
        for pattern in group.filters:
            if regular_expression(pattern) is None:
                detail = f"{group.id}: {pattern!r} is no regular expression and is read as a shell pattern"
                yield Flag(FlagCode.PATTERN_AS_GLOB, detail)


def _victims_among_the_roots(truth: GroundTruth, root_set: AliasSet) -> Iterator[Flag]:
    """Find what the fault spread to among its aliases, unless it is the same workload by another kind."""
    targets = {propagation.target for propagation in truth.propagations}
    roots = truth.groups_of(root_set.root_ids)
    root_names = set().union(*(_plain_names(group) for group in roots))
    for group in truth.groups_of(set(root_set.ids) & targets - set(root_set.root_ids)):
        if root_names.isdisjoint(_plain_names(group)):
            detail = (
                f"{group.id} is a victim of the fault, yet counts as the root cause {root_set.root_ids[0]}"
            )
            yield Flag(FlagCode.DOWNSTREAM_VICTIM, detail)


def _indistinct_roots(truth: GroundTruth) -> Iterator[Flag]:
    first_with: dict[tuple[object, ...], Group] = {}
    for group in truth.groups:
        if not group.root_cause:
            continue
        key = (group.namespace, group.kind, group.filters or group.name)
        other = first_with.setdefault(key, group)
        if truth.set_of(other.id) != truth.set_of(group.id):
            detail = f"{other.id} and {group.id} accept the same names: one entity finds both"
            yield Flag(FlagCode.INDISTINCT_ROOTS, detail)


def _plain_names(group: Group) -> set[str]:
    """Return `ad` for each of `ad`, `ad-.*` and `ad\\b`."""
    if not group.filters:
        return {group.name} if group.name else set()
    return {without_pod_suffix(pattern).removesuffix(r"\b") for pattern in group.filters}


# --- Reading a file -------------------------------------------------------------------------------


def parse_ground_truth(raw: bytes | str) -> GroundTruth:
    """Read a ground-truth file, flat or under `spec`.

    Raises:
        GroundTruthFormatError: not to be parsed, no root cause, an alias to an unknown id ...
    """
    try:
        return _ground_truth(load_document(raw))
    except DocumentError as error:
        raise GroundTruthFormatError(error.place, error.reason) from error


def _ground_truth(document: Any) -> GroundTruth:
    if not isinstance(document, dict):
        raise DocumentError("document", f"a mapping with groups expected, {shape(document)} found")
    under_spec = isinstance(document.get("spec"), dict)
    payload = document["spec"] if under_spec else document
    prefix = "spec." if under_spec else ""
    groups = _groups(payload.get("groups"), f"{prefix}groups")
    aliases = _aliases(payload.get("aliases"), f"{prefix}aliases", groups)
    actions_key = "recommendedActions" if "recommendedActions" in payload else "recommended_actions"

    def listed(key: str) -> list[tuple[dict[str, Any], str]]:
        return mappings_at(payload.get(key), f"{prefix}{key}")

    return GroundTruth(
        groups=groups,
        alias_sets=_alias_sets(groups, aliases),
        faults=tuple(_fault(*item) for item in listed("fault")),
        alerts=tuple(_alert(*item) for item in listed("alerts")),
        propagations=tuple(_propagation(*item) for item in listed("propagations")),
        recommended_actions=tuple(_action(*item) for item in listed(actions_key)),
    )


# --- The parts a score is made of: read strictly --------------------------------------------------


def _groups(value: Any, place: str) -> tuple[Group, ...]:
    if not isinstance(value, list) or not value:
        raise DocumentError(place, f"a list of groups expected, {shape(value)} found")
    groups = [_group(item, f"{place}[{i}]") for i, item in enumerate(value)]
    if not any(group.root_cause for group in groups):
        raise DocumentError(place, "at least one group with root_cause: true expected")
    return tuple(dict.fromkeys(groups))  # a definition repeated word for word counts once


def _group(value: Any, place: str) -> Group:
    if not isinstance(value, dict):
        raise DocumentError(place, f"a mapping with id and kind expected, {shape(value)} found")
    root_cause = value.get("root_cause") or False
    if not isinstance(root_cause, bool):
        raise DocumentError(f"{place}.root_cause", f"true or false expected, {root_cause!r} found")
    group = Group(
        id=required_text(value, "id", place),
        kind=required_text(value, "kind", place),
        namespace=text_at(value.get("namespace"), f"{place}.namespace") or None,
        filters=texts_at(value.get("filter"), f"{place}.filter"),
        name=text_at(value.get("name"), f"{place}.name") or None,
        root_cause=root_cause,
    )
    # A bystander without a name harms nobody; a root cause that nothing can match makes a task hopeless.
    if root_cause and not group.filters and not group.name:
        raise DocumentError(place, "a root cause needs a filter or a name")
    return group


def _aliases(value: Any, place: str, groups: tuple[Group, ...]) -> list[tuple[str, ...]]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise DocumentError(place, f"a list of lists of group ids expected, {shape(value)} found")
    known = {group.id for group in groups}
    aliases = []
    for i, item in enumerate(value):
        if not isinstance(item, list):
            raise DocumentError(f"{place}[{i}]", f"a list of group ids expected, {shape(item)} found")
        ids = texts_at(item, f"{place}[{i}]")
        if unknown := [group_id for group_id in ids if group_id not in known]:
            raise DocumentError(f"{place}[{i}]", f"the id of a group expected, {unknown[0]!r} found")
        aliases.append(ids)
    return aliases


def _alias_sets(groups: Iterable[Group], aliases: Iterable[tuple[str, ...]]) -> tuple[AliasSet, ...]:
    """Join overlapping lists, and give every other group a set of its own."""
    sets: dict[str, set[str]] = {group.id: {group.id} for group in groups}
    for ids in aliases:
        joined = set().union(*(sets[group_id] for group_id in ids))
        sets.update(dict.fromkeys(joined, joined))
    order = {group_id: position for position, group_id in enumerate(sets)}
    roots = {group.id for group in groups if group.root_cause}
    in_order = dict.fromkeys(tuple(sorted(members, key=order.__getitem__)) for members in sets.values())
    return tuple(AliasSet(ids, tuple(i for i in ids if i in roots)) for ids in in_order)


# --- The parts a page shows: a missing word is no reason to lose a task -----------------------------


def _fault(value: dict[str, Any], place: str) -> Fault:
    entity = value.get("entity")
    entity = entity if isinstance(entity, dict) else {}
    return Fault(
        category=text_at(value.get("category"), f"{place}.category"),
        mechanism=text_at(value.get("fault_mechanism"), f"{place}.fault_mechanism"),
        condition=text_at(value.get("condition"), f"{place}.condition"),
        kind=text_at(entity.get("kind"), f"{place}.entity.kind"),
        name=text_at(entity.get("name"), f"{place}.entity.name"),
        group_id=text_at(entity.get("group_id"), f"{place}.entity.group_id"),
    )


def _alert(value: dict[str, Any], place: str) -> Alert:
    metadata = value.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    return Alert(
        id=text_at(value.get("id"), f"{place}.id"),
        group_id=text_at(value.get("group_id"), f"{place}.group_id"),
        description=text_at(metadata.get("description"), f"{place}.metadata.description"),
    )


def _propagation(value: dict[str, Any], place: str) -> Propagation:
    return Propagation(
        source=text_at(value.get("source"), f"{place}.source"),
        target=text_at(value.get("target"), f"{place}.target"),
        condition=text_at(value.get("condition"), f"{place}.condition"),
        effect=text_at(value.get("effect"), f"{place}.effect"),
    )


def _action(value: dict[str, Any], place: str) -> RecommendedAction:
    solution = value.get("solution")
    solution = solution if isinstance(solution, dict) else value
    return RecommendedAction(
        id=text_at(solution.get("id"), f"{place}.solution.id"),
        actions=texts_at(solution.get("actions"), f"{place}.solution.actions"),
    )
