"""How a fault spread: every entity and step is told, whatever the ground truth holds; nothing overlaps."""

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from evals.grading.ground_truth import parse_ground_truth
from leaderboard.layering import Spacing, layered
from leaderboard.propagation import MOST_NODES, spread_of
from tests.factories import GROUND_TRUTH

SPACING = Spacing(node=40, lane=10, gap=10)
names = st.sampled_from("abcdefgh")


def group(id, kind="Pod", root_cause=False, **fields):
    return {"id": id, "kind": kind, "namespace": "shop", "filters": [], "name": id, **fields,
            "root_cause": root_cause}  # fmt: skip


def step(source, target, condition="", effect=""):
    return {"source": source, "target": target, "condition": condition, "effect": effect}


def spread(groups, *steps):
    return spread_of({"groups": groups, "propagations": steps})


def test_a_ground_truth_is_drawn_from_its_root_cause_to_the_right():
    drawn = spread_of(parse_ground_truth(GROUND_TRUTH).to_json())
    flag, ad = drawn.nodes
    assert (flag.entity.words, flag.entity.root) == ("ConfigMap flagd-config", True)
    assert (ad.entity.words, ad.entity.root) == ("Service ad", False)
    assert flag.x + flag.width < ad.x
    assert [arrow.title for arrow in drawn.arrows] == [
        "ConfigMap flagd-config to Service ad: ad fails (because: flag on)"
    ]


@pytest.mark.parametrize("truth", [{}, {"groups": [group("a", root_cause=True)]}, {"propagations": []}])
def test_without_propagations_there_is_nothing_to_draw(truth):
    assert spread_of(truth) is None


def test_an_unknown_id_is_drawn_by_its_id_and_says_so():
    drawn = spread([group("a", root_cause=True)], step("a", "ghost"))
    assert [(node.entity.name, node.entity.label) for node in drawn.nodes] == [
        ("a", "Pod · root cause"),
        ("ghost", "not among the groups"),
    ]


def test_steps_between_the_same_two_are_one_arrow_and_two_sentences():
    drawn = spread([group("a", root_cause=True)], step("a", "b", effect="x"), step("a", "b", effect="y"))
    assert len(drawn.steps) == 2
    assert [arrow.title for arrow in drawn.arrows] == ["Pod a to b: x\nPod a to b: y"]


def test_a_step_told_twice_word_for_word_is_told_once():
    assert len(spread([group("a")], step("a", "b"), step("a", "b")).steps) == 1


def test_a_cycle_is_drawn_with_one_arrow_backward():
    drawn = spread([group("a", root_cause=True)], step("a", "b"), step("b", "c"), step("c", "a"))
    assert [arrow.backward for arrow in drawn.arrows] == [False, False, True]
    assert [node.entity.id for node in sorted(drawn.nodes, key=lambda node: node.x)] == ["a", "b", "c"]


def test_a_step_to_itself_is_told_but_not_drawn():
    drawn = spread([group("a")], step("a", "a", effect="restarts"))
    assert (len(drawn.nodes), drawn.arrows) == (1, ())
    assert drawn.steps[0].sentence == "Pod a to Pod a: restarts"


def test_of_very_many_entities_those_nearest_to_the_root_cause_are_drawn():
    chain = [step(f"n{i}", f"n{i + 1}") for i in range(3000)]
    drawn = spread([group("n0", root_cause=True)], *reversed(chain))
    assert [node.entity.id for node in drawn.nodes] == [f"n{i}" for i in range(MOST_NODES)]
    assert drawn.left_out == 3001 - MOST_NODES
    assert len(drawn.steps) == 3000


def test_a_root_cause_without_a_step_is_drawn_too():
    drawn = spread([group("a", root_cause=True), group("b", root_cause=True)], step("a", "c"))
    assert {node.entity.id for node in drawn.nodes} == {"a", "b", "c"}


def test_names_are_shown_without_their_pattern():
    drawn = spread([group("a", filters=["ad-.*", r"ad\b"], name=None)], step("a", "a"))
    assert drawn.nodes[0].entity.name == "ad"


def test_a_long_name_is_cut_in_the_drawing_and_whole_in_its_title():
    name = "otel-demo-recommendation-memory-stress"
    entity = spread([group("a", name=name)], step("a", "a")).nodes[0].entity
    assert entity.short_name.endswith("…")
    assert name in entity.title


@given(st.lists(st.tuples(names, names), max_size=24))
def test_any_graph_is_laid_out_without_overlap_and_within_its_height(edges):
    layout = layered("abcdefgh", edges, SPACING)
    for column in set(layout.columns.values()):
        places = sorted(
            (height, SPACING.node if isinstance(place, str) else SPACING.lane)
            for place, height in layout.heights.items()
            if layout.columns[place] == column
        )
        assert places[0][0] - places[0][1] / 2 >= -1e-6
        assert places[-1][0] + places[-1][1] / 2 <= layout.height + 1e-6
        for (above, size), (below, next_size) in pairwise(places):
            assert below - above >= (size + next_size) / 2 + SPACING.gap - 1e-6


@given(st.lists(st.tuples(names, names), max_size=24))
def test_every_edge_runs_one_column_at_a_time_and_forward_ones_to_the_right(edges):
    layout = layered("abcdefgh", edges, SPACING)
    assert set(layout.routes) == {edge for edge in edges if edge[0] != edge[1]}
    for edge, route in layout.routes.items():
        assert (route[0], route[-1]) == (edge[::-1] if edge in layout.backward else edge)
        assert all(layout.columns[b] - layout.columns[a] == 1 for a, b in pairwise(route))


def test_edges_of_a_tree_do_not_cross():
    children = {f"n{i}": f"n{(i - 1) // 3}" for i in range(1, 31)}
    nodes = ["n0", *reversed(children)]
    layout = layered(nodes, [(parent, child) for child, parent in children.items()], SPACING)
    for column in range(1, 4):
        stack = sorted((n for n in children if layout.columns[n] == column), key=layout.heights.__getitem__)
        parents = [layout.heights[children[node]] for node in stack]
        assert parents == sorted(parents)
