"""How far an agent may go, and how far it has gone."""

from __future__ import annotations

from dataclasses import dataclass

from evals.trajectory import StopReason, TurnKind, TurnRecord

WARN_WITHIN_TURNS = 20


@dataclass(frozen=True)
class Limits:
    """The bounds of one run; None is no bound."""

    turns: int
    cost_usd: float | None = None
    seconds: float | None = None  # of models and tools together, so that a pause costs nothing


@dataclass
class Budget:
    """What one run has used so far."""

    limits: Limits
    turns: int = 0  # replies; summaries cost money and time, not turns
    cost_usd: float = 0.0  # of the turns whose cost is known
    seconds: float = 0.0

    def spend(self, turn: TurnRecord) -> None:
        self.turns += turn.kind is TurnKind.REPLY
        self.cost_usd += turn.reply.cost_usd or 0.0
        self.seconds += turn.reply.duration_s + sum(seen.duration_s for seen in turn.observations)

    def limit_met(self) -> StopReason | None:
        if self.turns >= self.limits.turns:
            return StopReason.TURN_CAP
        if self.limits.cost_usd is not None and self.cost_usd >= self.limits.cost_usd:
            return StopReason.COST_LIMIT
        if self.limits.seconds is not None and self.seconds >= self.limits.seconds:
            return StopReason.TIME_LIMIT
        return None
