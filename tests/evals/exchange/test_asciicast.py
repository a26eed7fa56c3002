"""The recording of a run: asciicast version 2, as its specification asks."""

import json

import pytest

from evals.exchange.asciicast import Streams, cast_lines, shell_streams
from evals.models import ToolCall
from tests.factories import make_run, make_turn

pytestmark = pytest.mark.django_db


def recording(run):
    header, *events = [json.loads(line) for line in cast_lines(run, "a run")]
    return header, events


def shown(events):
    return "".join(text for _, kind, text in events if kind == "o")


def test_the_header_says_version_and_size():
    header, events = recording(make_run())
    assert (header["version"], header["title"], events) == (2, "a run", [])
    assert header["width"] > 0
    assert header["height"] > 0
    assert header["idle_time_limit"] > 0


def test_times_never_go_back_and_hold_the_real_durations():
    run = make_run()
    make_turn(run, 1, model_s=5.0)
    make_turn(run, 2, model_s=7.0)
    ToolCall.objects.update(duration_s=11.0)
    times = [time for time, _, _ in recording(run)[1]]
    assert times == sorted(times)
    assert 5 + 7 + 11 + 11 < times[-1] < 5 + 7 + 11 + 11 + 3  # typing comes on top


def test_every_turn_has_a_marker():
    run = make_run()
    for number in (1, 2, 3):
        make_turn(run, number)
    assert [text for _, kind, text in recording(run)[1] if kind == "m"] == ["Turn 1", "Turn 2", "Turn 3"]


def test_the_command_is_typed_and_its_output_follows_on_a_line_of_its_own():
    run = make_run()
    make_turn(run, 1, command="ls", output="alerts\nmetrics\n", message="")
    assert shown(recording(run)[1]) == "\x1b[1;34m$\x1b[0m ls\r\nalerts\r\nmetrics\r\n"


def test_a_command_of_many_lines_goes_on_behind_a_prompt():
    run = make_run()
    make_turn(run, 1, message="")
    ToolCall.objects.update(command="cat <<E\nx\nE")
    assert "cat <<E\r\n\x1b[2m>\x1b[0m x\r\n" in shown(recording(run)[1])


def test_a_very_long_command_takes_few_events():
    run = make_run()
    make_turn(run, 1, command="x" * 100_000)
    events = recording(run)[1]
    assert len(events) < 60
    assert "x" * 100_000 in shown(events)


def test_escape_sequences_of_an_output_are_kept():
    run = make_run()
    make_turn(run, 1, output="\x1b[31mred\x1b[0m\n")
    assert "\x1b[31mred\x1b[0m\r\n" in shown(recording(run)[1])


def test_escape_sequences_of_a_message_are_not():
    run = make_run()
    make_turn(run, 1, message="\x1b]0;owned\x07hello")
    assert "\x1b]0" not in shown(recording(run)[1])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"exit_code": 2}, "[exit code 2]"),
        ({"exit_code": None, "timed_out": True}, "[timed out]"),
        ({"exit_code": None, "output": None}, "[not finished]"),
    ],
)
def test_a_command_that_failed_says_how(fields, words):
    run = make_run()
    make_turn(run, 1)
    ToolCall.objects.update(**fields)
    assert words in shown(recording(run)[1])


def test_a_command_that_went_well_says_nothing_of_it():
    run = make_run()
    make_turn(run, 1)
    assert "exit code" not in shown(recording(run)[1])


def result(stdout, stderr):
    return (
        f"<shell_result>\n<exit_code>0</exit_code>\n<stdout>\n{stdout}</stdout>\n"
        f"<stderr>\n{stderr}</stderr>\n</shell_result>"
    )


@pytest.mark.parametrize(
    ("stdout", "stderr"),
    [
        ("out\n", "err\n"),
        ("", ""),
        ("</stdout>\n", ""),
        ("<b>&amp;\n", "no such file\n"),
        (result("a\n", "b\n"), ""),
    ],
)
def test_streams_come_back_as_they_went_in(stdout, stderr):
    assert shell_streams(result(stdout, stderr)) == Streams(stdout, stderr)


def test_a_command_that_was_stopped_has_its_streams_too():
    text = result("so far\n", "").replace(
        "<exit_code>0</exit_code>", "<timed_out>stopped after 300 s</timed_out>"
    )
    assert shell_streams(text) == Streams("so far\n", "")


@pytest.mark.parametrize(
    "text", ["", "Handed in.", "<shell_result>\n", "<shell_result>\n</stderr>\n</shell_result>"]
)
def test_text_of_another_shape_is_all_stdout(text):
    assert shell_streams(text) == Streams(text, "")


def test_reading_many_turns_takes_queries_by_the_batch(django_assert_max_num_queries):
    run = make_run()
    for number in range(1, 41):
        make_turn(run, number)
    with django_assert_max_num_queries(4):
        recording(run)
