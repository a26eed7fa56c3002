"""NetworkPolicies, ResourceQuotas and HorizontalPodAutoscalers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from evals.incidents.clock import Clock
from evals.incidents.cluster import CPU_TARGET_PERCENT
from evals.incidents.manifests.metadata import condition, specified
from evals.incidents.state import Autoscaler, Policy, Quota
from evals.incidents.world import World


def network_policies(world: World, clock: Clock, now: float) -> Iterator[dict[str, Any]]:
    for policy in world.policies.values():
        yield _network_policy(policy, clock)


def quotas(world: World, clock: Clock, now: float) -> Iterator[dict[str, Any]]:
    for quota in world.quotas.values():
        yield _quota(world, quota, clock)


def autoscalers(world: World, clock: Clock, now: float) -> Iterator[dict[str, Any]]:
    for autoscaler in world.autoscalers.values():
        yield _autoscaler(world, autoscaler, clock)


def _network_policy(policy: Policy, clock: Clock) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "podSelector": {"matchLabels": dict(policy.selects)} if policy.selects else {},
        "policyTypes": ["Ingress"],
    }
    if policy.allow is None:
        spec["ingress"] = [{}]
    elif policy.allow:
        peers = [{"podSelector": {"matchLabels": dict(labels)}} for labels in policy.allow]
        spec["ingress"] = [{"from": peers}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": specified(policy.identity, clock),
        "spec": spec,
    }


def _quota(world: World, quota: Quota, clock: Clock) -> dict[str, Any]:
    used = {"limits.memory": world.used_memory_limit_mi(), "pods": len(world.shop_pods())}
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": specified(quota.identity, clock),
        "spec": {"hard": {name: _amount(name, value) for name, value in quota.hard.items()}},
        "status": {
            "hard": {name: _amount(name, value) for name, value in quota.hard.items()},
            "used": {name: _amount(name, used[name]) for name in quota.hard},
        },
    }


def _amount(name: str, value: int) -> str:
    return f"{value}Mi" if "memory" in name else str(value)


def _autoscaler(world: World, autoscaler: Autoscaler, clock: Clock) -> dict[str, Any]:
    deployment = world.deployments[autoscaler.workload]
    target = {"type": "Utilization", "averageUtilization": CPU_TARGET_PERCENT}
    current = {
        "averageUtilization": autoscaler.cpu_percent,
        "averageValue": f"{autoscaler.cpu_percent * deployment.template.cpu_request_m // 100}m",
    }
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": specified(autoscaler.identity, clock),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": autoscaler.workload},
            "minReplicas": autoscaler.least,
            "maxReplicas": autoscaler.most,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
        "status": {
            "currentReplicas": deployment.ready,
            "desiredReplicas": deployment.replicas,
            "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": current}}],
            "conditions": _autoscaler_conditions(autoscaler, clock),
        },
    }


def _autoscaler_conditions(autoscaler: Autoscaler, clock: Clock) -> list[dict[str, Any]]:
    since = clock.iso(max(autoscaler.last_scaled, autoscaler.identity.created))
    limited = "the desired count is within the acceptable range"
    reason = "DesiredWithinRange"
    if autoscaler.limited:
        high = autoscaler.cpu_percent > CPU_TARGET_PERCENT
        reason = "TooManyReplicas" if high else "TooFewReplicas"
        bound = "more than the maximum" if high else "less than the minimum"
        limited = f"the desired replica count is {bound} replica count"
    return [
        condition("AbleToScale", "True", since, "ReadyForNewScale"),
        condition("ScalingActive", "True", since, "ValidMetricFound"),
        condition("ScalingLimited", str(autoscaler.limited), since, reason, limited),
    ]
