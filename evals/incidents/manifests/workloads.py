"""Deployments, ReplicaSets and Pods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from evals.incidents.clock import Clock
from evals.incidents.cluster import SHOP, WORKLOADS, PodTemplate, pod_labels
from evals.incidents.manifests.metadata import condition, metadata, owner, specified
from evals.incidents.state import Deployment, Exit, Pod, ReplicaSet, Stage
from evals.incidents.world import World

ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}
WAITING = {Stage.PULLING: "ContainerCreating", Stage.PULL_FAILED: "ImagePullBackOff"}


def deployments(world: World, clock: Clock, now: float) -> Iterator[dict[str, Any]]:
    for deployment in world.deployments.values():
        yield _deployment(deployment, clock)


def replica_sets(world: World, clock: Clock, now: float) -> Iterator[dict[str, Any]]:
    for deployment in world.deployments.values():
        for replica_set in deployment.replica_sets:
            yield _replica_set(replica_set, deployment, clock)


def pods(world: World, clock: Clock, now: float) -> Iterator[dict[str, Any]]:
    for deployment in world.deployments.values():
        for replica_set in deployment.replica_sets:
            for pod in replica_set.pods:
                yield _shop_pod(pod, replica_set, clock)
    for pod in [*world.neighbours, *world.restless]:
        yield _pod(pod, {"app.kubernetes.io/name": pod.workload}, clock)


# -- templates ------------------------------------------------------------------------------------


def _container(name: str, template: PodTemplate) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "image": template.image}
    if template.command:
        made["command"] = list(template.command)
    if template.env:
        made["env"] = [{"name": variable, "value": value} for variable, value in template.env]
    if name in WORKLOADS:
        made["ports"] = [{"containerPort": WORKLOADS[name].port, "name": "service", "protocol": "TCP"}]
    made["resources"] = {
        "limits": {"cpu": f"{template.cpu_limit_m}m", "memory": f"{template.memory_limit_mi}Mi"},
        "requests": {"cpu": f"{template.cpu_request_m}m", "memory": f"{template.memory_request_mi}Mi"},
    }
    if template.config_map:
        made["volumeMounts"] = [{"name": "config", "mountPath": "/etc/config", "readOnly": True}]
    return made


def _pod_spec(name: str, template: PodTemplate) -> dict[str, Any]:
    spec: dict[str, Any] = {"containers": [_container(name, template)]}
    if template.node_selector:
        spec["nodeSelector"] = dict(template.node_selector)
    if template.config_map:
        spec["volumes"] = [{"name": "config", "configMap": {"name": template.config_map}}]
    spec["restartPolicy"] = "Always"
    return spec


def _template(name: str, template: PodTemplate, labels: dict[str, str]) -> dict[str, Any]:
    about: dict[str, Any] = {"labels": labels}
    if template.annotations:
        about["annotations"] = dict(template.annotations)
    return {"metadata": about, "spec": _pod_spec(name, template)}


# -- the two controllers --------------------------------------------------------------------------


def _deployment(deployment: Deployment, clock: Clock) -> dict[str, Any]:
    name = deployment.identity.ref.name
    labels = dict(pod_labels(name))
    about = specified(deployment.identity, clock, labels)
    about["annotations"] = {
        "deployment.kubernetes.io/revision": str(len(deployment.replica_sets)),
        "meta.helm.sh/release-name": SHOP,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": about,
        "spec": {
            "replicas": deployment.replicas,
            "selector": {"matchLabels": {"opentelemetry.io/name": name}},
            "template": _template(name, deployment.template, labels),
            "strategy": ROLLING if deployment.rolls else {"type": "Recreate"},
        },
        "status": _deployment_status(deployment, clock),
    }


def _deployment_status(deployment: Deployment, clock: Clock) -> dict[str, Any]:
    counts = {
        "replicas": len(deployment.pods),
        "updatedReplicas": len(deployment.current.pods),
        "readyReplicas": deployment.ready,
        "availableReplicas": deployment.ready,
        "unavailableReplicas": deployment.replicas - deployment.ready,
    }
    status: dict[str, Any] = {"observedGeneration": deployment.identity.generation}
    status |= {name: count for name, count in counts.items() if count > 0}
    status["conditions"] = [
        condition(
            "Available",
            str(deployment.available),
            clock.iso(deployment.available_changed),
            "MinimumReplicasAvailable" if deployment.available else "MinimumReplicasUnavailable",
        ),
        _progress(deployment, clock),
    ]
    error = deployment.current.create_error
    if error:
        since = clock.iso(deployment.current.identity.created)
        status["conditions"].append(condition("ReplicaFailure", "True", since, "FailedCreate", error))
    return status


def _progress(deployment: Deployment, clock: Clock) -> dict[str, Any]:
    current = deployment.current
    done = deployment.ready >= deployment.replicas
    reason = "NewReplicaSetAvailable" if done else "ReplicaSetUpdated"
    verb = "has successfully progressed." if done else "is progressing."
    message = f'ReplicaSet "{current.identity.ref.name}" {verb}'
    return condition("Progressing", "True", clock.iso(current.identity.created), reason, message)


def _replica_set(replica_set: ReplicaSet, deployment: Deployment, clock: Clock) -> dict[str, Any]:
    name = deployment.identity.ref.name
    labels = dict(pod_labels(name)) | {"pod-template-hash": replica_set.template_hash}
    about = metadata(replica_set.identity, clock, labels)
    about["annotations"] = {"deployment.kubernetes.io/revision": str(replica_set.revision)}
    about["ownerReferences"] = owner(deployment.identity, "apps/v1")
    ready = sum(pod.ready for pod in replica_set.pods)
    status: dict[str, Any] = {"replicas": len(replica_set.pods)}
    status |= {"readyReplicas": ready, "availableReplicas": ready} if ready else {}
    if replica_set.create_error:
        since = clock.iso(replica_set.identity.created)
        failure = condition("ReplicaFailure", "True", since, "FailedCreate", replica_set.create_error)
        status["conditions"] = [failure]
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": about,
        "spec": {
            "replicas": replica_set.desired,
            "selector": {"matchLabels": {"pod-template-hash": replica_set.template_hash}},
            "template": _template(name, replica_set.template, labels),
        },
        "status": status,
    }


# -- pods -----------------------------------------------------------------------------------------


def _shop_pod(pod: Pod, replica_set: ReplicaSet, clock: Clock) -> dict[str, Any]:
    labels = dict(pod_labels(pod.workload)) | {"pod-template-hash": replica_set.template_hash}
    made = _pod(pod, labels, clock)
    made["metadata"]["ownerReferences"] = owner(replica_set.identity, "apps/v1")
    if pod.template.annotations:
        made["metadata"]["annotations"] = dict(pod.template.annotations)
    return made


def _pod(pod: Pod, labels: dict[str, str], clock: Clock) -> dict[str, Any]:
    spec = _pod_spec(pod.workload, pod.template)
    if pod.node:
        spec["nodeName"] = pod.node
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata(pod.identity, clock, labels),
        "spec": spec,
        "status": _pod_status(pod, clock),
    }


def _pod_status(pod: Pod, clock: Clock) -> dict[str, Any]:
    if pod.node is None:
        since = clock.iso(pod.identity.created)
        unplaced = condition("PodScheduled", "False", since, "Unschedulable", pod.waiting_message)
        return {"phase": "Pending", "conditions": [unplaced], "qosClass": "Burstable"}
    pulled = pod.stage not in {Stage.PULLING, Stage.PULL_FAILED}
    changed, scheduled = clock.iso(max(pod.ready_changed, pod.scheduled)), clock.iso(pod.scheduled)
    why = "" if pod.ready else "ContainersNotReady"
    text = "" if pod.ready else f"containers with unready status: [{pod.workload}]"
    return {
        "phase": "Running" if pulled else "Pending",
        "conditions": [
            condition("PodScheduled", "True", scheduled),
            condition("ContainersReady", str(pod.ready), changed, why, text),
            condition("Ready", str(pod.ready), changed, why, text),
        ],
        "podIP": pod.address,
        "startTime": scheduled,
        "containerStatuses": [_container_status(pod, clock)],
        "qosClass": "Burstable",
    }


def _container_status(pod: Pod, clock: Clock) -> dict[str, Any]:
    status: dict[str, Any] = {
        "name": pod.workload,
        "image": pod.template.image,
        "ready": pod.ready,
        "restartCount": pod.restarts,
        "started": pod.stage in {Stage.RUNNING, Stage.STARTING},
        "state": _state(pod, clock),
    }
    if pod.last_exit is not None:
        status["lastState"] = {"terminated": _terminated(pod.last_exit, clock)}
    return status


def _state(pod: Pod, clock: Clock) -> dict[str, Any]:
    if pod.stage in {Stage.RUNNING, Stage.STARTING}:
        return {"running": {"startedAt": clock.iso(pod.started)}}
    waiting = {"reason": pod.waiting or WAITING.get(pod.stage, "ContainerCreating")}
    if pod.waiting_message:
        waiting["message"] = pod.waiting_message
    return {"waiting": waiting}


def _terminated(exit_: Exit, clock: Clock) -> dict[str, Any]:
    made: dict[str, Any] = {"exitCode": exit_.code, "reason": exit_.reason}
    made |= {"startedAt": clock.iso(exit_.started), "finishedAt": clock.iso(exit_.finished)}
    return made | ({"message": exit_.message} if exit_.message else {})
