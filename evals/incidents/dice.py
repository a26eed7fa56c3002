"""Chance that falls the same way everywhere.

Only `random.random()` is promised to give the same sequence on every Python version, so every
other draw is made from it here, and from plain arithmetic: no `log`, `exp` or `gauss`, whose last
digit may differ between C libraries.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

# What Kubernetes draws its name suffixes from: no vowels, so that no words arise.
NAME_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


class Dice:
    """A source of chance named by where it comes from; the same origin gives the same draws."""

    def __init__(self, *origin: object) -> None:
        self.origin = "/".join(str(part) for part in origin)
        # Reproducible by design, and nothing here is a secret.
        self.fraction = random.Random(self.origin).random  # noqa: S311

    def child(self, *origin: object) -> Dice:
        """Return a source of its own, so that more draws in one place change none elsewhere."""
        return Dice(self.origin, *origin)

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.fraction()

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from low to high, both included."""
        return low + int(self.fraction() * (high - low + 1))

    def happens(self, probability: float) -> bool:
        return self.fraction() < probability

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self.fraction() * len(options))]

    def shuffled(self, options: Sequence[T]) -> list[T]:
        left = list(options)
        return [left.pop(int(self.fraction() * len(left))) for _ in range(len(left))]

    def bell(self, mean: float, spread: float) -> float:
        """Return a draw that is nearly normal; `spread` is its standard deviation."""
        four = self.fraction() + self.fraction() + self.fraction() + self.fraction()
        return mean + spread * (four - 2) * 1.7320508

    def text(self, length: int, alphabet: str = NAME_ALPHABET) -> str:
        return "".join(self.pick(alphabet) for _ in range(length))

    def hexadecimal(self, length: int) -> str:
        """Return `length` hexadecimal digits; `length` is a multiple of eight."""
        return "".join(f"{int(self.fraction() * 4294967296):08x}" for _ in range(length // 8))

    def uuid(self) -> str:
        digits = self.hexadecimal(32)
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
