"""A request that is wrong gets a sentence; one that asks again gets 304; one too many waits."""

import re
from base64 import b64encode

import pytest
from django.core.exceptions import ImproperlyConfigured

from itbench_site import env
from tests.factories import make_grade
from tests.leaderboard.api.conftest import addresses_of

pytestmark = pytest.mark.django_db


def cursor(text):
    return b64encode(text.encode()).decode()


MANY = ",".join(f"model-{n}" for n in range(10_000))
WRONG = [
    ("runs/?sort=x", "There is no parameter 'sort' here: use benchmark, category,"),
    ("runs/?state=x", "state: Use one of queued, running, ended, errored, cancelled."),
    ("runs/?state=", "state: it is empty; give a value or leave it out."),
    ("runs/?state=ended&state=queued", "state: give it once."),
    ("runs/?state=%ff", "state: this is no readable text; use UTF-8."),
    ("runs/?task=a%00b", "task: this is no readable text; use UTF-8."),
    ("runs/?%ff=1", "There is no parameter '\ufffd' here"),
    ("runs/?benchmark=nope", "benchmark: there is none with the slug 'nope'."),
    ("runs/?model=" + "x" * 5000, "model: there is none with the slug 'xxx"),
    ("runs/?evaluation=999999", "evaluation: there is none with the id 999999."),
    ("runs/?evaluation=1.5", "evaluation: Enter a whole number."),
    ("runs/?evaluation=" + "9" * 40, "evaluation: Ensure this value is less than or equal to"),
    ("runs/?evaluation=" + "9" * 5000, "evaluation: "),
    ("runs/?min_score=x", "min_score: Enter a number."),
    ("runs/?min_score=nan", "min_score: Enter a number."),
    ("runs/?max_score=1e999999", "max_score: "),
    ("runs/?min_score=-0.1", "min_score: Ensure this value is greater than or equal to 0."),
    ("runs/?cursor=%ff", "cursor: this is no readable text; use UTF-8."),
    ("runs/?cursor=abc", "cursor: this is none; take it from `next` or `previous` of a page."),
    (f"runs/?cursor={cursor('p=abc')}", "cursor: this is none;"),
    (f"runs/?cursor={cursor('p=' + '9' * 30)}", "cursor: this is none;"),
    (f"runs/?cursor={cursor('o=-1')}", "cursor: this is none;"),
    (f"runs/?cursor={cursor('r=x')}", "cursor: this is none;"),
    ("runs/?page_size=501", "page_size: use a whole number, 1 to 500."),
    ("runs/?page_size=0", "page_size: use a whole number, 1 to 500."),
    ("runs/?page_size=" + "9" * 5000, "page_size: use a whole number, 1 to 500."),
    ("runs/?page=2", "There is no parameter 'page' here"),
    ("tasks/?page=-1", "page: use a whole number, 1 to"),
    ("tasks/?page=%C2%B2", "page: use a whole number, 1 to"),
    ("tasks/?page=last", "page: use a whole number, 1 to"),
    ("models/?open_weights=maybe", "open_weights: Use one of true, false, unknown."),
    ("models/?creator=Nobody", "creator: there is none with the creator 'Nobody'."),
    ("models/first/?page=1", "There is no parameter 'page' here: it takes none."),
    ("benchmarks/b/matrix/?format=csv", "There is no parameter 'format' here: it takes none."),
    ("benchmarks/b/board/?format=xml", "format: use json, csv, eval-results."),
    ("benchmarks/b/board/?format=csv&x=1", "There is no parameter 'x' here: use format."),
    ("runs/{run}/turns/?include=all", "include: use outputs."),
    ("runs/{run}/turns/1/?include=outputs", "There is no parameter 'include' here: it takes none."),
    ("compare/", "models: give 2 to 6 slugs"),
    ("compare/?models=first,second", "benchmark: say on which; use the `slug` of one."),
    ("compare/?benchmark=nope&models=a,b", "benchmark: there is none with the slug 'nope'."),
    ("compare/?benchmark=b", "models: give 2 to 6 slugs, parted by commas; these are 0."),
    ("compare/?benchmark=b&models=first", "models: give 2 to 6 slugs, parted by commas; these are 1."),
    ("compare/?benchmark=b&models=first,first", "models: 'first' is there twice."),
    ("compare/?benchmark=b&models=first,nobody", "models: 'nobody' is not on this board."),
    (f"compare/?benchmark=b&models={MANY}", "models: give 2 to 6 slugs, parted by commas; these are 10000."),
]


@pytest.mark.parametrize(("address", "sentence"), WRONG, ids=lambda text: text[:40])
def test_a_wrong_parameter_is_refused_with_a_sentence(client, site, address, sentence):
    answer = client.get(f"/api/v1/{address.format(run=site.runs[0].pk)}")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/json"
    assert list(answer.json()) == ["detail"]
    assert answer.json()["detail"].startswith(sentence)
    assert len(answer.json()["detail"]) < 400


MISSING = [
    "benchmarks/nope/", "benchmarks/nope/board/", "benchmarks/nope/matrix/",
    "benchmarks/nope/board/?format=csv", "tasks/b/nope/", "models/nope/", "evaluations/999999/",
    "nope/", "runs/x/", "runs/-1/", "runs/999999/", "runs/999999/turns/",
    "runs/999999/turns/1/", "runs/{run}/turns/999/", "tasks/?page=99", "runs/99999999999999999999999/",
]  # fmt: skip


@pytest.mark.parametrize("address", MISSING)
def test_what_is_not_there_is_not_found_in_json(client, site, address):
    answer = client.get(f"/api/v1/{address.format(run=site.runs[0].pk)}")
    assert answer.status_code == 404
    assert list(answer.json()) == ["detail"]


def test_a_format_nobody_writes_is_not_acceptable(client, site):
    answer = client.get("/api/v1/runs/", headers={"Accept": "text/html"})
    assert (answer.status_code, list(answer.json())) == (406, ["detail"])


def test_the_api_only_reads(client, staff_client, site):
    for reader in (client, staff_client):
        for address in addresses_of(site.runs[0]):
            for method in ("post", "put", "patch", "delete"):
                answer = getattr(reader, method)(address, {"x": 1}, content_type="application/json")
                assert answer.status_code == 405, (method, address)
                assert answer["Allow"] == "GET, HEAD, OPTIONS"
            assert reader.head(address).status_code == 200
            assert reader.options(address).status_code == 200


def test_an_address_without_its_last_slash_leads_on(client, site):
    answer = client.get("/api/v1/runs?state=ended")
    assert (answer.status_code, answer["Location"]) == (301, "/api/v1/runs/?state=ended")


def test_options_are_json_in_any_format(client, site):
    assert client.options("/api/v1/benchmarks/b/board/?format=csv")["Content-Type"] == "application/json"


def test_every_answer_carries_an_etag_and_is_not_sent_twice(client, site):
    for address in [*addresses_of(site.runs[0]), "/api/schema/"]:
        first = client.get(address)
        again = client.get(address, headers={"If-None-Match": first["ETag"]})
        weak = client.get(address, headers={"If-None-Match": f"W/{first['ETag'].removeprefix('W/')}"})
        assert [(answer.status_code, answer.content) for answer in (again, weak)] == [(304, b"")] * 2, address
        assert again["ETag"] == first["ETag"]


def test_a_changed_grade_changes_the_etag(client, site):
    address = "/api/v1/benchmarks/b/board/"
    before = client.get(address)["ETag"]
    make_grade(site.runs[0], 0, grader_version=2)
    assert client.get(address, headers={"If-None-Match": before}).status_code == 200


def test_rows_are_made_once_for_each_state_of_the_data(client, site, django_assert_max_num_queries):
    client.get("/api/v1/benchmarks/b/board/")
    with django_assert_max_num_queries(3):
        before = client.get("/api/v1/benchmarks/b/matrix/").json()["scores"]
    make_grade(site.runs[0], 0, grader_version=2)
    after = client.get("/api/v1/benchmarks/b/matrix/").json()["scores"]
    assert (before[0][0], after[0][0]) == (1.0, 0.5)


def test_answers_are_kept_apart_by_who_reads_and_in_what_format(client, site):
    board = client.get("/api/v1/benchmarks/b/board/")
    runs = client.get("/api/v1/runs/")
    assert {"Accept", "Cookie"} <= set(board["Vary"].split(", "))
    assert "Cookie" in runs["Vary"]
    for answer in (board, runs):
        assert {"private", "no-cache"} <= set(answer["Cache-Control"].split(", "))


def test_a_visitor_who_asks_too_often_is_told_how_long_to_wait(client, staff_client, site, settings):
    settings.ITBENCH_API_RATE = "3/min"
    answers = [client.get("/api/v1/models/") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 0 < int(answers[3]["Retry-After"]) <= 60
    assert "throttled" in answers[3].json()["detail"]
    assert client.get("/benchmarks/b/").status_code == 200
    assert [staff_client.get("/api/v1/models/").status_code for _ in range(4)] == [200] * 4


def test_a_visitor_is_known_by_the_address_and_not_by_a_claim(client, site, settings):
    settings.ITBENCH_API_RATE = "1/min"
    answers = [client.get("/api/v1/", headers={"X-Forwarded-For": f"10.0.0.{n}"}) for n in (1, 2)]
    assert [answer.status_code for answer in answers] == [200, 429]


@pytest.mark.parametrize("text", ["fast", "0/min", "60", "60/fortnight", "-1/min", "1/min/min"])
def test_a_wrong_rate_stops_the_start_with_a_sentence(monkeypatch, text):
    monkeypatch.setenv("ITBENCH_API_RATE", text)
    with pytest.raises(
        ImproperlyConfigured, match=re.escape(f"ITBENCH_API_RATE={text!r}: use a number a sec")
    ):
        env.rate("ITBENCH_API_RATE", "600/min")
