"""What a first visit to the board loads, all of it, stays light."""

import gzip
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from tests.factories import make_benchmark, make_evaluation, make_model, make_run, make_task

pytestmark = pytest.mark.django_db
MOST_BYTES = 700_000


@pytest.fixture
def board():
    """Fifty models at four tasks."""
    benchmark = make_benchmark()
    tasks = [make_task(benchmark) for _ in range(4)]
    for number in range(50):
        evaluation = make_evaluation(
            benchmark=benchmark, language_model=make_model(creator=f"Creator {number % 9}")
        )
        for place, task in enumerate(tasks):
            make_run(evaluation, task, (number + place) % 3 / 2)
    return benchmark


def test_the_first_load_of_a_board_of_fifty_models_is_below_700_kb(client, board):
    page = client.get(board.get_absolute_url(), headers={"Accept-Encoding": "gzip"})
    assert page.headers["Content-Encoding"] == "gzip"
    html = gzip.decompress(page.content).decode()
    files = re.findall(r'(?:src|href)="/static/([^"]+)"', html)
    assert any("plotly" in name for name in files)
    sizes = {name: len(gzip.compress(Path(finders.find(name)).read_bytes(), 6)) for name in files}
    assert len(page.content) + sum(sizes.values()) <= MOST_BYTES, sizes


def test_a_page_of_fifty_models_is_itself_below_40_kb(client, board):
    page = client.get(board.get_absolute_url(), headers={"Accept-Encoding": "gzip"})
    assert len(page.content) < 40_000
