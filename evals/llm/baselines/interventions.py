"""Explanations outside the workloads: what somebody set up around them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from evals.llm.baselines.callgraph import EVERYTHING
from evals.llm.baselines.facts import DUMP_SLACK_S, Facts, Row, moment
from evals.llm.baselines.hypothesis import Hypothesis, paths_text, scored

QUOTA_NAME = re.compile(r"exceeded quota: ([a-z0-9.-]+)")
REPLICA_SET_HASH = re.compile(r"-(?=[a-z0-9]*\d)[a-z0-9]{6,10}$")

ACTIVE = ("injected", "running")
OVER = ("recovered", "paused", "stopped")
# What else somebody may have changed, made or taken away, and how much that says by itself.
OTHER_CHANGES = {
    ("Service", "changed"): 0.85, ("Service", "gone"): 0.85, ("ConfigMap", "gone"): 0.7,
    ("ConfigMap", "changed"): 0.55, ("Secret", "changed"): 0.55, ("Secret", "gone"): 0.7,
    ("Deployment", "gone"): 0.85, ("StatefulSet", "gone"): 0.85, ("LimitRange", "created"): 0.5,
    ("ResourceQuota", "changed"): 0.5, ("ResourceQuota", "created"): 0.5,
    ("Ingress", "changed"): 0.5, ("VirtualService", "changed"): 0.7, ("VirtualService", "created"): 0.7,
    ("DestinationRule", "changed"): 0.6, ("AuthorizationPolicy", "created"): 0.7,
}  # fmt: skip


def from_chaos(facts: Facts) -> Iterator[Hypothesis]:
    """An experiment that was running when the trouble began."""
    for row in facts.of("chaos"):
        active = [moment(time) for time, phase in row.get("phases", ()) if phase not in OVER]
        if not active or not was_there(facts, row):
            continue
        told = any(phase in ACTIVE for _, phase in row["phases"])
        schedule = row.get("spawned_by")
        kind, name = ("Schedule", schedule) if schedule else (row["kind"], row["name"])
        start = moment(row.get("created")) or active[0]
        one = Hypothesis(
            row.get("namespace", ""), kind, str(name),
            weight=0.9 if told else 0.5,
            reason=f"The chaos experiment {row['kind']} {row.get('does', '')} acts on {selected_text(row)}.",
            evidence=f"{row['name']}: phases {row['phases']}",
            touches=frozenset(selected(row)),
        )  # fmt: skip
        yield scored(facts, one, start)


def was_there(facts: Facts, row: Row) -> bool:
    """Tell whether an experiment was not over before the first alert."""
    time, phase = row["phases"][-1]
    end = moment(time if phase in OVER else row.get("last"))
    return end is None or facts.onset is None or end >= facts.onset - 300


def selected(row: Row) -> set[str]:
    """Return the workloads a chaos selector names, or all when it names none."""
    names: set[str] = set()
    for selector in (row.get("selector"), row.get("target")):
        names |= {str(value) for value in ((selector or {}).get("labelSelectors") or {}).values()}
        for pods in ((selector or {}).get("pods") or {}).values():
            names |= {REPLICA_SET_HASH.sub("", str(pod).rpartition("-")[0]) for pod in pods}
    return names or {EVERYTHING}


def selected_text(row: Row) -> str:
    names = selected(row)
    return "whatever runs there" if EVERYTHING in names else ", ".join(sorted(names))


def from_flags(facts: Facts) -> Iterator[Hypothesis]:
    """A feature flag that is on, above all one that was turned on shortly before."""
    for row in facts.of("flags"):
        if row.get("off_now", False):
            continue
        since = moment(row.get("since"))
        weight = (0.95 if row.get("was_off") else 0.8) if since is not None else 0.6
        one = Hypothesis(
            row["namespace"], row["kind"], row["name"],
            weight=weight,
            reason=f"The feature flag {row['flag']} is {row.get('now')}"
            + (f", it was {row['was']}." if row.get("was") else "."),
            evidence=f"flag {row['flag']} = {row.get('now')} since {row.get('since') or 'the first dump'}",
            touches=frozenset(named_in(row["flag"], facts)),
        )  # fmt: skip
        yield scored(facts, one, since)


def named_in(words: str, facts: Facts) -> set[str]:
    """Return the services that a name such as `paymentFailure` speaks of, the longest names only."""
    parts = [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", words)]
    text = "-".join(["", *parts, ""])
    known = facts.graph.names | facts.alerting | {name for _, name in facts.workloads}
    found = {name for name in known if f"-{name.lower()}-" in text}
    return {name for name in found if not any(name != other and name in other for other in found)}


def from_quotas(facts: Facts) -> Iterator[Hypothesis]:
    """A quota that keeps pods from being created."""
    for row in facts.of("events"):
        found = QUOTA_NAME.search(row.get("says", ""))
        if not found:
            continue
        namespace, quota = row.get("namespace", ""), found[1]
        refused = {
            REPLICA_SET_HASH.sub("", other["workload"])
            for other in facts.of("events")
            if f"exceeded quota: {quota}" in other.get("says", "")
        }
        seen = any("/ResourceQuota/" in other.get("object", "") for other in facts.of("quotas"))
        one = Hypothesis(
            namespace, "ResourceQuota" if seen else "Namespace", quota if seen else namespace,
            weight=0.92,
            reason=f"The quota {quota} keeps pods of {', '.join(sorted(refused))} from being created.",
            evidence=row["says"],
            touches=frozenset(refused),
        )  # fmt: skip
        yield scored(facts, one, moment(row.get("first")))


def from_policies(facts: Facts) -> Iterator[Hypothesis]:
    """A network policy that cuts workloads off."""
    for row in facts.of("policies"):
        if not row.get("blocks"):
            continue
        start = moment(row.get("changed") or row.get("created"))
        fresh = start is not None and facts.onset is not None and facts.timing(start, DUMP_SLACK_S) == 1.0
        one = Hypothesis(
            row.get("namespace", ""), row["kind"], row["name"],
            weight=0.95 if fresh else 0.5,
            reason=f"It blocks {' and '.join(row['blocks'])} of {', '.join(row.get('selects', ()))}.",
            evidence=f"created {row.get('created')}, selects {row.get('selects', [])}",
            touches=frozenset({EVERYTHING} if row.get("selects_all") else row.get("selects", ())),
        )  # fmt: skip
        yield scored(facts, one, start)


def from_autoscalers(facts: Facts) -> Iterator[Hypothesis]:
    """An autoscaler that keeps its workload too small."""
    changed = autoscaler_rows(facts, "changes")
    stuck = autoscaler_rows(facts, "problems")
    for namespace, name in sorted(changed.keys() | stuck.keys()):
        change, problem = changed.get((namespace, name), {}), stuck.get((namespace, name), {})
        says = problem.get("says", "")
        target = re.search(r"target ([\w.-]+)", says)
        base = target[1] if target else re.sub(r"-(?:hpa|autoscaler)$", "", name)
        one = Hypothesis(
            namespace, "HorizontalPodAutoscaler", name,
            weight=0.85 if change and problem else 0.5 if change else 0.35,
            reason=f"It bounds {base}: {problem.get('problem', 'its bounds were changed')}.",
            evidence=f"{paths_text(change.get('paths', ()))} {says}".strip(),
            touches=frozenset({base}),
        )  # fmt: skip
        yield scored(facts, one, moment(change.get("not_before") or change.get("time")))


def autoscaler_rows(facts: Facts, look: str) -> dict[tuple[str, str], Row]:
    return {
        (row.get("namespace", ""), row["name"]): row
        for row in facts.of(look)
        if row.get("kind") == "HorizontalPodAutoscaler" and row.get("change") != "gone"
    }


def from_other_changes(facts: Facts) -> Iterator[Hypothesis]:
    """Services, settings and limits that were changed, made or taken away."""
    flags = {(row["namespace"], row["name"]) for row in facts.of("flags")}
    for row in facts.of("changes"):
        weight = OTHER_CHANGES.get((str(row.get("kind")), str(row.get("change"))))
        if weight is None or (row.get("namespace", ""), row["name"]) in flags:
            continue
        touched = {row["name"]} & facts.graph.names or named_in(row["name"].replace("-", " "), facts)
        paths = paths_text(row.get("paths", ()))
        one = Hypothesis(
            row.get("namespace", ""), row["kind"], row["name"],
            weight, f"It was {row['change']} shortly before ({paths or row.get('time')}).",
            f"{row['change']} at {row.get('time')}: {paths}", frozenset(touched),
        )  # fmt: skip
        yield scored(facts, one, moment(row.get("not_before") or row.get("time")))
