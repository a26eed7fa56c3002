"""How the objects of the cluster bear on a request: which links fail or are slow, which services suffer.

Nothing here knows of faults. A wrong address, a policy, a chaos experiment, a flag or a missing pod
has its effect because the object is as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from evals.incidents import addresses, cluster, experiments, flags, kubelet
from evals.incidents.addresses import AddressProblem
from evals.incidents.cluster import Labels, PodTemplate, pod_labels
from evals.incidents.journeys import CONSUMERS, QUEUE, edges
from evals.incidents.state import Experiment, Pod, Policy
from evals.incidents.world import World

# How long a caller waits for an answer. Callers further in give up earlier.
DEADLINE_MS = {"load-generator": 30_000.0, "frontend-proxy": 15_000.0, "frontend": 5_000.0}
INNER_DEADLINE_MS = 2_500.0
LEASE_S = 5.0  # how long a request keeps its pooled connection from the others
EDGES = tuple(sorted({(caller, call.callee) for caller, call in edges() if caller != QUEUE}
                     | {(consumer.callee, QUEUE) for consumer in CONSUMERS}))  # fmt: skip


def deadline_ms(caller: str) -> float:
    return DEADLINE_MS.get(caller, INNER_DEADLINE_MS)


@dataclass(frozen=True)
class Failure:
    """How a call fails that never gets an answer."""

    code: str  # as gRPC names it
    detail: str
    wait_ms: float  # until the caller gives up


@dataclass(frozen=True)
class Link:
    failure: Failure | None = None
    delay_ms: float = 0.0


@dataclass(frozen=True)
class Health:
    """How a service fares that is reached."""

    error: float = 0.0  # share of requests it fails by itself
    slowdown: float = 1.0  # of its own time
    added_ms: float = 0.0
    detail: str = ""  # what it says when it fails


@dataclass(frozen=True)
class Conditions:
    links: dict[tuple[str, str], Link]
    healths: dict[str, Health]
    cpu_m: dict[str, float] = field(default_factory=dict)  # used by each pod of a workload
    throttled: dict[str, float] = field(default_factory=dict)  # share of CPU periods, by workload
    idle: frozenset[str] = frozenset()  # services without a pod that serves
    queue_troubled: bool = False  # the queue is flooded and its consumers are delayed

    def works(self, service: str) -> bool:
        return service not in self.idle

    def link(self, caller: str, callee: str) -> Link:
        return self.links.get((caller, callee), Link())

    def health(self, service: str) -> Health:
        return self.healths.get(service, Health())


def evaluate(world: World, now: float, rates: dict[str, float]) -> Conditions:
    """Return the conditions at `now`; `rates` are the requests a second of each service just before."""
    chaos = experiments.active(world, now)
    links = {(caller, callee): _link(world, caller, callee, chaos) for caller, callee in EDGES}
    limits = {name: deployment.template.cpu_limit_m for name, deployment in world.deployments.items()}
    demands = {name: _demand_m(world, name, rates.get(name, 0.0), chaos) for name in limits}
    used = {name: demands[name] / limits[name] for name in limits}
    return Conditions(
        links=links,
        healths={name: _health(world, name, now, (used[name], rates)) for name in limits},
        cpu_m={name: min(demands[name], limits[name]) for name in limits},
        throttled={name: min(0.97, max(0.004, used[name] - 0.72)) for name in limits},
        idle=frozenset(name for name in limits if not serving(world, name)),
        queue_troubled=bool(_flag(world, "kafkaQueueProblems")),
    )


def _demand_m(world: World, name: str, rate: float, chaos: list[Experiment]) -> float:
    """Return the CPU each pod of the workload would use if nothing held it back."""
    workload = world.deployments[name].workload
    stress = sum(
        10.0 * experiment.injection.workers * experiment.injection.load_percent
        for experiment in chaos
        if experiment.injection.action == "cpu" and experiment.injection.selects == name
    )
    return workload.idle_m + workload.cost_m * rate / max(1, len(serving(world, name))) + stress


def serving(world: World, name: str) -> list[Pod]:
    """Return the pods a call to the service can end at."""
    return [pod for pod in world.deployments[name].pods if pod.ready and not kubelet.deaf(pod)]


def memory_mi(world: World, pod: Pod, now: float) -> float:
    """Return what the pod's container has in use; more than its limit gets it killed."""
    if pod.workload not in world.deployments:
        return 40.0
    warm_up = min(1.0, 0.6 + 0.4 * (now - pod.started) / 60)
    stress = sum(
        experiment.injection.size_mi
        for experiment in experiments.active(world, now)
        if experiment.injection.action == "memory" and experiment.injection.selects == pod.workload
    )
    return world.deployments[pod.workload].workload.memory_mi * warm_up + pod.leaked_mi + stress


# -- links ----------------------------------------------------------------------------------------


def _link(world: World, caller: str, callee: str, chaos: list[Experiment]) -> Link:
    wait = deadline_ms(caller)
    wrong = addresses.problem(world, _template_in_use(world, caller), caller, callee)
    if wrong is not None:
        return Link(_wrong_address(world, caller, callee, wrong))
    if _denied(world, caller, callee):
        port = cluster.WORKLOADS[callee].port
        return Link(Failure("UNAVAILABLE", f"dial tcp {_address(world, callee)}:{port}: i/o timeout", wait))
    if any(_parts(experiment, caller, callee) for experiment in chaos):
        detail = f"connection to {callee} lost: read tcp: connection timed out"
        return Link(Failure("DEADLINE_EXCEEDED", detail, wait))
    if _flag(world, "paymentUnreachable") and (caller, callee) == ("checkout", "payment"):
        return Link(Failure("UNAVAILABLE", "dial tcp: lookup badAddress: no such host", 4.0))
    if not serving(world, callee):
        port = cluster.WORKLOADS[callee].port
        detail = f"dial tcp {_address(world, callee)}:{port}: connect: connection refused"
        return Link(Failure("UNAVAILABLE", detail, 3.0))
    return Link(delay_ms=sum(_delay(experiment, caller, callee) for experiment in chaos))


def _template_in_use(world: World, name: str) -> PodTemplate:
    """Return what the newest pod that serves was made from: a rollout takes effect as its pods do."""
    pods = serving(world, name)
    return pods[-1].template if pods else world.deployments[name].template


def _address(world: World, callee: str) -> str:
    service = world.services.get(callee)
    return service.address if service else callee


def _wrong_address(world: World, caller: str, callee: str, wrong: AddressProblem) -> Failure:
    value = _template_in_use(world, caller).variable(cluster.ADDRESS_VARIABLES[caller, callee])
    if wrong is AddressProblem.UNKNOWN_HOST:
        return Failure("UNAVAILABLE", f"dial tcp: lookup {value}: no such host", 6.0)
    if wrong is AddressProblem.CLOSED_PORT:
        return Failure("UNAVAILABLE", f"dial {value}: i/o timeout", min(1_900.0, deadline_ms(caller)))
    return Failure("UNIMPLEMENTED", f"unknown service or path at {value}", 5.0)


def _selects(wanted: Labels, labels: Labels) -> bool:
    return set(wanted) <= set(labels)


def _denied(world: World, caller: str, callee: str) -> bool:
    """Tell whether policies select the callee and none of them lets the caller in."""
    selecting = [p for p in world.policies.values() if _selects(p.selects, pod_labels(callee))]
    return bool(selecting) and not any(_admits(policy, caller) for policy in selecting)


def _admits(policy: Policy, caller: str) -> bool:
    return policy.allow is None or any(_selects(labels, pod_labels(caller)) for labels in policy.allow)


def _parts(experiment: Experiment, caller: str, callee: str) -> bool:
    injection = experiment.injection
    return injection.action == "partition" and (injection.selects, injection.target) == (caller, callee)


def _delay(experiment: Experiment, caller: str, callee: str) -> float:
    injection = experiment.injection
    concerned = injection.action == "delay" and injection.selects in {caller, callee}
    return float(injection.latency_ms) if concerned else 0.0


# -- services -------------------------------------------------------------------------------------


def _flag(world: World, name: str) -> float:
    data = world.config_maps[cluster.FLAGS_CONFIG].data
    return flags.parse(data[flags.FILE])[name].strength


def _health(world: World, name: str, now: float, load: tuple[float, dict[str, float]]) -> Health:
    used, rates = load
    ills = (_blipped(world, name, now), _saturated(used), _flagged(world, name), _pooled(world, name, rates))
    return _combined(*ills)


def _combined(*parts: Health) -> Health:
    survives, slowdown, added, details = 1.0, 1.0, 0.0, []
    for part in parts:
        survives *= 1 - part.error
        slowdown *= part.slowdown
        added += part.added_ms
        if part.error:
            details.append(part.detail)
    return Health(1 - survives, slowdown, added, details[-1] if details else "")


def _saturated(used: float) -> Health:
    """Return what happens as a pod's CPU limit is neared (used 1) or wished for many times over."""
    if used <= 0.75:
        return Health()
    if used <= 1:
        return Health(slowdown=1 + 16 * (used - 0.75))
    over = used - 1
    error = min(0.6, 0.7 * over) if over < 2 else 0.3
    return Health(error, min(420.0, 5 + 75 * over), detail="resource exhausted: request queue is full")


def _blipped(world: World, name: str, now: float) -> Health:
    blips = [blip for blip in world.blips if blip.service == name and now < blip.until]
    return Health(blips[0].error, detail="connection reset by peer") if blips else Health()


def _flagged(world: World, name: str) -> Health:
    if name == "ad":
        return _combined(
            Health(0.9 * _flag(world, "adFailure"), detail="ad service failed to handle the request"),
            Health(added_ms=2_600.0 * _flag(world, "adManualGc")),
        )
    if name in _FLAG_ERRORS:
        flag, weight, detail = _FLAG_ERRORS[name]
        return Health(weight * _flag(world, flag), detail=detail)
    if name in _FLAG_DELAYS:
        flag, weight = _FLAG_DELAYS[name]
        return Health(added_ms=weight * _flag(world, flag))
    return Health()


_FLAG_ERRORS = {
    "cart": ("cartFailure", 1.0, "can't access cart storage"),
    "payment": ("paymentFailure", 1.0, "payment request failed: invalid token"),
    "product-catalog": ("productCatalogFailure", 0.12, "product catalog lookup of OLJCESPC7Z failed"),
}
_FLAG_DELAYS = {
    "image-provider": ("imageSlowLoad", 1.0),
    "shipping": ("intlShippingSlowdown", 0.4),
    "recommendation": ("recommendationCacheFailure", 1_900.0),
}
_POOLS = {
    "accounting": ("DB_POOL_SIZE", "The connection pool has been exhausted"),
    "product-reviews": ("DB_POOL_SIZE", "connection pool limit reached, timed out after 2.00 s"),
    "cart": ("cache.maxConnections", "no connection available from the pool to valkey-cart"),
    "product-catalog": ("server.maxConcurrentStreams", "max concurrent streams reached"),
}


def _pooled(world: World, name: str, rates: dict[str, float]) -> Health:
    """Return what a pool too small for the traffic does: whoever finds no connection waits and fails."""
    if name not in _POOLS:
        return Health()
    setting, detail = _POOLS[name]
    size = _template_in_use(world, name).variable(setting)
    if size is None:
        size = world.config_maps[cluster.SETTINGS[name][0]].data[setting]
    rate = rates.get(name, 0.0) / max(1, len(serving(world, name)))
    short = 1 - int(size) / max(rate * LEASE_S, 1e-9)
    if short <= 0:
        return Health()
    return Health(min(0.95, short), added_ms=1_400.0 * short, detail=detail)
