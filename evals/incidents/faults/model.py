"""What a fault is: changes to the cluster, and the truth about them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from evals.incidents.cluster import SHOP, WORKLOADS
from evals.incidents.dice import Dice
from evals.incidents.traffic import Surge
from evals.incidents.world import Change

# Workloads with one replica: without their pod they serve nobody.
SINGLE = ("accounting", "ad", "checkout", "currency", "email", "fraud-detection", "image-provider", "payment",
          "product-reviews", "quote", "recommendation", "shipping")  # fmt: skip
# Visitors reach them whatever happens to orders, so that two roots beside each other both show.
APART = frozenset({"ad", "image-provider", "product-reviews", "recommendation"})


class NoVictim(Exception):
    """None of the fault's victims is allowed in the scene."""


@dataclass(frozen=True)
class Entity:
    """A group of objects in the ground truth."""

    id: str
    kind: str
    namespace: str | None
    name: str  # exact where there is one object, else the name its objects share
    filters: tuple[str, ...]  # empty: the name alone says it


@dataclass(frozen=True)
class Story:
    """The fault in words, for the ground truth."""

    category: str
    mechanism: str
    condition: str  # what is wrong with the root
    effect: str  # what it does to the victim
    actions: tuple[str, ...]


@dataclass(frozen=True)
class Fault:
    kind: str
    victim: str  # the workload that suffers first
    second: float  # when the cause comes to be
    changes: tuple[Change, ...]
    root: Entity
    aliases: tuple[Entity, ...]  # what may be named instead of the root
    story: Story
    surges: tuple[Surge, ...] = ()


@dataclass(frozen=True)
class Scene:
    """Where a fault is put."""

    dice: Dice
    second: float
    subtle: bool  # choose what looks ordinary over what springs to the eye
    allowed: Collection[str] = field(default_factory=lambda: frozenset(WORKLOADS))
    closed: Collection[str] = frozenset()  # victims taken already

    def may(self, *workloads: str) -> bool:
        return all(name in self.allowed and name not in self.closed for name in workloads)

    def victim(self, candidates: Sequence[str]) -> str:
        """Pick a victim.

        Raises:
            NoVictim: no candidate is allowed.
        """
        open_ = [name for name in candidates if self.may(name)]
        if not open_:
            raise NoVictim
        return self.dice.pick(open_)

    def edge(self, candidates: Sequence[tuple[str, str]]) -> tuple[str, str]:
        """Pick a pair whose first is allowed as a victim.

        Raises:
            NoVictim: no pair is allowed.
        """
        open_ = [pair for pair in candidates if self.may(pair[0])]
        if not open_:
            raise NoVictim
        return self.dice.pick(open_)


def workload_entities(name: str) -> tuple[Entity, Entity, Entity]:
    """Return the groups of a workload's Deployment, pods and Service."""
    return (
        Entity(f"{name}-deployment-1", "Deployment", SHOP, name, (f"{name}\\b",)),
        Entity(f"{name}-pod-1", "Pod", SHOP, name, (f"{name}-.*",)),
        Entity(f"{name}-service-1", "Service", SHOP, name, (f"{name}\\b",)),
    )
