"""Red herrings that time, state or reach rule out."""

from __future__ import annotations

from dataclasses import replace

from evals.incidents import experiments
from evals.incidents.cluster import REGISTRY, SHOP
from evals.incidents.decoys.setting import Setting
from evals.incidents.state import Injection
from evals.incidents.world import Change, World


def harmless_rollout(setting: Setting) -> Change:
    """A bystander gets a new image that works."""
    name = setting.bystander()
    image = f"{REGISTRY}:2.1.4-{name}"

    def roll(world: World, now: float) -> None:
        world.images.add(image)
        template = replace(world.deployments[name].template, image=image)
        world.set_template(name, template, now, "helm")

    return Change(setting.moment(), roll)


def louder_logging(setting: Setting) -> Change:
    """A bystander's environment is changed by a variable that breaks nothing."""
    name = setting.bystander()
    variable, value = setting.dice.pick((("LOG_LEVEL", "debug"), ("OTEL_BSP_MAX_QUEUE_SIZE", "4096")))
    return Change(setting.moment(), lambda world, now: world.set_variable(name, variable, value, now))


def finished_experiment(setting: Setting) -> Change:
    """A chaos experiment on a victim or a bystander ended before the window began."""
    name = setting.dice.pick(setting.victims) if setting.close else setting.bystander()
    injection = Injection("NetworkChaos", "delay", name, latency_ms=1000, jitter_ms=100, duration_s=300)
    started = -setting.dice.between(1500, 5400)
    label = f"{SHOP}-{name}-latency-drill"

    def apply(world: World, now: float) -> None:
        experiments.put_past(world, label, injection, now)

    return Change(started, apply)


def paused_schedule(setting: Setting) -> Change:
    """A Schedule exists that has been paused since it was made, and its experiment never began."""
    name = setting.bystander()
    action = setting.dice.pick(("cpu", "memory"))
    injection = Injection(
        "StressChaos", action, name, workers=2, load_percent=100, size_mi=400, duration_s=600
    )
    label = f"{SHOP}-{name}-{action}-stress"

    def apply(world: World, now: float) -> None:
        experiments.put_schedule(world, label, injection, now).paused = True

    return Change(setting.moment(), apply)


def idle_target(setting: Setting) -> Change:
    """A chaos experiment runs on a workload that nobody calls."""
    injection = Injection("NetworkChaos", "delay", "llm", latency_ms=900, jitter_ms=90, duration_s=7200)
    label = f"{SHOP}-llm-network-delay"

    def apply(world: World, now: float) -> None:
        experiments.put_schedule(world, label, injection, now)

    return Change(setting.moment(), apply)


def open_policy(setting: Setting) -> Change:
    """A NetworkPolicy appears that lets everybody in."""
    name = setting.dice.pick(("flagd", "image-provider", "llm", "quote"))
    label = setting.dice.pick((f"{name}-ingress", f"allow-{name}"))
    selects = (("app.kubernetes.io/component", name),)
    return Change(setting.moment(), lambda world, now: world.put_policy(label, selects, None, now))


def dormant_flag(setting: Setting) -> Change:
    """A flag's default is turned on while the flag itself is disabled."""
    flag = setting.dice.pick(("loadGeneratorFloodHomepage", "adManualGc", "recommendationCacheFailure"))
    return Change(setting.moment(), lambda world, now: world.set_flag(flag, now, "on", state="DISABLED"))


def roomy_quota(setting: Setting) -> Change:
    """A quota is put on the namespace that is far from used up."""
    hard = {"limits.memory": setting.dice.pick((16384, 24576, 32768)), "pods": 80}
    return Change(setting.moment(), lambda world, now: world.put_quota("shop-guardrails", hard, now))


def spare_replica(setting: Setting) -> Change:
    """A bystander is given a second replica by hand."""
    name = setting.bystander()
    return Change(setting.moment(), lambda world, now: world.scale(name, 2, now))
