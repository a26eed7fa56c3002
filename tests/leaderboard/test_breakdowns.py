"""The page of charts: numbers worked by hand, figures with their tables, held-out tasks kept secret."""

import json
import re
from dataclasses import replace
from datetime import date

import pytest
from django.http import QueryDict

from evals.models import LanguageModel, Split
from leaderboard.breakdown_charts import outcome_mix, score_by_release, score_scale, turns_of_outcomes
from leaderboard.breakdowns import TokenUse, category_scores, priced
from leaderboard.rows import Row, Share
from leaderboard.what_if import read_what_if
from tests.factories import make_benchmark, make_evaluation, make_model, make_run, make_task


def row(name, mean=0.5, **fields):
    return Row(model=LanguageModel(slug=name, name=name, **fields), mean=mean)


def test_a_task_of_two_categories_counts_for_both():
    scores = category_scores({1: 1.0, 2: 0.5, 3: 0.0, 4: 1.0}, {1: "Network", 2: "Network, Change", 3: ""})
    assert [(each.category, each.mean, each.tasks) for each in scores] == [
        ("Change", 0.5, 1), ("Network", 0.75, 2), ("none given", 0.0, 1),
    ]  # fmt: skip


def test_tokens_are_charged_by_kind_and_a_cache_without_a_price_as_input():
    use = TokenUse(row("m"), {"input": 1e6, "cache read": 2e6, "cache write": 0.0, "output": 5e5})
    prices = {"input": 2.0, "cache read": 0.5, "cache write": None, "output": 8.0}
    assert dict(priced(use, prices).amounts) == {
        "input": 2.0, "cache read": 1.0, "cache write": 0.0, "output": 4.0,
    }  # fmt: skip
    assert priced(use, {**prices, "cache read": None}).total == 2.0 + 4.0 + 4.0


def test_a_price_that_is_not_known_makes_the_cost_unknown():
    use = TokenUse(row("m"), {"input": 1e6, "cache read": 0.0, "cache write": 0.0, "output": 5e5})
    assert priced(use, {"input": 2.0, "output": None}) is None


def test_the_commonest_failure_is_named():
    mixed = [
        replace(row(name), outcomes=(Share("exact", "", 0, 0.5), Share(failure, "", 0.5, 0.5)))
        for name, failure in (("a", "missed"), ("b", "missed"), ("c", "errored"))
    ]
    assert outcome_mix(mixed).finding == "The commonest failure is missing a root cause: 33\xa0% of runs"
    assert outcome_mix([row("none")]) is None


def test_turns_are_counted_once_each_and_their_medians_said():
    chart = turns_of_outcomes({"exact": [10, 12, 100], "missed": [1]})
    heights = [height for trace in chart.figure["data"] for height in trace["y"]]
    assert sum(heights) == pytest.approx(1)
    assert chart.finding == "Exact runs take 12 turns in the median, missed ones 1"


def test_the_best_so_far_rises_with_the_days():
    chart = score_by_release(
        [
            row("late", 0.6, released=date(2026, 3, 1)),
            row("early", 0.4, released=date(2026, 1, 1)),
            row("worse", 0.3, released=date(2026, 2, 1)),
            row("undated", 0.9),
        ]
    )
    assert chart.figure["data"][0]["y"] == [0.4, 0.4, 0.6]
    assert chart.finding == "The best score rose from 40\xa0% in 2026-01 to 60\xa0% in 2026-03"
    assert chart.note == "1 not drawn: day of release unknown."


def test_the_scale_has_a_colour_at_each_end_of_every_step():
    scale = score_scale()
    assert (scale[0], scale[-1]) == ((0.0, "var(--s0)"), (1.0, "var(--s5)"))
    assert [edge for edge, _ in scale] == sorted(edge for edge, _ in scale)


@pytest.mark.parametrize("text", ["-1", "abc", "nan", "inf", "1e9"])
def test_a_price_that_is_none_is_said(text):
    asked = read_what_if(QueryDict(f"what_if=m&price_input={text}"))
    assert asked.prices["input"] is None
    assert asked.problems[0].startswith(f"The price of input tokens is “{text}”: write US dollars")


@pytest.fixture
def benchmark(db):
    benchmark = make_benchmark(slug="b")
    model = make_model(
        slug="m", name="Mark One", price_input=1.0, price_output=10.0, released=date(2026, 1, 1)
    )
    evaluation = make_evaluation(benchmark=benchmark, language_model=model)
    for category, score in (("Network", 1), ("Change", 0)):
        make_run(
            evaluation, make_task(benchmark, fault_category=category), score,
            input_tokens=1_000_000, output_tokens=100_000, cost_usd=2.0,
        )  # fmt: skip
    return benchmark


def figures_in(html):
    scripts = re.findall(r'<script id="([\w-]+)" type="application/json">(.*?)</script>', html, re.DOTALL)
    return {name: json.loads(text) for name, text in scripts}


def test_every_figure_has_its_table(client, benchmark):
    html = client.get("/benchmarks/b/charts/").content.decode()
    names = ["outcome-mix", "score-by-category", "turns-by-outcome", "cost-by-token-kind"]
    assert list(figures_in(html)) == names
    for name in names:
        assert f'id="{name}-table"' in html
    assert "Network is" not in html.split("score-by-category-finding")[0]


def test_another_price_moves_the_mark_and_stays_in_the_address(client, benchmark):
    html = client.get("/benchmarks/b/charts/?what_if=m&price_input=0.5").content.decode()
    # A million read at $0.50 and a hundred thousand written at $10 a million.
    assert "Mark One would cost $1.50 a task instead of $2.00" in html
    assert figures_in(html)["what-if"]["data"][1]["x"] == [1.5]
    assert 'value="0.5"' in html


@pytest.mark.parametrize(
    "query", ["what_if=nobody", "what_if=m&price_output=x", "what_if=%00", "price_input=1"]
)
def test_bad_prices_give_the_page(client, benchmark, query):
    assert client.get(f"/benchmarks/b/charts/?{query}").status_code == 200


def test_categories_of_held_out_tasks_are_for_staff(client, admin_client, benchmark):
    secret = make_task(benchmark, fault_category="Sesame", split=Split.HELD_OUT)
    make_run(benchmark.evaluations.get(), secret, 1)
    assert "Sesame" not in client.get("/benchmarks/b/charts/").content.decode()
    assert "Sesame" in admin_client.get("/benchmarks/b/charts/").content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("models", [1, 7])
def test_the_charts_take_the_same_number_of_queries_for_any_number_of_models(
    client, models, django_assert_num_queries
):
    benchmark = make_benchmark(slug="many")
    tasks = [make_task(benchmark) for _ in range(2)]
    for _ in range(models):
        evaluation = make_evaluation(benchmark=benchmark)
        for task in tasks:
            make_run(evaluation, task, 1)
    with django_assert_num_queries(8):
        client.get("/benchmarks/many/charts/")
