"""Promises of the grader that hold for any input."""

from __future__ import annotations

import contextlib
import random

from hypothesis import given, strategies as st

from evals.grading.ground_truth import GroundTruthFormatError, parse_ground_truth
from evals.grading.precision import grade
from tests.evals.grading.incidents import graded, group, root, truth

INCIDENT = truth(
    root("policy", "NetworkPolicy", "block-.*"),
    root("pod", "Pod", "ad-.*"),
    group("service", "Service", r"ad\b"),
    group("frontend", "Service", "frontend"),
    aliases=[["pod", "service"]],
)

part = st.sampled_from(
    ["otel-demo", "Pod", "pods", "Service", "NetworkPolicy", "ad", "ad-0", "block-all", "frontend"]
)
entity = st.lists(part, min_size=2, max_size=4).map("/".join) | st.sampled_from(
    [
        "otel-demo/NetworkPolicy/block-all",
        "otel-demo/Deployment/ad",
        "otel-demo/Service/ad",
        "otel-demo/Service/frontend",
    ]
)
entities = st.lists(entity, max_size=12)


@given(
    st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_grading_never_raises_on_arbitrary_bytes(raw):
    assert 0 <= grade(INCIDENT, raw).score <= 1


@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=40), max_size=5))
def test_grading_never_raises_on_arbitrary_names_and_stores_every_verdict(names):
    result = graded(INCIDENT, *names)
    assert len(result.verdicts) == len(names)
    for verdict in result.verdicts:
        assert "\0" not in verdict.name
        verdict.name.encode()  # a lone surrogate would raise


@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_a_ground_truth_is_read_or_refused_with_a_place(raw):
    with contextlib.suppress(GroundTruthFormatError):
        assert parse_ground_truth(raw).root_sets


@given(entities, st.randoms())
def test_the_order_of_entities_does_not_change_the_score(names, rng: random.Random):
    shuffled = rng.sample(names, len(names))
    assert graded(INCIDENT, *shuffled).score == graded(INCIDENT, *names).score


@given(st.lists(entity, min_size=1, max_size=12), st.data())
def test_a_duplicate_never_changes_the_score(names, data):
    again = data.draw(st.sampled_from(names))
    assert graded(INCIDENT, *names, again).score == graded(INCIDENT, *names).score


@given(entities, entity)
def test_an_entity_that_is_no_root_cause_never_raises_the_score(names, another):
    if graded(INCIDENT, another).true_positives == 0:
        assert graded(INCIDENT, *names, another).score <= graded(INCIDENT, *names).score


@given(entities)
def test_the_counts_add_up(names):
    result = graded(INCIDENT, *names)
    assert result.true_positives + result.false_negatives == 2
    full_recall = result.false_negatives == 0
    precision = result.true_positives / max(1, result.true_positives + result.false_positives)
    assert result.score == (precision if full_recall else 0)
