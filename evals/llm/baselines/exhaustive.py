"""The baseline that reads everything and names everybody who looked odd on the way."""

from __future__ import annotations

import shlex
from collections.abc import Generator, Iterable
from typing import Any

from evals.llm.baselines.conversation import Answer, Factor, Look, Seen
from evals.llm.baselines.installing import install_command, toolkit

MOST_SERVICES = 24  # read one by one
MOST_SUSPECTS = 60
CLUSTER_LOOKS = ("alerts --limit 200", "events", "events all", "problems", "changes", "chaos", "flags",
                 "policies", "wiring", "dependencies", "traces --limit 150", "logs", "metrics")  # fmt: skip
ODD_REASONS = (
    "FailedCreate", "Failed", "ErrImagePull", "FailedScheduling", "BackOff", "Unhealthy", "OOMKilling",
    "FailedMount", "Evicted", "FailedGetResourceMetric", "NodeNotReady",
)  # fmt: skip

Reading = Generator[Look, Seen, bool]  # returns whether turns are left


def exhaustive() -> Generator[Look, Seen, Answer]:
    suspects: dict[str, Factor] = {}
    seen = yield Look(
        f"{install_command()}\n{toolkit('files')}", "I read all there is, beginning with a list."
    )
    alert_files = [name for row in seen.rows for name in row.get("alerts", ())]
    services = services_in(name for row in seen.rows for name in row.get("metrics", ()))
    for reading in (cluster(suspects), single_services(services), alert_snapshots(alert_files)):
        if not (yield from reading):
            break
    factors = tuple(list(suspects.values())[:MOST_SUSPECTS])
    return Answer(factors, f"I have read it all, and {len(factors)} things looked odd: I name them all.")


def services_in(metric_files: Iterable[str]) -> list[str]:
    names = [
        name.removeprefix("service_").removesuffix("_raw.tsv")
        for name in metric_files
        if name.startswith("service_")
    ]
    return names[:MOST_SERVICES]


def cluster(suspects: dict[str, Factor]) -> Reading:
    for command in CLUSTER_LOOKS:
        topic = command.split()[0]
        seen = yield Look(toolkit(command), f"I read the {topic} of the whole cluster.")
        for row in seen.rows:
            for factor in suspects_in(topic, row):
                suspects.setdefault(factor.name, factor)
        if seen.hurried:
            return False
    return True


def single_services(services: Iterable[str]) -> Reading:
    for service in services:
        for topic in ("metrics", "logs"):
            seen = yield Look(toolkit(f"{topic} {shlex.quote(service)}"), f"I read the {topic} of {service}.")
            if seen.hurried:
                return False
    return True


def alert_snapshots(names: list[str]) -> Reading:
    """Read the first, the middle and the last file of alerts as they are."""
    for name in dict.fromkeys([*names[:1], *names[len(names) // 2 :][:1], *names[-1:]]):
        path = shlex.quote(name)
        command = f"if [ -f alerts/{path} ]; then head -c 6000 alerts/{path}; else head -c 6000 {path}; fi"
        seen = yield Look(command, f"I read {name} as it is.")
        if seen.hurried:
            return False
    return True


def suspects_in(topic: str, row: dict[str, Any]) -> list[Factor]:
    """Return everybody a row speaks ill of."""
    namespace, evidence = row.get("namespace", ""), f"{topic}: {row.get('says') or row.get('problem') or row}"
    if topic == "alerts" and row.get("target"):
        return [suspect(namespace, "Deployment", row["target"], f"{row['alert']} fires on it.", evidence)]
    if topic == "events" and row.get("workload") and row.get("reason") in ODD_REASONS:
        kind = "Deployment" if row.get("kind") == "Pod" else str(row.get("kind"))
        return [suspect(namespace, kind, row["workload"], f"Kubernetes warns: {row['reason']}.", evidence)]
    if topic in ("problems", "changes", "chaos", "flags", "wiring") and row.get("name"):
        kind = "Deployment" if row["kind"] == "Pod" else row["kind"]
        return [suspect(namespace, kind, row["name"], f"It stands out among the {topic}.", evidence)]
    if topic == "policies" and row.get("blocks"):
        return [suspect(namespace, row["kind"], row["name"], "It blocks traffic.", evidence)]
    return []


def suspect(namespace: str, kind: str, name: str, reasoning: str, evidence: str) -> Factor:
    return Factor(f"{namespace or 'cluster'}/{kind}/{name}", reasoning, evidence[:300])
