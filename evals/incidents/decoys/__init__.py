"""Red herrings: changes near the fault that explain nothing, whatever they look like."""

from __future__ import annotations

from collections.abc import Callable

from evals.incidents.decoys import lookalikes, plain
from evals.incidents.decoys.setting import Setting
from evals.incidents.world import Change

Decoy = Callable[[Setting], Change]

PLAIN: tuple[Decoy, ...] = (
    plain.dormant_flag,
    plain.finished_experiment,
    plain.harmless_rollout,
    plain.louder_logging,
    plain.open_policy,
    plain.paused_schedule,
    plain.roomy_quota,
    plain.spare_replica,
)
LOOKALIKES: tuple[Decoy, ...] = (
    lookalikes.complete_policy,
    lookalikes.matching_selector,
    lookalikes.roomy_bounds,
    lookalikes.slight_delay,
    lookalikes.smaller_pool,
    lookalikes.tighter_setting,
    plain.idle_target,
)
# A red herring of the same object would undo the fault or be part of it.
CLASHES = {
    "feature_flag": {"dormant_flag"},
    "network_policy": {"complete_policy", "open_policy"},
    "quota_exhausted": {"roomy_quota"},
}


def deal(setting: Setting, plain_ones: int, lookalike_ones: int) -> list[Change]:
    """Return so many red herrings of each sort, all of different kinds."""
    clashing = set().union(*(CLASHES.get(kind, set()) for kind in setting.kinds))
    dealt: list[Decoy] = []
    for sort, count in ((PLAIN, plain_ones), (LOOKALIKES, lookalike_ones)):
        dealt += setting.dice.shuffled([each for each in sort if each.__name__ not in clashing])[:count]
    return [decoy(setting) for decoy in dealt]
