"""Ground truths are whole, in the shapes of the real ones, and dealt fairly."""

from __future__ import annotations

import re
from collections import Counter

import yaml

from evals.incidents.faults import FAULTS
from evals.incidents.plan import plan
from evals.incidents.scales import SMALL


def test_every_ground_truth_names_each_root_and_only_known_ids(snapshots):
    for snapshot in snapshots:
        truth = snapshot.truth
        ids = {group["id"] for group in truth["groups"]}
        assert len(ids) == len(truth["groups"])
        assert len(snapshot.roots) == len(snapshot.kinds) == len(truth["fault"])
        assert {fault["entity"]["group_id"] for fault in truth["fault"]} == {g["id"] for g in snapshot.roots}
        assert {id_ for alias in truth["aliases"] for id_ in alias} <= ids
        assert {alert["group_id"] for alert in truth["alerts"]} <= ids
        assert {step[end] for step in truth["propagations"] for end in ("source", "target")} <= ids
        assert truth.get("recommended_actions") or truth["recommendedActions"]


def test_a_group_has_a_name_or_patterns_that_are_regular_expressions(snapshots):
    for snapshot in snapshots:
        for group in snapshot.truth["groups"]:
            assert group.get("name") or [re.compile(pattern) for pattern in group["filter"]]


def test_no_two_roots_share_an_alias(snapshots):
    for snapshot in snapshots:
        named = [id_ for alias in snapshot.truth["aliases"] for id_ in alias]
        assert len(named) == len(set(named))


def test_the_root_is_an_object_of_the_snapshot(snapshots):
    for snapshot in snapshots:
        for root in snapshot.roots:
            names = {
                (body["kind"], body["metadata"]["name"], body["metadata"].get("namespace"))
                for _, body in snapshot.objects
            }
            patterns = root.get("filter") or [re.escape(root["name"])]
            matched = [
                name
                for kind, name, namespace in names
                if (kind, namespace) == (root["kind"], root.get("namespace"))
                and any(re.fullmatch(pattern, name) for pattern in patterns)
            ]
            assert len(matched) == 1, root


def test_twelve_incidents_cover_at_least_ten_kinds_of_faults():
    for seed in (1, 2, 3):
        assert len({plan(seed, number, SMALL).faults[0].kind for number in range(1, 13)}) >= 10


def test_fourteen_incidents_cover_every_kind(snapshots):
    assert {snapshot.kinds[0] for snapshot in snapshots} == set(FAULTS)


def test_about_one_incident_in_five_has_two_independent_roots():
    plans = [plan(8, number, SMALL) for number in range(1, 51)]
    doubles = [each for each in plans if len(each.faults) == 2]
    assert len(doubles) == 10
    for each in doubles:
        first, second = each.faults
        assert (first.root, first.victim) != (second.root, second.victim)


def test_difficulty_and_shapes_vary(snapshots):
    plans = [plan(4, number, SMALL) for number in range(1, 41)]
    assert set(Counter(each.difficulty for each in plans)) == {"easy", "medium", "hard"}
    assert {each.quirks.truth_in_spec for each in plans} == {True, False}
    assert {each.quirks.alert_shape for each in plans} == {"list", "success", "timestamp"}
    layouts = {"spec" in yaml.safe_load((s.folder / "ground_truth.yaml").read_text()) for s in snapshots}
    assert layouts == {True, False}
