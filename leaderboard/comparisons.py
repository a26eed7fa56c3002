"""Two to six models side by side: who scores more than whom, on which tasks, and for what money."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from evals.models import Evaluation, GradeOutcome
from evals.queries import Summary, figures_by_evaluation, summaries
from evals.statistics import Difference, Interval, paired_differences
from leaderboard.matrices import MatrixLine, short_names
from leaderboard.rows import Row, evaluation_row, ranked
from leaderboard.units import percent

FEWEST, MOST = 2, 6
MINUS = "\N{MINUS SIGN}"
# A scale of differences ends at a whole tenth, so that its ends read as round numbers.
TENTH = 0.1


class Verdict(StrEnum):
    APART = "apart"
    TIED = "tied"
    UNKNOWN = "unknown"  # fewer than two common tasks: nothing is known about chance


@dataclass(frozen=True)
class Pair:
    """Two models, the one that scores more on their common tasks first."""

    first: Row
    second: Row
    names: tuple[str, str]
    difference: Difference  # of the first over the second, 0 or more; NaN without a common task

    @property
    def verdict(self) -> Verdict:
        if self.difference.interval is None:
            return Verdict.UNKNOWN
        return Verdict.TIED if self.difference.is_a_tie else Verdict.APART

    @property
    def known(self) -> bool:
        return self.difference.tasks > 0


@dataclass(frozen=True)
class Drawing:
    """A pair on a scale with 0 in the middle: x from 0 to 100."""

    mean: float | None
    low: float | None
    width: float


@dataclass(frozen=True)
class Contender:
    """One model of a comparison. Solved is counted over the tasks that the visitor may see."""

    row: Row
    name: str  # short, and unlike those of the others
    solved: int
    tried: int  # of these tasks, those with a score
    cost_per_solved_usd: float | None  # None: nothing solved, or a cost is unknown
    alone: tuple[MatrixLine, ...]  # tasks that it solved and none of the others did


def compared_rows(evaluations: Iterable[Evaluation], frame: pd.DataFrame) -> list[Row]:
    """Return a row for each evaluation, ranked among these, as `board_rows` makes them of all."""
    by_evaluation = summaries(frame)
    return ranked([evaluation_row(each, by_evaluation.get(each.pk, Summary())) for each in evaluations])


def pairs_of(rows: Sequence[Row]) -> list[Pair]:
    """Return every two of the rows that have a score, in the order of the rows."""
    names = short_names(rows)
    scored = [place for place, row in enumerate(rows) if row.mean is not None]
    tasks = sorted({task for row in rows for task in row.task_means})
    means = [[rows[place].task_means.get(task, math.nan) for place in scored] for task in tasks]
    differences = paired_differences(np.array(means, dtype=float).reshape(len(tasks), len(scored)))
    return [
        pair_of((rows[scored[i]], rows[scored[j]]), (names[scored[i]], names[scored[j]]), difference)
        for (i, j), difference in sorted(differences.items())
    ]


def pair_of(rows: tuple[Row, Row], names: tuple[str, str], difference: Difference) -> Pair:
    if difference.mean < 0:
        return Pair(rows[1], rows[0], (names[1], names[0]), reverse(difference))
    return Pair(rows[0], rows[1], names, difference)


def reverse(difference: Difference) -> Difference:
    interval = difference.interval and Interval(-difference.interval.high, -difference.interval.low)
    return Difference(-difference.mean, interval, difference.tasks)


def reach_of(pairs: Sequence[Pair]) -> float:
    """Return how far a scale must reach to both sides of 0 to hold all pairs: a whole tenth."""
    ends = [abs(pair.difference.mean) for pair in pairs if pair.known]
    intervals = [pair.difference.interval for pair in pairs if pair.difference.interval]
    ends += [max(abs(interval.low), abs(interval.high)) for interval in intervals]
    return max(TENTH, math.ceil(round(max(ends, default=0.0) / TENTH, 6)) * TENTH)


def drawing_of(pair: Pair, reach: float) -> Drawing:
    def place(value: float) -> float:
        return 50 + 50 * value / reach

    interval = pair.difference.interval
    return Drawing(
        mean=place(pair.difference.mean) if pair.known else None,
        low=place(interval.low) if interval else None,
        width=place(interval.high) - place(interval.low) if interval else 0.0,
    )


def solved_tasks(frame: pd.DataFrame) -> dict[int, set[int]]:
    """Return the tasks that each evaluation solved: at least half of its scored runs are exact."""
    scored, exact = Counter[tuple[int, int]](), Counter[tuple[int, int]]()
    graded = frame[frame["score"].notna()]
    columns = (graded[name].tolist() for name in ("evaluation", "task", "outcome"))
    for evaluation, task, outcome in zip(*columns, strict=True):
        scored[evaluation, task] += 1
        exact[evaluation, task] += outcome == GradeOutcome.EXACT
    solved: dict[int, set[int]] = {}
    for (evaluation, task), runs in scored.items():
        if 2 * exact[evaluation, task] >= runs:
            solved.setdefault(evaluation, set()).add(task)
    return solved


def contenders_of(rows: Sequence[Row], lines: Sequence[MatrixLine], frame: pd.DataFrame) -> list[Contender]:
    """Return a contender for each row. `frame` holds the runs on the tasks of the lines alone."""
    solved, figures = solved_tasks(frame), figures_by_evaluation(frame)
    shown = {line.task.pk for line in lines}
    made = []
    for row, name in zip(rows, short_names(rows), strict=True):
        key = row.evaluation.pk if row.evaluation else 0
        own = solved.get(key, set())
        others = {task for other, tasks in solved.items() if other != key for task in tasks}
        made.append(
            Contender(
                row=row,
                name=name,
                solved=len(own),
                tried=len(shown & row.task_means.keys()),
                cost_per_solved_usd=cost_per_solved_usd(figures[key].get("cost_total_usd"), len(own)),
                alone=tuple(line for line in lines if line.task.pk in own - others),
            )
        )
    return made


def cost_per_solved_usd(cost_usd: float | None, solved: int) -> float | None:
    """Return the cost of all runs, errored ones too, for each task that was solved."""
    return cost_usd / solved if cost_usd is not None and solved else None


def by_disagreement(lines: Sequence[MatrixLine]) -> list[MatrixLine]:
    """Return the lines, those first whose scores lie furthest apart; without two scores last."""
    return sorted(lines, key=lambda line: -1.0 if line.spread is None else line.spread, reverse=True)


def comparison_in_words(rows: Sequence[Row], pairs: Sequence[Pair], *, tasks_told: bool) -> str:
    """Say in a sentence who scores more. `tasks_told`: the number of common tasks is no secret."""
    names = dict(zip((row.model.pk for row in rows), short_names(rows), strict=True))
    scored = [row for row in rows if row.mean is not None]
    unscored = [names[row.model.pk] for row in rows if row.mean is None]
    if len(scored) < FEWEST:
        return nothing_to_compare([names[row.model.pk] for row in scored])
    if len(scored) == FEWEST:
        sentence = pair_in_words(pairs[0], tasks_told=tasks_told)
    else:
        sentence = leader_in_words(scored[0], pairs)
    if not unscored:
        return sentence
    return f"{sentence} {listed(unscored)} {'has' if len(unscored) == 1 else 'have'} no score yet."


def nothing_to_compare(scored: Sequence[str]) -> str:
    return f"Only {scored[0]} has a score yet." if scored else "None of these models has a score yet."


def pair_in_words(pair: Pair, *, tasks_told: bool) -> str:
    (first, second), difference = pair.names, pair.difference
    if not pair.known:
        return f"{first} and {second} have no task in common yet."
    if difference.interval is None:
        return (
            f"{first} scores {points(difference.mean)} more than {second}: "
            "too few common tasks to tell chance."
        )
    if pair.verdict == Verdict.APART:
        return (
            f"{first} scores {points(difference.mean)} more than {second} "
            f"(95 % interval {bounds(difference.interval)}): more than chance explains."
        )
    on_tasks = f" on {difference.tasks} tasks" if tasks_told else ""
    return (
        f"{first} and {second} can't be told apart{on_tasks}: "
        f"{points(difference.mean)} between them (95 % interval {bounds(difference.interval)})."
    )


def leader_in_words(leader: Row, pairs: Sequence[Pair]) -> str:
    """Say where the leader stands against each of the others."""
    own = [pair for pair in pairs if leader in (pair.first, pair.second)]
    name = own[0].names[0 if own[0].first is leader else 1]
    groups: dict[str, list[str]] = {}
    for pair in own:
        ahead = pair.first is leader
        groups.setdefault(standing(pair, ahead=ahead), []).append(pair.names[1 if ahead else 0])
    order = sorted(groups, key=list(STANDINGS).index)
    clauses = "; ".join(STANDINGS[key].format(listed(groups[key])) for key in order)
    return f"{name} leads with {percent(leader.mean)}: {clauses}."


# A leader by its own mean may be behind on the tasks that both have: one of them is not complete.
STANDINGS = {
    "ahead": "ahead of {} by more than chance explains",
    "tied": "tied with {}",
    "behind": "behind {} on the tasks that both have",
    "unknown": "too few common tasks to tell it from {}",
}


def standing(pair: Pair, *, ahead: bool) -> str:
    if pair.verdict == Verdict.APART:
        return "ahead" if ahead else "behind"
    return str(pair.verdict)


def listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def points(share: float) -> str:
    """Return a difference of scores in points, each a hundredth."""
    whole = round(100 * share)
    if whole == 0 and share > 0:
        return "less than 1 point"
    return f"{whole} point{'' if whole == 1 else 's'}"


def signed(share: float) -> str:
    """Return a difference in points with its sign: +12, 0, and a true minus.

    Half a point and less keeps a digit: a bound that is not 0 must not read as 0.
    """
    value = 100 * share
    text = f"{value:+.0f}" if abs(value) > 0.5 else f"{value:+.1g}"
    return "0" if value == 0 else text.replace("-", MINUS)


def bounds(interval: Interval) -> str:
    low, high = (signed(end).removeprefix("+") for end in (interval.low, interval.high))
    return f"{low} to {high}"


def frame_of_tasks(frame: pd.DataFrame, tasks: Collection[int]) -> pd.DataFrame:
    return frame[frame["task"].isin(list(tasks))]


def shown_columns(contenders: Sequence[Contender]) -> Mapping[str, Any]:
    """Tell which columns hold anything: one that is empty for every model hides itself."""
    rows = [contender.row for contender in contenders]
    return {
        "cost": any(row.cost_per_task_usd is not None for row in rows),
        "cost_per_solved": any(each.cost_per_solved_usd is not None for each in contenders),
        "turns": any(row.turns_per_task is not None for row in rows),
        "tokens": any(row.tokens_per_task is not None for row in rows),
        "time": any(row.seconds_per_task is not None for row in rows),
        "outcomes": any(row.outcomes for row in rows),
    }
