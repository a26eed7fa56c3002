"""Over-investigation: who saw the root cause, who named it, how long they went on."""

import pytest

from evals.models import Run
from leaderboard.investigations import investigation_in
from leaderboard.mistakes import newest_grades
from tests.factories import make_evaluation, make_run, make_task

pytestmark = pytest.mark.django_db


def sighting(seen, named):
    return {"ids": ["r"], "root_ids": ["r"], "description": "ConfigMap flagd-config", "seen_turn": seen,
            "seen_call": 1, "named_turn": named}  # fmt: skip


@pytest.fixture
def evaluation():
    evaluation = make_evaluation()
    task = make_task(evaluation.benchmark)
    runs = [
        (1.0, [sighting(2, 3)], 6),
        (0, [sighting(4, None)], 20),
        (0, [sighting(None, None)], 9),
        (0.5, [sighting(1, 2), sighting(5, 7)], 15),
        (0, [], 5),
    ]
    for score, sightings, turns in runs:
        make_run(evaluation, task, score, turns_total=turns).grades.update(sightings=sightings)
    return evaluation


def investigation():
    return investigation_in(newest_grades(Run.objects.all(), "aa-precision"))


def test_shares_are_of_the_runs_of_which_it_is_known(evaluation):
    found = investigation()
    assert (found.runs, found.saw_share, found.named_share) == (4, 0.75, 0.5)


def test_turns_after_count_from_the_last_root_cause_seen(evaluation):
    assert investigation().turns_after == 10  # of 4, 16 and 10
    assert investigation().histogram.finding == (
        "After the root cause was seen, exact runs go on for 4 turns in the median, the others for 13"
    )


def test_who_saw_it_and_never_named_it_is_told(evaluation):
    missed = Run.objects.get(turns_total=20)
    assert investigation().seen_not_named == [missed.pk]


def test_without_sightings_nothing_is_claimed():
    make_run()
    found = investigation()
    assert (found.runs, found.saw_share, found.turns_after, found.histogram) == (0, None, None, None)


def test_the_pages_of_model_and_task_show_it(client, evaluation):
    model = client.get(evaluation.language_model.get_absolute_url()).content.decode()
    task = client.get(Run.objects.first().task.get_absolute_url()).content.decode()
    for html in (model, task):
        assert "Saw every root cause" in html
        assert "exact runs go on for 4 turns in the median" in html


def test_held_out_runs_tell_visitors_nothing(client, evaluation):
    Run.objects.first().task.__class__.objects.update(split="held_out")
    assert (
        "Saw every root cause"
        not in client.get(evaluation.language_model.get_absolute_url()).content.decode()
    )
