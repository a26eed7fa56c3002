"""Faults that wear a running service down: stress by chaos-mesh, and feature flags."""

from __future__ import annotations

from evals.incidents import flags
from evals.incidents.cluster import FLAGS_CONFIG, SHOP, WORKLOADS
from evals.incidents.faults.model import Entity, Fault, NoVictim, Scene, Story
from evals.incidents.faults.network import DURATION_S, chaos_fault
from evals.incidents.state import Injection
from evals.incidents.world import Change

STRESSED = ("ad", "checkout", "currency", "email", "image-provider", "payment", "product-reviews", "quote",
            "recommendation", "shipping")  # fmt: skip
# (flag, victim, variants that spring to the eye, variants that do not)
FLAGS: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("adFailure", "ad", ("on",), ("on",)),
    ("adManualGc", "ad", ("on",), ("on",)),
    ("cartFailure", "cart", ("100%", "75%", "50%"), ("10%", "25%")),
    ("emailMemoryLeak", "email", ("1000x",), ("100x",)),
    ("imageSlowLoad", "image-provider", ("5sec", "10sec"), ("5sec",)),
    ("intlShippingSlowdown", "shipping", ("5sec", "10sec"), ("5sec",)),
    ("kafkaQueueProblems", "kafka", ("on",), ("on",)),
    ("paymentFailure", "payment", ("100%", "75%", "50%"), ("10%", "25%")),
    ("paymentUnreachable", "payment", ("on",), ("on",)),
    ("productCatalogFailure", "product-catalog", ("on",), ("on",)),
    ("recommendationCacheFailure", "recommendation", ("on",), ("on",)),
)


def feature_flag(scene: Scene) -> Fault:
    open_ = [entry for entry in FLAGS if scene.may(entry[1])]
    if not open_:
        raise NoVictim
    flag, victim, plain, near = scene.dice.pick(open_)
    variant = scene.dice.pick(near if scene.subtle else plain)
    story = Story(
        "Configuration Setting",
        "custom(flagd)",
        f"Feature flag {flag} is set to {variant}",
        f"{victim}: {flags.DEFAULTS[flag].description[0].lower()}{flags.DEFAULTS[flag].description[1:]}",
        (f"Set {flag} in {FLAGS_CONFIG} back to off",),
    )
    change = Change(scene.second, lambda world, now: world.set_flag(flag, now, variant))
    root = Entity(FLAGS_CONFIG, "ConfigMap", SHOP, FLAGS_CONFIG, ())
    return Fault("feature_flag", victim, scene.second, (change,), root, (), story)


def cpu_stress(scene: Scene) -> Fault:
    victim = scene.victim(STRESSED)
    name = f"{SHOP}-{victim}-cpu-stress"
    load = scene.dice.whole(5, 6) * 10 if scene.subtle else 100
    injection = Injection("StressChaos", "cpu", victim, workers=scene.dice.whole(2, 4), load_percent=load,
                          duration_s=DURATION_S)  # fmt: skip
    story = Story(
        "Resource",
        "cpu_stress",
        f"A chaos-mesh experiment burns CPU in {victim} pods",
        f"{victim} containers are throttled at their limit and answer slowly",
        (f"Pause or delete the Schedule {name} and its StressChaos",),
    )
    return chaos_fault("cpu_stress", scene, name, injection, story)


def memory_stress(scene: Scene) -> Fault:
    victim = scene.victim((*STRESSED, "accounting", "fraud-detection"))
    workload = WORKLOADS[victim]
    name = f"{SHOP}-{victim}-memory-stress"
    size = workload.template.memory_limit_mi - int(0.4 * workload.memory_mi) + scene.dice.whole(10, 90)
    injection = Injection("StressChaos", "memory", victim, size_mi=size, duration_s=DURATION_S)
    story = Story(
        "Resource",
        "memory_stress",
        f"A chaos-mesh experiment fills the memory of {victim} pods",
        f"{victim} containers are killed for exceeding their memory limit",
        (f"Pause or delete the Schedule {name} and its StressChaos",),
    )
    return chaos_fault("memory_stress", scene, name, injection, story)
