"""The ways in which a workload itself fails, as its objects and events tell them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from evals.llm.baselines.facts import Facts, moment

# How much each says, by itself, that the workload is set up wrongly.
SHAPES = (
    (r"ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull", 0.85, "its image can't be pulled"),
    (r"CreateContainerConfigError|CreateContainerError|RunContainerError", 0.8, "its container can't start"),
    (r"exec format|StartError|ContainerCannotRun", 0.8, "its command can't run"),
    (r"scaled to 0", 0.75, "it is scaled to zero"),
    (r"OOMKilled|OOMKilling", 0.6, "it is killed for lack of memory"),
    (r"CrashLoopBackOff", 0.6, "its container crashes over and over"),
    (r"FailedMount|FailedAttachVolume", 0.6, "a volume can't be mounted"),
)
UNPLACED = ("Unschedulable", "FailedScheduling")
SELECTOR_WORDS = re.compile(r"node selector|node affinity|affinity/selector|untolerated taint", re.IGNORECASE)


@dataclass(frozen=True)
class Ailment:
    weight: float  # 0 to 1
    words: str
    evidence: str
    start: float | None  # seconds since 1970


def ailments_of(facts: Facts, namespace: str, name: str) -> list[Ailment]:
    """Return every way in which the workload is told to fail."""
    found: list[Ailment] = []
    for row in facts.problems_of(namespace, name):
        found += ailments_in(f"{row['problem']}: {row.get('says', '')}", moment(row.get("first")))
    for row in facts.of("events"):
        if (row.get("namespace", ""), row.get("workload")) == (namespace, name):
            found += ailments_in(f"{row['reason']}: {row.get('says', '')}", moment(row.get("first")))
    return found


def ailments_in(text: str, start: float | None) -> Iterator[Ailment]:
    for shape, weight, words in SHAPES:
        if re.search(shape, text):
            yield Ailment(weight, words, text, start)
    if text.startswith(UNPLACED):
        picky = SELECTOR_WORDS.search(text) is not None
        words = "no node fits its selector" if picky else "no node has room for it"
        yield Ailment(0.85 if picky else 0.5, words, text, start)
