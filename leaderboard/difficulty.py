"""How hard a task is beside the others, and how well it tells models apart."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evals.queries import means_by_task
from evals.statistics import mean
from leaderboard.matrices import NO_SPREAD, discriminations

# Of a correlation with the rest of a test, as test theory has long read it (Ebel and Frisbie, 1991).
WELL, SOMEWHAT = 0.4, 0.2


@dataclass(frozen=True)
class Difficulty:
    """One task among the tasks of a benchmark that a visitor may see."""

    mean: float | None = None  # over models, of the mean over repeats; None: no run has a score
    models: int = 0  # behind the mean
    harder: int = 0  # tasks with a lower mean
    level: int = 0  # other tasks with the same mean
    of: int = 0  # tasks with a score, itself among them
    discrimination: float | None = None  # -1 to 1, see `discriminations`

    @property
    def place(self) -> str:
        """Say where it stands among the others: "3rd hardest"; empty without a score or without others."""
        if self.mean is None or self.of < 2:
            return ""
        if self.level == self.of - 1:
            return "like all others"
        if self.harder == 0:
            return "hardest"
        if self.harder + self.level == self.of - 1:
            return "easiest"
        return f"{ordinal(self.harder + 1)} hardest"

    @property
    def tells_apart(self) -> str:
        """Say in words how well it tells models apart."""
        if self.discrimination is None:
            return "too few models, or all score alike"
        if self.discrimination >= WELL:
            return "well: it orders models as the other tasks do"
        if self.discrimination >= SOMEWHAT:
            return "somewhat: its order of models is roughly that of the other tasks"
        if self.discrimination >= -SOMEWHAT:
            return "hardly: its order of models has little to do with the other tasks"
        return "the other way round: who fails elsewhere does better here"


def difficulties(tasks: Collection[int], frame: pd.DataFrame) -> dict[int, Difficulty]:
    """Return the difficulty of each of these tasks, by id, from a score frame of a whole board.

    The means are those of the matrix: every model weighs the same, whatever its number of repeats.
    """
    by_model = means_by_task(frame[frame["score"].notna()])
    scores = [[of_model.get(task, math.nan) for of_model in by_model.values()] for task in tasks]
    known = [[score for score in line if not math.isnan(score)] for line in scores]
    means = [mean(line) for line in known]
    shape = (len(tasks), len(by_model))
    tells_apart = discriminations(np.array(scores, dtype=float).reshape(shape))
    return {
        task: compared(own, means, len(line), value)
        for task, own, line, value in zip(tasks, means, known, tells_apart, strict=True)
    }


def compared(
    own: float | None, means: Collection[float | None], models: int, discrimination: float | None
) -> Difficulty:
    if own is None:
        return Difficulty()
    scored = [other for other in means if other is not None]
    return Difficulty(
        mean=own,
        models=models,
        harder=sum(other < own - NO_SPREAD for other in scored),
        level=sum(abs(other - own) <= NO_SPREAD for other in scored) - 1,
        of=len(scored),
        discrimination=discrimination,
    )


def ordinal(number: int) -> str:
    """Return 1st, 2nd, 3rd, 4th, 11th, 21st ..."""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
