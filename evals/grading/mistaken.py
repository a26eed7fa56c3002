"""What kind of mistake a false positive is: a reading aid, no part of any score."""

from __future__ import annotations

from enum import StrEnum

from evals.grading.entities import CHAOS_NAMESPACE, Entity, kind_fits, name_fits, namespace_fits, parse_entity
from evals.grading.ground_truth import GroundTruth
from evals.grading.precision import GradeResult, Verdict, VerdictKind


class Mistaken(StrEnum):
    MALFORMED = "malformed"  # not namespace/Kind/name
    WRONG_KIND = "wrong_kind"  # a root cause's namespace and name, another kind
    WRONG_NAMESPACE = "wrong_namespace"  # a root cause's kind and name, another namespace
    MECHANISM = "mechanism"  # upstream: what carried the fault in, such as a chaos controller
    SYMPTOM = "symptom"  # what the fault spread to
    BYSTANDER = "bystander"  # the ground truth does not speak of it


def mistakes_in(truth: GroundTruth, result: GradeResult) -> list[Mistaken | None]:
    """Return the kind of each verdict's mistake in their order; None for what is no false positive."""
    return [
        mistake_of(truth, verdict) if verdict.verdict is VerdictKind.FALSE_POSITIVE else None
        for verdict in result.verdicts
    ]


def mistake_of(truth: GroundTruth, verdict: Verdict) -> Mistaken:
    entity = parse_entity(verdict.name)
    if entity is None:
        return Mistaken.MALFORMED
    if near := near_a_root(truth, entity):
        return near
    if verdict.group_id is not None and is_mechanism(truth, verdict.group_id):
        return Mistaken.MECHANISM
    if verdict.group_id is not None:
        return Mistaken.SYMPTOM
    chaos = entity.namespace == CHAOS_NAMESPACE or entity.kind.endswith("chaos")
    return Mistaken.MECHANISM if chaos else Mistaken.BYSTANDER


def near_a_root(truth: GroundTruth, entity: Entity) -> Mistaken | None:
    """Tell how the entity misses a root cause by one of its three parts; by its name is no near miss."""
    for group in truth.groups:
        if not group.root_cause or not name_fits(entity, group):
            continue
        if namespace_fits(entity, group) and not kind_fits(entity, group):
            return Mistaken.WRONG_KIND
        if kind_fits(entity, group) and not namespace_fits(entity, group):
            return Mistaken.WRONG_NAMESPACE
    return None


def is_mechanism(truth: GroundTruth, group_id: str) -> bool:
    """Tell whether the fault came from there, as far as the ground truth tells how it spread."""
    sources = {propagation.source for propagation in truth.propagations}
    targets = {propagation.target for propagation in truth.propagations}
    return group_id in sources - targets
