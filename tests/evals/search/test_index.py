"""The index holds what is stored, follows every change, and both databases find the same."""

import pytest
from django.core.management import call_command
from django.db import connection

from evals.models import Run, ToolCall, Turn
from evals.search.language import parse_search
from evals.search.places import Place, places_in, runs_with
from tests.factories import make_run, make_turn

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    run = make_run(submission=b'{"contributing_factors": [{"name": "otel-demo/ConfigMap/flagd-config"}]}')
    said = {"message": "I look at the policies.", "reasoning": "First the alerts."}
    command = "grep -c NetworkPolicy k8s_objects_raw.tsv"
    make_turn(run, 1, command=command, output="connection refused by cart-0\n", **said)
    make_turn(
        run, 2, command="ls -la", output="refused\nthe connection\n", message="Naïve, 日本 and ünïcode."
    )
    return run


def found(text):
    (clause,) = parse_search(text).clauses
    return runs_with(clause).ids


@pytest.mark.parametrize(
    "text",
    [
        "networkpolicy", "command:NetworkPolicy", "k8s_objects_raw.tsv", '"grep c networkpolicy"',
        "output:refused", "objects",
        '"connection refused"', "connection refused", "refus*", "cart-0", "answer:flagd-config",
        "flagd", "message:policies", "reasoning:alerts", "Naïve", "日本", "ünïcode", '"otel demo configmap"',
        "la ls", "cart-0 networkpolicy",
    ],
)  # fmt: skip
def test_what_stands_in_a_run_finds_it(run, text):
    assert found(text) == {run.pk}


@pytest.mark.parametrize(
    "text",
    [
        "absent", "output:networkpolicy", "command:refused", '"refused connection"', "answer:networkpolicy",
        "policies alerts absent", "network", "objec", "message:alerts", "naive", "ls refused networkpolicy",
    ],
)  # fmt: skip
def test_what_does_not_stand_there_does_not(run, text):
    assert found(text) == set()


def test_words_together_stand_in_one_place(run):
    assert found("ls connection") == {run.pk}
    assert found("ls policies") == set()


def test_a_place_is_told_with_its_turn_and_call(run):
    (clause,) = parse_search("refused").clauses
    assert places_in([run.pk], clause, 5) == [Place(run.pk, 1, 1), Place(run.pk, 2, 1)]
    assert places_in([run.pk], clause, 1) == [Place(run.pk, 1, 1)]
    assert places_in([run.pk], parse_search("message:policies").clauses[0], 5) == [Place(run.pk, 1, 0)]
    assert places_in([run.pk], parse_search("answer:flagd").clauses[0], 5) == [Place(run.pk, 0, 0)]
    assert places_in([run.pk + 1], clause, 5) == []


def test_an_output_that_comes_late_is_found_when_it_has_come(run):
    turn = make_turn(run, 3)
    ToolCall.objects.filter(turn=turn).delete()
    call = ToolCall.objects.create(
        turn=turn, number=1, call_id="c", tool="run_shell", arguments='{"cmd": "zzcmd"}'
    )
    assert found("zzcmd") == set()
    ToolCall.objects.filter(pk=call.pk).update(command="zzcmd", output="zzout")
    assert found("zzcmd") == found("zzout") == {run.pk}


CHANGES = {
    "a command changes": lambda: ToolCall.objects.filter(turn__number=1).update(command="cat other"),
    "an output goes": lambda: ToolCall.objects.filter(turn__number=1).update(output=None),
    "a call goes": lambda: ToolCall.objects.filter(turn__number=1).delete(),
    "a turn goes": lambda: Turn.objects.filter(number=1).delete(),
    "a turn goes by itself": lambda: Turn.objects.get(number=1).delete(),
    "the run goes": lambda: Run.objects.all().delete(),
    "a message changes": lambda: Turn.objects.filter(number=1).update(message="nothing"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_index_follows_every_change(run, change):
    before = {word: found(word) for word in WORDS}
    change()
    assert before != {word: found(word) for word in WORDS}
    assert_as_made_anew()


def test_an_answer_that_changes_is_found_as_it_is(run):
    Run.objects.update(submission=b"\xff\xfe not text, wordy")
    assert (found("answer:flagd"), found("answer:wordy")) == (set(), {run.pk})
    Run.objects.update(submission=None)
    assert found("answer:wordy") == set()


WORDS = [
    "networkpolicy",
    "refused",
    "policies",
    "alerts",
    "flagd",
    "ls",
    "cat",
    "nothing",
    "other",
    "connection",
]


def assert_as_made_anew():
    """An index kept in step finds the same as one that is filled from what is stored."""
    kept = {word: found(word) for word in WORDS}
    call_command("reindex_search", verbosity=0)
    assert kept == {word: found(word) for word in WORDS}


def test_a_run_that_is_deleted_leaves_no_trace_in_the_index(run):
    Run.objects.all().delete()
    with connection.cursor() as cursor:
        for word in WORDS:
            assert found(word) == set()
        cursor.execute("SELECT count(*) FROM evals_turn")
        assert cursor.fetchone() == (0,)


def test_long_texts_are_indexed_as_far_as_is_said(run):
    ToolCall.objects.filter(turn__number=2).update(output="early " + "filler " * 20_000 + " late")
    assert (found("early"), found("late")) == ({run.pk}, set())


@pytest.mark.parametrize(
    "text", ["a' OR 1=1", 'x") OR (y', "{command}:x", "a AND NOT b", "NEAR(a b)", "a\\'b", "a:*b&|!"]
)
def test_no_text_is_a_language_of_the_database(run, text):
    for clause in parse_search(text).clauses:
        assert runs_with(clause).ids == set()
