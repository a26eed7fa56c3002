"""Where the root causes of an incident first came into view in a run: a reading aid, no part of any score.

What is told is that a name stood in a text. Whether anybody understood it is not told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from evals.grading.entities import Entity, normalised_kind
from evals.grading.ground_truth import AliasSet, GroundTruth, Group
from evals.grading.patterns import name_patterns, without_pod_suffix

# A workload gives its name to its pods, its service, its autoscaler and, in this application, to much of what
# anybody writes: such a name counts only with its kind beside it.
SHARED_KINDS = frozenset(
    {"deployment", "pod", "service", "statefulset", "daemonset", "replicaset", "namespace",
     "horizontalpodautoscaler", "serviceaccount", "endpoint"}
)  # fmt: skip
WORKLOAD_KINDS = frozenset({"deployment", "pod"})  # the grader takes either for the other
OTHER_NAMES = {"horizontalpodautoscaler": "hpa"}
BESIDE_CHARACTERS = 300  # to either side of a name, in which its kind is looked for

NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
PLAIN = re.compile(r"[a-z0-9.-]+")


@dataclass(frozen=True)
class TurnTexts:
    """What a turn holds."""

    number: int
    words: tuple[str, ...]  # of the model: message, reasoning, commands, arguments
    outputs: tuple[str, ...]  # of its tool calls, in their order


@dataclass(frozen=True)
class Sighting:
    """Of one root cause. None: nowhere in the run."""

    ids: tuple[str, ...]
    root_ids: tuple[str, ...]
    description: str
    seen_turn: int | None = None  # where it first stood in an output
    seen_call: int | None = None  # which of that turn's tool calls, from 1
    named_turn: int | None = None  # where it first stood in the model's own words

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "ids": list(self.ids), "root_ids": list(self.root_ids)}


class Wanted:
    """The names of one group of the ground truth, as they are looked for in a text."""

    def __init__(self, group: Group) -> None:
        self.kind = normalised_kind(group.kind)
        filters = group.filters or ((re.escape(group.name),) if group.name else ())
        self.patterns = name_patterns(filters)
        self.literals = [literal_of(text) for text in filters]
        self._known: dict[str, bool] = {}

    @cached_property
    def kind_beside(self) -> re.Pattern[str]:
        kinds = WORKLOAD_KINDS if self.kind in WORKLOAD_KINDS else {self.kind}
        names = "|".join(sorted({*kinds, *(OTHER_NAMES[kind] for kind in kinds if kind in OTHER_NAMES)}))
        return re.compile(rf"(?<![a-z])(?:{names})(?:s|es)?(?![a-z])", re.IGNORECASE)

    def stands_in(self, text: str) -> bool:
        # A plain look first: most outputs do not hold a root cause's name at all.
        if all(literal and literal not in text for literal in self.literals):
            return False
        return any(self.counts(found, text) for found in NAME.finditer(text) if self.fits(found.group()))

    def fits(self, name: str) -> bool:
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = any(
                pattern.fullmatch(each) for each in Entity("", "pod", name).names for pattern in self.patterns
            )
        return known

    def counts(self, found: re.Match[str], text: str) -> bool:
        if self.kind not in SHARED_KINDS:
            return True
        name = found.group()
        if self.kind in WORKLOAD_KINDS and Entity("", "pod", name).names != (name,):
            return True  # the generated name of a pod is nothing else's
        before = text[max(found.start() - BESIDE_CHARACTERS, 0) : found.start()].rpartition("\n")[2]
        after = text[found.end() : found.end() + BESIDE_CHARACTERS].partition("\n")[0]
        return self.kind_beside.search(before) is not None or self.kind_beside.search(after) is not None


def literal_of(pattern: str) -> str:
    """Return what a name must hold to match, or nothing where that can't be told so easily."""
    text = without_pod_suffix(pattern).removesuffix(r"\b").replace("\\-", "-").replace("\\.", ".")
    return text if PLAIN.fullmatch(text) and "." not in text else ""


@dataclass
class Watch:
    """One root cause while the turns go by."""

    root_set: AliasSet
    description: str
    wanted: Sequence[Wanted]
    seen_turn: int | None = None
    seen_call: int | None = None
    named_turn: int | None = None

    @property
    def done(self) -> bool:
        return self.seen_turn is not None and self.named_turn is not None

    def look(self, turn: TurnTexts) -> None:
        if self.named_turn is None and any(self.stands_in(text) for text in turn.words):
            self.named_turn = turn.number
        if self.seen_turn is None:
            calls = (call for call, text in enumerate(turn.outputs, start=1) if self.stands_in(text))
            if (call := next(calls, None)) is not None:
                self.seen_turn, self.seen_call = turn.number, call

    def stands_in(self, text: str) -> bool:
        return any(wanted.stands_in(text) for wanted in self.wanted)

    def sighting(self) -> Sighting:
        return Sighting(
            self.root_set.ids, self.root_set.root_ids, self.description,
            self.seen_turn, self.seen_call, self.named_turn,
        )  # fmt: skip


def sightings(truth: GroundTruth, turns: Iterable[TurnTexts]) -> list[Sighting]:
    """Return the sighting of each root cause, in the order of the ground truth.

    Turns are read only until every root cause has been both seen and named.
    """
    watches = list(watches_of(truth))
    for turn in turns:
        waiting = [watch for watch in watches if not watch.done]
        if not waiting:
            break
        for watch in waiting:
            watch.look(turn)
    return [watch.sighting() for watch in watches]


def watches_of(truth: GroundTruth) -> Iterator[Watch]:
    victims = {propagation.target for propagation in truth.propagations}
    for root_set in truth.root_sets:
        roots = truth.groups_of(root_set.root_ids)
        described = " or ".join(dict.fromkeys(str(group) for group in roots))
        # An alias means the same thing; one that the fault only spread to is seen long before its cause.
        meant = truth.groups_of({*root_set.root_ids, *(set(root_set.ids) - victims)})
        yield Watch(root_set, described, [Wanted(group) for group in meant])
