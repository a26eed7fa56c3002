"""What the detective says between two looks: what it found, and why it looks there next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evals.llm.baselines.facts import Facts, Row
from evals.llm.baselines.hypothesis import Hypothesis

TELLING_REASONS = (
    "FailedCreate", "ErrImagePull", "ErrImageNeverPull", "InspectFailed", "FailedScheduling", "BackOff",
    "Failed", "Unhealthy", "OOMKilling", "FailedMount", "Evicted", "NodeNotReady",
)  # fmt: skip
KEYS = ("problem", "change", "flag", "does", "blocks", "variable", "says")


def about_start(files: Sequence[Row]) -> str:
    tables = [row["file"] for row in files if "file" in row]
    return (
        f"There are {', '.join(tables) or 'no tables'}. I begin with the alerts: what complained, since when?"
    )


def about_alerts(facts: Facts) -> str:
    if not facts.complaints:
        return "No alert complains. I look at the warning events all the same."
    first = min(facts.complaints, key=lambda row: str(row.get("since") or "9"))
    targets = ", ".join(sorted(facts.alerting)[:8]) or "nothing by name"
    return (
        f"The first complaint is {first['alert']} on {first.get('target', 'nothing by name')} at"
        f" {first.get('since', 'an unknown time')}; alerts name {targets}. What did Kubernetes warn of?"
    )


def about_events(facts: Facts) -> str:
    telling = [row for row in facts.of("events") if row.get("reason") in TELLING_REASONS]
    if not telling:
        return "No warning event tells anything. I read the objects' own status."
    said = "; ".join(f"{row['reason']} {row['workload']} ({row['count']}x)" for row in telling[:4])
    return f"Warnings: {said}. I read the objects' own status next."


def about_finds(facts: Facts, look: str, what_and_next: str) -> str:
    """Tell how much a look gave and what came first, with what it is and what is asked next."""
    rows = facts.of(look)
    if any(failed["look"] == look for failed in facts.of("failed")):
        return f"I could not read that. {what_and_next.partition('. ')[2]}"
    if not rows:
        return f"No {what_and_next}"
    what, _, question = what_and_next.partition(". ")
    shown = "; ".join(one_line(row) for row in rows[:3])
    return f"{len(rows)} x {what}: {shown}. {question}"


def one_line(row: Row) -> str:
    name = row.get("name") or row.get("service") or "?"
    told: Any = next((row[key] for key in KEYS if row.get(key)), "")
    said = told if isinstance(told, str) else ", ".join(map(str, told))
    return f"{row.get('kind', '')} {name} {said}".strip()[:120]


def about_traces(facts: Facts) -> str:
    if not facts.hot:
        return "The traces show no place where errors start. I look for complaints in the logs."
    hot = sorted(facts.hot.items(), key=lambda item: (-item[1], item[0]))[:3]
    said = ", ".join(f"{name} ({more} more than before)" for name, more in hot)
    return f"Errors start in {said}. What do the logs say?"


def about_hypotheses(best: Sequence[Hypothesis]) -> str:
    said = "; ".join(f"{one.entity} ({one.score:.2f})" for one in best)
    return f"By evidence, time and what each explains, I weigh: {said}. I read the first one itself."
