"""Where a red herring is put."""

from __future__ import annotations

from dataclasses import dataclass

from evals.incidents.dice import Dice
from evals.incidents.journeys import callers

BYSTANDERS = ("accounting", "ad", "checkout", "currency", "email", "image-provider", "payment", "quote",
              "recommendation", "shipping")  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """What a red herring has to know of the incident it is put into."""

    dice: Dice
    second: float  # of the fault
    close: bool  # within minutes of the fault and among those who suffer, else well before it
    victims: tuple[str, ...]  # left alone, or their own trouble would be covered up
    kinds: tuple[str, ...]  # of the faults

    def moment(self) -> float:
        """Return when the red herring shows: shortly before or after the fault, or early in the window."""
        if self.close:
            return self.second + self.dice.pick((-1, 1)) * self.dice.between(35, 150)
        return self.second * self.dice.between(0.25, 0.7)

    def bystander(self) -> str:
        """Return a workload that is no victim; when close, one near a victim if there is one."""
        others = [name for name in BYSTANDERS if name not in self.victims]
        related = [name for name in others if name in self._related()]
        return self.dice.pick(related if self.close and related else others)

    def _related(self) -> set[str]:
        """Return who calls a victim, and whom those call besides."""
        above = callers()
        nearby = {caller for victim in self.victims for caller in above.get(victim, ())}
        return nearby | {callee for callee, who in above.items() if nearby & set(who)}
