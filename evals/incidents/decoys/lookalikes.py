"""Red herrings of the very kind that faults are: the same fields changed, to values that do no harm."""

from __future__ import annotations

from dataclasses import replace

from evals.incidents import experiments
from evals.incidents.cluster import AUTOSCALED, SETTINGS, SHOP
from evals.incidents.decoys.setting import Setting
from evals.incidents.journeys import callers
from evals.incidents.state import Injection
from evals.incidents.world import Change, World

GUARDED = ("ad", "checkout", "currency", "email", "payment", "product-catalog", "quote", "shipping")
# Settings and the values that still leave room: (ConfigMap of the workload, key, value).
TIGHTER = (
    ("cart", "cache.maxConnections", "40"), ("cart", "cache.connectTimeoutMs", "1500"),
    ("product-catalog", "server.maxConcurrentStreams", "60"),
    ("product-catalog", "catalog.reloadIntervalSec", "30"),
)  # fmt: skip
SMALLER_POOLS = {"accounting": "16", "product-reviews": "12"}


def complete_policy(setting: Setting) -> Change:
    """A NetworkPolicy closes a service to all but its callers, and forgets none of them."""
    above = callers()
    name = setting.dice.pick([name for name in GUARDED if name not in setting.victims])
    label = setting.dice.pick((f"{name}-ingress", f"{name}-allowed-clients", f"harden-{name}"))
    selects = (("app.kubernetes.io/component", name),)
    admitted = tuple((("app.kubernetes.io/component", caller),) for caller in above[name])
    return Change(setting.moment(), lambda world, now: world.put_policy(label, selects, admitted, now))


def roomy_bounds(setting: Setting) -> Change:
    """An autoscaler's maximum is lowered to what is still more than enough."""
    name = setting.dice.pick([name for name in sorted(AUTOSCALED) if name not in setting.victims])
    least, most = AUTOSCALED[name]
    return Change(setting.moment(), lambda world, now: world.put_bounds(name, least, most - 1, now))


def tighter_setting(setting: Setting) -> Change:
    """A setting in a mounted ConfigMap is changed a little."""
    owner, key, value = setting.dice.pick([each for each in TIGHTER if each[0] not in setting.victims])
    config_map, entries = SETTINGS[owner]
    data = dict(entries) | {key: value}
    return Change(setting.moment(), lambda world, now: world.put_config(config_map, data, now))


def smaller_pool(setting: Setting) -> Change:
    """A pool is made smaller, and still holds more connections than are ever used."""
    name = setting.dice.pick([name for name in sorted(SMALLER_POOLS) if name not in setting.victims])
    size = SMALLER_POOLS[name]
    return Change(setting.moment(), lambda world, now: world.set_variable(name, "DB_POOL_SIZE", size, now))


def matching_selector(setting: Setting) -> Change:
    """A node selector is added that every node meets."""
    name = setting.bystander()
    label = setting.dice.pick((("kubernetes.io/os", "linux"), ("kubernetes.io/arch", "amd64")))

    def select(world: World, now: float) -> None:
        template = replace(world.deployments[name].template, node_selector=(label,))
        world.set_template(name, template, now)

    return Change(setting.moment(), select)


def slight_delay(setting: Setting) -> Change:
    """A chaos experiment runs whose delay nobody feels."""
    name = setting.bystander()
    latency = setting.dice.whole(3, 6) * 5
    injection = Injection("NetworkChaos", "delay", name, latency_ms=latency, jitter_ms=2, duration_s=7200)
    label = f"{SHOP}-{name}-network-delay"

    def apply(world: World, now: float) -> None:
        experiments.put_schedule(world, label, injection, now)

    return Change(setting.moment(), apply)
