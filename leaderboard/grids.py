"""Grids of runs: one line of cells a task or a model, one cell a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from django.urls import reverse

from evals.models import RunState, Task
from leaderboard import units

# Where each step of the scale of scores begins; the same in cells, chips and bars.
STEPS = (0.001, 0.25, 0.5, 0.75, 0.999)

STATE_SIGNS = {
    RunState.QUEUED: "",
    RunState.RUNNING: "…",
    RunState.ERRORED: "!",
    RunState.CANCELLED: "×",  # noqa: RUF001 - the sign, not the letter
    RunState.ENDED: units.UNKNOWN,  # without a grade
}


@dataclass(frozen=True)
class Cell:
    """One run, as a small square that leads to it."""

    url: str
    text: str
    css_class: str
    title: str


@dataclass(frozen=True)
class Line:
    label: str
    url: str
    detail: str  # empty: nothing to say
    cells: tuple[Cell, ...]
    mean: float | None


def score_class(score: float | None) -> str:
    """Return the style class of a score: s0 for 0, s5 for 1, four steps between."""
    return "s-none" if score is None else f"s{sum(score >= step for step in STEPS)}"


def task_lines(tasks: Iterable[Task], frame: pd.DataFrame) -> list[Line]:
    """Return a line for each of these tasks that has runs in the frame."""
    records = records_by(frame, "task")
    return [
        Line(
            label=task.slug,
            url=task.get_absolute_url(),
            detail=task.fault_category,
            cells=tuple(cell(record, task.slug) for record in records[task.pk]),
            mean=mean_score(records[task.pk]),
        )
        for task in tasks
        if task.pk in records
    ]


def records_by(frame: pd.DataFrame, column: str) -> dict[int, list[dict[str, Any]]]:
    groups: dict[int, list[dict[str, Any]]] = {}
    for record in frame.to_dict("records"):
        groups.setdefault(record[column], []).append({str(key): value for key, value in record.items()})
    return groups


def mean_score(records: Iterable[Mapping[str, Any]]) -> float | None:
    scores = [record["score"] for record in records if pd.notna(record["score"])]
    return sum(scores) / len(scores) if scores else None


def cell(record: Mapping[str, Any], label: str) -> Cell:
    score = record["score"] if pd.notna(record["score"]) else None
    state = RunState(record["state"])
    shown = units.score(score).removeprefix("0") or "0" if score is not None else STATE_SIGNS[state]
    what = outcome_words(record, score, state)
    return Cell(
        url=reverse("run", args=[record["run"]]),
        text=shown,
        css_class=score_class(score) if score is not None else f"s-{state}",
        title=f"{label}, repeat {record['repeat']}: {what}",
    )


def outcome_words(record: Mapping[str, Any], score: float | None, state: RunState) -> str:
    if score is not None:
        return f"{units.score(score)}, {str(record['outcome']).replace('_', ' ')}, {record['turns']} turns"
    if state == RunState.RUNNING:
        return f"running, {record['turns']} turns"
    return "ended, not graded" if state == RunState.ENDED else str(state)
