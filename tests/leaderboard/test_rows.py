"""Rows of a board: ranks, ties, sorting, outcomes."""

import pytest

from evals.models import LanguageModel
from evals.queries import Summary
from leaderboard.columns import SORTABLE, sorted_rows
from leaderboard.rows import Row, headline, outcome_shares, ranked


def row(name, *scores, **fields):
    means = dict(enumerate(scores))
    mean = sum(scores) / len(scores) if scores else None
    return Row(model=LanguageModel(name=name), mean=mean, task_means=means, **fields)


def test_models_that_chance_could_swap_share_the_range_of_their_ranks():
    clear = [1.0] * 20
    rows = ranked(
        [
            row("c", *([0.0] * 20)),
            row("b", *([0.5, 0.6] * 10)),
            row("a", *clear),
            row("d", *([0.6, 0.5] * 10)),
        ]
    )
    assert [(r.model.name, str(r.rank)) for r in rows] == [("a", "1"), ("b", "2-3"), ("d", "2-3"), ("c", "4")]


def test_one_common_task_is_too_little_to_tell_models_apart():
    rows = ranked([row("a", 1.0), row("b", 0.0)])
    assert [str(r.rank) for r in rows] == ["1-2", "1-2"]
    assert not rows[1].tied_with_leader
    assert headline(rows) == "a leads with 100\xa0%; too few tasks to tell chance."


def test_a_model_without_a_score_has_no_rank_and_stands_last():
    rows = ranked([row("none"), row("zero", 0.0, 0.0)])
    assert [(r.model.name, r.rank is None) for r in rows] == [("zero", False), ("none", True)]


def test_a_lone_model_leads_nobody():
    assert headline(ranked([row("a", 0.5, 0.5)])) == "a scores 50\xa0%; no other model is evaluated yet."


@pytest.mark.parametrize("descending", [True, False])
def test_the_unknown_comes_last_either_way(descending):
    rows = [row("a", cost_per_task_usd=1.0), row("b"), row("c", cost_per_task_usd=0.0)]
    assert sorted_rows(rows, SORTABLE["cost"], descending=descending)[-1].model.name == "b"


def test_the_shares_of_outcomes_fill_the_bar():
    shares = outcome_shares(Summary(outcomes={"exact": 2, "missed": 1, "no_answer": 0}, errored=1))
    assert [(s.outcome, s.start, s.width) for s in shares] == [
        ("exact", 0, 0.5),
        ("missed", 0.5, 0.25),
        ("errored", 0.75, 0.25),
    ]


def test_no_run_at_all_makes_no_bar():
    assert outcome_shares(Summary()) == ()
