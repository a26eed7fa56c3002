"""What the API says is what the pages say."""

import json
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from evals.models import RunState
from leaderboard import units
from leaderboard.rows import board_rows
from tests.factories import make_evaluation, make_grade, make_model, make_run, make_task, make_turn
from tests.leaderboard.api.conftest import addresses_of

pytestmark = pytest.mark.django_db


def test_every_address_answers_with_its_own_address(client, site):
    for address in addresses_of(site.runs[0]):
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.content)
        body = answer.json()
        assert "results" in body or body["url"] == f"http://testserver{address}", address


def test_addresses_in_answers_lead_somewhere(client, site):
    for address in addresses_of(site.runs[0]):
        for found in links_in(client.get(address).json()):
            assert client.get(found.removeprefix("http://testserver")).status_code == 200, (address, found)


def links_in(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return {link for inner in value for link in links_in(inner)}
    return {value} if str(value).startswith("http://testserver") and "{" not in value else set()


def test_the_board_has_the_numbers_of_the_page(client, site):
    page = client.get("/benchmarks/b/").content.decode()
    answer = client.get("/api/v1/benchmarks/b/board/").json()
    assert answer["headline"] in page
    for row, expected in zip(answer["rows"], board_rows(site.benchmark), strict=True):
        assert row["score"] == expected.mean
        assert (row["score_low"], row["score_high"]) == (expected.interval.low, expected.interval.high)
        assert (row["rank_best"], row["rank_worst"]) == (expected.rank.best, expected.rank.worst)
        for shown in (units.percent(row["score"]), units.dollars(row["cost_per_task_usd"])):
            assert shown in page
        assert f"{row['turns_per_task']:.1f}" in page


def test_a_score_is_the_mean_of_the_task_means(client, site):
    rows = client.get("/api/v1/benchmarks/b/board/").json()["rows"]
    assert [row["score"] for row in rows] == [
        pytest.approx((1 + 0.75 + 1) / 3),
        pytest.approx((0.25 + 0 + 0.5) / 3),
    ]
    assert rows[0]["exact_share"] == pytest.approx(5 / 6)
    assert rows[0]["runs_scored"] == 6


def test_an_evaluation_has_the_figures_of_its_row(client, site):
    row = client.get("/api/v1/benchmarks/b/board/").json()["rows"][0]
    figures = client.get(f"/api/v1/evaluations/{row['evaluation']}/").json()["figures"]
    assert figures == {name: row[name] for name in figures}
    assert figures["score"] == row["score"] is not None


def test_the_matrix_holds_the_task_means(client, site):
    matrix = client.get("/api/v1/benchmarks/b/matrix/").json()
    assert matrix["tasks"] == ["task-1", "task-2", "task-3"]
    assert matrix["models"] == ["first", "second"]
    assert matrix["scores"] == [[1.0, 0.25], [0.75, 0.0], [1.0, 0.5]]


def test_a_comparison_pairs_the_models_by_task(client, site):
    answer = client.get("/api/v1/compare/?benchmark=b&models=second,first").json()
    assert [row["model"] for row in answer["models"]] == ["second", "first"]
    (difference,) = answer["differences"]
    assert (difference["first"], difference["second"], difference["common_tasks"]) == ("second", "first", 3)
    assert difference["difference"] == pytest.approx(-(0.75 + 0.75 + 0.5) / 3)
    assert difference["difference_low"] <= difference["difference"] <= difference["difference_high"] < 0
    assert difference["tied"] is False
    assert answer["tasks"][1]["scores"] == {"second": 0.0, "first": 0.75}


def test_models_without_a_common_task_have_no_difference(client, site):
    evaluation = make_evaluation(benchmark=site.benchmark, language_model=make_model(slug="third"))
    make_run(evaluation, make_task(site.benchmark, slug="task-4"), 1)
    answer = client.get("/api/v1/compare/?benchmark=b&models=first,third").json()
    (difference,) = answer["differences"]
    assert difference["difference"] is difference["difference_low"] is None
    assert (difference["tied"], difference["common_tasks"]) == (False, 0)


def test_a_run_has_the_score_of_the_newest_grade(client, site):
    run = site.runs[0]
    make_grade(run, 0.5, grader_version=2)
    make_grade(run, 0, grader="judge", grader_version=9)
    record = client.get(f"/api/v1/runs/{run.pk}/").json()
    assert (record["score"], record["outcome"], record["grader_version"]) == (0.5, "over_reported", 2)
    assert client.get("/api/v1/runs/").json()["results"][0]["score"] == 0.5


def test_a_run_that_we_failed_has_no_score_whatever_its_grades(client, site):
    run = make_run(site.evaluations[0], site.tasks[0], None)
    make_grade(run, 1)
    record = client.get(f"/api/v1/runs/{run.pk}/").json()
    assert (record["state"], record["score"], record["outcome"]) == (RunState.ERRORED, None, None)
    assert record["error"] == "SandboxError: gone"


def test_unknown_is_null_and_times_are_utc(client, site):
    began = datetime(2026, 5, 27, 8, 30, tzinfo=UTC)
    run = make_run(site.evaluations[0], site.tasks[0], 1, cost_usd=None, started_at=began)
    record = client.get(f"/api/v1/runs/{run.pk}/").json()
    assert record["cost_usd"] is None
    assert record["started_at"] == "2026-05-27T08:30:00Z"
    model = client.get("/api/v1/models/second/").json()
    assert model["creator"] is model["open_weights"] is model["released"] is None
    assert set(model["prices_usd_per_million_tokens"].values()) == {None}


def test_the_answer_file_is_text_and_says_whether_it_was_handed_in(client, site):
    run = make_run(
        site.evaluations[0], site.tasks[0], 0, submission=None, unsubmitted=b"\xff" + b"x" * 30_000
    )
    record = client.get(f"/api/v1/runs/{run.pk}/").json()
    assert (len(record["answer"]), record["answer_bytes"], record["answer_handed_in"]) == (
        20_000,
        30_001,
        False,
    )


def test_outputs_come_when_asked_for(client, site):
    address = f"/api/v1/runs/{site.runs[0].pk}/turns/"
    plain, full = client.get(address).json(), client.get(address, {"include": "outputs"}).json()
    assert [turn["tool_calls"][0]["output"] for turn in plain["results"]] == [None] * 3
    assert all("alerts\n" in turn["tool_calls"][0]["output"] for turn in full["results"])
    assert "alerts\n" in client.get(f"{address}2/").json()["tool_calls"][0]["output"]


def test_a_list_of_turns_cuts_texts_and_says_so_and_a_turn_has_them_whole(client, site):
    run = site.runs[1]
    make_turn(run, 1, message="m" * 9_000, output="o" * 50_000)
    address = f"/api/v1/runs/{run.pk}/turns/"
    (listed,) = client.get(address, {"include": "outputs"}).json()["results"]
    assert (len(listed["message"]), len(listed["tool_calls"][0]["output"]), listed["cut"]) == (
        4_000,
        20_000,
        True,
    )
    whole = client.get(f"{address}1/").json()
    assert (len(whole["message"]), whole["cut"]) == (9_000, False)
    assert len(whole["tool_calls"][0]["output"]) > 50_000


def test_a_list_of_turns_reads_no_output_unasked(client, site):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get(f"/api/v1/runs/{site.runs[0].pk}/turns/")
    calls = next(query["sql"] for query in queries if "evals_toolcall" in query["sql"])
    assert calls.count('"output"') == 1  # asked whether it is there yet


FILTERS = [
    ("tasks/?benchmark=b", 3),
    ("tasks/?category=memory", 1),
    ("models/?creator=Makers", 1),
    ("models/?open_weights=true", 1),
    ("models/?open_weights=unknown", 1),
    ("models/?open_weights=false", 0),
    ("benchmarks/?domain=sre", 1),
    ("benchmarks/?domain=ciso", 0),
    ("evaluations/?model=second&state=ended&benchmark=b", 1),
    ("runs/?benchmark=b", 12),
    ("runs/?model=second", 6),
    ("runs/?task=task-1", 4),
    ("runs/?category=network", 8),
    ("runs/?state=ended", 12),
    ("runs/?state=queued", 0),
    ("runs/?outcome=exact", 6),
    ("runs/?outcome=over_reported&model=first", 1),
    ("runs/?stop_reason=submitted", 12),
    ("runs/?min_score=0.5", 8),
    ("runs/?min_score=0.5&max_score=0.5", 2),
    ("runs/?max_score=0", 4),
]


@pytest.mark.parametrize(("address", "count"), FILTERS)
def test_lists_are_narrowed(client, site, address, count):
    assert len(client.get(f"/api/v1/{address}").json()["results"]) == count


def test_runs_are_narrowed_to_an_evaluation(client, site):
    answer = client.get("/api/v1/runs/", {"evaluation": site.evaluations[1].pk}).json()
    assert {run["model"] for run in answer["results"]} == {"second"}


def test_pages_of_runs_hold_each_run_once_while_others_come_in(client, site):
    seen, address = [], "/api/v1/runs/?page_size=5"
    while address:
        page = client.get(address).json()
        seen += [run["id"] for run in page["results"]]
        make_run(site.evaluations[1], site.tasks[0], 1) if len(seen) == 5 else None
        address = page["next"]
    assert seen == sorted(run.pk for run in site.evaluations[0].runs.all() | site.evaluations[1].runs.all())


def test_a_page_before_leads_back(client, site):
    first = client.get("/api/v1/runs/?page_size=5").json()
    second = client.get(first["next"]).json()
    assert client.get(second["previous"]).json()["results"] == first["results"]


def test_short_lists_have_numbered_pages(client, site):
    first = client.get("/api/v1/tasks/?page_size=2").json()
    assert (first["count"], len(first["results"]), first["previous"]) == (3, 2, None)
    assert [task["slug"] for task in client.get(first["next"]).json()["results"]] == ["task-3"]


def test_queries_do_not_grow_with_the_rows(client, site):
    addresses = addresses_of(site.runs[0])
    before = [queries_of(client, address) for address in addresses]
    for n in range(4):
        evaluation = make_evaluation(benchmark=site.benchmark, language_model=make_model())
        task = make_task(site.benchmark, slug=f"more-{n}")
        for _ in range(3):
            make_turn(make_run(evaluation, task, 1), 1)
        make_turn(site.runs[0], 10 + n)
        make_run(site.evaluations[0], site.tasks[0], 1)
    assert [queries_of(client, address) for address in addresses] == before
    assert max(before) <= 8


def queries_of(client, address):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_answers_are_json_that_a_strict_reader_takes(client, site):
    def refuse(text):
        raise AssertionError(text)

    for address in addresses_of(site.runs[0]):
        json.loads(client.get(address).content, parse_constant=refuse)
