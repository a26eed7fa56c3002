from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import yaml

from evals.grading.ground_truth import FlagCode, GroundTruthFormatError, parse_ground_truth
from tests.evals.grading.incidents import group, root, truth

REAL_FILES = sorted(
    (Path(__file__).resolve().parents[4] / "shared/data/itbench/ground_truth").glob("*.yaml"),
)
ROOT = "{id: a, kind: Pod, filter: [a], root_cause: true}"


def flag_codes(ground_truth):
    return [flag.code for flag in ground_truth.flags]


@pytest.mark.skipif(not REAL_FILES, reason="../shared/data/itbench/ground_truth is not there")
def test_all_real_files_are_read():
    assert len(REAL_FILES) == 27
    for path in REAL_FILES:
        document = yaml.safe_load(path.read_text())
        payload = document.get("spec", document)
        ground_truth = parse_ground_truth(path.read_bytes())
        expected_roots = {entry["id"] for entry in payload["groups"] if entry.get("root_cause")}
        roots = {root_id for root_set in ground_truth.root_sets for root_id in root_set.root_ids}
        assert roots == expected_roots, path.name
        assert len(ground_truth.faults) == len(payload["fault"]), path.name
        assert len(ground_truth.alerts) == len(payload["alerts"]), path.name
        assert len(ground_truth.propagations) == len(payload["propagations"]), path.name
        json.dumps(ground_truth.to_json())


@pytest.mark.skipif(not REAL_FILES, reason="../shared/data/itbench/ground_truth is not there")
def test_flags_of_the_real_files_are_rare():
    flagged = {path.stem: flag_codes(parse_ground_truth(path.read_bytes())) for path in REAL_FILES}
    assert {name: set(codes) for name, codes in flagged.items() if codes} == {
        "scenario_38": {FlagCode.INDISTINCT_ROOTS, FlagCode.PATTERN_AS_GLOB},
        "scenario_59": {FlagCode.DOWNSTREAM_VICTIM},
    }


def test_the_same_truth_is_read_flat_or_under_spec_from_yaml_or_json():
    flat = {"groups": [root("a", "Pod", "a-.*"), group("b", "Service", "b")], "aliases": [["a", "b"]]}
    texts = [flat, {"apiVersion": "itbench.io/v1", "spec": flat}, {"spec": None, **flat}]
    read = {parse_ground_truth(write(text)) for text in texts for write in (json.dumps, yaml.safe_dump)}
    assert len(read) == 1


@pytest.mark.parametrize("namespace", ["", "namespace: null,", "namespace: ~,", "namespace: '',"])
def test_a_namespace_may_be_missing_or_null(namespace):
    text = f"groups: [{{id: a, kind: Namespace, {namespace} filter: [a], root_cause: true}}]"
    assert parse_ground_truth(text).groups[0].namespace is None


def test_a_filter_may_be_one_text():
    text = "groups: [{id: a, kind: Pod, filter: a-.*, root_cause: true}]"
    assert parse_ground_truth(text).groups[0].filters == ("a-.*",)


def test_a_name_that_yaml_takes_for_a_number_or_a_switch_stays_as_written():
    text = (
        "groups: [{id: 1e3, kind: Pod, name: on, root_cause: true}, {id: 007, kind: Pod, name: 2026-01-02}]"
    )
    groups = parse_ground_truth(text).groups
    assert [(entry.id, entry.name) for entry in groups] == [("1e3", "on"), ("007", "2026-01-02")]


@pytest.mark.parametrize("key", ["recommendedActions", "recommended_actions"])
def test_recommended_actions_are_read_in_both_spellings(key):
    actions = [{"solution": {"id": "fix", "actions": ["Do this", "Do that"]}}]
    read = truth(root("a", "Pod", "a"), **{key: actions}).recommended_actions
    assert [(action.id, action.actions) for action in read] == [("fix", ("Do this", "Do that"))]


def test_an_empty_fault_list_and_an_empty_alias_list_are_fine():
    read = truth(root("a", "Pod", "a"), aliases=[[]], fault=[])
    assert (read.faults, len(read.alias_sets)) == ((), 1)


def test_a_group_defined_twice_counts_once_and_two_definitions_of_one_id_both_count():
    twice = truth(root("a", "Pod", "a"), group("b", "Schedule", "b"), group("b", "Schedule", "b"))
    assert len(twice.groups) == 2
    differing = truth(root("a", "Pod", "a"), root("a", "Deployment", "other"))
    assert (len(differing.groups), len(differing.root_sets)) == (2, 1)


def test_overlapping_alias_lists_are_one_set():
    read = truth(
        root("a", "Pod", "a"),
        group("b", "Service", "b"),
        group("c", "Service", "c"),
        group("d", "Service", "d"),
        aliases=[["a", "b"], ["c", "d"], ["b", "c"]],
    )
    assert [(alias_set.ids, alias_set.root_ids) for alias_set in read.alias_sets] == [
        (("a", "b", "c", "d"), ("a",))
    ]


def test_an_alias_that_makes_a_victim_count_as_the_cause_is_flagged():
    read = truth(
        root("flags", "ConfigMap", "flagd-config"),
        group("ad", "Service", r"ad\b"),
        aliases=[["flags", "ad"]],
        propagations=[{"source": "flags", "target": "ad", "condition": "flag on", "effect": "ad fails"}],
    )
    assert flag_codes(read) == [FlagCode.DOWNSTREAM_VICTIM]
    assert "ad is a victim" in read.flags[0].detail


def test_an_alias_that_is_the_same_workload_by_another_kind_is_not_flagged():
    read = truth(
        root("pod", "Pod", "ad-.*"),
        group("service", "Service", r"ad\b"),
        aliases=[["pod", "service"]],
        propagations=[{"source": "pod", "target": "service", "condition": "", "effect": ""}],
    )
    assert flag_codes(read) == []


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("", "document", "a mapping with groups expected, nothing found"),
        ("- a", "document", "a mapping with groups expected"),
        ("groups: []", "groups", "a list of groups expected"),
        ("spec: {alerts: []}", "spec.groups", "a list of groups expected, nothing found"),
        ("groups: [{id: a, kind: Pod, filter: [a]}]", "groups", "at least one group with root_cause: true"),
        ("groups: [{kind: Pod}]", "groups[0].id", "a text expected, nothing found"),
        ("groups: [{id: a, filter: [a]}]", "groups[0].kind", "a text expected, nothing found"),
        ("groups: [{id: a, kind: Pod, root_cause: true}]", "groups[0]", "needs a filter or a name"),
        ("groups: [{id: a, kind: Pod, root_cause: 'no'}]", "groups[0].root_cause", "true or false expected"),
        (
            "groups: [{id: a, kind: Pod, filter: [{a: b}]}]",
            "groups[0].filter[0]",
            "a text expected, a mapping",
        ),
        (f"groups: [{ROOT}]\naliases: [[a, b]]", "aliases[0]", "the id of a group expected, 'b' found"),
        (f"groups: [{ROOT}]\naliases: [a]", "aliases[0]", "a list of group ids expected, 'a' found"),
        (f"groups: [{ROOT}]\nfault: [broken]", "fault[0]", "a mapping expected, 'broken' found"),
        ("groups:\n  - id: ]", "line 2, column 9", "YAML or JSON expected"),
        ('{"groups": [\x00', "document", "YAML or JSON expected"),
        (b"\xff", "byte 0", "UTF-8 text expected"),
        ('{"groups": [{"id": "a\\u0000", "kind": "Pod"}]}', "groups[0].id", "without NUL"),
    ],
)
def test_what_cannot_be_used_says_where_and_what_was_expected(text, place, reason):
    with pytest.raises(GroundTruthFormatError) as caught:
        parse_ground_truth(text)
    assert caught.value.place == place
    assert reason in caught.value.reason


def test_a_nest_of_aliases_is_refused_before_it_is_built():
    levels = ["l0: &l0 [a]"] + [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 30)]
    started = time.perf_counter()
    with pytest.raises(GroundTruthFormatError, match="at most 50,000 values"):
        parse_ground_truth("\n".join(levels))
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 100_000, "at most 40 levels"),
        ('{"a":' * 100_000, "at most 40 levels"),
        ("a: &a [*a]", "an anchor before the alias"),
        (f"groups: [{'a, ' * 60_000}]", "at most 50,000 values"),
        ("#" * 1_000_001, "at most 1,000,000 characters"),
    ],
)
def test_a_document_too_deep_too_large_or_endless_is_refused(text, reason):
    with pytest.raises(GroundTruthFormatError, match=reason):
        parse_ground_truth(text)


def test_a_modest_use_of_yaml_aliases_is_read():
    text = "groups:\n- {id: a, kind: Pod, filter: &f [a], root_cause: true}\n- {id: b, kind: Pod, filter: *f}"
    assert [entry.filters for entry in parse_ground_truth(text).groups] == [("a",), ("a",)]
