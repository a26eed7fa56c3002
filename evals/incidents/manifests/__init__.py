"""The objects of the cluster as the Kubernetes API shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from evals.incidents.clock import Clock
from evals.incidents.manifests import chaos, places, policies, workloads
from evals.incidents.state import Ref
from evals.incidents.world import World

Manifest = dict[str, Any]

# Plural name as the collector logs it -> how all objects of the kind are made.
KINDS: dict[str, Callable[[World, Clock, float], Iterator[Manifest]]] = {
    "configmaps": places.config_maps,
    "deployments": workloads.deployments,
    "horizontalpodautoscalers": policies.autoscalers,
    "namespaces": places.namespaces,
    "networkchaos": chaos.network_chaos,
    "networkpolicies": policies.network_policies,
    "nodes": places.nodes,
    "pods": workloads.pods,
    "replicasets": workloads.replica_sets,
    "resourcequotas": policies.quotas,
    "schedules": chaos.schedules,
    "services": places.services,
    "stresschaos": chaos.stress_chaos,
}


def ref_of(manifest: Manifest) -> Ref:
    metadata = manifest["metadata"]
    return Ref(manifest["kind"], metadata.get("namespace"), metadata["name"])
