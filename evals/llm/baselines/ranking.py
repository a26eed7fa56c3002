"""All explanations of an incident, the best first."""

from __future__ import annotations

from evals.llm.baselines import interventions, workloads
from evals.llm.baselines.facts import Facts
from evals.llm.baselines.hypothesis import Hypothesis

MAKERS = (
    interventions.from_chaos,
    interventions.from_flags,
    interventions.from_quotas,
    interventions.from_policies,
    interventions.from_autoscalers,
    interventions.from_other_changes,
    workloads.from_changed_workloads,
    workloads.from_failing_workloads,
    workloads.from_wiring,
    workloads.from_logs,
    workloads.from_traces,
)


def ranked(facts: Facts) -> list[Hypothesis]:
    """Return one hypothesis for each object."""
    best: dict[str, Hypothesis] = {}
    for hypothesis in (made for maker in MAKERS for made in maker(facts)):
        other = best.get(hypothesis.entity)
        if other is None or hypothesis.score > other.score:
            best[hypothesis.entity] = hypothesis
    return sorted(best.values(), key=lambda one: (-one.score, one.entity))
