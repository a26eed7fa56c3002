"""Explanations within the workloads: how they are set up, how they fail, where the errors start."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from evals.llm.baselines.ailments import ailments_of
from evals.llm.baselines.facts import Facts, Row, moment
from evals.llm.baselines.hypothesis import Hypothesis, paths_text, scored

WORKLOAD_KINDS = ("Deployment", "StatefulSet", "DaemonSet")
TELLING_PATHS = re.compile(
    r"image$|\.command|\.args|\.env\b|\.envFrom|nodeSelector|affinity|tolerations|resources|replicas|Probe"
    r"|ports|serviceAccount|volumes|volumeMounts|securityContext",
)
POOL_WORDS = re.compile(
    r"too many (?:clients|connections)|connection slots"
    r"|pool.{0,40}(?:exhaust|timed? ?out|full|limit|reached|wait)"
    r"|(?:exhaust|timed? ?out|no (?:free|available)).{0,40}pool|max(?:imum)?.{0,12}connections",
    re.IGNORECASE,
)


def from_changed_workloads(facts: Facts) -> Iterator[Hypothesis]:
    """A workload whose specification was changed, above all one that fails since."""
    for row in facts.of("changes"):
        if row.get("kind") not in WORKLOAD_KINDS or row.get("change") not in ("changed", "edited"):
            continue
        failures = ailments_of(facts, row.get("namespace", ""), row["name"])
        said = telling_paths(row) or row.get("paths", [])
        words = paths_text(said) or f"edited by {row.get('by')}"
        one = Hypothesis(
            row.get("namespace", ""), row["kind"], row["name"],
            weight=weight_of_change(facts, row),
            reason=f"Its specification was changed ({words})"
            + (f" and {failures[0].words}." if failures else "."),
            evidence=f"{row['change']} at {row.get('time')}: {words}",
            touches=frozenset({row["name"]}),
        )  # fmt: skip
        yield scored(facts, one, moment(row.get("not_before") or row.get("time")))


def telling_paths(row: Row) -> list[list[str]]:
    """Return the changes that can break a workload: not its labels, annotations or a restart."""
    return [path for path in row.get("paths", ()) if TELLING_PATHS.search(path[0])]


def weight_of_change(facts: Facts, row: Row) -> float:
    telling, name = telling_paths(row), row["name"]
    namespace = row.get("namespace", "")
    if (
        ailments_of(facts, namespace, name)
        or wrong_since(facts, namespace, name, telling)
        or to_zero(telling)
    ):
        return 0.95 if telling or row["change"] == "edited" else 0.5
    if not telling:
        return 0.15
    return 0.7 if name in facts.alerting | facts.hot.keys() else 0.45


def to_zero(paths: Iterable[list[str]]) -> bool:
    return any(path.endswith("replicas") and str(new) == "0" for path, _, new in paths)


def wrong_since(facts: Facts, namespace: str, name: str, paths: Iterable[list[str]]) -> bool:
    """Tell whether a changed environment variable holds an address that nobody answers to."""
    changed = " ".join(path for path, _, _ in paths)
    return any(
        (row.get("namespace", ""), row.get("name")) == (namespace, name)
        and str(row.get("variable")) in changed
        for row in facts.of("wiring")
    )


def from_failing_workloads(facts: Facts) -> Iterator[Hypothesis]:
    """A workload that can't run, whether or not a change was seen."""
    told = [(row, row["name"]) for row in facts.of("problems") if row["kind"] != "Node"]
    told += [(row, row["workload"]) for row in facts.of("events") if row.get("kind") == "Pod"]
    places = {(row.get("namespace", ""), name) for row, name in told}
    for namespace, name in sorted(places):
        for ailment in ailments_of(facts, namespace, name):
            one = Hypothesis(
                namespace, facts.kind_of(namespace, name), name,
                weight=ailment.weight,
                reason=f"It can't work: {ailment.words}.",
                evidence=ailment.evidence,
                touches=frozenset({name}),
            )  # fmt: skip
            yield scored(facts, one, ailment.start)


def from_wiring(facts: Facts) -> Iterator[Hypothesis]:
    """A workload with an address nobody answers to."""
    for row in facts.of("wiring"):
        name = row["name"]
        one = Hypothesis(
            row.get("namespace", ""), row["kind"], name,
            weight=0.75 if name in facts.symptomatic() else 0.3,
            reason=f"Its variable {row['variable']} is {row['value']}, but {row['wrong']}.",
            evidence=f"{row['variable']}={row['value']}",
            touches=frozenset({name}),
        )  # fmt: skip
        yield scored(facts, one, None)


def from_logs(facts: Facts) -> Iterator[Hypothesis]:
    """A service that says it ran out of connections."""
    for row in facts.of("logs"):
        grew = row.get("after", 0) > 2 * row.get("before", 0)
        if grew and POOL_WORDS.search(row.get("says", "")):
            said = f"{row['after']} x {row['says']}"
            one = about_service(facts, row["service"], 0.6, "It runs out of connections.", said)
            yield scored(facts, one, moment(row.get("first")))


def from_traces(facts: Facts) -> Iterator[Hypothesis]:
    """Where the errors start: what is left when nothing else explains them."""
    known = {name for _, name in facts.workloads}
    for name, more in facts.hot.items():
        if name in known:
            said = f"{more} more errors start here than before"
            yield scored(facts, about_service(facts, name, 0.35, "The errors start here.", said), None)


def about_service(facts: Facts, name: str, weight: float, reason: str, evidence: str) -> Hypothesis:
    """Return the hypothesis on the workload that a service of the telemetry is known by."""
    namespace = next((home for home, known in facts.workloads if known == name), "default")
    kind = facts.kind_of(namespace, name)
    return Hypothesis(namespace, kind, name, weight, reason, evidence, frozenset({name}))
