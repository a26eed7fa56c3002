"""Numbers are compared with the standard library, with closed forms, and with cases made by hand."""

import math
import statistics as stdlib

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings, strategies as st

from evals.statistics import (
    Interval,
    bootstrap_interval,
    bootstrap_intervals,
    bootstrap_intervals_of,
    mean,
    paired_differences,
    separations,
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


def test_series_of_several_lengths_keep_their_own_intervals():
    series = [(0.0, 1.0, 1.0), (0.5,), (1.0, 0.0), (0.25, 0.5, 0.75), ()]
    assert bootstrap_intervals_of(series) == [bootstrap_interval(values) for values in series]


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


def boards():
    """Boards of means as they come: thirds and halves, many equal, some missing."""
    cell = st.sampled_from([0.0, 1 / 6, 1 / 3, 0.5, 2 / 3, 1.0, math.nan])
    row = st.integers(2, 6).flatmap(lambda columns: st.tuples(st.just(columns), st.integers(1, 14)))
    return row.flatmap(
        lambda shape: st.lists(
            st.lists(cell, min_size=shape[0], max_size=shape[0]), min_size=shape[1], max_size=shape[1]
        )
    ).map(np.array)


@given(boards())
@settings(deadline=None)
def test_separations_say_what_the_intervals_say(means):
    found = separations(means)
    for (i, j), difference in paired_differences(means).items():
        assert found.tied[i, j] == found.tied[j, i] == difference.is_a_tie
        known_apart = difference.interval is not None and not difference.is_a_tie
        assert found.apart[i, j] == found.apart[j, i] == known_apart


def test_separations_agree_with_the_intervals_where_it_is_close():
    # Columns that differ by ever a little more: some pair stands on the very edge.
    generator = np.random.default_rng(7)
    base = generator.uniform(0, 1, 59)
    noise = generator.normal(0, 0.3, (59, 40))
    means = np.column_stack([base + noise[:, n] * 0.1 + 0.002 * n for n in range(40)])
    found = separations(means)
    for (i, j), difference in paired_differences(means).items():
        assert found.tied[i, j] == difference.is_a_tie
    assert 0 < found.tied[np.triu_indices(40, 1)].mean() < 1


def test_the_share_of_wrongly_told_apart_is_what_95_percent_promises():
    # Under no difference at all, about 1 pair in 20 is told apart; few tasks make the bootstrap bolder.
    generator = np.random.default_rng(3)
    apart = [separations(generator.uniform(0, 1, (59, 2))).apart[0, 1] for _ in range(300)]
    assert 0.02 < np.mean(apart) < 0.10


def test_the_interval_is_that_of_scipy():
    values = np.random.default_rng(5).choice([0, 1 / 3, 2 / 3, 1], 59)
    theirs = scipy.stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    ours = bootstrap_interval(values.tolist())
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.006)


def test_the_paired_difference_agrees_with_scipys_paired_t_test():
    generator = np.random.default_rng(11)
    first, second = generator.uniform(0, 1, 59), generator.uniform(0, 1, 59)
    theirs = scipy.stats.ttest_rel(first, second).confidence_interval(0.95)
    ours = paired_differences(np.column_stack([first, second]))[0, 1]
    assert (ours.interval.low, ours.interval.high) == pytest.approx((theirs.low, theirs.high), abs=0.01)
