"""A kept page is the page: it costs one query, and a change is seen at once."""

import gzip

import pytest
from django.contrib.auth.models import User

from evals.models import LanguageModel
from tests.factories import make_benchmark, make_evaluation, make_model, make_run, make_task

pytestmark = pytest.mark.django_db


@pytest.fixture
def benchmark():
    benchmark = make_benchmark(slug="b")
    evaluation = make_evaluation(benchmark=benchmark, language_model=make_model(slug="m", name="Mark One"))
    for score in (0, 1):
        make_run(evaluation, make_task(benchmark), score)
    return benchmark


ADDRESSES = [
    "/",
    "/benchmarks/b/",
    "/benchmarks/b/?sort=-score",
    "/benchmarks/b/tasks/",
    "/models/",
    "/models/m/",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_second_visitor_costs_one_query(client, benchmark, address, django_assert_num_queries):
    first = client.get(address)
    with django_assert_num_queries(1):
        second = client.get(address)
    assert second.content == first.content
    assert second.status_code == 200


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_kept_page_carries_a_visitors_token(client, benchmark, address):
    assert "csrfmiddlewaretoken" not in client.get(address).content.decode()


def test_a_change_is_seen_at_once(client, benchmark):
    assert "Mark One" in client.get("/benchmarks/b/").content.decode()
    LanguageModel.objects.update(name="Mark Two")
    assert "Mark Two" in client.get("/benchmarks/b/").content.decode()


def test_each_query_is_a_page_of_its_own(client, benchmark):
    up, down = client.get("/benchmarks/b/?sort=score"), client.get("/benchmarks/b/?sort=-score")
    assert up.content != down.content


def test_who_is_signed_in_gets_a_page_of_their_own(client, benchmark):
    client.get("/benchmarks/b/")
    client.force_login(User.objects.create_superuser("root"))
    assert '/admin/">Admin' in client.get("/benchmarks/b/").content.decode()
    client.logout()
    assert '/admin/">Admin' not in client.get("/benchmarks/b/").content.decode()


def test_a_page_that_is_known_is_not_sent_again(client, benchmark):
    etag = client.get("/benchmarks/b/").headers["ETag"]
    again = client.get("/benchmarks/b/", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    LanguageModel.objects.update(name="Mark Two")
    assert client.get("/benchmarks/b/", headers={"If-None-Match": etag}).status_code == 200


def test_a_page_goes_out_compressed_to_who_can_read_it(client, benchmark):
    plain = client.get("/benchmarks/b/")
    packed = client.get("/benchmarks/b/", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert {"Accept-Encoding", "Cookie", "HX-Request"} <= set(plain.headers["Vary"].split(", "))


def test_a_missing_page_is_not_kept(client, benchmark):
    assert client.get("/models/later/").status_code == 404
    make_model(slug="later")
    assert client.get("/models/later/").status_code == 200
