"""The matrix of a benchmark: one line a task, one column a model, one cell the runs of both."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from django.urls import reverse

from evals.models import Benchmark, Evaluation, RunState, Task
from evals.queries import means_by_task
from evals.statistics import Numbers, mean
from leaderboard import units
from leaderboard.grids import STATE_SIGNS, score_class
from leaderboard.rows import Row, best_first

FEWEST_MODELS = 3  # that a correlation over models is told for
# Means of equal scores differ by 1e-17 when they are summed in another order: no spread.
NO_SPREAD = 1e-9
DECIMALS = 9

# Of a task: its ground truth, alerts and manifest are large and not shown here.
TASK_FIELDS = ("benchmark", "slug", "title", "split", "fault_category")

RunsOf = Mapping[tuple[int, int], Sequence["TriedRun"]]


class TriedRun(NamedTuple):
    """One run as a cell needs it."""

    run: int
    state: RunState
    score: float | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One model's runs at one task."""

    mean: float | None  # over its runs with a score; None without any
    text: str
    css_class: str
    url: str  # of the run when there is only one, else of the task; empty without a run
    title: str


@dataclass(frozen=True)
class MatrixLine:
    task: Task
    cells: tuple[Cell, ...]  # in the order of the models
    mean: float | None  # of the cells: how hard the task is; None without a score
    discrimination: float | None = None  # -1 to 1, see `discriminations`

    @property
    def scores(self) -> list[float]:
        return [cell.mean for cell in self.cells if cell.mean is not None]

    @property
    def spread(self) -> float | None:
        """How far its highest score lies above its lowest; None for fewer than two."""
        return round(max(self.scores) - min(self.scores), DECIMALS) if len(self.scores) > 1 else None


def scored_rows(evaluations: Iterable[Evaluation], frame: pd.DataFrame) -> list[Row]:
    """Return a row for each evaluation, the best first, with its means and no more.

    A matrix shows neither intervals nor ranks, which take most of the time that a board takes.
    """
    means = means_by_task(frame[frame["score"].notna()])
    rows = []
    for evaluation in evaluations:
        task_means = means.get(evaluation.pk, {})
        average = mean(tuple(task_means.values()))
        rows.append(Row(evaluation.language_model, average, task_means=task_means, evaluation=evaluation))
    return sorted(rows, key=best_first)


def short_names(rows: Sequence[Row]) -> list[str]:
    """Return the models' names, with the setting where two would read alike."""
    names = Counter(row.model.name for row in rows)
    return [row.model.name if names[row.model.name] == 1 else row.name for row in rows]


def matrix_lines(
    benchmark: Benchmark, tasks: Iterable[Task], rows: Sequence[Row], frame: pd.DataFrame
) -> list[MatrixLine]:
    """Return a line for each of these tasks of the benchmark, in their order.

    `frame` holds the runs behind the rows. A cell's mean is the one that the row's own mean is made of.
    """
    runs = runs_by_cell(frame)
    lines = []
    for task in tasks:
        task_url = reverse("task", args=[benchmark.slug, task.slug])
        cells = tuple(cell_of(task, task_url, row, runs) for row in rows)
        lines.append(MatrixLine(task, cells, mean([cell.mean for cell in cells if cell.mean is not None])))
    return lines


def published_lines(rows: Sequence[Row], tasks: Iterable[Task]) -> list[MatrixLine]:
    """Return a line for each task that a source tells scores of. Of the runs nothing is known."""
    known = {task.slug: task for task in tasks}
    lines = []
    for slug in sorted({slug for row in rows for slug in row.task_means}, key=natural):
        cells = tuple(published_cell(row, slug) for row in rows)
        task = known.get(slug) or Task(slug=slug)
        lines.append(MatrixLine(task, cells, mean([cell.mean for cell in cells if cell.mean is not None])))
    return lines


def published_cell(row: Row, slug: str) -> Cell:
    score = row.task_means.get(slug)
    title = f"{row.name}, {slug}: {units.score(score)}"
    return Cell(score, cell_text(score, ()), cell_class(score, ()), "", title)


def runs_by_cell(frame: pd.DataFrame) -> dict[tuple[int, int], list[TriedRun]]:
    """Return the runs of a score frame by evaluation and task, in the order of their repeats."""
    columns = (frame[name].tolist() for name in ("evaluation", "task", "run", "state", "score"))
    runs: dict[tuple[int, int], list[TriedRun]] = {}
    for evaluation, task, run, state, score in zip(*columns, strict=True):
        tried = TriedRun(run, state, None if math.isnan(score) else score)
        runs.setdefault((evaluation, task), []).append(tried)
    return runs


def cell_of(task: Task, task_url: str, row: Row, runs: RunsOf) -> Cell:
    tried = runs.get((row.evaluation.pk if row.evaluation else 0, task.pk), ())
    average = row.task_means.get(task.pk)
    url = reverse("run", args=[tried[0].run]) if len(tried) == 1 else task_url
    return Cell(
        mean=average,
        text=cell_text(average, tried),
        css_class=cell_class(average, tried),
        url=url if tried else "",
        title=f"{row.name}, {task.slug}: {scores_in_words(tried)}",
    )


def cell_text(average: float | None, tried: Sequence[TriedRun]) -> str:
    if average is not None:
        text = units.score(average)
        return text.removeprefix("0") or "0"
    return STATE_SIGNS[tried[0].state] if tried else ""


def cell_class(average: float | None, tried: Sequence[TriedRun]) -> str:
    return score_class(average) if average is not None or not tried else f"s-{tried[0].state}"


def scores_in_words(tried: Sequence[TriedRun]) -> str:
    shown = [units.score(run.score) if run.score is not None else not_scored(run.state) for run in tried]
    return ", ".join(shown) or "no run"


def not_scored(state: RunState) -> str:
    return "not graded" if state == RunState.ENDED else str(state)


def with_discriminations(lines: Sequence[MatrixLine]) -> list[MatrixLine]:
    means = [[math.nan if cell.mean is None else cell.mean for cell in line.cells] for line in lines]
    models = len(lines[0].cells) if lines else 0
    values = discriminations(np.array(means, dtype=float).reshape(len(lines), models))
    return [replace(line, discrimination=value) for line, value in zip(lines, values, strict=True)]


def discriminations(means: Numbers) -> list[float | None]:
    """Return how well each task tells models apart: 1 when it orders them as the other tasks do.

    `means` has the shape (tasks, models), NaN where a model has no score. A task's value is the
    correlation, over models, of its scores with the models' means over the other tasks (the item-rest
    correlation of test theory); None for fewer than three models or where either side has no spread.
    """
    present = ~np.isnan(means)
    known = np.where(present, means, 0.0)
    sums, counts = known.sum(axis=0), present.sum(axis=0)
    values: list[float | None] = []
    for scores, has_score in zip(known, present, strict=True):
        chosen = has_score & (counts > 1)
        rest = (sums[chosen] - scores[chosen]) / (counts[chosen] - 1)
        values.append(correlation(scores[chosen], rest))
    return values


def correlation(first: Numbers, second: Numbers) -> float | None:
    """Return Pearson's correlation, or None for fewer than three pairs or without spread."""
    if len(first) < FEWEST_MODELS:
        return None
    first, second = first - first.mean(), second - second.mean()
    if max(abs(first)) < NO_SPREAD or max(abs(second)) < NO_SPREAD:
        return None
    return float(first @ second / math.sqrt((first @ first) * (second @ second)))


def natural(slug: str) -> list[Any]:
    """Return a key that puts scenario-2 before scenario-10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", slug)]


# What a matrix can be sorted by. Each begins with its most telling end: hardest, sharpest.
SORT_KEYS: dict[str, Callable[[MatrixLine], Any]] = {
    "task": lambda line: natural(line.task.slug),
    "difficulty": lambda line: line.mean,
    "discrimination": lambda line: line.discrimination,
}


def sorted_lines(lines: Sequence[MatrixLine], key: str, *, descending: bool) -> list[MatrixLine]:
    """Return the lines in that order; what is unknown comes last either way."""
    value = SORT_KEYS[key]
    known = [line for line in lines if value(line) is not None]
    unknown = [line for line in lines if value(line) is None]
    return sorted(known, key=value, reverse=descending) + unknown


def finding(lines: Sequence[MatrixLine], models: int, tasks_called: str = "tasks") -> str:
    """Say in one sentence how hard the tasks are, or nothing when none has a score."""
    means = [line.mean for line in lines if line.mean is not None]
    if not means:
        return ""
    solved, beyond = (sum(abs(value - end) < NO_SPREAD for value in means) for end in (1, 0))
    of_all = f"{solved} of {len(means)} {tasks_called}"
    if models == 1:
        return f"The model solves {of_all} every time and scores nothing on {beyond}"
    out_of_reach = f"{beyond} {'is' if beyond == 1 else 'are'}" if beyond else "none is"
    if not solved:
        of_none = f"None of {len(means)} {tasks_called}"
        return f"{of_none} is solved every time by every model; {out_of_reach} beyond all of them"
    return f"Every model solves {of_all} every time; {out_of_reach} beyond all of them"
