"""docs/api.md tells the truth: its commands work, its table holds every address and every filter."""

import re
from pathlib import Path

import pytest

from evals.models import Run
from leaderboard.api import views
from leaderboard.api.filters import RunFilters
from leaderboard.api.pagination import CursorPages, NumberedPages, TurnPages
from leaderboard.api.trajectories import OUTPUT_CHARACTERS, TEXT_CHARACTERS
from tests.factories import make_benchmark, make_evaluation, make_model, make_run, make_task

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
SERVER = "http://127.0.0.1:8000"


@pytest.fixture
def samples(db):
    """What the demo has, in small."""
    benchmark = make_benchmark(slug="samples")
    tasks = [make_task(benchmark) for _ in range(2)]
    for slug, score in (("detective", 1), ("loudest", 0)):
        evaluation = make_evaluation(benchmark=benchmark, language_model=make_model(slug=slug))
        for task in tasks:
            make_run(evaluation, task, score)


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def test_every_address_of_a_command_answers(client, samples):
    commands = "".join(blocks("sh")).splitlines()
    told = [
        (found, "-F " in line) for line in commands for found in re.findall(rf'{SERVER}([^\s"\']*)', line)
    ]
    assert len(told) >= 7
    for address, sends in told:
        # What is sent is for staff alone.
        status = client.post(address).status_code if sends else client.get(address).status_code
        assert status == (401 if sends else 200), address


@pytest.mark.django_db(transaction=True)
def test_the_python_works_as_it_stands(live_server, samples):
    names = {}
    for block in blocks("python"):
        exec(block.replace(SERVER, live_server.url), names)
    assert list(names["board"]["model"]) == ["detective", "loudest"]
    assert list(names["scores"].loc[:, "detective"]) == [1.0, 1.0]
    assert sorted(names["runs"]["id"]) == sorted(run["id"] for run in names["pages"])
    assert len(names["pages"]) == Run.objects.count()


VIEWS = [views.Benchmarks, views.Tasks, views.Models, views.Evaluations, views.Runs]


@pytest.mark.parametrize("view", VIEWS)
def test_every_filter_is_in_the_table(view):
    line = next(
        line for line in TEXT.splitlines() if line.startswith(f"| `/api/v1/{view.__name__.lower()}/`")
    )
    for name in view.filterset_class.base_filters:
        assert f"`{name}`" in line.rsplit("|", 2)[1]
    assert view is not views.Runs or len(RunFilters.base_filters) == 11


def test_sizes_are_the_ones_told():
    told = f"{NumberedPages.page_size}, at most {NumberedPages.max_page_size}"
    runs = f"{CursorPages.page_size} for runs (at most {CursorPages.max_page_size})"
    turns = f"{TurnPages.page_size} for turns (at most {TurnPages.max_page_size})"
    for sentence in (
        told,
        runs,
        turns,
        f"{TEXT_CHARACTERS:,} characters",
        f"{OUTPUT_CHARACTERS:,} characters",
    ):
        assert sentence in " ".join(TEXT.split())
