"""Models side by side: what is claimed, what it is made of, and what a bad address is told."""

import re

import pytest

from evals.models import RunState, Split
from evals.statistics import Interval
from leaderboard.comparisons import bounds, points, signed
from leaderboard.units import UNKNOWN
from tests.factories import make_benchmark, make_evaluation, make_model, make_run, make_task

pytestmark = pytest.mark.django_db

SECRET = "sesame-4711"


def make_contender(benchmark, slug, scores, **run):
    """A model whose runs score so much: a list a task, one score a repeat."""
    model = make_model(slug=slug, name=slug.title())
    evaluation = make_evaluation(benchmark=benchmark, language_model=model)
    for task, repeats in zip(benchmark.tasks.order_by("pk"), scores, strict=False):
        for score in repeats:
            make_run(evaluation, task, score, **run)
    return evaluation


@pytest.fixture
def benchmark():
    benchmark = make_benchmark(slug="b", name="Board")
    for number in range(1, 5):
        make_task(benchmark, slug=f"task-{number}")
    return benchmark


def page(client, *models, **query):
    response = client.get("/compare/", {"benchmark": "b", "models": ",".join(models), **query})
    assert response.status_code == 200
    return response.content.decode()


def heading(html):
    return re.search(r"<h1>(.*?)</h1>", html)[1].replace("&#x27;", "'")


def problem(html):
    return re.search(r'<p class="notice bad" role="alert">(.*?)</p>', html)[1]


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_a_difference_beyond_chance_is_said_with_its_interval(client, benchmark):
    make_contender(benchmark, "ahead", [[1], [1], [1], [1]])
    make_contender(benchmark, "behind", [[0.5], [0.5], [0.5], [0.5]])
    assert heading(page(client, "behind", "ahead")) == (
        "Ahead scores 50 points more than Behind (95 % interval 50 to 50): more than chance explains."
    )


def test_a_tie_is_said_with_the_tasks_behind_it(client, benchmark):
    make_contender(benchmark, "one", [[1], [0], [1], [1]])
    make_contender(benchmark, "two", [[0], [1], [1], [0]])
    html = page(client, "one", "two")
    # Of the 256 ways to draw four of +1, -1, 0, +1 the lowest and highest 2.5 % are a mean of -0.5 and 1.
    assert heading(html) == (
        "One and Two can't be told apart on 4 tasks: 25 points between them (95 % interval \u221250 to 100)."
    )
    assert ">tied</td>" in html


def test_of_more_than_two_the_leader_is_set_against_each(client, benchmark):
    make_contender(benchmark, "first", [[1], [1], [1], [1]])
    make_contender(benchmark, "close", [[1], [1], [1], [0.5]])
    make_contender(benchmark, "far", [[0], [0], [0], [0]])
    assert heading(page(client, "far", "close", "first")) == (
        "First leads with 100\xa0%: ahead of Far by more than chance explains; tied with Close."
    )


def test_a_leader_that_is_not_complete_may_be_behind_on_the_tasks_that_both_have(client, benchmark):
    make_contender(benchmark, "begun", [[0.5], [0.5]])
    make_contender(benchmark, "whole", [[0.75], [0.75], [0], [0]])
    make_contender(benchmark, "far", [[0], [0], [0], [0]])
    assert heading(page(client, "begun", "whole", "far")) == (
        "Begun leads with 50\xa0%: ahead of Far by more than chance explains; "
        "behind Whole on the tasks that both have."
    )


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.12, "+12"), (-0.06, "\u22126"), (0, "0"), (0.003, "+0.3"), (-0.0004, "\u22120.04"), (0.005, "+0.5")],
)
def test_a_bound_that_is_not_zero_does_not_read_as_zero(share, text):
    assert signed(share) == text


def test_points_and_bounds_are_said_as_people_do():
    assert [points(share) for share in (0, 0.004, 0.01, 0.126)] == [
        "0 points", "less than 1 point", "1 point", "13 points",
    ]  # fmt: skip
    assert bounds(Interval(-0.062, 0.118)) == "\u22126 to 12"


def test_one_common_task_tells_nothing_about_chance(client, benchmark):
    make_contender(benchmark, "one", [[1]])
    make_contender(benchmark, "two", [[0]])
    assert heading(page(client, "one", "two")) == (
        "One scores 100 points more than Two: too few common tasks to tell chance."
    )


def test_models_without_a_common_task_are_not_compared(client, benchmark):
    make_contender(benchmark, "one", [[1]])
    make_contender(benchmark, "two", [[], [0]])
    assert heading(page(client, "one", "two")) == "One and Two have no task in common yet."


def test_a_model_without_a_score_is_named_and_not_counted_as_zero(client, benchmark):
    make_contender(benchmark, "one", [[1], [1]])
    make_contender(benchmark, "two", [[1], [1]])
    make_contender(benchmark, "mute", [[None], [None]])
    html = page(client, "one", "two", "mute")
    assert heading(html).endswith("Mute has no score yet.")
    assert heading(page(client, "one", "mute")) == "Only One has a score yet."
    assert html.count('class="on-scale"') == 2  # the header and the one pair


def test_a_task_is_solved_when_half_of_its_scored_runs_are_exact(client, benchmark):
    make_contender(benchmark, "one", [[1, 0], [1, 0, 0], [1, None, None], [0.5, 0.5]], cost_usd=0.5)
    make_contender(benchmark, "two", [[0], [0], [0], [0]], cost_usd=None)
    html = page(client, "one", "two")
    assert "2 of 4" in html
    # Ten runs of 0.50, errored ones too, for two solved tasks; an unknown cost stays unknown.
    assert "$2.50" in html
    assert re.findall(r'class="n">([^<]+)</td>\s*<td class="n">\d of 4', html) == ["$2.50", UNKNOWN]


def test_what_one_alone_solved_is_listed_under_its_name(client, benchmark):
    make_contender(benchmark, "one", [[1], [1], [0], [0]])
    make_contender(benchmark, "two", [[1], [0], [1], [0]])
    html = page(client, "one", "two")
    alone = {
        name: re.findall(r">(task-\d)</a>", items)
        for name, items in re.findall(r"<dt>(\w+).*?</dt>\s*<dd>(.*?)</dd>", html, re.DOTALL)
    }
    assert alone["One"] == ["task-2"]
    assert alone["Two"] == ["task-3"]


def test_tasks_are_ordered_by_disagreement_and_those_alike_stand_apart(client, benchmark):
    make_contender(benchmark, "one", [[1], [0.5], [0], [1]])
    make_contender(benchmark, "two", [[1], [0.75], [1], [1]])
    parted, alike = page(client, "one", "two").split("Task by task")[1].split("<details>")
    assert re.findall(r">(task-\d)</a>", parted) == ["task-3", "task-2"]
    assert re.findall(r">(task-\d)</a>", alike) == ["task-1", "task-4"]


def test_a_cell_leads_to_its_only_run_or_to_the_task_of_several(client, benchmark):
    once = make_contender(benchmark, "once", [[1]])
    make_contender(benchmark, "often", [[0, 1, None]])
    cells = re.findall(
        r'<td class="(s\d)"><a href="([^"]+)" title="([^"]+)">([^<]+)<', page(client, "once", "often")
    )
    assert set(cells) == {
        ("s5", once.runs.get().get_absolute_url(), "Once, task-1: 1", "1"),
        ("s3", "/tasks/b/task-1/", "Often, task-1: 0, 1, errored", ".50"),
    }


def test_without_models_the_page_offers_those_of_the_benchmark(client, benchmark):
    make_contender(benchmark, "one", [[1], [0]])
    html = page(client)
    assert '<input type="checkbox" id="model-' in html
    assert 'name="models" value="one"' in html
    assert "50\xa0%" in html
    assert "notice bad" not in html


BAD_ADDRESSES = {
    "models=one": "One model is chosen: choose at least one more to compare it with.",
    "models=one,one,one": "One model is chosen: choose at least one more to compare it with.",
    "models=one,nobody": "No model is called “nobody”.",
    "models=one,%00,%FF": "No model is called “\0” or “\N{REPLACEMENT CHARACTER}”.",
    "models=one,<b>": "No model is called “&lt;b&gt;”.",
    "models=one," + "x" * 500: f"No model is called “{'x' * 40}…”.",
    "models=one,idle": "Idle is not evaluated on Board.",
    "models=" + ",".join("abcdefg"): "At most 6 models can be compared, and 7 are chosen: leave some out.",
    "models=" + ",".join(map(str, range(10_000))): (
        "At most 6 models can be compared, and 10,000 are chosen: leave some out."
    ),
}


@pytest.mark.parametrize("query", BAD_ADDRESSES, ids=lambda query: query[:24])
def test_a_bad_address_gets_a_sentence_and_a_form_to_go_on_with(client, benchmark, query):
    make_contender(benchmark, "one", [[1]])
    make_model(slug="idle", name="Idle")
    response = client.get(f"/compare/?benchmark=b&{query}")
    html = response.content.decode()
    assert (response.status_code, problem(html)) == (200, BAD_ADDRESSES[query])
    assert 'name="models" value="one"' in html


@pytest.mark.parametrize("slug", ["nothing", "%00", "%FF", "<b>"])
def test_an_unknown_benchmark_is_not_found(client, benchmark, slug):
    assert client.get(f"/compare/?benchmark={slug}").status_code == 404


def test_an_empty_site_and_a_benchmark_without_models_say_the_command_that_fills_them(client):
    assert "manage.py make_incidents" in client.get("/compare/").content.decode()
    make_benchmark(slug="b")
    assert "manage.py evaluate --model detective --benchmark b" in page(client)
    assert problem(page(client, "x", "y")).startswith("No model is called")


def test_models_may_be_repeated_and_listed_alike(client, benchmark):
    make_contender(benchmark, "one", [[1], [1]])
    make_contender(benchmark, "two", [[0], [0]])
    for query in (
        "models=one,two",
        "models=one&models=two",
        "models=one,two,one&models=two",
        "models=,one,,%20two,",
    ):
        html = client.get(f"/compare/?benchmark=b&{query}").content.decode()
        assert heading(html).startswith("One scores 100 points more than Two"), query
        assert html.count("<dt>") == 2, query


def test_without_a_benchmark_the_one_that_knows_the_models_is_taken(client, benchmark):
    make_contender(benchmark, "elsewhere", [[1]])
    other = make_benchmark(slug="z", name="Zoo")
    make_task(other)
    for slug in ("one", "two"):
        make_contender(other, slug, [[1]])
    assert "<title>One / Two on Zoo</title>" in client.get("/compare/?models=one,two").content.decode()


def test_a_third_model_can_be_added_and_taken_away_without_a_script(client, benchmark):
    for slug in ("one", "two", "three"):
        make_contender(benchmark, slug, [[1], [0]])
    assert '<option value="three">' in page(client, "one", "two")
    html = page(client, "one", "two", "three")
    assert 'href="?models=one,two&amp;benchmark=b" title="Compare without Three"' in html


@pytest.fixture
def half_secret(benchmark):
    for number in range(3):
        make_task(benchmark, slug=f"{SECRET}-{number}", fault_category=SECRET, split=Split.HELD_OUT)
    make_contender(benchmark, "one", [[1], [0], [1], [0], [1], [1], [0]], cost_usd=0.5)
    make_contender(benchmark, "two", [[0], [1], [0], [0], [1], [1], [1]], cost_usd=0.5)
    return benchmark


def test_held_out_tasks_count_in_differences_and_nowhere_tell_their_number(
    client, visitor_client, half_secret
):
    for reader in (client, visitor_client):
        html = page(reader, "one", "two")
        assert SECRET not in html
        assert "57\xa0%" in html  # 4 of all 7
        assert heading(html).startswith("One and Two can't be told apart: 0 points between them")
        # Two of the four public tasks solved for four runs of 0.50; of all: four for seven runs.
        assert "2 of 4" in html
        assert "$1.00" in html
        assert "$0.88" not in html
        assert not re.search(r"\b(7|3) (tasks|runs|held)|of 7\b", text_of(html))
        for run in half_secret.evaluations.first().runs.filter(task__split=Split.HELD_OUT):
            assert run.get_absolute_url() not in html


def test_staff_see_all_tasks_and_their_number(staff_client, half_secret):
    html = page(staff_client, "one", "two")
    assert f"{SECRET}-0" in html
    assert "on 7 tasks" in html
    assert "4 of 7" in html
    assert "$0.88" in html


def test_runs_under_way_are_no_score(client, benchmark):
    evaluation = make_contender(benchmark, "one", [[1], [1]])
    make_run(evaluation, benchmark.tasks.get(slug="task-3"), None, state=RunState.QUEUED, error="")
    make_contender(benchmark, "two", [[1], [1]])
    html = page(client, "one", "two")
    assert "67\xa0% of its runs scored" in html
    assert "can't be told apart on 2 tasks" in heading(html)


@pytest.mark.parametrize("size", [2, 6])
def test_a_comparison_takes_the_same_number_of_queries_for_any_number_of_models_and_tasks(
    client, benchmark, size, django_assert_num_queries
):
    for _ in range(size):
        make_task(benchmark)
    slugs = [f"model-{number}" for number in range(100, 100 + size)]
    for slug in slugs:
        make_contender(benchmark, slug, [[1, 0], [0.5], [0], [1], [1]])
    with django_assert_num_queries(7):
        page(client, *slugs)


def test_the_second_visitor_costs_one_query(client, benchmark, django_assert_num_queries):
    make_contender(benchmark, "one", [[1], [1]])
    make_contender(benchmark, "two", [[0], [0]])
    first = page(client, "one", "two")
    with django_assert_num_queries(1):
        assert page(client, "one", "two") == first


def test_the_page_answers_reading_only(client, benchmark):
    assert client.post("/compare/").status_code == 405
