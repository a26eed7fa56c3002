"""What the controllers do: roll out Deployments, fill ReplicaSets, obey quotas, autoscale."""

from __future__ import annotations

from evals.incidents.cluster import CPU_TARGET_PERCENT
from evals.incidents.events import Happening
from evals.incidents.kubelet import BACK_OFF_S
from evals.incidents.state import Autoscaler, Deployment, Pod, ReplicaSet, Stage
from evals.incidents.world import World

SCALE_PAUSE_S = 60.0
TOLERANCE = 0.1  # the autoscaler's own: no move for a smaller difference


def advance(world: World, now: float) -> None:
    for deployment in world.deployments.values():
        if deployment.current.template == deployment.template:
            _fill_current(world, deployment, now)
        else:
            world.add_replica_set(deployment, now)
        for replica_set in deployment.replica_sets:
            _fill(world, replica_set, now)
        _note_availability(world, deployment, now)


def _note_availability(world: World, deployment: Deployment, now: float) -> None:
    # What is rolled pod by pod may miss one; what is recreated may not.
    may_miss = 1 if deployment.rolls else 0
    available = deployment.ready >= deployment.replicas - may_miss
    if available != deployment.available:
        deployment.available, deployment.available_changed = available, now
        world.touch(deployment.identity)


def _fill_current(world: World, deployment: Deployment, now: float) -> None:
    """Take one step of a rolling update that never runs more pods than wanted (maxSurge 0)."""
    current = deployment.current
    old = [replica_set for replica_set in deployment.replica_sets[:-1] if replica_set.desired]
    wanted = deployment.replicas - sum(replica_set.desired for replica_set in old)
    if wanted != current.desired and wanted >= 0:
        _resize(world, deployment, current, wanted, now)
    elif old and _may_lose_one(deployment, old[0]):
        _resize(world, deployment, old[0], old[0].desired - 1, now)


def _may_lose_one(deployment: Deployment, old: ReplicaSet) -> bool:
    others = deployment.ready - (1 if any(pod.ready for pod in old.pods) else 0)
    return others >= deployment.replicas - 1 or not any(pod.ready for pod in old.pods)


def _resize(world: World, deployment: Deployment, replica_set: ReplicaSet, desired: int, now: float) -> None:
    direction = "up" if desired > replica_set.desired else "down"
    message = f"Scaled {direction} replica set {replica_set.identity.ref.name} "
    message += f"from {replica_set.desired} to {desired}"
    replica_set.desired, replica_set.create_due = desired, now
    world.touch(replica_set.identity)
    world.touch(deployment.identity)
    world.happen(deployment.identity, Happening("ScalingReplicaSet", message, "deployment-controller"), now)


def _fill(world: World, replica_set: ReplicaSet, now: float) -> None:
    while len(replica_set.pods) > replica_set.desired:
        _delete(world, replica_set, _least_useful(replica_set.pods), now)
    while len(replica_set.pods) < replica_set.desired and replica_set.create_due <= now:
        _create(world, replica_set, now)


def _least_useful(pods: list[Pod]) -> Pod:
    return min(pods, key=lambda pod: (pod.ready, -pod.identity.created))


def _delete(world: World, replica_set: ReplicaSet, pod: Pod, now: float) -> None:
    replica_set.pods.remove(pod)
    name = pod.identity.ref.name
    deleted = Happening("SuccessfulDelete", f"Deleted pod: {name}", "replicaset-controller")
    world.happen(replica_set.identity, deleted, now)
    if pod.stage in {Stage.RUNNING, Stage.STARTING}:
        path = f"spec.containers{{{pod.workload}}}"
        stopping = f"Stopping container {pod.workload}"
        killing = Happening("Killing", stopping, "kubelet", host=pod.node or "", field_path=path)
        world.happen(pod.identity, killing, now + 0.4)


def _create(world: World, replica_set: ReplicaSet, now: float) -> None:
    refusal = _refusal(world, replica_set)
    if refusal:
        replica_set.create_error = refusal
        refused = Happening(
            "FailedCreate", f"Error creating: {refusal}", "replicaset-controller", warning=True
        )
        world.happen(replica_set.identity, refused, now)
        pause = BACK_OFF_S[min(replica_set.create_tries, len(BACK_OFF_S) - 1)]
        replica_set.create_tries += 1
        replica_set.create_due = now + pause
        world.touch(replica_set.identity)
        return
    replica_set.create_error, replica_set.create_tries = "", 0
    pod = world.add_pod(replica_set, now)
    message = f"Created pod: {pod.identity.ref.name}"
    world.happen(replica_set.identity, Happening("SuccessfulCreate", message, "replicaset-controller"), now)


def _refusal(world: World, replica_set: ReplicaSet) -> str:
    """Return what the quota admission says against one more pod, or nothing when it lets it in."""
    asked = replica_set.template.memory_limit_mi
    used = world.used_memory_limit_mi()
    for name, quota in sorted(world.quotas.items()):
        hard = quota.hard.get("limits.memory")
        if hard is not None and used + asked > hard:
            pod = f"{replica_set.identity.ref.name}-{world.dice.text(5)}"
            return (
                f'pods "{pod}" is forbidden: exceeded quota: {name}, requested: limits.memory={asked}Mi, '
                f"used: limits.memory={used}Mi, limited: limits.memory={hard}Mi"
            )
    return ""


def autoscale(world: World, now: float) -> None:
    for autoscaler in world.autoscalers.values():
        _autoscale(world, autoscaler, now)


def measure(world: World, cpu_m: dict[str, float]) -> None:
    """Tell the autoscalers what CPU each pod of their workloads uses."""
    for autoscaler in world.autoscalers.values():
        request = world.deployments[autoscaler.workload].template.cpu_request_m
        autoscaler.cpu_percent = int(100 * cpu_m[autoscaler.workload] / request)


def _autoscale(world: World, autoscaler: Autoscaler, now: float) -> None:
    deployment = world.deployments[autoscaler.workload]
    if not deployment.replicas:  # somebody scaled it to nothing, which turns autoscaling off
        return
    ratio = autoscaler.cpu_percent / CPU_TARGET_PERCENT
    wanted = deployment.replicas
    if deployment.ready and abs(ratio - 1) > TOLERANCE:
        wanted = -int(-deployment.ready * ratio // 1)
    autoscaler.limited = wanted > autoscaler.most or wanted < autoscaler.least
    bounded = min(max(wanted, autoscaler.least), autoscaler.most)
    outside = not autoscaler.least <= deployment.replicas <= autoscaler.most
    pause = SCALE_PAUSE_S if bounded > deployment.replicas else 5 * SCALE_PAUSE_S
    if bounded == deployment.replicas or (now - autoscaler.last_scaled < pause and not outside):
        return
    _rescale(world, autoscaler, bounded, now)


def _rescale(world: World, autoscaler: Autoscaler, replicas: int, now: float) -> None:
    current = world.deployments[autoscaler.workload].replicas
    why = "cpu resource utilization (percentage of request) above target"
    if current > autoscaler.most:
        why = "Current number of replicas above Spec.MaxReplicas"
    elif current < autoscaler.least:
        why = "Current number of replicas below Spec.MinReplicas"
    elif replicas < current:
        why = "All metrics below target"
    autoscaler.last_scaled = now
    world.scale(autoscaler.workload, replicas, now, "kube-controller-manager")
    world.touch(autoscaler.identity)
    message = f"New size: {replicas}; reason: {why}"
    scaled = Happening("SuccessfulRescale", message, "horizontal-pod-autoscaler")
    world.happen(autoscaler.identity, scaled, now)
