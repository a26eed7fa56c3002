"""Faults of the network: a policy, and chaos-mesh's partition and delay."""

from __future__ import annotations

from evals.incidents import experiments
from evals.incidents.cluster import CHAOS, SHOP, Labels
from evals.incidents.faults.model import Entity, Fault, Scene, Story
from evals.incidents.state import Injection
from evals.incidents.world import Change, World

SHUT_OFF = ("frontend", "checkout", "cart", "payment", "product-catalog", "recommendation", "ad", "currency",
            "quote", "valkey-cart", "kafka", "postgresql", "email", "product-reviews")  # fmt: skip
# A service with several callers, and the only one that a narrow policy lets in.
NARROWED = (
    ("cart", "frontend"), ("currency", "frontend"), ("shipping", "frontend"), ("kafka", "accounting"),
    ("product-catalog", "frontend"), ("postgresql", "product-reviews"),
)  # fmt: skip
PARTED = (
    ("shipping", "quote"), ("fraud-detection", "kafka"), ("checkout", "payment"), ("frontend", "ad"),
    ("recommendation", "product-catalog"), ("cart", "valkey-cart"), ("checkout", "email"),
    ("accounting", "postgresql"), ("frontend", "recommendation"), ("product-reviews", "postgresql"),
    ("checkout", "shipping"),
)  # fmt: skip
DELAYED = ("ad", "cart", "currency", "payment", "product-catalog", "product-reviews", "quote",
           "recommendation", "shipping")  # fmt: skip
DURATION_S = 7200


def _component(name: str) -> Labels:
    return (("app.kubernetes.io/component", name),)


def network_policy(scene: Scene) -> Fault:
    return _narrow_policy(scene) if scene.subtle else _closed_policy(scene)


def _closed_policy(scene: Scene) -> Fault:
    name = scene.victim(SHUT_OFF)
    policy = scene.dice.pick((f"{name}-block-all-ports", f"deny-{name}-ingress", f"{name}-lockdown"))
    condition = f"NetworkPolicy {policy} lets no traffic in to {name} pods"
    return _policy_fault(scene, name, policy, ((), condition))


def _narrow_policy(scene: Scene) -> Fault:
    name, admitted = scene.edge(NARROWED)
    policy = scene.dice.pick((f"{name}-ingress", f"{name}-allowed-clients", f"harden-{name}"))
    condition = f"NetworkPolicy {policy} lets only {admitted} in to {name} pods and forgets its other callers"
    return _policy_fault(scene, name, policy, ((_component(admitted),), condition))


def _policy_fault(scene: Scene, name: str, policy: str, rule: tuple[tuple[Labels, ...], str]) -> Fault:
    allow, condition = rule

    def apply(world: World, now: float) -> None:
        world.put_policy(policy, _component(name), allow, now)

    story = Story(
        "Configuration",
        "ingress-port-blocking-network-policy",
        condition,
        f"Callers of {name} run into timeouts",
        (f"Remove or correct the NetworkPolicy {policy}",),
    )
    root = Entity(policy, "NetworkPolicy", SHOP, policy, (policy,))
    return Fault("network_policy", name, scene.second, (Change(scene.second, apply),), root, (), story)


def chaos_fault(kind: str, scene: Scene, name: str, injection: Injection, story: Story) -> Fault:
    """Make the fault of a Schedule whose experiments carry its name and a suffix."""

    def apply(world: World, now: float) -> None:
        experiments.put_schedule(world, name, injection, now)

    root = Entity(name, injection.kind, CHAOS, name, (f"{name}.*",))
    alias = Entity(f"{name}-schedule", "Schedule", CHAOS, name, (f"{name}.*",))
    change = Change(scene.second, apply)
    return Fault(kind, injection.selects, scene.second, (change,), root, (alias,), story)


def network_partition(scene: Scene) -> Fault:
    caller, callee = scene.edge(PARTED)
    name = f"{SHOP}-{caller}-{callee}-network-partition"
    injection = Injection("NetworkChaos", "partition", caller, callee, duration_s=DURATION_S)
    story = Story(
        "Network",
        "network_partition",
        f"A chaos-mesh experiment cuts {caller} pods off from {callee}",
        f"{caller} pods lose their connections to {callee}",
        (f"Pause or delete the Schedule {name} and its NetworkChaos",),
    )
    return chaos_fault("network_partition", scene, name, injection, story)


def network_delay(scene: Scene) -> Fault:
    victim = scene.victim(("checkout",) if scene.subtle and scene.may("checkout") else DELAYED)
    latency = scene.dice.whole(28, 42) * 10 if victim == "checkout" else scene.dice.whole(16, 22) * 100
    name = f"{SHOP}-{victim}-network-delay"
    injection = Injection("NetworkChaos", "delay", victim, latency_ms=latency, jitter_ms=latency // 10,
                          duration_s=DURATION_S)  # fmt: skip
    story = Story(
        "Network",
        "network_delay",
        f"A chaos-mesh experiment delays the packets of {victim} pods by {latency}ms",
        f"Calls to and from {victim} are slow or time out",
        (f"Pause or delete the Schedule {name} and its NetworkChaos",),
    )
    return chaos_fault("network_delay", scene, name, injection, story)
