"""A run that was played elsewhere, in our words: what every reader gives and the one writer stores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from evals.trajectory import StopReason, TurnRecord


class TrajectoryFormatError(Exception):
    """A file is no trajectory of a known format: names it, the place in it, and what was expected."""

    def __init__(self, name: str, place: str, reason: str) -> None:
        super().__init__(f"{name}: {place}: {reason}" if place else f"{name}: {reason}")
        self.name, self.place, self.reason = name, place, reason


@dataclass(frozen=True)
class Given:
    """What the model was told before a reply, beside what its own tools gave back."""

    source: str  # "system" or "user"
    text: str


@dataclass(frozen=True)
class IncomingTurn:
    record: TurnRecord
    given: tuple[Given, ...] = ()
    unmapped: dict[str, Any] = field(default_factory=dict)  # JSON-ready; goes out with the turn again


@dataclass(frozen=True)
class IncomingTotals:
    """What the source itself says of the whole run; None: it does not, and the turns are added up."""

    cost_usd: float | None = None
    input_tokens: int | None = None  # neither read from nor written to a cache
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True)
class IncomingRun:
    """One attempt at one task. `turns` may be called more than once and reads the source each time.

    Turns come one by one, so that a file of any size takes the memory of its largest turn. Each call
    raises TrajectoryFormatError where the source breaks its format.
    """

    format: str  # "atif", "harbor", "mini-swe-agent", "swe-agent", "inspect", "ibm-session"
    name: str  # of the file, within what was handed in: never a path of this machine
    sha256: str  # of the trajectory's own bytes
    harness: str  # the tool that played it
    turns: Callable[[], Iterator[IncomingTurn]]
    harness_version: str = ""
    model: str = ""  # as the source names it; empty: not told
    task: str = ""  # as the source names it; empty: not told
    started_at: datetime | None = None
    ended_at: datetime | None = None
    stop_reason: StopReason = StopReason.GAVE_UP
    finish_reason: str = ""  # the agent's own words
    submission: bytes | None = None  # as handed in
    unsubmitted: bytes | None = None  # an answer file that was written and never handed in
    error: str = ""  # not empty: the harness failed, and the run is stored as errored
    totals: IncomingTotals = IncomingTotals()
    unmapped: dict[str, Any] = field(default_factory=dict)  # JSON-ready; goes out with the run again
