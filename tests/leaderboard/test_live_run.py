"""The page of a run that is being played: what came is added, what is there stays, and the end is the end."""

import pytest
from django.utils import timezone

from evals.models import Run, RunState, ToolCall
from tests.factories import make_grade, make_run, make_turn

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    """A running run of two turns, the second with its command in hand."""
    run = make_run(score=None, error="", state=RunState.RUNNING, claimed_by="w", heartbeat=timezone.now())
    make_turn(run, 1)
    make_turn(run, 2)
    ToolCall.objects.filter(turn__number=2).update(output=None, exit_code=None)
    return run


def live(client, run, **query):
    response = client.get(f"/runs/{run.pk}/live/", query, headers={"HX-Request": "true"})
    assert response.status_code == 200
    return response.content.decode()


def test_the_page_asks_for_what_comes_after_its_last_turn(client, run):
    html = client.get(run.get_absolute_url()).content.decode()
    assert f'hx-get="/runs/{run.pk}/live/?first=1&last=2" hx-trigger="load delay:2s"' in html
    assert "still running" in html


def test_new_turns_are_added_and_the_one_in_hand_is_exchanged(client, run):
    ToolCall.objects.filter(turn__number=2).update(output="done", exit_code=0)
    make_turn(run, 3)
    html = live(client, run, first=1, last=2)
    assert '<li id="turn-2" class="turn k-tool" hx-swap-oob="true">' in html
    assert '<ol hx-swap-oob="beforeend:#turn-list"><li id="turn-3" class="turn k-tool">' in html
    assert 'id="turn-1"' not in html
    assert f'hx-get="/runs/{run.pk}/live/?first=1&last=3&quiet=0" hx-trigger="load delay:2s"' in html


def test_the_longer_nothing_comes_the_later_it_asks_again(client, run):
    pauses = [
        live(client, run, last=2, quiet=quiet).partition("delay:")[2].partition("s")[0] for quiet in range(7)
    ]
    assert pauses == ["3", "5", "8", "13", "20", "20", "20"]


def test_a_page_that_fell_behind_catches_up_a_window_at_a_time(client, run):
    for number in range(3, 50):
        make_turn(run, number)
    html = live(client, run, first=1, last=2)
    assert 'id="turn-22"' in html
    assert 'id="turn-23"' not in html
    assert "last=22&quiet=0" in html


def test_a_run_that_ended_is_asked_for_no_more_and_shows_its_verdict(client, run):
    Run.objects.update(state=RunState.ENDED, stop_reason="submitted", ended_at=timezone.now(), claimed_by="")
    make_grade(run, 1.0)
    html = live(client, run, first=1, last=2)
    assert "hx-trigger" not in html
    assert "The run has come to its end." in html
    assert "Exact: it found the root cause and blamed nothing else." in html


def test_a_window_that_is_not_the_last_is_left_alone(client, run):
    for number in range(3, 30):
        make_turn(run, number)
    assert "/live/" not in client.get(run.get_absolute_url()).content.decode()
    assert "/live/" in client.get(f"{run.get_absolute_url()}?turn=21").content.decode()


def test_a_queued_run_waits_and_its_first_turn_takes_the_place_of_that(client, run):
    run.turns.all().delete()
    Run.objects.update(state=RunState.QUEUED, claimed_by="")
    html = client.get(run.get_absolute_url()).content.decode()
    assert "The run waits for a worker." in html
    make_turn(run, 1)
    assert '<div id="no-turns" hx-swap-oob="delete"></div>' in live(client, run, last=0)


@pytest.mark.parametrize("query", ["?last=x", "?last=-1", "?last=99999999999", "?quiet=99", "?first=%00"])
def test_numbers_that_make_no_sense_are_taken_as_none(client, run, query):
    assert client.get(f"/runs/{run.pk}/live/{query}").status_code == 200
