"""What each incident of a folder is about: which faults, how hidden, beside which red herrings.

Scenario n of a seed is the same however many scenarios are made, so a folder can be made longer later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from evals.incidents import decoys, noise
from evals.incidents.clock import Clock
from evals.incidents.decoys.setting import Setting
from evals.incidents.dice import Dice
from evals.incidents.faults import FAULTS
from evals.incidents.faults.model import APART, Fault, NoVictim, Scene
from evals.incidents.rules import NAME_SETS
from evals.incidents.scales import Scale
from evals.incidents.world import Change

FIRST_START = 1_761_955_200  # 2025-11-01, UTC
DAYS = 120
# Decides on the red herrings, and whether the fault chooses what looks ordinary.
EASY, MEDIUM, HARD = "easy", "medium", "hard"
DIFFICULTIES = (EASY, EASY, EASY, EASY, MEDIUM, MEDIUM, MEDIUM, HARD, HARD, HARD)
# How many that time or state rules out, and how many that look like faults.
RED_HERRINGS = {EASY: (1, 0), MEDIUM: (1, 1), HARD: (1, 3)}
ROOTS = ("two", "one", "one", "one", "one")
# Second faults that would starve the first one's victim of traffic or of pods.
POOR_COMPANY = {"autoscaler_bounds", "quota_exhausted"}
# Second faults that come to be with a pod, which a quota would not let in.
COME_WITH_A_POD = {"bad_image", "node_selector", "pool_exhaustion", "wrong_command", "wrong_environment"}
EVERYBODYS_WAY = {"frontend", "frontend-proxy"}  # with trouble here nothing else shows
# Whose trouble shows as somebody else's too.
LIVES_OFF = {"product-catalog": ("recommendation",), "postgresql": ("product-reviews",)}


@dataclass(frozen=True)
class Quirks:
    """In which of the allowed shapes the files come."""

    alert_names: Mapping[str, str]
    alert_shape: str  # list, success, timestamp
    grouped_events: bool  # events as events.k8s.io shows them
    event_name_column: bool
    nested_json: bool  # some object bodies are JSON in a JSON string
    closing_alert_file: bool  # one more file of alerts that are active at the end
    truth_in_spec: bool
    truth_camel_case: bool  # recommendedActions instead of recommended_actions
    service_in_root: bool  # the Service of a broken Deployment may be named instead
    bare_names: bool  # groups of single objects have a name and no filter


@dataclass(frozen=True)
class Plan:
    seed: int
    number: int
    dice: Dice
    clock: Clock
    difficulty: str
    faults: tuple[Fault, ...]
    changes: tuple[Change, ...]  # faults, red herrings and noise, by time
    quirks: Quirks
    users: float
    scale: Scale = field(repr=False)

    @property
    def slug(self) -> str:
        return f"Scenario-{self.number}"


def plan(seed: int, number: int, scale: Scale) -> Plan:
    """Return what incident `number` (1, 2, 3 ...) of the seed is about."""
    dice = Dice("incident", seed, number)
    difficulty = _dealt(seed, "difficulty", DIFFICULTIES, number)
    fault_dice = dice.child("faults")
    second = scale.window_s * fault_dice.between(0.36, 0.48)
    faults = _faults(seed, number, Scene(fault_dice, second, subtle=difficulty == HARD))
    changes = [change for fault in faults for change in fault.changes]
    changes += _decoys(dice.child("decoys"), difficulty, faults)
    changes += noise.changes(dice.child("noise"), scale.window_s, [change.second for change in changes])
    return Plan(
        seed=seed,
        number=number,
        dice=dice,
        clock=Clock(FIRST_START + dice.whole(0, DAYS * 86_400)),
        difficulty=difficulty,
        faults=faults,
        changes=tuple(sorted(changes, key=lambda change: change.second)),
        quirks=_quirks(dice.child("quirks")),
        users=dice.between(28, 34),
        scale=scale,
    )


def _dealt(seed: int, what: str, deck: tuple[str, ...], number: int) -> str:
    """Return the card of incident `number`: each deck is shuffled and dealt to its end."""
    block, place = divmod(number - 1, len(deck))
    return Dice("deck", seed, what, block).shuffled(deck)[place]


def _faults(seed: int, number: int, scene: Scene) -> tuple[Fault, ...]:
    kind = _dealt(seed, "kind", tuple(sorted(FAULTS)), number)
    if _dealt(seed, "roots", ROOTS, number) == "one":
        return (FAULTS[kind](scene),)
    return _two_faults(kind, replace(scene, closed=EVERYBODYS_WAY))


def _two_faults(kind: str, scene: Scene) -> tuple[Fault, ...]:
    """Return two faults that do not hide each other: the second one's victim stands apart."""
    first, dice = FAULTS[kind](scene), scene.dice
    second = scene.second + dice.pick((-1, 1)) * dice.between(60, 200)
    closed = {first.victim, *LIVES_OFF.get(first.victim, ())}
    aside = Scene(dice, second, subtle=False, allowed=APART, closed=closed)
    poor = POOR_COMPANY | (COME_WITH_A_POD if kind == "quota_exhausted" else set())
    for other in dice.shuffled(sorted(set(FAULTS) - {kind} - poor)):
        try:
            return first, FAULTS[other](aside)
        except NoVictim:
            continue
    raise NoVictim


def _decoys(dice: Dice, difficulty: str, faults: tuple[Fault, ...]) -> list[Change]:
    setting = Setting(
        dice,
        second=min(fault.second for fault in faults),
        close=difficulty != EASY,
        victims=tuple(fault.victim for fault in faults),
        kinds=tuple(fault.kind for fault in faults),
    )
    return decoys.deal(setting, *RED_HERRINGS[difficulty])


def _quirks(dice: Dice) -> Quirks:
    return Quirks(
        alert_names=dice.pick(NAME_SETS),
        alert_shape=dice.pick(("list", "success", "success", "timestamp")),
        grouped_events=dice.happens(0.2),
        event_name_column=dice.happens(0.5),
        nested_json=dice.happens(0.15),
        closing_alert_file=dice.happens(0.3),
        truth_in_spec=dice.happens(0.3),
        truth_camel_case=dice.happens(0.4),
        service_in_root=dice.happens(0.3),
        bare_names=dice.happens(0.3),
    )
