from __future__ import annotations

import json

import pytest

from evals.grading.answers import MAX_ANSWER_BYTES, read_answer, read_recorded_answer
from tests.evals.grading.incidents import answer


def names(raw: bytes) -> list[str]:
    return [entity.name for entity in read_answer(raw).entities]


def test_an_answer_keeps_names_reasoning_and_evidence_in_order():
    factors = [{"name": "a/Pod/b", "reasoning": "why", "evidence": "what"}, {"name": "c/Pod/d"}]
    first, second = read_answer(json.dumps({"contributing_factors": factors}).encode()).entities
    assert (first.name, first.reasoning, first.evidence) == ("a/Pod/b", "why", "what")
    assert (second.name, second.reasoning, second.evidence) == ("c/Pod/d", "", "")


def test_an_empty_list_is_a_valid_answer():
    read = read_answer(answer())
    assert (read.entities, read.invalid_because) == ((), None)


def test_a_byte_order_mark_is_tolerated_and_noted():
    raw = b"\xef\xbb\xbf" + answer("a/Pod/b")
    assert names(raw) == ["a/Pod/b"]
    assert read_answer(raw).notes == ("a byte order mark was ignored",)


@pytest.mark.parametrize(
    "fenced", ["```json\n%s\n```", "```\n%s\n```", "\n```%s```  \n", "```json\r\n%s\r\n```"]
)
def test_one_surrounding_code_fence_is_tolerated_and_noted(fenced):
    raw = (fenced % answer("a/Pod/b").decode()).encode()
    assert names(raw) == ["a/Pod/b"]
    assert read_answer(raw).notes == ("a code fence around the answer was ignored",)


def test_two_code_fences_are_one_too_many():
    raw = b"```\n```\n" + answer("a/Pod/b") + b"\n```\n```"
    assert read_answer(raw).invalid_because is not None


def test_200_entities_are_read_and_201_are_not():
    assert len(names(answer(*["a/Pod/b"] * 200))) == 200
    assert read_answer(answer(*["a/Pod/b"] * 201)).invalid_because == "201 entities, more than 200"


def test_one_megabyte_is_read_and_a_byte_more_is_not():
    full = answer("a/Pod/b").ljust(MAX_ANSWER_BYTES)
    assert MAX_ANSWER_BYTES == 1_000_000
    assert read_answer(full).invalid_because is None
    assert read_answer(full + b" ").invalid_because == "1,000,001 bytes, more than 1,000,000"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not JSON"),
        (b"the cart is down", "not JSON"),
        (b'{"contributing_factors": [', "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "nested too deep"),
        (b"[]", "not a JSON object"),
        (b'{"root_cause": []}', "no key contributing_factors"),
        (b'{"contributing_factors": "a/Pod/b"}', "not a list"),
        (b'{"contributing_factors": ["a/Pod/b"]}', "entry 1"),
        (b'{"contributing_factors": [{"name": "a/Pod/b"}, {"name": 7}]}', "entry 2"),
        (b'{"contributing_factors": [{"reasoning": "because"}]}', "entry 1"),
    ],
)
def test_what_is_no_answer_says_why(raw, reason):
    read = read_answer(raw)
    assert reason in read.invalid_because
    assert read.entities == ()


def test_text_that_no_database_takes_is_replaced():
    raw = rb'{"contributing_factors": [{"name": "a/Pod/\u0000b\ud800", "evidence": ["\u0000"]}]}'
    entity = read_answer(raw).entities[0]
    assert entity.name == "a/Pod/\N{REPLACEMENT CHARACTER}b?"
    assert entity.evidence == r'["\u0000"]'


def test_only_the_entities_that_ibm_marks_as_contributing_are_read():
    entities = [
        {"name": "a/Pod/b", "contributing_factor": True},
        {"name": "c/Pod/d", "contributing_factor": False},
    ]
    read = read_recorded_answer(json.dumps({"entities": entities}).encode())
    assert [entity.name for entity in read.entities] == ["a/Pod/b"]


def test_harbors_name_kind_and_namespace_become_one_name():
    causes = [{"name": "b", "kind": "Pod", "namespace": "a"}, {"name": "otel-demo", "kind": "Namespace"}]
    read = read_recorded_answer(json.dumps({"root_causes": causes}).encode())
    assert [entity.name for entity in read.entities] == ["a/Pod/b", "cluster/Namespace/otel-demo"]


def test_a_harbor_entry_without_a_kind_is_not_an_answer():
    assert read_recorded_answer(b'{"root_causes": [{"name": "b"}]}').invalid_because is not None


@pytest.mark.parametrize("key", ["entities", "root_causes"])
def test_other_harnesses_shapes_do_not_count_for_runs_made_here(key):
    raw = json.dumps({key: [{"name": "b", "kind": "Pod", "contributing_factor": True}]}).encode()
    assert read_answer(raw).invalid_because == "no key contributing_factors"
    assert read_recorded_answer(raw).invalid_because is None
