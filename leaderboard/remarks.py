"""What pages show of remarks: those of a run by turn, tags that its grade suggests, tags of many runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet

from evals.failure_tags import MAST, OURS, title_of
from evals.models import Grade, GradeOutcome, Remark, Run
from evals.trajectory import StopReason
from leaderboard.terminal import readable

CHOICES = (("This benchmark", tuple(OURS.items())), ("MAST", tuple((tag, title_of(tag)) for tag in MAST)))
# What a kind of mistake in an answer suggests.
OF_MISTAKES = {
    "symptom": "symptom-as-cause", "mechanism": "chaos-controller", "wrong_kind": "wrong-kind",
    "wrong_namespace": "wrong-namespace", "malformed": "malformed-answer",
}  # fmt: skip


@dataclass(frozen=True)
class Said:
    """One remark as it is shown."""

    pk: int
    tag: str
    comment: str
    turn: int | None

    @property
    def title(self) -> str:
        return title_of(self.tag)


@dataclass(frozen=True)
class Remarks:
    of_run: Sequence[Said]
    by_turn: Mapping[int, Sequence[Said]]

    @property
    def turns(self) -> Collection[int]:
        return self.by_turn.keys()


def remarks_of(run: Run) -> Remarks:
    """Return all remarks of a run. One query."""
    rows = Remark.objects.filter(run=run).order_by("turn__number", "pk")
    of_run: list[Said] = []
    by_turn: dict[int, list[Said]] = {}
    for pk, tag, comment, turn in rows.values_list("pk", "tag", "comment", "turn__number"):
        said = Said(pk, tag, readable(comment), turn)
        (of_run if turn is None else by_turn.setdefault(turn, [])).append(said)
    return Remarks(of_run, by_turn)


def suggested(run: Run, grade: Grade | None, remarks: Remarks) -> list[tuple[str, str]]:
    """Return the tags that the grade speaks for and nobody has set: computed, and never stored by itself."""
    borne = {said.tag for said in remarks.of_run}
    return [(tag, title_of(tag)) for tag in dict.fromkeys(spoken_for(run, grade)) if tag not in borne]


def spoken_for(run: Run, grade: Grade | None) -> Iterator[str]:
    if run.stop_reason == StopReason.TURN_CAP:
        yield "cap-reached"
    if grade is None:
        return
    if grade.outcome == GradeOutcome.NO_ANSWER:
        yield "no-output" if run.submission is None else "malformed-answer"
    if grade.outcome == GradeOutcome.OVER_REPORTED:
        yield "over-reporting"
    if grade.outcome == GradeOutcome.MISSED:
        yield from (
            tag for verdict in grade.verdicts if (tag := OF_MISTAKES.get(verdict.get("mistake") or ""))
        )


@dataclass(frozen=True)
class TagCount:
    tag: str
    title: str
    runs: int


def tags_of(runs: QuerySet[Run]) -> list[TagCount]:
    """Return how many of the runs bear each tag, the commonest first. One query."""
    rows: Any = (
        Remark.objects.filter(run__in=runs.order_by())
        .exclude(tag="")
        .values_list("tag")
        .annotate(runs=Count("run", distinct=True))
        .order_by("-runs", "tag")
    )
    return [TagCount(tag, title_of(tag), number) for tag, number in rows]
