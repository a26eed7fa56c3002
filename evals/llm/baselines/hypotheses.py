"""From facts to explanations, each with the evidence that speaks for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from evals.llm.baselines.callgraph import EVERYTHING
from evals.llm.baselines.facts import DUMP_SLACK_S, Facts, Row, moment

WORKLOAD_KINDS = ("Deployment", "StatefulSet", "DaemonSet")
TELLING_PATHS = re.compile(
    r"image$|\.command|\.args|\.env\b|\.envFrom|nodeSelector|affinity|tolerations|resources|replicas|Probe"
    r"|ports|serviceAccount|volumes|volumeMounts|securityContext",
)
QUOTA_NAME = re.compile(r"exceeded quota: ([a-z0-9.-]+)")
REPLICA_SET_HASH = re.compile(r"-(?=[a-z0-9]*\d)[a-z0-9]{6,10}$")
POOL_WORDS = re.compile(
    r"too many (?:clients|connections)|connection slots"
    r"|pool.{0,40}(?:exhaust|timed? ?out|full|limit|reached|wait)"
    r"|(?:exhaust|timed? ?out|no (?:free|available)).{0,40}pool|max(?:imum)?.{0,12}connections",
    re.IGNORECASE,
)
# How much a failure by itself says that its workload is set up wrongly.
FAILURES = (
    (
        re.compile(r"ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull"),
        0.85,
        "its image can't be pulled",
    ),
    (
        re.compile(r"CreateContainerConfigError|CreateContainerError|RunContainerError"),
        0.8,
        "its container can't start",
    ),
    (re.compile(r"scaled to 0"), 0.75, "it is scaled to zero"),
    (re.compile(r"exec format|StartError|ContainerCannotRun"), 0.8, "its command can't run"),
    (re.compile(r"OOMKilled|OOMKilling"), 0.6, "it is killed for lack of memory"),
    (re.compile(r"CrashLoopBackOff"), 0.6, "its container crashes over and over"),
    (re.compile(r"FailedMount|FailedAttachVolume"), 0.6, "a volume can't be mounted"),
)
SELECTOR_WORDS = re.compile(r"node selector|node affinity|affinity/selector|untolerated taint", re.IGNORECASE)


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


def ranked(facts: Facts) -> list[Hypothesis]:
    """Return one hypothesis for each object, the best first."""
    best: dict[str, Hypothesis] = {}
    for hypothesis in hypotheses(facts):
        other = best.get(hypothesis.entity)
        if other is None or hypothesis.score > other.score:
            best[hypothesis.entity] = hypothesis
    return sorted(best.values(), key=lambda one: (-one.score, one.entity))


def hypotheses(facts: Facts) -> Iterator[Hypothesis]:
    for maker in (
        from_chaos, from_flags, from_changed_workloads, from_failing_workloads, from_quotas, from_policies,
        from_autoscalers, from_other_changes, from_wiring, from_logs, from_traces,
    ):  # fmt: skip
        yield from maker(facts)


def scored(facts: Facts, one: Hypothesis, start: float | None, slack_s: float = DUMP_SLACK_S) -> Hypothesis:
    coverage = facts.coverage(set(one.touches))
    # A hypothesis where errors start is a little likelier than one they pass through.
    heat = 1.1 if one.touches & facts.hot.keys() else 1.0
    return replace(one, score=one.weight * facts.timing(start, slack_s) * (0.4 + 0.6 * coverage) * heat)


def from_chaos(facts: Facts) -> Iterator[Hypothesis]:
    """An experiment that was running when the trouble began."""
    for row in facts.of("chaos"):
        active = [
            moment(time)
            for time, phase in row.get("phases", ())
            if phase in ("injected", "running", "unknown")
        ]
        if not active or not was_there(facts, row):
            continue
        told = any(phase in ("injected", "running") for _, phase in row["phases"])
        schedule = next(iter(row.get("spawned_by", ())), None)
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
    last = moment(row.get("last"))
    ended = [moment(time) for time, phase in row["phases"] if phase in ("recovered", "paused", "stopped")]
    end = ended[-1] if ended and row["phases"][-1][1] in ("recovered", "paused", "stopped") else last
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
    known = (
        facts.graph.names
        | facts.alerting
        | {row["name"] for row in facts.of("dependencies") if "name" in row}
    )
    found = {name for name in known if f"-{name.lower()}-" in text}
    return {name for name in found if not any(name != other and name in other for other in found)}


def from_changed_workloads(facts: Facts) -> Iterator[Hypothesis]:
    """A workload whose specification was changed, above all one that fails since."""
    for row in facts.of("changes"):
        if row.get("kind") not in WORKLOAD_KINDS or row.get("change") not in ("changed", "edited"):
            continue
        namespace, name = row.get("namespace", ""), row["name"]
        paths = row.get("paths", [])
        telling = [path for path in paths if TELLING_PATHS.search(path[0])]
        failures = list(failures_of(facts, namespace, name))
        weight = 0.45 if telling else 0.15
        if failures or wrong_since(facts, namespace, name, telling) or to_zero(telling):
            weight = 0.95 if telling or row["change"] == "edited" else 0.5
        elif telling and name in facts.alerting | facts.hot.keys():
            weight = 0.7
        said = "; ".join(f"{path}: {old} -> {new}" for path, old, new in (telling or paths)[:3])
        one = Hypothesis(
            namespace, row["kind"], name,
            weight=weight,
            reason=f"Its specification was changed ({said or 'edited by ' + str(row.get('by'))})"
            + (f" and {failures[0][1]}." if failures else "."),
            evidence=f"{row['change']} at {row.get('time')}: {said}",
            touches=frozenset({name}),
        )  # fmt: skip
        yield scored(facts, one, moment(row.get("not_before") or row.get("time")))


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


def failures_of(facts: Facts, namespace: str, name: str) -> Iterator[tuple[float, str, str, float | None]]:
    """Yield weight, words, evidence and beginning of each way in which a workload itself fails."""
    for row in facts.problems_of(namespace, name):
        yield from failure(f"{row['problem']}: {row.get('says', '')}", moment(row.get("first")))
    for row in facts.of("events"):
        if (row.get("namespace", ""), row.get("workload")) == (namespace, name):
            yield from failure(f"{row['reason']}: {row.get('says', '')}", moment(row.get("first")))


def failure(text: str, start: float | None) -> Iterator[tuple[float, str, str, float | None]]:
    for shape, weight, words in FAILURES:
        if shape.search(text):
            yield weight, words, text, start
    if text.startswith(("Unschedulable", "FailedScheduling")):
        picky = SELECTOR_WORDS.search(text) is not None
        words = "no node fits its selector" if picky else "no node has room for it"
        yield 0.85 if picky else 0.5, words, text, start


def from_failing_workloads(facts: Facts) -> Iterator[Hypothesis]:
    """A workload that can't run, whether or not a change was seen."""
    places = {
        (row.get("namespace", ""), row["name"]) for row in facts.of("problems") if row["kind"] != "Node"
    }
    places |= {
        (row.get("namespace", ""), row["workload"]) for row in facts.of("events") if row.get("kind") == "Pod"
    }
    for namespace, name in sorted(places):
        for weight, words, text, start in failures_of(facts, namespace, name):
            one = Hypothesis(
                namespace, facts.kind_of(namespace, name), name,
                weight, f"It can't work: {words}.", text, frozenset({name}),
            )  # fmt: skip
            yield scored(facts, one, start)


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
    changed = {
        (row.get("namespace", ""), row["name"]): row
        for row in facts.of("changes")
        if row.get("kind") == "HorizontalPodAutoscaler" and row["change"] in ("changed", "edited", "created")
    }
    stuck = {
        (row.get("namespace", ""), row["name"]): row
        for row in facts.of("problems")
        if row["kind"] == "HorizontalPodAutoscaler"
    }
    for namespace, name in sorted(changed.keys() | stuck.keys()):
        change, problem = changed.get((namespace, name)), stuck.get((namespace, name))
        says = problem.get("says", "") if problem else ""
        target = re.search(r"target ([\w.-]+)", says)
        base = target[1] if target else re.sub(r"-(?:hpa|autoscaler)$", "", name)
        weight = 0.85 if change and problem else 0.5 if change else 0.35
        paths = [f"{path}: {old} -> {new}" for path, old, new in (change or {}).get("paths", ())]
        one = Hypothesis(
            namespace, "HorizontalPodAutoscaler", name,
            weight, f"It bounds {base}: {(problem or {}).get('problem', 'its bounds were changed')}.",
            "; ".join([*paths, says]).strip("; "), frozenset({base}),
        )  # fmt: skip
        start = moment(change.get("not_before") or change.get("time")) if change else None
        yield scored(facts, one, start)


def from_other_changes(facts: Facts) -> Iterator[Hypothesis]:
    """Services, settings and limits that were changed, made or taken away."""
    weights = {
        ("Service", "changed"): 0.85, ("Service", "gone"): 0.85, ("ConfigMap", "gone"): 0.7,
        ("ConfigMap", "changed"): 0.55, ("Secret", "changed"): 0.55, ("Secret", "gone"): 0.7,
        ("Deployment", "gone"): 0.85, ("StatefulSet", "gone"): 0.85, ("LimitRange", "created"): 0.5,
        ("ResourceQuota", "changed"): 0.5, ("ResourceQuota", "created"): 0.5,
        ("Ingress", "changed"): 0.5, ("VirtualService", "changed"): 0.7, ("VirtualService", "created"): 0.7,
        ("DestinationRule", "changed"): 0.6, ("AuthorizationPolicy", "created"): 0.7,
    }  # fmt: skip
    flags = {(row["namespace"], row["name"]) for row in facts.of("flags")}
    for row in facts.of("changes"):
        weight = weights.get((str(row.get("kind")), str(row.get("change"))))
        if weight is None or (row.get("namespace", ""), row["name"]) in flags:
            continue
        touched = {row["name"]} & facts.graph.names or named_in(row["name"].replace("-", " "), facts)
        paths = "; ".join(f"{path}: {old} -> {new}" for path, old, new in row.get("paths", ())[:3])
        one = Hypothesis(
            row.get("namespace", ""), row["kind"], row["name"],
            weight, f"It was {row['change']} shortly before ({paths or row.get('time')}).",
            f"{row['change']} at {row.get('time')}: {paths}", frozenset(touched),
        )  # fmt: skip
        yield scored(facts, one, moment(row.get("not_before") or row.get("time")))


def from_wiring(facts: Facts) -> Iterator[Hypothesis]:
    """A workload with an address nobody answers to."""
    for row in facts.of("wiring"):
        name = row["name"]
        one = Hypothesis(
            row.get("namespace", ""), row["kind"], name,
            weight=0.75 if name in facts.symptomatic() else 0.3,
            reason=f"Its variable {row['variable']} is {row['value']}, but there is {row['wrong']}."
            if row["wrong"].startswith("no ")
            else f"Its variable {row['variable']} is {row['value']}, but {row['wrong']}.",
            evidence=f"{row['variable']}={row['value']}",
            touches=frozenset({name}),
        )  # fmt: skip
        yield scored(facts, one, None)


def from_logs(facts: Facts) -> Iterator[Hypothesis]:
    """A service that says it ran out of connections."""
    namespaces = {name: namespace for namespace, name in facts.workloads}
    for row in facts.of("logs"):
        if row.get("after", 0) > 2 * row.get("before", 0) and POOL_WORDS.search(row.get("says", "")):
            name = row["service"]
            one = Hypothesis(
                namespaces.get(name, "default"), facts.kind_of(namespaces.get(name, "default"), name), name,
                0.6, "It runs out of connections.", f"{row['after']} x {row['says']}", frozenset({name}),
            )  # fmt: skip
            yield scored(facts, one, moment(row.get("first")))


def from_traces(facts: Facts) -> Iterator[Hypothesis]:
    """Where the errors start: what is left when nothing else explains them."""
    namespaces = {name: namespace for namespace, name in facts.workloads}
    for name, more in facts.hot.items():
        if name not in namespaces:
            continue
        one = Hypothesis(
            namespaces[name], facts.kind_of(namespaces[name], name), name,
            0.35, "The errors start here.", f"{more} more errors start here than before", frozenset({name}),
        )  # fmt: skip
        yield scored(facts, one, None)
