"""How long things take: a fixed part, and a part that scatters around its mean.

The shape of the scatter is a table and its lookup plain arithmetic, so that histograms and sampled
spans agree with each other and come out the same on every machine.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from evals.incidents.dice import Dice

# (multiple of the mean, share that takes at most as long); straight lines between.
SHAPE = (
    (0.2, 0.0),
    (0.5, 0.12),
    (0.8, 0.40),
    (1.0, 0.62),
    (1.3, 0.82),
    (1.8, 0.94),
    (2.5, 0.985),
    (4.0, 1.0),
)
_MULTIPLES = tuple(multiple for multiple, _ in SHAPE)


@dataclass(frozen=True)
class Latency:
    """Milliseconds."""

    fixed: float = 0.0
    mean: float = 0.0  # of the scattering part

    @property
    def total(self) -> float:
        return self.fixed + self.mean

    def plus(self, other: Latency, weight: float = 1.0) -> Latency:
        return Latency(self.fixed + weight * other.fixed, self.mean + weight * other.mean)

    def at_most(self, limit: float) -> Latency:
        fixed = min(self.fixed, limit)
        return Latency(fixed, min(self.mean, limit - fixed))

    def share_within(self, milliseconds: float) -> float:
        """Return the share of requests that take at most so long."""
        left = milliseconds - self.fixed
        if left < 0:
            return 0.0
        return share_below(left / self.mean) if self.mean > 0 else 1.0

    def shares_within(self, limits: tuple[int, ...]) -> Iterator[float]:
        """Yield the share within each limit."""
        fixed, mean = self.fixed, max(self.mean, 1e-9)
        # Most limits lie beyond either end of the scatter: asked for one by one they cost ten times as much.
        lowest, highest = fixed + SHAPE[0][0] * mean, fixed + SHAPE[-1][0] * mean
        for limit in limits:
            yield 0.0 if limit <= lowest else 1.0 if limit >= highest else share_below((limit - fixed) / mean)


def share_below(multiple: float) -> float:
    """Return the share of the scatter at or below a multiple of its mean."""
    index = bisect_right(_MULTIPLES, multiple)
    if not 0 < index < len(SHAPE):
        return 1.0 if index else 0.0
    (low_x, low_y), (high_x, high_y) = SHAPE[index - 1], SHAPE[index]
    return low_y + (high_y - low_y) * (multiple - low_x) / (high_x - low_x)


def sample(mean: float, dice: Dice) -> float:
    """Return one draw of the scatter with the given mean."""
    share = dice.fraction()
    previous_x, previous_y = SHAPE[0]
    for x, y in SHAPE[1:]:
        if share < y:
            return mean * (previous_x + (x - previous_x) * (share - previous_y) / (y - previous_y))
        previous_x, previous_y = x, y
    return mean * SHAPE[-1][0]
