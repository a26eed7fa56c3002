"""What wears containers down while they run: leaks, stress, and the kernel that kills the greedy."""

from __future__ import annotations

from evals.incidents import conditions, kubelet
from evals.incidents.cluster import FLAGS_CONFIG
from evals.incidents.flags import FILE, parse
from evals.incidents.state import Exit, Pod, Stage
from evals.incidents.world import World

LEAK_MI = {"emailMemoryLeak": ("email", 0.004), "recommendationCacheFailure": ("recommendation", 0.12)}


def advance(world: World, now: float, rates: dict[str, float], step_s: float) -> None:
    flags = parse(world.config_maps[FLAGS_CONFIG].data[FILE])
    for flag, (service, amount_mi) in LEAK_MI.items():
        leak = flags[flag].strength * amount_mi * rates.get(service, 0.0) * step_s
        for pod in world.deployments[service].pods:
            pod.leaked_mi += leak
    for pod in world.shop_pods():
        if (
            pod.stage is Stage.RUNNING
            and conditions.memory_mi(world, pod, now) > pod.template.memory_limit_mi
        ):
            _kill(world, pod, now)


def _kill(world: World, pod: Pod, now: float) -> None:
    lived_s = now - pod.started
    if lived_s < 6:  # it takes a moment to fill the memory
        return
    kubelet.crash(world, pod, Exit("OOMKilled", 137, pod.started, now))
