"""How long agents went on after the root cause was before their eyes, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from evals.models import GradeOutcome
from leaderboard.distributions import MOST_BINS, Axis, Histogram, histogram, round_step
from leaderboard.units import count


@dataclass(frozen=True)
class Investigation:
    """Of graded runs. Shares are of those with sightings; None: there is none."""

    runs: int
    saw_share: float | None  # every root cause stood in an output
    named_share: float | None  # every root cause stood in the model's own words
    turns_after: float | None  # median, from the last root cause seen to the end
    seen_not_named: Sequence[int]  # ids of runs that saw every root cause and never named one of them
    histogram: Histogram | None


def investigation_in(grades: Sequence[Mapping[str, Any]]) -> Investigation:
    """Return what the grades of ended runs tell of it, as `leaderboard.mistakes.newest_grades` reads them."""
    told = [grade for grade in grades if grade["sightings"]]
    saw = [grade for grade in told if all(each["seen_turn"] for each in grade["sightings"])]
    named = {grade["run_id"] for grade in told if all(each["named_turn"] for each in grade["sightings"])}
    after = {grade["run_id"]: turns_after(grade) for grade in saw}
    return Investigation(
        runs=len(told),
        saw_share=len(saw) / len(told) if told else None,
        named_share=len(named) / len(told) if told else None,
        turns_after=median(after.values()) if after else None,
        seen_not_named=[grade["run_id"] for grade in saw if grade["run_id"] not in named],
        histogram=drawn(saw, after) if after else None,
    )


def turns_after(grade: Mapping[str, Any]) -> int:
    last_seen = max(each["seen_turn"] for each in grade["sightings"])
    return max(int(grade["run__turns_total"]) - int(last_seen), 0)


def drawn(grades: Sequence[Mapping[str, Any]], after: dict[int, int]) -> Histogram:
    measured: dict[str, dict[int, float]] = {outcome: {} for outcome in GradeOutcome.values}
    for grade in grades:
        measured[grade["outcome"]][grade["run_id"]] = after[grade["run_id"]]
    measured = {outcome: runs for outcome, runs in measured.items() if runs}
    axis = Axis(
        round_step(max(max(after.values()) / MOST_BINS, 1)),
        "turns after the root cause was seen",
        count,
        whole=True,
    )
    return histogram("after", finding(measured), measured, axis)


def finding(measured: dict[str, dict[int, float]]) -> str:
    """Say how long exact runs went on after they saw the cause, and how long the others."""
    exact = list(measured.get(GradeOutcome.EXACT, {}).values())
    others = [
        turns
        for outcome, runs in measured.items()
        if outcome != GradeOutcome.EXACT
        for turns in runs.values()
    ]
    if not exact or not others:
        return f"Runs go on for {median(exact or others):g} turns in the median after the root cause was seen"
    return (
        f"After the root cause was seen, exact runs go on for {median(exact):g} turns in the median,"
        f" the others for {median(others):g}"
    )
