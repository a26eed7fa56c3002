"""The grader `aa-precision`: precision, but only when every root cause was found.

Any change that can change a score is a new VERSION, so that old grades stay what they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from evals.grading.answers import Answer, read_answer, read_recorded_answer
from evals.grading.entities import Entity, matches, parse_entity
from evals.grading.ground_truth import AliasSet, GroundTruth, Group

GRADER = "aa-precision"
VERSION = 1


class GradeOutcome(StrEnum):
    EXACT = "exact"  # score 1
    OVER_REPORTED = "over_reported"  # every root cause found, and something else blamed
    MISSED = "missed"  # answered, a root cause is missing
    NO_ANSWER = "no_answer"  # nothing handed in, or nothing that can be read


class VerdictKind(StrEnum):
    TRUE_POSITIVE = "true_positive"
    FALSE_POSITIVE = "false_positive"
    DUPLICATE = "duplicate"  # the same entity again: counts neither way


@dataclass(frozen=True)
class Verdict:
    name: str  # as submitted
    group_id: str | None  # of the group that it was taken for; None: no group fits
    verdict: VerdictKind
    reason: str


@dataclass(frozen=True)
class MissedRoot:
    ids: tuple[str, ...]  # every group id that would have counted
    root_ids: tuple[str, ...]
    description: str  # what an agent would have had to name


@dataclass(frozen=True)
class GradeResult:
    grader: str
    version: int
    score: float  # 0 to 1
    true_positives: int  # root causes found, however many entities point at each
    false_positives: int  # distinct entities that are no root cause
    false_negatives: int  # root causes missed
    outcome: GradeOutcome
    verdicts: tuple[Verdict, ...]  # one for each submitted entity, in its order
    missed: tuple[MissedRoot, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class _Judged:
    verdict: Verdict
    hit: frozenset[AliasSet] = frozenset()  # the root sets that this entity stands for


def grade(truth: GroundTruth, raw_answer: bytes | None) -> GradeResult:
    """Grade a submission as it was handed in; None: the run ended without one. Raises nothing."""
    if raw_answer is None:
        return grade_answer(truth, Answer(invalid_because="nothing was handed in"))
    return grade_answer(truth, read_answer(raw_answer))


def grade_recorded(truth: GroundTruth, raw_answer: bytes | None) -> GradeResult:
    """Grade a submission of a run recorded elsewhere, in any of the shapes that other harnesses ask for."""
    if raw_answer is None:
        return grade(truth, None)
    return grade_answer(truth, read_recorded_answer(raw_answer))


def grade_answer(truth: GroundTruth, answer: Answer) -> GradeResult:
    judged = _judge_all(truth, [entity.name for entity in answer.entities])
    hit = frozenset[AliasSet]().union(*(one.hit for one in judged))
    missed = [root_set for root_set in truth.root_sets if root_set not in hit]
    verdicts = tuple(one.verdict for one in judged)
    false_positives = sum(verdict.verdict is VerdictKind.FALSE_POSITIVE for verdict in verdicts)
    score = 0.0 if missed else len(hit) / (len(hit) + false_positives)
    return GradeResult(
        grader=GRADER,
        version=VERSION,
        score=score,
        true_positives=len(hit),
        false_positives=false_positives,
        false_negatives=len(missed),
        outcome=_outcome(answer, score),
        verdicts=verdicts,
        missed=tuple(_missed_root(truth, root_set) for root_set in missed),
        notes=_notes(answer),
    )


def _outcome(answer: Answer, score: float) -> GradeOutcome:
    if answer.invalid_because is not None:
        return GradeOutcome.NO_ANSWER
    if score == 0:
        return GradeOutcome.MISSED
    return GradeOutcome.EXACT if score == 1 else GradeOutcome.OVER_REPORTED


def _notes(answer: Answer) -> tuple[str, ...]:
    if answer.invalid_because is None:
        return answer.notes
    return (*answer.notes, f"no valid answer: {answer.invalid_because}")


def _judge_all(truth: GroundTruth, names: Sequence[str]) -> list[_Judged]:
    """Judge each distinct entity once; what comes again is a duplicate."""
    judged: list[_Judged] = []
    first: dict[Entity | str, _Judged] = {}
    for name in names:
        entity = parse_entity(name)
        identity = entity or name.strip()
        if identity in first:
            judged.append(_duplicate(name, first[identity].verdict))
            continue
        first[identity] = _judge(truth, name, entity)
        judged.append(first[identity])
    return judged


def _duplicate(name: str, first: Verdict) -> _Judged:
    return _Judged(Verdict(name, first.group_id, VerdictKind.DUPLICATE, f"the same entity as {first.name}"))


def _judge(truth: GroundTruth, name: str, entity: Entity | None) -> _Judged:
    if entity is None:
        return _Judged(Verdict(name, None, VerdictKind.FALSE_POSITIVE, "not namespace/Kind/name"))
    found = [group for group in _roots_first(truth) if matches(entity, group)]
    if not found:
        return _Judged(Verdict(name, None, VerdictKind.FALSE_POSITIVE, "not in the ground truth"))
    in_root_set = [group for group in found if truth.set_of(group.id).root_ids]
    if not in_root_set:
        return _Judged(Verdict(name, found[0].id, VerdictKind.FALSE_POSITIVE, f"downstream: {found[0].id}"))
    hit = dict.fromkeys(truth.set_of(group.id) for group in in_root_set)
    verdict = Verdict(
        name, in_root_set[0].id, VerdictKind.TRUE_POSITIVE, _why_true(in_root_set[0], list(hit))
    )
    return _Judged(verdict, frozenset(hit))


def _roots_first(truth: GroundTruth) -> list[Group]:
    return sorted(truth.groups, key=lambda group: not group.root_cause)


def _why_true(group: Group, hit: Sequence[AliasSet]) -> str:
    also = "".join(f", and root cause {other.root_ids[0]}" for other in hit[1:])
    if group.root_cause:
        return f"root cause {group.id}{also}"
    return f"{group.id} is an alias of root cause {hit[0].root_ids[0]}{also}"


def _missed_root(truth: GroundTruth, root_set: AliasSet) -> MissedRoot:
    described = " or ".join(dict.fromkeys(str(group) for group in truth.groups_of(root_set.root_ids)))
    return MissedRoot(root_set.ids, root_set.root_ids, described)
