"""Every edge case of the grader `aa-precision` that is known from real ground truths and real answers."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from evals.grading.answers import read_recorded_answer
from evals.grading.ground_truth import parse_ground_truth
from evals.grading.precision import GradeOutcome, VerdictKind, grade, grade_answer
from tests.evals.grading.incidents import answer, graded, group, root, truth

REAL_FILES = sorted(
    (Path(__file__).resolve().parents[4] / "shared/data/itbench/ground_truth").glob("*.yaml"),
)
TP, FP, DUPLICATE = VerdictKind.TRUE_POSITIVE, VerdictKind.FALSE_POSITIVE, VerdictKind.DUPLICATE


def found(ground_truth, name: str) -> bool:
    return graded(ground_truth, name).score == 1


def counts(result) -> tuple[int, int, int]:
    return result.true_positives, result.false_positives, result.false_negatives


# --- The score --------------------------------------------------------------------------------------

TWO_ROOTS = truth(
    root("cart", "Deployment", "cart"),
    root("flags", "ConfigMap", "flagd-config"),
    group("ad", "Service", "ad"),
)


@pytest.mark.parametrize(
    ("names", "score", "expected_counts", "outcome"),
    [
        (["otel-demo/Deployment/cart", "otel-demo/ConfigMap/flagd-config"], 1, (2, 0, 0), GradeOutcome.EXACT),
        (
            ["otel-demo/Deployment/cart", "otel-demo/ConfigMap/flagd-config", "otel-demo/Service/ad"],
            2 / 3,
            (2, 1, 0),
            GradeOutcome.OVER_REPORTED,
        ),
        (["otel-demo/Deployment/cart"], 0, (1, 0, 1), GradeOutcome.MISSED),
        (["otel-demo/Service/ad"], 0, (0, 1, 2), GradeOutcome.MISSED),
        ([], 0, (0, 0, 2), GradeOutcome.MISSED),
    ],
)
def test_the_score_is_precision_but_only_at_full_recall(names, score, expected_counts, outcome):
    result = graded(TWO_ROOTS, *names)
    assert result.score == pytest.approx(score)
    assert counts(result) == expected_counts
    assert result.outcome == outcome


@pytest.mark.parametrize("raw", [None, b"", b"not json", answer(*["otel-demo/Deployment/cart"] * 201)])
def test_without_a_valid_answer_the_score_is_0_and_everything_is_missed(raw):
    result = grade(TWO_ROOTS, raw)
    assert (result.score, counts(result), result.outcome) == (0, (0, 0, 2), GradeOutcome.NO_ANSWER)
    assert "no valid answer" in result.notes[0]


def test_an_answer_in_a_fence_is_graded_with_a_note():
    raw = b"```json\n" + answer("otel-demo/Deployment/cart", "otel-demo/ConfigMap/flagd-config") + b"\n```"
    result = grade(TWO_ROOTS, raw)
    assert (result.score, len(result.notes)) == (1, 1)


def test_the_same_root_twice_plus_one_false_positive_is_one_half():
    one_root = truth(root("pod", "Pod", "ad-.*"), group("cart", "Service", "cart"))
    result = graded(one_root, "otel-demo/Pod/ad-1", "otel-demo/Deployment/ad", "otel-demo/Service/cart")
    assert (result.score, counts(result)) == (0.5, (1, 1, 0))
    assert [verdict.verdict for verdict in result.verdicts] == [TP, TP, FP]


def test_a_repeated_entity_counts_once_however_it_is_spelled():
    result = graded(TWO_ROOTS, "otel-demo/Service/x", "OTEL-DEMO/services/x", "/otel-demo/v1.Service/x/")
    assert result.false_positives == 1
    assert [verdict.verdict for verdict in result.verdicts] == [FP, DUPLICATE, DUPLICATE]
    assert result.verdicts[1].reason == "the same entity as otel-demo/Service/x"


def test_a_malformed_name_is_a_false_positive_and_counts_once():
    result = graded(TWO_ROOTS, "cart", "cart ", "a/b/c/d", "Pod/cart")
    assert result.false_positives == 3
    assert {verdict.reason for verdict in result.verdicts if verdict.verdict == FP} == {
        "not namespace/Kind/name"
    }


def test_each_verdict_says_which_group_and_why():
    ground_truth = truth(
        root("pod", "Pod", "ad-.*"),
        group("service", "Service", r"ad\b"),
        group("front", "Service", "frontend"),
        aliases=[["pod", "service"]],
    )
    names = [f"otel-demo/{rest}" for rest in ("Pod/ad-0", "Service/ad", "Service/frontend", "Service/cart")]
    verdicts = graded(ground_truth, *names).verdicts
    assert [(verdict.name, verdict.group_id, verdict.reason) for verdict in verdicts] == [
        (names[0], "pod", "root cause pod"),
        (names[1], "service", "service is an alias of root cause pod"),
        (names[2], "front", "downstream: front"),
        (names[3], None, "not in the ground truth"),
    ]


def test_a_missed_root_tells_its_ids_and_what_should_have_been_named():
    missed = graded(TWO_ROOTS, "otel-demo/Deployment/cart").missed
    assert [(root.ids, root.description) for root in missed] == [
        (("flags",), "ConfigMap flagd-config in otel-demo")
    ]


def test_a_grade_is_plain_json():
    result = graded(TWO_ROOTS, "otel-demo/Deployment/cart", "x")
    stored = json.loads(json.dumps(result.to_json()))
    assert (stored["grader"], stored["version"], stored["outcome"]) == ("aa-precision", 1, "missed")
    assert stored["verdicts"][1] == {
        "name": "x",
        "group_id": None,
        "verdict": "false_positive",
        "reason": "not namespace/Kind/name",
    }


def test_a_recorded_answer_of_another_harness_is_graded_alike():
    causes = [
        {"name": "cart", "kind": "Deployment", "namespace": "otel-demo"},
        {"name": "flagd-config", "kind": "ConfigMap", "namespace": "otel-demo"},
    ]
    recorded = read_recorded_answer(json.dumps({"root_causes": causes}).encode())
    assert grade_answer(TWO_ROOTS, recorded).score == 1


# --- Names ------------------------------------------------------------------------------------------


def test_a_pattern_has_to_match_the_whole_name():
    ads = truth(root("ad", "Pod", "ad-.*"))
    assert found(ads, "otel-demo/Pod/ad-6d4b9c7f8-x2x9z")
    assert not found(ads, "otel-demo/Pod/load-generator")
    assert not found(ads, "otel-demo/Pod/load-generator-6d4b9c7f8-x2x9z")


def test_a_word_boundary_ends_the_name():
    shipping = truth(root("shipping", "Service", r"shipping\b"))
    assert found(shipping, "otel-demo/Service/shipping")
    assert not found(shipping, "otel-demo/Service/shipping-abc")


@pytest.mark.parametrize("name", ["accounting", "ad-hpa", "x.y"])
def test_a_shell_pattern_is_read_as_one(name):
    autoscalers = truth(root("hpa", "HorizontalPodAutoscaler", "*.*"))
    assert found(autoscalers, f"otel-demo/HorizontalPodAutoscaler/{name}")


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("*-canary", "ad-canary", True),
        ("*-canary", "canary", False),
        ("?d", "ad", True),
        ("*+d", "ad", False),
    ],
)
def test_a_shell_patterns_wildcards_are_all_that_is_special_in_it(pattern, name, fits):
    assert found(truth(root("a", "Service", pattern)), f"otel-demo/Service/{name}") is fits


def test_a_group_with_only_a_name_wants_exactly_that_name():
    flags = truth(
        {
            "id": "flags",
            "kind": "ConfigMap",
            "namespace": "otel-demo",
            "name": "flagd-config",
            "root_cause": True,
        }
    )
    assert found(flags, "otel-demo/ConfigMap/flagd-config")
    assert not found(flags, "otel-demo/ConfigMap/flagd-config-2")
    assert not found(flags, "otel-demo/ConfigMap/flagd.config")


def test_a_filter_given_as_a_text_is_a_list_of_one():
    ads = truth({"id": "ad", "kind": "Pod", "namespace": "otel-demo", "filter": "ad-.*", "root_cause": True})
    assert found(ads, "otel-demo/Pod/ad-0")


def test_any_of_several_filters_will_do():
    both = truth(root("both", "Service", "ad", "cart"))
    assert found(both, "otel-demo/Service/cart")
    assert not found(both, "otel-demo/Service/adcart")


def test_a_pattern_that_hangs_a_backtracking_engine_is_answered_at_once():
    hostile = truth(root("a", "Service", "(a+)+$"))
    started = time.perf_counter()
    assert not found(hostile, f"otel-demo/Service/{'a' * 50_000}!")
    assert time.perf_counter() - started < 1


def test_patterns_that_no_engine_takes_write_nothing_to_stderr(capfd):
    assert not found(truth(root("a", "Service", "(?!x)ad", "[", "(", "a{5000}")), "otel-demo/Service/ad")
    assert capfd.readouterr().err == ""


# --- Namespaces -------------------------------------------------------------------------------------


@pytest.mark.parametrize("namespace", ["cluster", "otel-demo", "anything"])
def test_a_group_without_a_namespace_accepts_any(namespace):
    quota = truth(root("ns", "Namespace", "otel-demo", namespace=None))
    assert found(quota, f"{namespace}/Namespace/otel-demo")


def test_a_namespace_has_to_be_the_same_but_for_case():
    ads = truth(root("ad", "Pod", "ad-.*"))
    assert found(ads, "Otel-Demo/Pod/ad-0")
    assert not found(ads, "cluster/Pod/ad-0")


# --- Kinds ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["deployment", "Deployments", "apps.Deployment", "deployments.apps"])
def test_a_kind_is_the_same_in_lower_case_in_plural_and_with_its_api_group(kind):
    assert found(truth(root("cart", "Deployment", "cart")), f"otel-demo/{kind}/cart")


@pytest.mark.parametrize("pattern", ["ad-.*", "ad-.+"])
def test_a_deployment_may_stand_for_a_pod_root(pattern):
    pods = truth(root("ad", "Pod", pattern))
    assert found(pods, "otel-demo/Deployment/ad")
    assert found(pods, "otel-demo/Pod/ad-8546fdc74d-d68cn")
    assert not found(pods, "otel-demo/Deployment/adx")


@pytest.mark.parametrize("pattern", ["checkout", r"checkout\b", "checkout-.*"])
@pytest.mark.parametrize("name", ["checkout", "checkout-8546fdc74d-d68cn", "checkout-0"])
def test_a_pod_may_stand_for_a_deployment_root_with_and_without_its_hash(pattern, name):
    deployment = truth(root("checkout", "Deployment", pattern))
    assert found(deployment, f"otel-demo/Pod/{name}")


def test_a_service_stands_for_a_pod_root_only_by_an_alias():
    groups = root("pod", "Pod", "ad-.*"), group("service", "Service", r"ad\b")
    assert not found(truth(*groups), "otel-demo/Service/ad")
    assert found(truth(*groups, aliases=[["service", "pod"]]), "otel-demo/Service/ad")
    assert not found(truth(groups[0]), "otel-demo/Service/ad")


@pytest.mark.parametrize(
    "kind", ["NetworkChaos", "StressChaos", "JVMChaos", "HttpChaos", "PodChaos", "Schedule"]
)
def test_a_schedule_stands_for_whatever_chaos_it_spawned(kind):
    chaos = truth(root("chaos", kind, "otel-demo-ad-delay", namespace="chaos-mesh"))
    assert found(chaos, "chaos-mesh/Schedule/otel-demo-ad-delay")
    assert not found(chaos, "otel-demo/Schedule/otel-demo-ad-delay")
    assert not found(chaos, "chaos-mesh/Schedule/another")


def test_a_schedule_outside_chaos_mesh_stands_for_nothing_else():
    assert not found(truth(root("ad", "Deployment", "ad")), "otel-demo/Schedule/ad")


# --- Alias sets -------------------------------------------------------------------------------------


def test_overlapping_aliases_are_one_root_cause():
    overlapping = truth(
        root("map", "ConfigMap", "features"),
        group("pod", "Pod", "recommendation-.*"),
        group("service", "Service", r"recommendation\b"),
        aliases=[["map", "pod"], ["service", "pod"]],
    )
    result = graded(overlapping, "otel-demo/Service/recommendation")
    assert (result.score, counts(result)) == (1, (1, 0, 0))


def test_an_alias_to_a_downstream_victim_is_honoured():
    victim = truth(
        root("map", "ConfigMap", "features"),
        group("pod", "Pod", "recommendation-.*"),
        aliases=[["map", "pod"]],
        propagations=[{"source": "map", "target": "pod"}],
    )
    assert found(victim, "otel-demo/Pod/recommendation-0")
    assert len(victim.flags) == 1


def test_two_roots_in_one_alias_set_are_one_root_cause():
    same = truth(root("a", "Service", "a"), root("b", "Service", "b"), aliases=[["a", "b"]])
    assert counts(graded(same, "otel-demo/Service/b")) == (1, 0, 0)


def test_a_root_is_tried_before_a_bystander_of_the_same_name():
    gateway = truth(group("bystander", "Service", "gateway"), root("root", "Service", "gateway"))
    assert graded(gateway, "otel-demo/Service/gateway").verdicts[0].group_id == "root"


def test_an_alias_of_a_root_wins_over_a_bystander_of_the_same_name():
    gateway = truth(
        root("root", "ConfigMap", "config"),
        group("bystander", "Service", "gateway"),
        group("alias", "Service", "gateway"),
        aliases=[["root", "alias"]],
    )
    assert graded(gateway, "otel-demo/Service/gateway").verdicts[0].group_id == "alias"


def test_one_entity_finds_every_root_cause_that_accepts_its_name():
    autoscalers = truth(
        root("accounting", "HorizontalPodAutoscaler", "*.*"), root("ad", "HorizontalPodAutoscaler", "*.*")
    )
    result = graded(autoscalers, "otel-demo/HorizontalPodAutoscaler/ad-hpa")
    assert (result.score, counts(result)) == (1, (2, 0, 0))
    assert result.verdicts[0].reason == "root cause accounting, and root cause ad"


# --- Real ground truths -------------------------------------------------------------------------------


@pytest.mark.skipif(not REAL_FILES, reason="../shared/data/itbench/ground_truth is not there")
@pytest.mark.parametrize(
    ("scenario", "names", "expected_counts"),
    [
        ("16", ["otel-demo/Deployment/shipping"], (1, 0, 0)),
        ("16", ["otel-demo/Pod/shipping-7d9f8b6c5-x2x9z", "otel-demo/Service/checkout"], (1, 1, 0)),
        ("18", ["chaos-mesh/Schedule/otel-demo-product-catalog-network-delay"], (1, 0, 0)),
        ("26", ["chaos-mesh/HTTPChaos/otel-demo-email-http-chaos-post-body-tamper"], (1, 0, 0)),
        ("31", ["otel-demo/NetworkPolicy/frontend-block-all-ports"], (1, 0, 0)),
        ("31", ["otel-demo/Deployment/frontend"], (0, 1, 1)),
        ("34", ["otel-demo/Service/valkey-cart"], (1, 0, 0)),
        ("102", ["cluster/Namespace/otel-demo"], (1, 0, 0)),
        ("102", ["otel-demo/Namespace/otel-demo"], (1, 0, 0)),
        ("102", ["otel-demo/ResourceQuota/memory-quota"], (0, 1, 1)),
        ("2", ["otel-demo/ConfigMap/flagd-config"], (1, 0, 0)),
    ],
)
def test_answers_to_real_tasks(scenario, names, expected_counts):
    path = next(path for path in REAL_FILES if path.stem == f"scenario_{scenario}")
    assert counts(graded(parse_ground_truth(path.read_bytes()), *names)) == expected_counts
