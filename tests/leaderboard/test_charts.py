"""Charts: honest places for what is free or unknown, and labels that can be read."""

import json
import math

import pytest

from evals.models import LanguageModel
from evals.statistics import Interval
from leaderboard.charts import board_charts, cost_axis, cost_chart, frontier, turns_chart
from leaderboard.labels import Mark, label_box, label_positions, stair_boxes
from leaderboard.rows import Row


def row(name, mean, cost=None, turns=None, **fields):
    model = LanguageModel(name=name, slug="a-model", open_weights=fields.pop("open_weights", None))
    return Row(model=model, mean=mean, cost_per_task_usd=cost, turns_per_task=turns, **fields)


def marks_of(chart):
    return chart.figure["data"][1]


def test_an_unknown_cost_is_named_below_and_never_drawn():
    chart = cost_chart([row("Known", 0.5, cost=1.0), row("Unknown", 0.9)])
    assert list(marks_of(chart)["x"]) == [1.0]
    assert [left_out.name for left_out in chart.left_out] == ["Unknown"]
    assert chart.finding.startswith("Of the 1 with a known cost")


def test_free_models_stand_in_a_lane_left_of_the_cheapest_paid_one():
    places, axis = cost_axis([0.0, 0.1, 10.0])
    assert 0 < places[0] < places[1]
    assert axis["ticktext"][0] == "free"
    assert axis["tickvals"][0] == pytest.approx(places[0])
    assert axis["range"][0] < math.log10(places[0])


def test_where_all_is_free_there_is_a_lane_and_no_scale():
    places, axis = cost_axis([0.0, 0.0, 0.0])
    assert (axis["type"], axis["ticktext"], axis["tickvals"]) == ("linear", ["free"], [0])
    assert places == pytest.approx([-0.12, 0, 0.12])


def test_free_models_stand_side_by_side():
    places, axis = cost_axis([0.0, 0.0, 5.0])
    assert axis["range"][0] < math.log10(places[0]) < math.log10(places[1]) < math.log10(places[2])


def test_the_ticks_of_money_lie_within_the_axis():
    for costs in ([0.0004, 0.002], [1.0], [0.5, 900.0]):
        _, axis = cost_axis(costs)
        assert axis["tickvals"]
        assert all(axis["range"][0] <= math.log10(tick) <= axis["range"][1] for tick in axis["tickvals"])


def test_the_frontier_holds_what_nothing_beats_for_less():
    rows = [
        row("a", 0.2, 0.1),
        row("b", 0.1, 0.5),
        row("c", 0.5, 1.0),
        row("d", 0.5, 2.0),
        row("e", 0.9, 3.0),
    ]
    places = frontier(rows, lambda r: r.cost_per_task_usd)
    assert [rows[place].model.name for place in places] == ["a", "c", "e"]


def test_of_two_at_one_price_only_the_better_is_on_the_frontier():
    rows = [row("worse", 0.4, 0.0), row("better", 0.6, 0.0)]
    assert frontier(rows, lambda r: r.cost_per_task_usd) == [1]


def test_open_weights_have_a_mark_of_their_own():
    marks = marks_of(
        cost_chart([row("a", 0.1, 1.0, open_weights=True), row("b", 0.2, 1.0, open_weights=False)])
    )
    assert list(marks["marker"]["symbol"]) == ["diamond", "circle"]


def test_an_interval_reaches_from_its_low_to_its_high_end():
    marks = marks_of(turns_chart([row("a", 0.5, turns=3, interval=Interval(0.2, 0.9))]))
    assert marks["error_y"]["array"] == pytest.approx([0.4])
    assert marks["error_y"]["arrayminus"] == pytest.approx([0.3])


def test_colours_are_names_that_the_page_looks_up():
    text = json.dumps([chart.figure for chart in board_charts([row("a", 0.5, 1.0, 10)])])
    assert "var(--accent)" in text
    assert "#" not in text


def test_no_score_makes_no_chart():
    assert board_charts([row("a", None)]) == []


def test_names_that_read_alike_carry_their_setting():
    rows = [row("Same", 0.1, 1.0), row("Same", 0.2, 2.0)]
    rows[0].model.setting, rows[1].model.setting = "low", "high"
    assert list(marks_of(cost_chart(rows))["text"]) == ["Same (low)", "Same (high)"]


def test_a_name_is_text_to_plotly_too():
    marks = marks_of(cost_chart([row("<b>x</b>", 0.5, 1.0)]))
    assert marks["text"][0] == "&lt;b&gt;x&lt;/b&gt;"
    assert "<b>x</b>" not in marks["customdata"][0][1]


def overlap(one, other):
    across = min(one.right, other.right) - max(one.left, other.left)
    upward = min(one.top, other.top) - max(one.bottom, other.bottom)
    return max(across, 0) * max(upward, 0)


def test_labels_of_neighbours_do_not_cover_each_other():
    marks = [Mark(0.5, 0.5 + step / 100, "A long model name", 0.5, 0.5) for step in range(3)]
    boxes = [label_box(mark, place) for mark, place in zip(marks, label_positions(marks), strict=True)]
    pairs = [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :]]
    assert all(overlap(a, b) == 0 for a, b in pairs)


def test_a_label_keeps_off_the_line_of_the_frontier():
    low, high = Mark(0.1, 0.4, "Low", 0.4, 0.4), Mark(0.5, 0.8, "High", 0.8, 0.8)
    boxed_in = [Mark(0.1, 0.4 + step, "x", 0.4 + step, 0.4 + step) for step in (-0.06, 0.06)]
    places = label_positions([low, high, *boxed_in], [low, high])
    line = stair_boxes(low, high)[0]
    assert overlap(label_box(low, places[0]), line) == 0


@pytest.mark.parametrize(("x", "y"), [(0.01, 0.5), (0.99, 0.5), (0.5, 0.99), (0.5, 0.01)])
def test_a_label_stays_in_the_drawing(x, y):
    mark = Mark(x, y, "A long model name", y, y)
    assert label_box(mark, label_positions([mark])[0]).outside == 0


def test_of_many_models_the_best_and_the_frontier_keep_their_names():
    rows = [row(f"m{number}", 1 - number / 100, cost=100.0 - number) for number in range(90)]
    rows.append(row("cheap", 0.05, cost=0.01))
    names = marks_of(cost_chart(rows))["text"]
    assert names[0] == "m0"
    assert names[-1] == "cheap"
    assert names[-2] == "m89"  # cheaper than all that score more, so on the frontier too
    assert names[40] != ""
    assert "" in marks_of(turns_chart([row(f"m{n}", 1 - n / 100, turns=10 + n) for n in range(90)]))["text"]
