"""Where the names of marks in a scatter chart stand, so that they stay readable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from evals.statistics import Numbers

# Of the usual drawing area, in pixels; a wider one only adds room.
WIDTH, HEIGHT = 470, 250
CHARACTER, LINE, GAP = 6.6, 14, 9
POSITIONS = ("top center", "bottom center", "middle right", "middle left", "top right", "top left",
             "bottom right", "bottom left")  # fmt: skip


@dataclass(frozen=True)
class Mark:
    x: float  # share of the drawing area from the left
    y: float  # share from the bottom
    text: str
    low: float  # where its interval begins and ends, as y; both y itself without one
    high: float


@dataclass(frozen=True)
class Box:
    left: float
    bottom: float
    right: float
    top: float

    @property
    def outside(self) -> float:
        """Return how far it sticks out of the drawing area, in pixels."""
        return (
            max(-self.left, 0.0)
            + max(self.right - WIDTH, 0.0)
            + max(self.top - HEIGHT, 0.0)
            + max(-self.bottom, 0.0)
        )


def label_positions(marks: Sequence[Mark], stairs: Sequence[Mark] = ()) -> list[str]:
    """Return Plotly's `textposition` for each mark: the first of the eight places that hides least.

    `stairs` are the marks that a line joins, across first and then up.
    """
    boxes = [mark_box(mark) for mark in marks] + [interval_box(mark) for mark in marks]
    boxes += [box for left, right in pairwise(stairs) for box in stair_boxes(left, right)]
    taken = np.array([corners(box) for box in boxes])
    chosen = []
    for mark in marks:
        if not mark.text:
            chosen.append(POSITIONS[0])
            continue
        cost = {position: crowding(label_box(mark, position), taken) for position in POSITIONS}
        best = min(POSITIONS, key=cost.__getitem__)
        taken = np.vstack([taken, corners(label_box(mark, best))])
        chosen.append(best)
    return chosen


def crowding(box: Box, others: Numbers) -> float:
    """Return the area in common with the others, rows of corners, and what sticking out costs."""
    across = np.minimum(box.right, others[:, 2]) - np.maximum(box.left, others[:, 0])
    upward = np.minimum(box.top, others[:, 3]) - np.maximum(box.bottom, others[:, 1])
    return float((across.clip(0) * upward.clip(0)).sum()) + 20 * box.outside


def corners(box: Box) -> tuple[float, float, float, float]:
    return box.left, box.bottom, box.right, box.top


def mark_box(mark: Mark) -> Box:
    x, y = mark.x * WIDTH, mark.y * HEIGHT
    return Box(x - 6, y - 6, x + 6, y + 6)


def interval_box(mark: Mark) -> Box:
    # Wider than it is drawn: a line through a letter is worse than its few pixels of area say.
    x = mark.x * WIDTH
    return Box(x - 4, mark.low * HEIGHT, x + 4, mark.high * HEIGHT)


def stair_boxes(left: Mark, right: Mark) -> tuple[Box, Box]:
    x, y, turn, end = left.x * WIDTH, left.y * HEIGHT, right.x * WIDTH, right.y * HEIGHT
    return Box(x, y - 2, turn, y + 2), Box(turn - 2, y, turn + 2, end)


def label_box(mark: Mark, position: str) -> Box:
    vertical, horizontal = position.split()
    width = CHARACTER * len(mark.text)
    x, y = mark.x * WIDTH, mark.y * HEIGHT
    left = {"left": x - width - GAP, "center": x - width / 2, "right": x + GAP}[horizontal]
    bottom = {"top": y + GAP - 2, "middle": y - LINE / 2, "bottom": y - LINE - GAP + 2}[vertical]
    return Box(left, bottom, left + width, bottom + LINE)
