"""The search over runs: what is found, narrowed, shown of each place, and kept from the public."""

import pytest
from django.contrib.auth.models import User

from evals.models import Remark, Run
from tests.factories import make_benchmark, make_evaluation, make_model, make_run, make_task, make_turn

pytestmark = pytest.mark.django_db

HOSTILE = "needle <script>alert(1)</script>\x1b[31m\x1b]8;;http://evil.example\x07\x07 \u202e"


@pytest.fixture
def site():
    """Three runs: one looked and submitted, one looked and did not, one is held out."""
    benchmark = make_benchmark(slug="b")
    evaluations = [
        make_evaluation(benchmark=benchmark, language_model=make_model(slug=s, name=s)) for s in ("x", "y")
    ]
    public, secret = make_task(benchmark, slug="open"), make_task(benchmark, slug="secret", split="held_out")
    policy = b'{"contributing_factors": [{"name": "otel-demo/NetworkPolicy/deny-all"}]}'
    runs = [
        make_run(evaluations[0], public, 1.0, submission=policy),
        make_run(evaluations[1], public, 0),
        make_run(evaluations[1], secret, 0),
    ]
    for run in runs:
        make_turn(run, 1, command="grep NetworkPolicy objects", output="kind: NetworkPolicy deny-all\n")
    return runs


def page(client, query="", status=200):
    response = client.get(f"/search/{query}")
    assert response.status_code == status
    return response.content.decode()


def found(client, **query):
    return [each["id"] for each in client.get("/api/v1/search/", query).json()["results"]]


def test_who_looked_at_it_and_never_submitted_it_is_one_query(client, site):
    assert found(client, q="command:NetworkPolicy") == [site[1].pk, site[0].pk]
    assert found(client, q="command:NetworkPolicy -answer:NetworkPolicy") == [site[1].pk]
    assert found(client, q="-answer:NetworkPolicy") == [site[1].pk]


def test_a_place_is_shown_with_its_text_and_leads_to_its_turn(client, site):
    html = page(client, "?q=output:deny-all")
    assert "kind: NetworkPolicy <mark>deny-all</mark>" in html
    assert f'href="/runs/{site[0].pk}/?turn=1&amp;find=deny-all#turn-1"' in html
    assert "shell_result" not in html


def test_facets_count_what_each_value_would_leave(client, site):
    site[1].remarks.create(tag="symptom-as-cause")
    facets = client.get("/api/v1/search/", {"q": "NetworkPolicy", "model": "y"}).json()["facets"]
    assert facets["model"] == {"x": 1, "y": 1}
    assert facets["outcome"] == {"missed": 1}
    assert facets["tag"] == {"symptom-as-cause": 1}
    assert found(client, q="NetworkPolicy", tag="symptom-as-cause") == [site[1].pk]
    assert found(client, tag="symptom-as-cause") == [site[1].pk]
    html = page(client, "?q=NetworkPolicy&outcome=exact&outcome=missed")
    assert all(f'href="/runs/{run.pk}/"' in html for run in site[:2])


def test_what_is_held_out_is_neither_found_nor_counted(client, site):
    Remark.objects.create(run=site[2], tag="hush")
    told = client.get("/api/v1/search/", {"q": "NetworkPolicy"}).json()
    assert (told["count"], told["facets"]["tag"], "secret" in str(told)) == (2, {}, False)
    html = page(client, "?q=NetworkPolicy&tag=hush")
    assert (f"/runs/{site[2].pk}/" in html, "<b>0</b> runs" in html) == (False, True)
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert found(client, q="NetworkPolicy")[0] == site[2].pk


def test_imported_runs_say_so(client, site):
    run = make_run(make_evaluation(benchmark=site[0].task.benchmark, harness="swe-agent"), site[0].task)
    make_turn(run, 1, command="zzz")
    assert "imported, swe-agent" in page(client, "?q=zzz")
    assert found(client, q="zzz", played="swe-agent") == [run.pk]
    assert found(client, q="zzz", played="here") == []


def test_a_new_run_and_a_new_turn_are_found_at_once(client, site):
    assert found(client, q="brandnew") == []
    make_turn(site[1], 2, command="echo brandnew")
    assert found(client, q="brandnew") == [site[1].pk]
    make_turn(make_run(site[0].evaluation, site[0].task), 1, message="brandnew")
    assert len(found(client, q="brandnew")) == 2


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?q=%25%25", "needs a letter or a digit"),
        ("?q=%22", "needs a letter or a digit"),
        ("?q=-", "needs a letter or a digit"),
        ("?q=" + "x" * 500, "at most 400 characters"),
    ],
)
def test_what_cannot_be_searched_for_is_said(client, query, sentence):
    assert sentence in page(client, query, 400)
    assert sentence in client.get(f"/api/v1/search/{query}").json()["detail"]


@pytest.mark.parametrize(
    "query",
    ["", "?q=", "?q=%00", "?q=a%FF%FE", "?q=a&page=-1", "?q=a&page=x", "?q=a&page=999999999", "?model=nobody",
     "?q=a&tag=" + "&tag=".join("abcdefgh" * 20), "?sort=x", "?q=AND+OR+NOT+NEAR"],
)  # fmt: skip
def test_any_address_gives_a_page(client, site, query):
    assert page(client, query)


def test_an_empty_page_says_how_to_ask(client):
    assert "How to ask" in page(client)
    assert "No run has all of this" in page(client, "?q=nothing")


def test_hostile_text_stays_text(client, site):
    make_turn(site[0], 2, command=HOSTILE, message=HOSTILE)
    html = page(client, "?q=needle")
    assert "<script>alert" not in html
    assert not set("\x1b\x07\u202e") & set(html)
    assert "<mark>needle</mark> &lt;script&gt;" in html


@pytest.mark.parametrize("runs", [2, 15])
def test_queries_grow_with_the_places_on_the_page_alone(client, runs, django_assert_max_num_queries):
    evaluation = make_evaluation()
    task = make_task(evaluation.benchmark)
    for _ in range(runs):
        make_turn(make_run(evaluation, task), 1, command="needle")
    page(client, "?q=needle")
    with django_assert_max_num_queries(6 + runs):
        page(client, "?q=needle")


def test_pages_of_twenty_lead_to_each_other(client):
    evaluation = make_evaluation()
    task = make_task(evaluation.benchmark)
    for _ in range(25):
        make_turn(make_run(evaluation, task), 1, command="needle")
    assert (len(found(client, q="needle")), len(found(client, q="needle", page=2))) == (20, 5)
    assert 'rel="next" href="?q=needle&amp;page=2"' in page(client, "?q=needle")
    assert 'rel="prev"' in page(client, "?q=needle&page=2")
    assert Run.objects.count() == 25
