from __future__ import annotations

import pytest

from evals.grading.entities import Entity, normalised_kind, parse_entity


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("otel-demo/Pod/ad", Entity("otel-demo", "pod", "ad")),
        ("  /otel-demo/Pod/ad/ \n", Entity("otel-demo", "pod", "ad")),
        ("OTEL-demo / PODS / ad", Entity("otel-demo", "pod", "ad")),
        ("Pod/ad", None),
        ("v1/otel-demo/Pod/ad", None),
        ("otel-demo//ad", None),
        ("ad", None),
        ("", None),
    ],
)
def test_an_entity_has_exactly_three_parts(text, entity):
    assert parse_entity(text) == entity


@pytest.mark.parametrize(
    ("kind", "normalised"),
    [
        ("deployments", "deployment"),
        ("apps.Deployment", "deployment"),
        ("Deployment.apps", "deployment"),
        ("deployments.apps", "deployment"),
        ("apps.deployments", "deployment"),
        ("NetworkPolicies", "networkpolicy"),
        ("networkpolicies.networking.k8s.io", "networkpolicy"),
        ("Ingress", "ingress"),
        ("ingresses", "ingress"),
        ("storageclasses", "storageclass"),
        ("NetworkChaos", "networkchaos"),
        ("networkchaos.chaos-mesh.org", "networkchaos"),
        ("HTTPChaos", "httpchaos"),
        ("HorizontalPodAutoscalers", "horizontalpodautoscaler"),
        ("...", "..."),
    ],
)
def test_case_plural_and_api_group_of_a_kind_are_forgiven(kind, normalised):
    assert normalised_kind(kind) == normalised


@pytest.mark.parametrize(
    ("pod", "workload"),
    [
        ("checkout-8546fdc74d-d68cn", "checkout"),
        ("product-catalog-7d9f8b6c5-x2x9z", "product-catalog"),
        ("ad-6d4b9c7f8-abcde", "ad"),
        ("kafka-0", "kafka"),
        ("otel-collector-agent-x7k2p", "otel-collector-agent"),
    ],
)
def test_a_pod_also_goes_by_its_workloads_name(pod, workload):
    assert parse_entity(f"otel-demo/Pod/{pod}").names == (pod, workload)


@pytest.mark.parametrize("name", ["cart", "valkey-cart", "frontend-proxy", "fraud-detection", "shipping-abc"])
def test_an_ordinary_word_is_never_taken_for_a_generated_ending(name):
    assert parse_entity(f"otel-demo/Pod/{name}").names == (name,)


def test_only_pods_have_two_names():
    assert parse_entity("otel-demo/Service/kafka-0").names == ("kafka-0",)
