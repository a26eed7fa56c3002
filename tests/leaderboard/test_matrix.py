"""Tasks against models: every cell, how hard a task is, and how well it tells models apart."""

import csv
import io
import json
import math
import re
from statistics import correlation, fmean

import numpy as np
import pytest

from evals.models import Split
from leaderboard.matrices import discriminations
from tests.factories import make_benchmark, make_evaluation, make_model, make_run, make_task

pytestmark = pytest.mark.django_db

SECRET = "sesame-4711"
ADDRESS = "/benchmarks/b/matrix/"
# Models a, b, c in the order of their means; tasks 1, 2, 10.
SCORES = {"a": [1, 1, 0.5], "b": [1, 0.5, 0], "c": [1, 0, 0.25]}


def make_column(benchmark, slug, scores):
    model = make_model(slug=slug, name=slug.upper())
    evaluation = make_evaluation(benchmark=benchmark, language_model=model)
    for task, score in zip(benchmark.tasks.order_by("pk"), scores, strict=False):
        make_run(evaluation, task, score)
    return evaluation


@pytest.fixture
def benchmark():
    benchmark = make_benchmark(slug="b", name="Board")
    for number in (1, 2, 10):
        make_task(benchmark, slug=f"task-{number}", fault_category="network delay")
    for slug in ("c", "a", "b"):
        make_column(benchmark, slug, SCORES[slug])
    return benchmark


def page(client, query=""):
    response = client.get(ADDRESS + query)
    assert response.status_code == 200
    return response.content.decode()


def tasks_in_order(html):
    return re.findall(r'<th scope="row"><a href="[^"]+">(task-\d+)</a>', html)


def table_of(client, query=""):
    records = json.loads(client.get(f"{ADDRESS}?format=json{query}").content)
    return {record.pop("task"): record for record in records}


def test_columns_go_by_rank_and_rows_by_difficulty(client, benchmark):
    html = page(client)
    assert re.findall(r'<a href="/models/(\w)/">', html) == ["a", "b", "c"]
    assert tasks_in_order(html) == ["task-10", "task-2", "task-1"]
    assert "<h1>Every model solves 1 of 3 tasks every time; none is beyond all of them</h1>" in html


def test_difficulty_and_discrimination_are_worked_out_over_models(client, benchmark):
    table = table_of(client)
    assert table["task-2"]["mean"] == fmean([1, 0.5, 0])
    others = [fmean([SCORES[model][0], SCORES[model][2]]) for model in "abc"]
    assert table["task-2"]["discrimination"] == pytest.approx(correlation([1, 0.5, 0], others))
    assert table["task-1"]["discrimination"] is None  # all solve it
    assert [table["task-10"][model] for model in "abc"] == [0.5, 0, 0.25]


def test_fewer_than_three_models_say_nothing_about_discrimination():
    assert discriminations(np.array([[1.0, 0.0], [0.5, 0.25]])) == [None, None]
    with_a_gap = np.array([[1.0, 0.0, math.nan], [0.5, 0.25, 0.75], [1.0, 0.5, 0.0]])
    first, second, third = discriminations(with_a_gap)
    assert first is None
    assert second == pytest.approx(correlation([0.5, 0.25, 0.75], [1, 0.25, 0]))
    assert third == pytest.approx(correlation([1, 0.5, 0], [0.75, 0.125, 0.75]))


def test_no_tasks_have_no_discriminations():
    assert discriminations(np.empty((0, 3))) == []


@pytest.mark.parametrize(
    ("sort", "order", "sorted_by"),
    [
        ("task", ["task-1", "task-2", "task-10"], "ascending"),
        ("-task", ["task-10", "task-2", "task-1"], "descending"),
        ("difficulty", ["task-10", "task-2", "task-1"], "ascending"),
        ("-difficulty", ["task-1", "task-2", "task-10"], "descending"),
        ("nonsense", ["task-10", "task-2", "task-1"], "ascending"),
        ("%00", ["task-10", "task-2", "task-1"], "ascending"),
    ],
)
def test_the_address_sorts_the_rows(client, benchmark, sort, order, sorted_by):
    html = page(client, f"?sort={sort}")
    assert tasks_in_order(html) == order
    assert html.count(f'aria-sort="{sorted_by}"') == 1


def test_the_sharpest_task_comes_first_and_the_unknown_last(client, benchmark):
    known = [record["discrimination"] for record in table_of(client, "&sort=-discrimination").values()]
    assert known[-1] is None
    assert known[:-1] == sorted(known[:-1], reverse=True)


def test_a_click_reverses_the_order(client, benchmark):
    assert 'href="?sort=-difficulty"' in page(client)
    assert 'href="?sort=difficulty"' in page(client, "?sort=-difficulty")
    assert 'href="?sort=-discrimination"' in page(client)


def test_csv_and_json_hold_what_the_page_shows_in_its_order(client, benchmark):
    html = page(client, "?sort=task")
    response = client.get(f"{ADDRESS}?sort=task&format=csv")
    assert response.headers["Content-Disposition"] == 'attachment; filename="b-matrix.csv"'
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert [row["task"] for row in rows] == tasks_in_order(html)
    assert list(rows[0]) == ["task", "fault_category", "mean", "discrimination", "a", "b", "c"]
    assert rows[2]["a"] == "0.5"
    assert list(table_of(client, "&sort=task")) == tasks_in_order(html)


def test_an_unknown_format_is_refused_with_a_sentence(client, benchmark):
    response = client.get(f"{ADDRESS}?format=xlsx")
    assert response.status_code == 400
    assert "it can be csv or json" in response.content.decode()


def test_a_cell_names_model_task_and_the_scores_of_its_repeats(client, benchmark):
    evaluation = benchmark.evaluations.get(language_model__slug="a")
    task = benchmark.tasks.get(slug="task-10")
    make_run(evaluation, task, 1)
    make_run(evaluation, task, None)
    html = page(client)
    assert (
        '<td class="s4"><a href="/tasks/b/task-10/" title="A, task-10: 0.50, 1, errored">.75</a></td>' in html
    )


def test_a_model_without_a_run_at_a_task_leaves_its_cell_empty(client, benchmark):
    make_column(benchmark, "d", [1])
    assert '<td class="s-none" title="D, task-10: no run"></td>' in page(client)
    assert table_of(client)["task-10"]["d"] is None


def test_markup_in_a_name_stays_text(client, benchmark):
    make_column(benchmark, "evil", [1, 1, 1]).language_model.__class__.objects.filter(slug="evil").update(
        name='"><script>alert(1)</script>'
    )
    assert "<script>alert" not in page(client)


def test_the_finding_counts_what_all_solve_and_what_none_does(client, benchmark):
    benchmark.tasks.get(slug="task-1").runs.all().delete()
    make_column(benchmark, "d", [0.5])
    assert "None of 3 tasks is solved every time by every model; none is beyond all of them" in page(client)
    benchmark.evaluations.exclude(language_model__slug="c").delete()
    assert "<h1>The model solves 0 of 2 tasks every time and scores nothing on 1</h1>" in page(client)


def test_many_models_have_turned_headers(client, benchmark):
    assert 'class="matrix few"' in page(client)
    for number in range(10):
        make_evaluation(benchmark=benchmark, language_model=make_model(slug=f"m-{number}"))
    assert 'class="matrix many"' in page(client)


def test_an_empty_matrix_says_the_command_that_fills_it(client):
    benchmark = make_benchmark(slug="b")
    assert "manage.py import_benchmark FOLDER --slug b" in page(client)
    make_task(benchmark)
    assert "manage.py evaluate --model detective --benchmark b" in page(client)
    assert client.get("/benchmarks/nothing/matrix/").status_code == 404


@pytest.fixture
def half_secret(benchmark):
    for number in range(2):
        secret = make_task(benchmark, slug=f"{SECRET}-{number}", fault_category=SECRET, split=Split.HELD_OUT)
        for evaluation in benchmark.evaluations.all():
            make_run(evaluation, secret, number)
    return benchmark


def test_visitors_see_public_tasks_only_and_scores_over_all(client, visitor_client, half_secret):
    for reader in (client, visitor_client):
        html = page(reader)
        assert SECRET not in html
        assert "1 of 3 public tasks" in html
        assert "<b>70\xa0%</b>" in html  # (1 + 1 + 0.5 + 0 + 1) / 5
        for kind in ("csv", "json"):
            assert SECRET not in reader.get(f"{ADDRESS}?format={kind}").content.decode()


def test_no_number_that_goes_out_is_made_of_held_out_tasks_but_the_rounded_score(client, benchmark):
    def cells_and_figures():
        return client.get(f"{ADDRESS}?format=csv").content

    before = cells_and_figures()
    secret = make_task(benchmark, slug=SECRET, split=Split.HELD_OUT)
    for evaluation, score in zip(
        benchmark.evaluations.order_by("language_model__slug"), [0.5, 0.5, 0.2], strict=True
    ):
        make_run(evaluation, secret, score)
    assert cells_and_figures() == before


def test_staff_see_every_task(staff_client, half_secret):
    html = page(staff_client)
    assert f"{SECRET}-1" in html
    assert "of 5 tasks" in html


@pytest.mark.parametrize("models", [1, 8])
def test_a_matrix_takes_the_same_number_of_queries_for_any_number_of_models_and_tasks(
    client, benchmark, models, django_assert_num_queries
):
    for number in range(models):
        make_task(benchmark)
        make_column(benchmark, f"more-{number}", [1, 0.5, 0, 1])
    with django_assert_num_queries(6):
        page(client)


def test_the_second_visitor_costs_one_query(client, benchmark, django_assert_num_queries):
    first = page(client)
    with django_assert_num_queries(1):
        assert page(client) == first


def test_the_page_answers_reading_only(client, benchmark):
    assert client.post(ADDRESS).status_code == 405
