"""What agents named instead of the root causes, and what they missed, over many runs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from evals.grading.entities import parse_entity
from evals.models import Grade, GradeOutcome, Run, RunState
from leaderboard.terminal import readable
from leaderboard.wording import MISTAKE_WORDS, entity_in_words

MOST_SHOWN = 8
FALSE_POSITIVE = "false_positive"


@dataclass(frozen=True)
class Mistake:
    """An entity that was blamed wrongly, or a root cause that was not named."""

    name: str  # in its commonest spelling
    reason: str  # why it is none; empty of what was missed
    runs: int
    tasks: int  # that these runs are of
    share: float  # of the runs that answered
    example: int  # one of these runs
    kind: str = ""  # of what was blamed wrongly, in words: the commonest where tasks differ

    @property
    def parts(self) -> list[str]:
        """The name, cut where a narrow page may break it."""
        return self.name.split("/")


@dataclass(frozen=True)
class Mistakes:
    """Commonest first, at most `MOST_SHOWN` of each kind."""

    graded: int  # runs
    answered: int  # of those, the ones whose answer could be read
    blamed: int  # answers that name what is no root cause
    lacking: int  # answers that miss a root cause
    false_positives: tuple[Mistake, ...]
    missed: tuple[Mistake, ...]
    false_positives_in_all: int  # distinct ones, shown or not
    missed_in_all: int
    kinds: tuple[tuple[str, int], ...] = ()  # of what was blamed wrongly, in words, and how often


@dataclass
class Tally:
    """What is counted of one mistake."""

    spellings: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    task_of: dict[int, int] = field(default_factory=dict)  # by run

    def add(self, run: int, task: int, name: str, reason: str = "", kind: str = "") -> None:
        self.kinds[kind] += 1
        self.spellings[name] += 1
        self.reasons[reason] += 1
        self.task_of[run] = task


def mistakes_of(runs: QuerySet[Run], grader: str) -> Mistakes:
    """Return the mistakes of the runs that ended, by the newest version of the grader. One query.

    The runs are those that the reader may see: names in their answers give a held-out task away.
    """
    return mistakes_in(newest_grades(runs, grader))


def mistakes_in(grades: Sequence[Mapping[str, Any]]) -> Mistakes:
    answered = [grade for grade in grades if grade["outcome"] != GradeOutcome.NO_ANSWER]
    false_positives: defaultdict[Hashable, Tally] = defaultdict(Tally)
    missed: defaultdict[Hashable, Tally] = defaultdict(Tally)
    kinds: Counter[str] = Counter()
    for grade in answered:
        run, task = grade["run_id"], grade["run__task_id"]
        for verdict in wrong(grade["verdicts"]):
            name = readable(verdict["name"])
            kind = MISTAKE_WORDS.get(verdict.get("mistake") or "", "")
            kinds[kind] += 1
            false_positives[identity(name)].add(run, task, name, readable(verdict["reason"]), kind)
        for root in grade["missed"]:
            missed[root["description"]].add(run, task, entity_in_words(root["description"]))
    return Mistakes(
        graded=len(grades),
        answered=len(answered),
        blamed=sum(any(wrong(grade["verdicts"])) for grade in answered),
        lacking=sum(bool(grade["missed"]) for grade in answered),
        false_positives=commonest(false_positives.values(), len(answered)),
        missed=commonest(missed.values(), len(answered)),
        false_positives_in_all=len(false_positives),
        missed_in_all=len(missed),
        kinds=tuple((kind, number) for kind, number in kinds.most_common() if kind),
    )


def newest_grades(runs: QuerySet[Run], grader: str) -> list[dict[str, Any]]:
    """Return the grades of the runs that ended, by the newest version of the grader."""
    ended = runs.filter(state=RunState.ENDED).order_by()
    grades = (
        Grade.objects.filter(run__in=ended, grader=grader)
        .order_by("run_id", "grader_version")
        .values("run_id", "run__task_id", "run__turns_total", "outcome", "verdicts", "missed", "sightings")
    )
    return list({grade["run_id"]: dict(grade) for grade in grades}.values())


def wrong(verdicts: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [verdict for verdict in verdicts if verdict["verdict"] == FALSE_POSITIVE]


def identity(name: str) -> Hashable:
    """Return what two spellings of one entity share. The pods of one workload are one."""
    entity = parse_entity(name)
    return name.strip() if entity is None else (entity.namespace, entity.kind, entity.names[-1])


def commonest(tallies: Iterable[Tally], answered: int) -> tuple[Mistake, ...]:
    mistakes = [mistake_of(tally, answered) for tally in tallies]
    mistakes.sort(key=lambda mistake: (-mistake.runs, mistake.name))
    return tuple(mistakes[:MOST_SHOWN])


def mistake_of(tally: Tally, answered: int) -> Mistake:
    return Mistake(
        name=tally.spellings.most_common(1)[0][0],
        reason=reason_in_words(tally.reasons),
        runs=len(tally.task_of),
        tasks=len(set(tally.task_of.values())),
        share=len(tally.task_of) / answered,
        example=next(iter(tally.task_of)),
        kind=tally.kinds.most_common(1)[0][0],
    )


def reason_in_words(reasons: Counter[str]) -> str:
    """Return the reason, or the kinds of them where tasks differ: "downstream or not in the ground truth"."""
    if len(reasons) == 1:
        return next(iter(reasons))
    return " or ".join(dict.fromkeys(reason.partition(":")[0] for reason, _ in reasons.most_common()))
