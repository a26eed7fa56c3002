"""Histograms: every graded run is in exactly one bar, and the sentence is the median."""

import math

import pandas as pd
import pytest
from hypothesis import given, strategies as st

from leaderboard.distributions import HEIGHT, costs_histogram, levels_of, round_step, turns_histogram


def frame(*runs):
    """Runs as (outcome, turns, cost)."""
    made = pd.DataFrame(runs, columns=["outcome", "turns", "cost_usd"]).astype({"cost_usd": float})
    return made.assign(run=range(1, len(made) + 1))


def table(histogram):
    return {each.label: each.counts for each in histogram.bins}


def test_the_sentence_gives_the_median_of_each_outcome():
    runs = [("exact", 10, 1), ("exact", 14, 1), ("missed", 31, 1), ("no_answer", 100, 1)]
    assert turns_histogram(frame(*runs)).finding == (
        "Exact runs take 12 turns in the median, missed ones 31, those without an answer 100"
    )


@pytest.mark.parametrize(
    ("runs", "sentence"),
    [
        ([("missed", 1, 0)], "Missed runs take 1 turn in the median"),
        ([("no_answer", 0, 0)], "Runs without an answer take 0 turns in the median"),
        ([("exact", 9, 0), ("missed", 9, 0)], "Runs take 9 turns in the median, however they end"),
    ],
)
def test_a_sentence_of_few_outcomes(runs, sentence):
    assert turns_histogram(frame(*runs)).finding == sentence


def test_turns_are_stacked_by_outcome_in_bins_of_round_numbers():
    histogram = turns_histogram(
        frame(("exact", 3, 0), ("missed", 4, 0), ("missed", 99, 0), ("missed", 100, 0))
    )
    assert table(histogram) == {"0 to 4": (1, 1), "95 to 99": (0, 1), "100 to 104": (0, 1)}
    lower, upper = histogram.bars[:2]
    assert (lower.outcome, upper.outcome) == ("exact", "missed")
    assert lower.y == pytest.approx(upper.y + upper.height)
    assert lower.y + lower.height == pytest.approx(HEIGHT)


def test_a_bar_leads_to_one_of_its_runs():
    histogram = turns_histogram(frame(("missed", 40, 0), ("exact", 3, 0), ("exact", 3, 0)))
    assert [(bar.outcome, bar.title, bar.run) for bar in histogram.bars] == [
        ("exact", "2 to 3: 2 exact runs", 2),
        ("missed", "40 to 41: 1 missed run", 1),
    ]


def test_few_turns_have_a_bar_for_every_number():
    histogram = turns_histogram(frame(("exact", 17, 0), ("exact", 18, 0), ("exact", 17, 0)))
    assert table(histogram) == {"17": (2,), "18": (1,)}


def test_costs_tell_the_median_and_the_dearest():
    histogram = costs_histogram(frame(("exact", 1, 0.1), ("exact", 1, 0.3), ("missed", 1, 2.0)))
    assert histogram.finding == "Half of the runs cost $0.30 or less, the dearest $2.00"
    assert table(histogram) == {
        "$0.10 to $0.20": (1, 0), "$0.30 to $0.40": (1, 0), "$2.00 to $2.10": (0, 1)}  # fmt: skip


def test_a_run_of_unknown_cost_is_left_out_and_told():
    histogram = costs_histogram(frame(("exact", 1, 0.1), ("exact", 1, None)))
    assert sum(sum(each.counts) for each in histogram.bins) == 1
    assert histogram.note == "left out: 1 run of unknown cost"


@pytest.mark.parametrize("runs", [[], [("exact", 1, 0)], [("exact", 1, None)], [(None, 1, 5)]])
def test_what_is_free_unknown_or_ungraded_draws_no_costs(runs):
    assert costs_histogram(frame(*runs)) is None


def test_without_a_graded_run_there_are_no_turns():
    assert turns_histogram(frame((None, 5, 1))) is None


costs = st.floats(min_value=0.0001, max_value=500)


@given(st.lists(st.tuples(st.sampled_from(["exact", "missed"]), st.integers(0, 400), costs), min_size=1))
def test_every_run_is_in_one_bar_and_every_bar_within_the_drawing(runs):
    for histogram in (turns_histogram(frame(*runs)), costs_histogram(frame(*runs))):
        assert sum(sum(each.counts) for each in histogram.bins) == len(runs)
        assert len(histogram.bins) <= 22
        for bar in histogram.bars:
            assert 0 <= bar.x < bar.x + bar.width <= 100
            assert -0.1 <= bar.y < bar.y + bar.height <= HEIGHT + 0.1
        assert all(0 <= tick.at <= 100 for tick in histogram.ticks)


@given(st.floats(min_value=1e-6, max_value=1e6))
def test_a_step_is_one_two_or_five_and_no_larger_than_needed(least):
    step = round_step(least)
    assert least * (1 - 1e-8) <= step <= least * 2.5 * (1 + 1e-8)
    digits = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert round(digits, 6) in {1, 2, 5}


@pytest.mark.parametrize(("most", "levels"), [(1, [0, 1]), (6, [0, 2, 4, 6]), (36, [0, 10, 20, 30, 40])])
def test_levels_are_whole_round_numbers_up_to_the_highest_bar(most, levels):
    assert levels_of(most) == levels
