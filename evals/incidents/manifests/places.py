"""Nodes, Namespaces, Services and ConfigMaps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from evals.incidents.clock import Clock
from evals.incidents.cluster import pod_labels
from evals.incidents.manifests.metadata import condition, metadata, specified
from evals.incidents.state import Identity, Ref
from evals.incidents.world import World


def nodes(world: World, clock: Clock, now: float) -> Iterator[dict[str, Any]]:
    since = clock.iso(world.installed)
    for node in world.nodes:
        uid = world.dice.child("node", node.name).uuid()
        identity = Identity(Ref("Node", None, node.name), world.installed, uid, 4000 + int(now))
        capacity = {"cpu": str(node.cpu_m // 1000), "memory": f"{node.memory_mi}Mi", "pods": "110"}
        yield {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": metadata(identity, clock, dict(node.labels)),
            "spec": {"podCIDR": f"10.244.{node.address.rsplit('.', 1)[1]}.0/24"},
            "status": {
                "addresses": [{"type": "InternalIP", "address": node.address}],
                "capacity": capacity,
                "allocatable": capacity,
                "conditions": [
                    condition("MemoryPressure", "False", since, "KubeletHasSufficientMemory"),
                    condition("DiskPressure", "False", since, "KubeletHasNoDiskPressure"),
                    condition("Ready", "True", since, "KubeletReady"),
                ],
            },
        }


def namespaces(world: World, clock: Clock, now: float) -> Iterator[dict[str, Any]]:
    for name, identity in world.namespaces.items():
        yield {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": metadata(identity, clock, {"kubernetes.io/metadata.name": name}),
            "spec": {"finalizers": ["kubernetes"]},
            "status": {"phase": "Active"},
        }


def services(world: World, clock: Clock, now: float) -> Iterator[dict[str, Any]]:
    for name, service in world.services.items():
        port = {"name": "service", "port": service.port, "protocol": "TCP", "targetPort": service.port}
        yield {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata(service.identity, clock, dict(pod_labels(name))),
            "spec": {
                "clusterIP": service.address,
                "ports": [port],
                "selector": {"opentelemetry.io/name": service.workload},
                "type": "ClusterIP",
            },
            "status": {"loadBalancer": {}},
        }


def config_maps(world: World, clock: Clock, now: float) -> Iterator[dict[str, Any]]:
    for config_map in world.config_maps.values():
        yield {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": specified(config_map.identity, clock),
            "data": dict(config_map.data),
        }
