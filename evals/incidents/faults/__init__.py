"""The kinds of faults. Each changes objects of the cluster; what follows, follows from the objects."""

from __future__ import annotations

from collections.abc import Callable

from evals.incidents.faults import capacity, network, pressure, rollouts
from evals.incidents.faults.model import Fault, Scene

FAULTS: dict[str, Callable[[Scene], Fault]] = {
    maker.__name__: maker
    for maker in (
        rollouts.bad_image,
        rollouts.node_selector,
        rollouts.wrong_command,
        rollouts.wrong_environment,
        capacity.autoscaler_bounds,
        capacity.pool_exhaustion,
        capacity.quota_exhausted,
        capacity.scaled_to_zero,
        network.network_delay,
        network.network_partition,
        network.network_policy,
        pressure.cpu_stress,
        pressure.feature_flag,
        pressure.memory_stress,
    )
}
