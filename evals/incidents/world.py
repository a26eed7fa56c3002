"""The cluster as it stands, and the verbs by which somebody with kubectl changes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from evals.incidents import cluster, flags
from evals.incidents.clock import Clock
from evals.incidents.cluster import SHOP, WORKLOADS, Labels, PodTemplate
from evals.incidents.dice import Dice
from evals.incidents.events import Event, EventLog, Happening
from evals.incidents.state import (
    FOREVER,
    Autoscaler,
    Blip,
    ConfigMap,
    Deployment,
    Experiment,
    Identity,
    Pod,
    Policy,
    Quota,
    Ref,
    ReplicaSet,
    Schedule,
    Service,
    Stage,
)

DAY = 86_400.0
KUBECTL = "kubectl-edit"
NAMESPACES = (*sorted(cluster.NEIGHBOURS), "default", SHOP)


@dataclass(frozen=True)
class Change:
    """Something that is done to the cluster at a second of the window (negative: before it)."""

    second: float
    do: Callable[[World, float], None]


class World:
    """All objects of the simulated cluster by name, and what has happened to them."""

    def __init__(self, dice: Dice, clock: Clock) -> None:
        self.dice = dice
        self.clock = clock
        self.version = dice.whole(180_000, 900_000)
        self.installed = -DAY * dice.between(6, 30)
        self.nodes = cluster.nodes(dice.child("nodes").text(5))
        self.images = {workload.template.image for workload in WORKLOADS.values()}
        self.namespaces = {name: self.identity(Ref("Namespace", None, name)) for name in NAMESPACES}
        self.config_maps: dict[str, ConfigMap] = {}
        self.policies: dict[str, Policy] = {}
        self.quotas: dict[str, Quota] = {}
        self.schedules: dict[str, Schedule] = {}
        self.experiments: dict[str, Experiment] = {}
        self.deployments = {name: self._deployment(name) for name in WORKLOADS}
        self.services = {name: self._service(name) for name in WORKLOADS if name != "fraud-detection"}
        self.autoscalers = {name: self._autoscaler(name) for name in cluster.AUTOSCALED}
        self._install_config_maps()
        self.neighbours = self._neighbours()
        self.restless: list[Pod] = []  # pods of other namespaces whose stages are simulated
        self.blips: list[Blip] = []
        self.event_log = EventLog()

    # -- identities -------------------------------------------------------------------------------

    def next_version(self) -> int:
        self.version += 1 + int(self.dice.fraction() * 9)
        return self.version

    def identity(self, ref: Ref, created: float | None = None, manager: str = "helm") -> Identity:
        second = self.installed if created is None else created
        uid = self.dice.child("uid", ref.kind, ref.namespace, ref.name).uuid()
        return Identity(ref, second, uid, self.next_version(), managers=[(manager, second)])

    def touch(self, identity: Identity) -> None:
        """Note a change of status."""
        identity.version = self.next_version()

    def edited(self, identity: Identity, now: float, manager: str = KUBECTL) -> None:
        """Note a change of specification."""
        self.touch(identity)
        identity.generation += 1
        identity.managers = [*[entry for entry in identity.managers if entry[0] != manager], (manager, now)]

    def happen(self, identity: Identity, happening: Happening, now: float) -> None:
        number = int(self.dice.fraction() * 0xFFFFFFFFFFFF)
        name = f"{identity.ref.name}.18{number:012x}"
        version = self.next_version()
        uid = self.dice.child("event", name).uuid()
        event = Event(identity.ref, identity.uid, happening, name, uid, version, now, now)
        self.event_log.record(event)

    # -- the shop at rest -------------------------------------------------------------------------

    def _deployment(self, name: str) -> Deployment:
        workload = WORKLOADS[name]
        identity = self.identity(Ref("Deployment", SHOP, name))
        deployment = Deployment(identity, workload, workload.replicas, workload.template)
        deployment.available_changed = self.installed + 60
        self.add_replica_set(deployment, self.installed)
        deployment.current.desired = workload.replicas
        for _ in range(workload.replicas):
            self._settle(self.add_pod(deployment.current, self.installed + self.dice.between(2, 40)))
        return deployment

    def add_replica_set(self, deployment: Deployment, now: float) -> ReplicaSet:
        name, revision = deployment.identity.ref.name, len(deployment.replica_sets) + 1
        template_hash = self.dice.child("template", name, deployment.template).text(10)
        ref = Ref("ReplicaSet", SHOP, f"{name}-{template_hash}")
        identity = self.identity(ref, now, "kube-controller-manager")
        made = ReplicaSet(identity, deployment.template, template_hash, revision, desired=0)
        deployment.replica_sets.append(made)
        return made

    def add_pod(self, replica_set: ReplicaSet, now: float) -> Pod:
        owner = replica_set.identity.ref
        ref = Ref("Pod", owner.namespace, f"{owner.name}-{self.dice.text(5)}")
        address = f"10.244.{self.dice.whole(1, 3)}.{self.dice.whole(4, 250)}"
        workload = owner.name.removesuffix(f"-{replica_set.template_hash}")
        identity = self.identity(ref, now, "kube-controller-manager")
        pod = Pod(identity, workload, replica_set.template, address, due=now)
        replica_set.pods.append(pod)
        return pod

    def _settle(self, pod: Pod) -> None:
        """Make a pod one that has been running since it was made."""
        pod.stage, pod.ready, pod.due = Stage.RUNNING, True, FOREVER
        pod.node = self.dice.pick(self.nodes).name
        pod.scheduled = pod.identity.created
        pod.started = pod.scheduled + self.dice.between(2, 9)
        pod.ready_changed = pod.started + self.dice.between(4, 15)

    def _service(self, name: str) -> Service:
        address = f"10.96.{self.dice.whole(1, 250)}.{self.dice.whole(2, 250)}"
        return Service(self.identity(Ref("Service", SHOP, name)), name, WORKLOADS[name].port, address)

    def _autoscaler(self, name: str) -> Autoscaler:
        least, most = cluster.AUTOSCALED[name]
        identity = self.identity(Ref("HorizontalPodAutoscaler", SHOP, name))
        return Autoscaler(identity, name, least, most)

    def _install_config_maps(self) -> None:
        self.put_config(cluster.FLAGS_CONFIG, {flags.FILE: flags.document(flags.DEFAULTS)}, None)
        for name, entries in cluster.SETTINGS.values():
            self.put_config(name, dict(entries), None)

    def _neighbours(self) -> list[Pod]:
        """Return the pods of the other namespaces, all of them long running."""
        pods = []
        for namespace, owners in cluster.NEIGHBOURS.items():
            for owner, everywhere in owners:
                places = self.nodes if everywhere else (self.dice.pick(self.nodes),)
                pods += [self._neighbour(namespace, owner, node.name) for node in places]
        return pods

    def _neighbour(self, namespace: str, owner: str, node: str) -> Pod:
        ref = Ref("Pod", namespace, f"{owner}-{self.dice.text(5)}")
        template = PodTemplate(f"registry.k8s.io/{owner}:v1", (), 50, 500, 64, 512)
        address = f"10.244.{self.dice.whole(1, 3)}.{self.dice.whole(4, 250)}"
        pod = Pod(self.identity(ref), owner, template, address)
        self._settle(pod)
        pod.node = node
        return pod

    # -- verbs ------------------------------------------------------------------------------------

    def set_template(self, name: str, template: PodTemplate, now: float, manager: str = KUBECTL) -> None:
        """Change a Deployment's pod template, so that it rolls out a revision."""
        deployment = self.deployments[name]
        deployment.template = template
        self.edited(deployment.identity, now, manager)

    def set_variable(self, name: str, variable: str, value: str, now: float) -> None:
        template = self.deployments[name].template
        env = dict(template.env) | {variable: value}
        self.set_template(name, replace(template, env=tuple(env.items())), now)

    def restart(self, name: str, now: float) -> None:
        """Roll the Deployment's pods as `kubectl rollout restart` does."""
        note = (("kubectl.kubernetes.io/restartedAt", self.clock.iso(now)),)
        template = self.deployments[name].template
        self.set_template(name, replace(template, annotations=note), now, "kubectl-rollout")

    def scale(self, name: str, replicas: int, now: float, manager: str = "kubectl") -> None:
        deployment = self.deployments[name]
        deployment.replicas = replicas
        self.edited(deployment.identity, now, manager)

    def put_config(self, name: str, data: dict[str, str], now: float | None) -> None:
        """Make or change a ConfigMap of the shop; `now` None means when the shop was installed."""
        known = self.config_maps.get(name)
        if known is None:
            self.config_maps[name] = ConfigMap(self.identity(Ref("ConfigMap", SHOP, name), now), data)
            return
        known.data = data
        self.edited(known.identity, now or 0.0)

    def set_flag(self, name: str, now: float, variant: str, state: str = "ENABLED") -> None:
        data = self.config_maps[cluster.FLAGS_CONFIG].data
        current = dict(flags.parse(data[flags.FILE]))
        current[name] = replace(current[name], variant=variant, state=state)
        self.put_config(cluster.FLAGS_CONFIG, {flags.FILE: flags.document(current)}, now)

    def put_policy(self, name: str, selects: Labels, allow: tuple[Labels, ...] | None, now: float) -> None:
        identity = self.identity(Ref("NetworkPolicy", SHOP, name), now, "kubectl-client-side-apply")
        self.policies[name] = Policy(identity, selects, allow)

    def put_quota(self, name: str, hard: dict[str, int], now: float) -> None:
        known = self.quotas.get(name)
        if known is None:
            identity = self.identity(Ref("ResourceQuota", SHOP, name), now, "kubectl-client-side-apply")
            self.quotas[name] = Quota(identity, hard)
            return
        known.hard = hard
        self.edited(known.identity, now)

    def put_bounds(self, name: str, least: int, most: int, now: float) -> None:
        autoscaler = self.autoscalers[name]
        autoscaler.least, autoscaler.most = least, most
        self.edited(autoscaler.identity, now)

    # -- what others ask --------------------------------------------------------------------------

    def shop_pods(self) -> list[Pod]:
        return [pod for deployment in self.deployments.values() for pod in deployment.pods]

    def used_memory_limit_mi(self) -> int:
        return sum(pod.template.memory_limit_mi for pod in self.shop_pods())
