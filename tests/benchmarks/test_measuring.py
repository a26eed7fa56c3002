"""What is measured is what happened: queries are counted, both pages are asked, a missed bound is told."""

import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks.new_grade import store_grade
from benchmarks.pages import Figure, Page, Row, weighed
from benchmarks.serving import (
    ASK_QUERIES,
    CONTROL,
    QUERIES,
    Effort,
    Site,
    SiteError,
    Target,
    Timings,
    side_by_side,
)
from evals.models import Benchmark
from evals.queries import score_frame
from tests.factories import make_model, make_run

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bench_site(settings, db):
    """The addresses and the middleware of benchmarks.settings, on the settings of the tests."""
    settings.ROOT_URLCONF = "benchmarks.one_query"
    settings.MIDDLEWARE = ["benchmarks.one_query.TellQueries", *settings.MIDDLEWARE]


def test_the_view_of_one_query_makes_one_query(client, bench_site):
    make_model(slug="model-001", name="Model 001")
    with CaptureQueriesContext(connection) as made:
        answer = client.get(CONTROL)
    assert answer.json() == {"slug": "model-001", "name": "Model 001"}
    assert len(made) == 1


def test_queries_are_told_to_who_asks_for_them_alone(client, bench_site):
    make_run()
    with CaptureQueriesContext(connection) as made:
        told = client.get("/models/", headers={ASK_QUERIES: "1"}).headers[QUERIES]
    assert int(told) == len(made) > 0
    assert QUERIES not in client.get("/models/").headers


@pytest.mark.django_db
@pytest.mark.parametrize(("score", "opposite"), [(1.0, 0.0), (0.5, 0.0), (0.0, 1.0)])
def test_a_new_grade_changes_the_score_of_its_run(score, opposite):
    make_run(score=score)
    store_grade(0)
    assert list(score_frame(Benchmark.objects.get())["score"]) == [opposite]


class Pages(BaseHTTPRequestHandler):
    """Counts what it is asked for; /broken has an error."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # Head and body in one packet: the client would wait 40 ms for the second.
    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = b"page" if "gzip" in self.headers["Accept-Encoding"] else b"a whole page"
        self.send_response(500 if self.path == "/broken" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header(QUERIES, "7")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests print nothing."""


@pytest.fixture
def pages() -> Iterator[Site]:
    Pages.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield Site(server.server_port)
        server.shutdown()


@pytest.mark.parametrize("visitors", [1, 3])
def test_two_pages_are_asked_in_turns_and_as_often(pages, visitors):
    with pages.visitors(visitors) as made:
        timings = side_by_side(Target(made, "/a"), Target(made, "/b"), Effort(requests=30, seconds=60))
    assert [len(each.seconds) for each in timings] == [30, 30]
    warm, counted = Pages.asked[: 2 * visitors], Pages.asked[2 * visitors :]
    assert warm == ["/a"] * visitors + ["/b"] * visitors
    block = 5 * visitors
    assert counted == (["/a"] * block + ["/b"] * block) * (30 // block)


def test_asking_ends_after_its_time(pages):
    with pages.visitors(1) as made:
        effort = Effort(requests=1_000_000, seconds=0.1)
        first, second = side_by_side(Target(made, "/a"), Target(made, "/b"), effort)
    assert len(first.seconds) == len(second.seconds) < 1_000_000


def test_a_page_with_an_error_is_never_timed(pages):
    with pages.visitors(1) as made, pytest.raises(SiteError, match="/broken answered 500"):
        side_by_side(Target(made, "/a"), Target(made, "/broken"), Effort())


def test_a_page_is_weighed_compressed_and_plain(pages):
    with pages.visitors(1) as (visitor,):
        weight = weighed(visitor, "/a")
    assert (weight.queries, weight.compressed, weight.uncompressed) == (7, 4, 12)


def milliseconds(*values: float) -> Timings:
    return Timings([value / 1000 for value in values])


@pytest.mark.parametrize(
    ("timings", "holds"),
    [
        (milliseconds(*[3.0] * 20), True),
        (milliseconds(*[3.1] * 20), False),
        (milliseconds(*[2.0] * 18, 9.0, 9.0), False),  # the median alone would hold
    ],
)
def test_a_bound_holds_for_the_median_and_for_the_slowest_twentieth(timings, holds):
    row = Row(Page("board", "/", most_times=1.5), 1, timings, control=milliseconds(*[2.0] * 20))
    assert row.holds is holds


def test_a_figure_at_its_bound_holds_and_above_it_not():
    assert Figure("matrix", 100.0, "ms", 100.0).holds
    assert not Figure("matrix", 100.1, "ms", 100.0).holds


def printed(*command: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=PROJECT,
        env={**os.environ, **environment, "DATABASE_URL": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_too_few_turns_are_refused_with_a_sentence(tmp_path):
    refused = printed("benchmarks.seed_scale", "--turns", "5", "--data", str(tmp_path))
    assert refused.returncode == 2
    assert "--turns 5: 17700 runs need at least 10 each" in refused.stderr


def test_options_go_to_the_measurement_that_is_named():
    assert "usage: python -m benchmarks.pages [-h] [--data" in printed("benchmarks", "pages", "--help").stdout


def test_an_unknown_measurement_is_refused_with_a_sentence():
    refused = printed("benchmarks", "disks")
    assert refused.returncode == 2
    assert "invalid choice: 'disks' (choose from 'runs', 'pages', 'trajectories')" in refused.stderr
