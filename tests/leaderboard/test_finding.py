"""Finding a text within one run: every place, its excerpt, and nothing that a pattern would make of it."""

import pytest

from evals.models import ToolCall
from leaderboard.finding import MOST_SHOWN, Place, hits_in
from tests.factories import make_run, make_turn

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    run = make_run()
    make_turn(run, 1, command="cat topology.json", output="nothing\n", message="Where is it?")
    make_turn(run, 2, command="grep NetworkPolicy k8s_objects_raw.tsv", output="kind: NetworkPolicy\n")
    make_turn(run, 3, output="", message="A networkpolicy blocks it.", reasoning="100 % the NetworkPolicy")
    return run


def places(run, text):
    return [hit.place for hit in hits_in(run, text).shown]


def test_a_text_is_found_wherever_it_stands_without_regard_to_case(run):
    hits = hits_in(run, " networkPOLICY ")
    assert [hit.place for hit in hits.shown] == [
        Place(2, 1, "command"),
        Place(2, 1, "output"),
        Place(3, 0, "message"),
        Place(3, 0, "reasoning"),
    ]
    assert (hits.total, hits.turns) == (4, {2, 3})


def test_an_excerpt_holds_the_text_as_it_stands_there(run):
    hit = hits_in(run, "networkpolicy").shown[0]
    assert (hit.before, hit.match, hit.after) == ("grep ", "NetworkPolicy", " k8s_objects_raw.tsv")


def test_an_excerpt_of_an_output_leaves_the_shell_tools_tags_out(run):
    hit = hits_in(run, "kind:").shown[0]
    assert (hit.before, hit.match, hit.after.strip()) == ("", "kind:", "NetworkPolicy")


@pytest.mark.parametrize("wild", ["%", "_", "net%policy", "NetworkPolic_", ".*", "\\"])
def test_no_character_is_wild(run, wild):
    assert all(
        wild.lower() in (hit.before + hit.match + hit.after).lower() for hit in hits_in(run, wild).shown
    )


def test_arguments_of_a_tool_that_runs_no_command_are_searched(run):
    ToolCall.objects.filter(turn__number=3).update(tool="finish", command="", arguments='{"reason": "done"}')
    assert places(run, '"done"') == [Place(3, 1, "command")]


@pytest.mark.parametrize("nothing", ["", "   ", "\0", "absent"])
def test_nothing_is_found_where_nothing_is(run, nothing):
    assert hits_in(run, nothing).total == 0


def test_other_runs_are_left_alone(run):
    make_turn(make_run(), 1, command="grep NetworkPolicy elsewhere")
    assert len(places(run, "networkpolicy")) == 4


def test_only_the_first_hundred_are_read_and_all_are_counted(run, django_assert_num_queries):
    for number in range(4, 4 + MOST_SHOWN):
        make_turn(run, number, message="networkpolicy", output="networkpolicy")
    with django_assert_num_queries(4):
        hits = hits_in(run, "networkpolicy")
    assert (len(hits.shown), hits.total) == (MOST_SHOWN, 4 + 2 * MOST_SHOWN)
    assert len(hits.turns) == 2 + MOST_SHOWN
