"""A board narrowed, sorted and exported by its address: all that is asked for is done or said."""

import csv
import io
from datetime import UTC, date, datetime
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from hypothesis import given, settings, strategies as st

from evals.models import Evaluation, Grade, LanguageModel, Run, Split
from leaderboard.boards import board_of
from leaderboard.choices import read_choice
from leaderboard.rows import Row, ranked
from tests.factories import make_benchmark, make_evaluation, make_model, make_run, make_task


def row(name, *scores, **model):
    made = LanguageModel(slug=name.lower(), name=name, **model)
    return Row(model=made, mean=sum(scores) / len(scores), task_means=dict(enumerate(scores)))


ROWS = ranked(
    [
        row("Open-A", 0.9, 0.9, 0.9, creator="Acme", open_weights=True),
        row("Open-B", 0.5, 0.4, 0.5, creator="Acme", open_weights=True),
        row("Closed-C", 0.4, 0.2, 0.3, creator="Umbrella", open_weights=False),
        row("Rules", 0.1, 0.1, 0.1, litellm_model="baseline/rules"),
    ]
)


def board(query):
    return board_of(ROWS, read_choice(QueryDict(query)))


def names(query):
    return [row.model.name for row in board(query).rows]


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("", ["Open-A", "Open-B", "Closed-C", "Rules"]),
        ("weights=yes", ["Open-A", "Open-B"]),
        ("weights=yes&weights=no", ["Open-A", "Open-B", "Closed-C"]),
        ("creator=Acme&weights=no", []),
        ("kind=baseline", ["Rules"]),
        ("q=open", ["Open-A", "Open-B"]),
        ("q=umbrella", ["Closed-C"]),
        ("models=rules,open-a", ["Open-A", "Rules"]),
        ("models=rules&models=open-a&q=a", ["Open-A"]),
        ("sort=model", ["Closed-C", "Open-A", "Open-B", "Rules"]),
        ("sort=-score&weights=yes", ["Open-A", "Open-B"]),
        ("sort=score", ["Rules", "Closed-C", "Open-B", "Open-A"]),
    ],
)
def test_the_address_says_which_rows_in_which_order(query, left):
    assert names(query) == left


def test_a_row_keeps_its_rank_among_all():
    assert [str(row.rank) for row in board("weights=no").rows] == [
        str(row.rank) for row in ROWS if row.model.name == "Closed-C"
    ]


def test_the_counts_of_a_facet_are_what_a_click_would_leave():
    for query in ("", "weights=yes", "creator=Acme", "q=open&kind=model"):
        for facet in board(query).facets:
            for option in facet.options:
                alone = QueryDict(query, mutable=True)
                alone.setlist(facet.key, [option.value])
                assert len(names(alone.urlencode())) == option.count, (query, facet.key, option.value)


def test_a_facet_that_all_rows_share_is_not_offered():
    assert "reasoning" not in [facet.key for facet in board("").facets]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("sort=x", "There is no column “x” to sort by"),
        ("sort=outcomes", "There is no column “outcomes” to sort by"),
        ("columns=score,beauty", "There is no column “beauty”"),
        ("as_of=yesterday", "“yesterday” is no day: write it like 2026-05-27."),
        ("models=nobody", "No model “nobody” on this board."),
        ("weights=maybe", "No model here has weights “maybe”."),
        ("models=" + ",".join(map(str, range(10_000))), "At most 200 models can be chosen"),
    ],
)
def test_what_can_not_be_read_is_said(query, sentence):
    assert any(problem.startswith(sentence) for problem in board(query).problems)


KEYS = [
    "sort",
    "q",
    "models",
    "columns",
    "as_of",
    "results",
    "weights",
    "creator",
    "kind",
    "page",
    "format",
    "price",
]


@pytest.mark.django_db
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_no_query_breaks_the_board(client, encoding):
    address = make_run().task.benchmark.get_absolute_url()

    @settings(deadline=None, max_examples=60)
    @given(st.dictionaries(st.sampled_from(KEYS), st.text(max_size=30), max_size=4))
    def asked(query):
        text = urlencode(query, encoding=encoding, errors="replace")
        assert client.get(f"{address}?{text}").status_code in (200, 400)

    asked()


@pytest.fixture
def benchmark(db):
    benchmark = make_benchmark(slug="b")
    tasks = [make_task(benchmark) for _ in range(3)]
    for name, score in (("=Sum", 1), ("Other", 0)):
        evaluation = make_evaluation(
            benchmark=benchmark, language_model=make_model(name=name, slug=name[-3:])
        )
        for task in tasks:
            make_run(evaluation, task, score)
    return benchmark


def test_csv_and_json_carry_exactly_what_is_shown(client, benchmark):
    query = "?sort=model&q=oth&columns=cost,turns"
    records = client.get(f"/benchmarks/b/{query}&format=json").json()
    assert [(r["model"], r["score"], r["cost_per_task_usd"]) for r in records] == [("Other", 0.0, 0.5)]
    assert "seconds_per_task" not in records[0]
    lines = list(
        csv.DictReader(io.StringIO(client.get(f"/benchmarks/b/{query}&format=csv").content.decode()))
    )
    assert {key: value or None for key, value in lines[0].items()} == {
        key: None if value is None else str(value) for key, value in records[0].items()
    }


def test_a_name_that_a_spreadsheet_would_compute_is_quoted(client, benchmark):
    text = client.get("/benchmarks/b/?format=csv").content.decode()
    assert "'=Sum" in text
    assert ",=Sum" not in text


def test_an_unknown_format_is_refused_with_the_known_ones(client, benchmark):
    response = client.get("/benchmarks/b/?format=xlsx")
    assert (response.status_code, response.content) == (
        400, "There is no format “xlsx”: it can be csv or json.\n".encode(),
    )  # fmt: skip


def test_counts_of_runs_are_not_exported_where_they_would_tell_what_is_held_out(client, benchmark):
    assert client.get("/benchmarks/b/?format=json").json()[0]["scored"] == 3
    make_task(benchmark, split=Split.HELD_OUT)
    assert "scored" not in client.get("/benchmarks/b/?format=json").json()[0]


def test_the_board_of_an_earlier_day_knows_nothing_of_later_runs(client, benchmark):
    early, late = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    Evaluation.objects.update(created_at=early, started_at=early)
    Run.objects.update(ended_at=early)
    Run.objects.filter(pk=Run.objects.filter(evaluation__language_model__name="Other").first().pk).update(
        ended_at=late
    )
    Grade.objects.filter(run__ended_at=late).update(score=1, outcome="exact")

    def mean(as_of):
        records = client.get(f"/benchmarks/b/?format=json&as_of={as_of}").json()
        return {record["model"]: record["score"] for record in records}

    assert mean("2026-04-30") == {}
    assert mean("2026-05-01") == {"=Sum": 1.0, "Other": 0.0}
    assert mean("2026-06-01") == {"=Sum": 1.0, "Other": pytest.approx(1 / 3)}


def test_forms_keep_what_else_was_chosen(client, benchmark):
    html = client.get("/benchmarks/b/?weights=unknown&sort=-score&q=o").content.decode()
    assert html.count('<input type="hidden" name="weights" value="unknown">') == 2
    assert 'value="o"' in html


def test_a_query_full_of_markup_stays_text(client, benchmark):
    html = client.get("/benchmarks/b/?" + urlencode({"q": '"><script>x', "sort": "<b>"})).content.decode()
    assert "<script>x" not in html
    assert "<b>”" not in html


def test_a_day_is_read_as_such():
    assert read_choice(QueryDict("as_of=2026-05-27")).as_of == date(2026, 5, 27)
