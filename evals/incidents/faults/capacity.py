"""Faults of capacity: quota, autoscaler bounds, replicas, connection pools."""

from __future__ import annotations

from dataclasses import replace

from evals.incidents.cluster import SETTINGS, SHOP, WORKLOADS, Labels
from evals.incidents.faults.model import SINGLE, Entity, Fault, Scene, Story, workload_entities
from evals.incidents.traffic import Surge
from evals.incidents.world import DAY, Change, World


def quota_exhausted(scene: Scene) -> Fault:
    name = scene.victim(SINGLE)
    quota = scene.dice.pick(("memory-quota", "otel-demo-quota", "team-shop-limits", "compute-resources"))
    restart_at = scene.second + scene.dice.between(20, 70)
    # So much that pods the autoscaler gives up do not make room again.
    short_mi = scene.dice.whole(600, 1200)

    def tighten(world: World, now: float) -> None:
        world.put_quota(quota, {"limits.memory": world.used_memory_limit_mi() - short_mi, "pods": 60}, now)

    changes = [Change(scene.second, tighten), Change(restart_at, lambda world, now: world.restart(name, now))]
    if scene.subtle:  # the quota has been there for long, with room to spare
        ample = {"limits.memory": 16384, "pods": 60}
        changes.insert(0, Change(-3 * DAY, lambda world, now: world.put_quota(quota, ample, now)))
    story = Story(
        "Resource",
        "insufficient-kubernetes-resource-quota",
        f"The memory limits of namespace {SHOP} are capped by quota {quota} below what its pods need",
        f"{name} pods cannot be created again after a restart",
        (f"Compare what the pods of {SHOP} need with the quota", f"Raise limits.memory of {quota}"),
    )
    root = Entity(f"{SHOP}-namespace-1", "Namespace", None, SHOP, (SHOP,))
    alias = Entity(f"{quota}-resource-quota-1", "ResourceQuota", SHOP, quota, (quota,))
    return Fault("quota_exhausted", name, scene.second, tuple(changes), root, (alias,), story)


def autoscaler_bounds(scene: Scene) -> Fault:
    name = scene.victim(("frontend", "product-catalog", "cart", "frontend-proxy"))
    most = 2 if scene.subtle else 1
    # Lowered to where it stands, a bound shows no effect until more visitors come.
    second = scene.second - (scene.dice.between(150, 330) if scene.subtle else 0)
    surges = (Surge(scene.second, 150, scene.dice.between(1.8, 2.1)),) if scene.subtle else ()

    def tighten(world: World, now: float) -> None:
        world.put_bounds(name, min(most, 1), most, now)

    story = Story(
        "Configuration",
        "misconfigured-horizontal-pod-autoscaler",
        f"HorizontalPodAutoscaler {name} allows at most {most} replicas",
        f"{name} cannot grow with its load and is saturated",
        (f"Raise maxReplicas of the HorizontalPodAutoscaler {name}",),
    )
    root = Entity(f"{name}-hpa-1", "HorizontalPodAutoscaler", SHOP, name, (f"{name}\\b",))
    change = Change(second, tighten)
    return Fault("autoscaler_bounds", name, second, (change,), root, (), story, surges)


def scaled_to_zero(scene: Scene) -> Fault:
    name = scene.victim((*SINGLE, "valkey-cart") if scene.subtle else SINGLE)
    story = Story(
        "Change",
        "scaled-to-zero-kubernetes-workload",
        f"Deployment {name} is scaled to 0 replicas",
        f"{name} has no pods",
        (f"Scale the {name} deployment up again",),
    )
    deployment, pod, _ = workload_entities(name)
    change = Change(scene.second, lambda world, now: world.scale(name, 0, now))
    return Fault("scaled_to_zero", name, scene.second, (change,), deployment, (pod,), story)


def pool_exhaustion(scene: Scene) -> Fault:
    name = scene.victim(("cart", "product-catalog") if scene.subtle else ("product-reviews", "accounting"))
    return _small_setting(scene, name) if name in SETTINGS else _small_variable(scene, name)


def _small_variable(scene: Scene, name: str) -> Fault:
    template = WORKLOADS[name].template
    env: Labels = tuple((key, "1" if key == "DB_POOL_SIZE" else value) for key, value in template.env)
    deployment, pod, _ = workload_entities(name)
    change = Change(
        scene.second, lambda world, now: world.set_template(name, replace(template, env=env), now)
    )
    what = f"DB_POOL_SIZE of deployment {name} is 1"
    story = _pool_story(name, what, f"Set DB_POOL_SIZE of the {name} deployment back")
    return Fault("pool_exhaustion", name, scene.second, (change,), deployment, (pod,), story)


def _small_setting(scene: Scene, name: str) -> Fault:
    config_map, entries = SETTINGS[name]
    key, size = entries[1][0], str(scene.dice.whole(2, 4))
    data = dict(entries) | {key: size}
    change = Change(scene.second, lambda world, now: world.put_config(config_map, data, now))
    root = Entity(config_map, "ConfigMap", SHOP, config_map, ())
    story = _pool_story(name, f"{key} in ConfigMap {config_map} is {size}", f"Raise {key} in {config_map}")
    return Fault("pool_exhaustion", name, scene.second, (change,), root, (), story)


def _pool_story(name: str, condition: str, action: str) -> Story:
    return Story(
        "Configuration",
        "exhausted-connection-pool",
        condition,
        f"{name} has fewer connections than its traffic needs; requests wait and fail",
        (action,),
    )
