"""One explanation of an incident, and how well it fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from evals.llm.baselines.facts import DUMP_SLACK_S, Facts


@dataclass(frozen=True)
class Hypothesis:
    """One object that may be the root cause."""

    namespace: str
    kind: str
    name: str
    weight: float  # what the evidence alone says, 0 to 1
    reason: str
    evidence: str
    touches: frozenset[str] = frozenset()  # the workloads it acts on; "*" is all
    score: float = 0.0  # the weight by timing and by what it explains

    @property
    def entity(self) -> str:
        return f"{self.namespace or 'cluster'}/{self.kind}/{self.name}"


def scored(facts: Facts, one: Hypothesis, start: float | None, slack_s: float = DUMP_SLACK_S) -> Hypothesis:
    coverage = facts.coverage(set(one.touches))
    # A hypothesis where errors start is a little likelier than one they pass through.
    heat = 1.1 if one.touches & facts.hot.keys() else 1.0
    return replace(one, score=one.weight * facts.timing(start, slack_s) * (0.4 + 0.6 * coverage) * heat)


def paths_text(paths: Sequence[Sequence[str]]) -> str:
    """Return the first few changes of an object in words."""
    return "; ".join(f"{path}: {old} -> {new}" for path, old, new in paths[:3])
