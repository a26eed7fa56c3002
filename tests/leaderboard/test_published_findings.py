"""The launch article's findings, made again from its figures by the board's own code."""

import pytest
from django.core.management import call_command

from evals.models import Benchmark
from leaderboard.charts import cost_chart, frontier, turns_chart
from leaderboard.rows import headline, published_rows
from leaderboard.sources import published_sources

pytestmark = pytest.mark.django_db


@pytest.fixture
def sources():
    call_command("load_published", verbosity=0)
    benchmarks = Benchmark.objects.filter(published_results__isnull=False).distinct()
    return {source.as_of: source for benchmark in benchmarks for source in published_sources(benchmark)}


@pytest.fixture
def launch(sources):
    return published_rows(sources["2026-05-27"].results)


def of(rows, name):
    return next(row for row in rows if row.model.name == name)


def test_claude_opus_4_7_leads_and_no_model_reaches_half(launch):
    assert headline(launch).startswith("Claude Opus 4.7 (Max) leads with 47\xa0%")
    assert len(launch) == 8
    assert all(row.mean < 0.5 for row in launch)


def test_gemma_4_31b_is_ahead_of_gemini_3_1_pro_on_score_and_on_cost(launch):
    gemma, gemini = of(launch, "Gemma 4 31B"), of(launch, "Gemini 3.1 Pro Preview")
    assert gemma.mean > gemini.mean
    assert gemma.cost_per_task_usd < gemini.cost_per_task_usd / 15


def test_nothing_scores_more_for_less_than_four_models(launch):
    known = [row for row in launch if row.cost_per_task_usd is not None]
    places = frontier(known, lambda row: row.cost_per_task_usd)
    assert [known[place].model.name for place in places] == [
        "Gemma 4 31B", "GLM-5.1", "Claude Opus 4.7",
    ]  # fmt: skip
    assert len(cost_chart(launch).left_out) == 3


def test_more_turns_go_with_a_lower_score(launch):
    known = sorted((row for row in launch if row.turns_per_task), key=lambda row: row.turns_per_task)
    assert [row.model.name for row in known] == ["GPT-5.5", "Gemma 4 31B", "Gemini 3.1 Pro Preview"]
    assert [row.mean for row in known] == sorted((row.mean for row in known), reverse=True)
    assert "GPT-5.5 needs 31 turns a task" in turns_chart(launch).finding


def test_a_source_without_scores_per_task_claims_neither_interval_nor_tie(launch):
    assert not any(row.interval or row.tied_with_leader for row in launch)


def test_a_source_with_scores_per_task_has_intervals_and_ties(sources):
    for as_of in ("2026-10-05", "2026-09-30", "2026-09-29"):
        for row in published_rows(sources[as_of].results):
            assert row.interval.low < row.mean < row.interval.high


def test_a_page_says_why_it_has_no_intervals(client, launch):
    html = client.get("/benchmarks/itbench-aa/?results=").content.decode()
    assert "not run here; no intervals, for it gives no scores per task" in html


def test_a_source_with_scores_per_task_has_a_matrix(client, sources):
    source = sources["2026-10-05"]
    slug = source.results[0].benchmark.slug
    records = client.get(f"/benchmarks/{slug}/matrix/?results={source.key}&format=json").json()
    assert len(records) == 40
    for result in source.results:
        column = [record[result.language_model.slug] for record in records]
        assert sum(column) / 40 == pytest.approx(result.score, abs=1e-5)
    html = client.get(f"/benchmarks/{slug}/matrix/?results={source.key}").content.decode()
    assert "Published by" in html


def test_a_source_without_scores_per_task_says_why_it_has_no_matrix(client, launch):
    html = client.get("/benchmarks/itbench-aa/matrix/").content.decode()
    assert "gives no scores per task" in html
