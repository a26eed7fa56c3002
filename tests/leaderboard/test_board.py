"""The leaderboard page: what it says, how it sorts, what it costs."""

import json
import re

import pytest

from evals.models import EvaluationState, PublishedResult, RunState
from tests.factories import make_benchmark, make_evaluation, make_model, make_run, make_task

pytestmark = pytest.mark.django_db


def make_published(benchmark, model, score, **fields):
    defaults = {"as_of": "2026-05-27", "source_name": "A journal", "source_url": "https://journal.example/"}
    return PublishedResult.objects.create(
        benchmark=benchmark, language_model=model, score=score, **{**defaults, **fields}
    )


def make_row(benchmark, name, scores, **run):
    """A model whose runs on the benchmark's tasks, one each, score so much."""
    evaluation = make_evaluation(benchmark=benchmark, language_model=make_model(name=name, slug=name.lower()))
    for task, score in zip(benchmark.tasks.all(), scores, strict=False):
        make_run(evaluation, task, score, **run)
    return evaluation


def make_board(tasks=4, **fields):
    benchmark = make_benchmark(**fields)
    for _ in range(tasks):
        make_task(benchmark)
    return benchmark


def names_in_order(html):
    return re.findall(r'<th class="model" scope="row"><a href="[^"]+">([^<]+)</a>', html)


def test_an_empty_site_says_the_commands_that_fill_it(client):
    html = client.get("/").content.decode()
    assert "manage.py make_incidents" in html
    assert "manage.py load_published" in html


def test_a_benchmark_without_tasks_says_how_to_import_them(client):
    benchmark = make_benchmark()
    html = client.get(benchmark.get_absolute_url()).content.decode()
    assert f"manage.py import_benchmark FOLDER --slug {benchmark.slug}" in html


def test_a_benchmark_without_evaluations_says_how_to_make_one(client):
    benchmark = make_board()
    html = client.get(benchmark.get_absolute_url()).content.decode()
    assert f"manage.py evaluate --model detective --benchmark {benchmark.slug}" in html


def test_the_headline_names_the_leader_and_a_lead_beyond_chance(client):
    benchmark = make_board(tasks=20)
    make_row(benchmark, "Best", [1] * 18 + [0, 0])
    make_row(benchmark, "Worst", [0] * 20)
    html = client.get("/").content.decode()
    assert "Best leads with 90\xa0%; the lead is larger than chance." in html
    assert names_in_order(html) == ["Best", "Worst"]


def test_the_headline_counts_ties(client):
    benchmark = make_board()
    make_row(benchmark, "Ahead", [1, 1, 0, 1])
    make_row(benchmark, "Close", [1, 1, 1, 0.5])
    assert "is statistically tied" in client.get("/").content.decode()


def test_a_model_with_runs_left_to_do_stands_on_the_board_without_a_score(client):
    benchmark = make_board()
    evaluation = make_evaluation(benchmark=benchmark, state=EvaluationState.RUNNING, ended_at=None)
    make_run(evaluation, score=None, state=RunState.QUEUED, error="")
    html = client.get("/").content.decode()
    assert "No run has a score yet." in html
    assert f'href="{evaluation.get_absolute_url()}">Watch it' in html


def test_published_results_are_a_board_of_their_own(client):
    benchmark = make_board()
    make_row(benchmark, "Here", [1, 1, 1, 1])
    make_published(benchmark, make_model(name="Elsewhere"), 0.47)
    assert names_in_order(client.get("/").content.decode()) == ["Here"]
    html = client.get("/?results=a-journal-2026-05-27").content.decode()
    assert names_in_order(html) == ["Elsewhere"]
    assert "2026-05-27" in html
    assert 'href="https://journal.example/"' in html


def test_without_runs_made_here_the_newest_published_board_shows(client):
    benchmark = make_board()
    make_published(benchmark, make_model(name="Old"), 0.1, as_of="2025-01-01")
    make_published(benchmark, make_model(name="New"), 0.2, as_of="2026-01-01")
    assert names_in_order(client.get("/").content.decode()) == ["New"]


def test_equal_published_scores_share_a_rank_and_claim_no_tie(client):
    benchmark = make_board()
    for score in (0.5, 0.4, 0.4, 0.3):
        make_published(benchmark, make_model(), score)
    html = client.get("/").content.decode()
    assert re.findall(r'<td class="rank n">([^<]+)</td>', html) == ["1", "2", "2", "4"]
    assert "statistically" not in html


def test_a_click_on_a_header_sorts_and_a_second_one_reverses(client):
    benchmark = make_board(tasks=1)
    make_row(benchmark, "Cheap", [0.5], cost_usd=0.1)
    make_row(benchmark, "Dear", [1], cost_usd=9.0)
    make_row(benchmark, "Unknown", [0.25], cost_usd=None)
    html = client.get("/?sort=cost").content.decode()
    assert names_in_order(html) == ["Cheap", "Dear", "Unknown"]
    assert 'aria-sort="ascending"' in html
    assert 'href="?sort=-cost"' in html
    assert names_in_order(client.get("/?sort=-cost").content.decode()) == ["Dear", "Cheap", "Unknown"]


def test_a_column_that_is_empty_for_all_rows_hides_itself(client):
    benchmark = make_board(tasks=1)
    make_row(benchmark, "One", [1], cost_usd=None)
    assert "$ / task" not in client.get("/").content.decode()
    make_row(benchmark, "Two", [1], cost_usd=0.5)
    assert "$ / task" in client.get("/").content.decode()


def test_the_charts_hold_every_scored_model_and_lead_to_it(client):
    benchmark = make_board(tasks=2)
    evaluation = make_row(benchmark, "Drawn", [1, 0.5])
    html = client.get("/").content.decode()
    figure = json.loads(
        re.search(r'<script id="score-versus-cost" type="application/json">(.*?)</script>', html)[1]
    )
    assert "template" not in figure["layout"]
    assert figure["data"][1]["y"] == [0.75]
    assert figure["data"][1]["customdata"][0][0] == evaluation.language_model.get_absolute_url()


def test_a_name_full_of_markup_stays_text(client):
    benchmark = make_board(tasks=1)
    evil = make_model(name="<script>alert(1)</script>", creator="<b>x</b>")
    make_run(make_evaluation(benchmark=benchmark, language_model=evil), benchmark.tasks.get())
    html = client.get("/").content.decode()
    assert "<script>alert" not in html
    assert "<b>x</b>" not in html


def test_a_synthetic_benchmark_says_so_on_every_page_about_it(client):
    benchmark = make_board(tasks=1, synthetic=True)
    run = make_run(make_evaluation(benchmark=benchmark), benchmark.tasks.get())
    for address in (
        benchmark.get_absolute_url(),
        f"/benchmarks/{benchmark.slug}/tasks/",
        run.task.get_absolute_url(),
        run.evaluation.get_absolute_url(),
        run.get_absolute_url(),
    ):
        assert "Synthetic: the incidents" in client.get(address).content.decode(), address


def test_home_prefers_a_real_benchmark_with_runs(client):
    make_row(make_board(tasks=1, synthetic=True, name="Made up"), "One", [1])
    assert "<title>Made up:" in client.get("/").content.decode()
    make_row(make_board(tasks=1, name="Recorded"), "Two", [1])
    assert "<title>Recorded:" in client.get("/").content.decode()


def test_a_slug_with_dots_has_its_pages(client):
    benchmark = make_board(tasks=1, slug="itbench-1.0")
    model = make_model(slug="gpt-5.5", name="GPT-5.5")
    make_run(make_evaluation(benchmark=benchmark, language_model=model), benchmark.tasks.get())
    for address in (benchmark.get_absolute_url(), model.get_absolute_url()):
        assert client.get(address).status_code == 200


@pytest.mark.parametrize("models", [1, 6])
def test_the_board_takes_the_same_number_of_queries_for_any_number_of_models(
    client, models, django_assert_num_queries
):
    benchmark = make_board(tasks=3)
    for number in range(models):
        make_row(benchmark, f"Model-{number}", [1, 0, 0.5])
    with django_assert_num_queries(8):
        client.get("/")
