"""Numbers are compared with the standard library, with closed forms, and with cases made by hand."""

import math
import statistics as stdlib

import numpy as np
import pytest
from hypothesis import given, strategies as st

from evals.statistics import (
    Interval,
    bootstrap_interval,
    bootstrap_intervals,
    mean,
    paired_differences,
    standard_error,
)

scores = st.lists(st.floats(0, 1), min_size=2, max_size=60)


@given(scores)
def test_mean_and_standard_error_agree_with_the_standard_library(values):
    assert mean(values) == pytest.approx(stdlib.mean(values))
    assert standard_error(values) == pytest.approx(stdlib.stdev(values) / math.sqrt(len(values)), abs=1e-12)


def test_one_value_has_no_spread_to_estimate():
    assert mean([0.5]) == 0.5
    assert (standard_error([0.5]), bootstrap_interval([0.5])) == (None, None)
    assert mean([]) is None


def test_the_interval_of_many_values_is_the_normal_one():
    values = np.random.default_rng(1).uniform(0, 1, 400)
    interval = bootstrap_interval(values.tolist())
    half = stdlib.NormalDist().inv_cdf(0.975) * stdlib.pstdev(values) / math.sqrt(400)
    assert interval.low == pytest.approx(values.mean() - half, abs=0.002)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.002)


def test_the_interval_is_the_same_every_time():
    assert bootstrap_interval([0.0, 0.5, 1.0]) == bootstrap_interval([0.0, 0.5, 1.0])


def test_equal_values_have_an_interval_without_width():
    assert bootstrap_interval([0.3] * 12) == Interval(0.3, 0.3)


def test_two_values_are_drawn_as_often_as_the_binomial_says():
    # The mean of two draws from {0, 1} is 0, 0.5 or 1 with 1/4, 1/2, 1/4: both ends lie inside 95 %.
    assert bootstrap_interval([0.0, 1.0]) == Interval(0.0, 1.0)


def test_columns_keep_their_own_intervals():
    columns = np.array([[0.0, 1.0], [0.0, 1.0], [1.0, 1.0]])
    alone = [bootstrap_interval(columns[:, column].tolist()) for column in range(2)]
    assert bootstrap_intervals(columns) == alone


def test_a_difference_is_paired_by_task():
    # Every task differs by 0.1: the means overlap widely, the pairs leave no doubt.
    first = np.linspace(0.1, 1.0, 20)
    difference = paired_differences(np.column_stack([first, first - 0.1]))[0, 1]
    assert difference.mean == pytest.approx(0.1)
    assert not difference.is_a_tie


def test_equal_columns_are_a_tie():
    column = np.linspace(0, 1, 10)
    assert paired_differences(np.column_stack([column, column]))[0, 1].is_a_tie


def test_a_missing_score_leaves_only_the_pairs_of_its_column():
    means = np.array([[1.0, 0.0, 0.5], [1.0, 0.0, math.nan], [1.0, 1.0, 0.5]])
    differences = paired_differences(means)
    assert (differences[0, 1].tasks, differences[0, 2].tasks) == (3, 2)
    assert differences[0, 2].mean == pytest.approx(0.5)
    assert differences[0, 1].mean == pytest.approx(2 / 3)


def test_columns_without_a_common_task_are_not_called_tied():
    difference = paired_differences(np.array([[1.0, math.nan], [math.nan, 1.0]]))[0, 1]
    assert (difference.tasks, difference.interval, difference.is_a_tie) == (0, None, False)


def test_one_column_has_no_pairs():
    assert paired_differences(np.ones((3, 1))) == {}
