"""The baseline that investigates by rules, one look after the other, as an engineer on call would."""

from __future__ import annotations

import shlex
from collections.abc import Generator
from contextlib import suppress
from typing import Any

from evals.llm.baselines.conversation import Answer, Factor, Look, Seen
from evals.llm.baselines.facts import Facts, Row
from evals.llm.baselines.hypothesis import Hypothesis
from evals.llm.baselines.installing import install_command, toolkit
from evals.llm.baselines.interventions import QUOTA_NAME
from evals.llm.baselines.ranking import ranked
from evals.llm.baselines.words import (
    about_alerts,
    about_events,
    about_finds,
    about_hypotheses,
    about_start,
    about_traces,
)

STRONG = 0.8  # weight from which an explanation stands by itself, as a second root must
CONVINCING = 0.45  # score below which nothing is handed in next to the best
LOOKED_AT_CLOSELY = 2

Investigation = Generator[Look, Seen, None]
Notes = dict[str, list[dict[str, Any]]]  # the rows of each look


class OutOfTurns(Exception):
    """The turn cap is near."""


def detective() -> Generator[Look, Seen, Answer]:
    notes: Notes = {}
    # An answer from half the evidence is worth more than none.
    with suppress(OutOfTurns):
        yield from investigation(notes)
    return verdict(Facts(notes))


def investigation(notes: Notes) -> Investigation:
    yield from look(notes, "files", f"{install_command()}\n{toolkit('files')}", "I see what was recorded.")
    yield from symptoms(notes)
    yield from causes(notes)
    yield from traffic(notes)
    yield from close_look(notes)


def look(notes: Notes, name: str, command: str, says: str) -> Investigation:
    """Run a command and note its rows under a name; `says` is what led here."""
    seen = yield Look(command, says)
    rows = [row for row in seen.rows if "more" not in row]
    notes[name] = [*notes.get(name, []), *rows]
    if seen.exit_code != 0:
        notes.setdefault("failed", []).append({"look": name})
    if seen.hurried:
        raise OutOfTurns


def symptoms(notes: Notes) -> Investigation:
    """What complained, and since when."""
    alerts = toolkit("alerts --limit 200")
    yield from look(notes, "alerts", alerts, about_start(notes["files"]))
    yield from look(notes, "events", toolkit("events"), about_alerts(Facts(notes)))
    quotas = {(row.get("namespace", ""), found[1]) for row in notes["events"] if (found := quota_in(row))}
    for namespace, quota in sorted(quotas):
        says = f"Pods are refused by the quota {quota}: I look at what it allows and what is used."
        yield from look(notes, "quotas", describe(namespace, "ResourceQuota", quota), says)


def quota_in(row: Row) -> Any:
    return QUOTA_NAME.search(row.get("says", ""))


def describe(namespace: str, kind: str, name: str) -> str:
    return toolkit(f"describe {shlex.quote(namespace)} {shlex.quote(kind)} {shlex.quote(name)}")


def causes(notes: Notes) -> Investigation:
    """What was done to the cluster, and what in it can break a workload."""
    yield from look(notes, "problems", toolkit("problems"), about_events(Facts(notes)))
    steps = (
        ("changes", "problem", "What was changed, and when?"),
        ("chaos", "change", "Was somebody breaking things on purpose?"),
        ("flags", "chaos object", "Are feature flags on?"),
        ("policies", "flag that is on", "Does a network policy cut anybody off?"),
        ("wiring", "network policy", "Do the addresses fit the services?"),
        ("dependencies", "wrong address", "Who depends on whom?"),
    )
    before = "problems"
    for command, found, question in steps:
        yield from look(
            notes, command, toolkit(command), about_finds(Facts(notes), before, f"{found}. {question}")
        )
        before = command


def traffic(notes: Notes) -> Investigation:
    """Where the failures start, by traces, logs and metrics, before and after the onset."""
    since = f" --since {clock(Facts(notes))}"
    says = "I follow the calls, to see where the errors start and not where they pass."
    yield from look(notes, "traces", toolkit("traces --limit 150" + since), says)
    yield from look(notes, "logs", toolkit("logs --limit 30" + since), about_traces(Facts(notes)))
    says = about_finds(Facts(notes), "logs", "kind of complaint in the logs. Do the metrics say the same?")
    yield from look(notes, "metrics", toolkit("metrics --limit 30" + since), says)


def clock(facts: Facts) -> str:
    """Return the onset as the alerts told it, for the toolkit."""
    told = [row["since"] for row in facts.complaints if row.get("since")]
    return min(told, default="1970-01-01T00:00:00Z")


def close_look(notes: Notes) -> Investigation:
    """Read the best suspects themselves before accusing them."""
    best = ranked(Facts(notes))[:LOOKED_AT_CLOSELY]
    for place, suspect in enumerate(best):
        says = about_hypotheses(best) if place == 0 else f"And the other one, {suspect.entity}."
        yield from look(notes, "close", describe(suspect.namespace, suspect.kind, suspect.name), says)


def verdict(facts: Facts) -> Answer:
    chosen = roots(facts, ranked(facts))
    if not chosen:
        return Answer((), "Nothing I found explains this; I have no root cause to name.")
    factors = tuple(Factor(one.entity, one.reason, one.evidence) for one in chosen)
    names = " and ".join(one.entity for one in chosen)
    return Answer(factors, f"My verdict: {names}. {chosen[0].reason} I write it down.")


def roots(facts: Facts, suspects: list[Hypothesis]) -> list[Hypothesis]:
    """Return the best explanation, and a second one only where it is strong and needed."""
    if not suspects:
        return []
    best = suspects[0]
    for other in suspects[1:]:
        if other.weight >= STRONG and other.score >= CONVINCING and adds(facts, best, other):
            return [best, other]
    return [best]


def adds(facts: Facts, best: Hypothesis, other: Hypothesis) -> bool:
    """Tell whether the other hits a workload in trouble that the best one does not reach."""
    if "*" in best.touches | other.touches or best.touches & other.touches:
        return False
    reached = facts.graph.upward(best.touches)
    in_trouble = other.touches & facts.symptomatic()
    return bool(in_trouble - reached)
