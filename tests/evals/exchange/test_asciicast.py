"""The recording of a run: asciicast version 2, as its specification asks."""

import fcntl
import json
import os
import pty
import subprocess
import termios
import time

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


HARM = [
    "\x1b]0;owned\x07", "\x1b]8;;http://evil.example\x1b\\", "\x1b]52;c;cm0gLXJm\x07", "\x1bP+q544e\x1b\\",
    "\x1b[6n", "\x1b[c", "\x1b[?1049h", "\x1b[>0q", "\x1b[21t", "\x1bc", "\x1b(0", "\x1b#8", "\x0e", "\x07",
    "\x9b6n", "\x9d0;x\x9c", "\x7f", "\u202e", "\x1b", "\x1b[", "\x1b[1",
]  # fmt: skip


@pytest.mark.parametrize("harm", HARM)
def test_an_output_does_nothing_to_a_terminal_but_colours_and_moving_about(harm):
    run = make_run()
    make_turn(run, 1, message="", output=f"a{harm}")
    printed = shown(recording(run)[1]).partition("ls\r\n")[2]
    assert printed in ("a\r\n", "a0;x\r\n", "a6n\r\n")


@pytest.mark.parametrize(
    "kept", ["\x1b[1;31m", "\x1b[38;2;1;2;3m", "\x1b[38:5:1m", "\x1b[K", "\x1b[2A", "\x1b[2J", "\x1b[1;1H"]
)
def test_colours_and_progress_bars_of_an_output_are_played(kept):
    run = make_run()
    make_turn(run, 1, output=f"{kept}a\rb\n")
    assert f"{kept}a\rb\r\n\x1b[0m" in shown(recording(run)[1])


def test_a_command_is_shown_and_not_obeyed():
    run = make_run()
    make_turn(run, 1)
    ToolCall.objects.update(command="printf '\x1b]0;owned\x07\x1b[2J'")
    text = shown(recording(run)[1]).replace("\x1b[2m", "").replace("\x1b[0m", "").replace("\x1b[1;34m", "")
    assert "\x1b" not in text
    assert "printf '\ufffd]0;owned\ufffd\ufffd[2J'" in text


def test_a_long_output_keeps_its_beginning_and_its_end():
    run = make_run()
    make_turn(run, 1, output="<" + "x" * 5_000_000 + ">\n")
    text = shown(recording(run)[1])
    assert len(text) < 11_000
    assert "\r\n<xxx" in text
    assert "[... 4,990,003 characters left out ...]" in text
    assert "xxx>\r\n" in text


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
    with django_assert_max_num_queries(9):  # two for ten turns, and one that finds no more
        recording(run)


@pytest.fixture
def cast_file(tmp_path):
    run = make_run()
    make_turn(
        run, 1, command="cat <<E\nx\nE", output="\x1b[31mred\x1b[0m\nline \u00e9\U0001f600\n", model_s=90.0
    )
    make_turn(run, 2, output="x" * 20_000)
    ToolCall.objects.filter(turn__number=2).update(exit_code=1)
    path = tmp_path / "run.cast"
    path.write_text("".join(cast_lines(run, "a run")), encoding="utf-8")
    return path


def asciinema(*arguments):
    """Return what the command prints; it insists on a terminal to take keys from."""
    controller, terminal = pty.openpty()
    try:
        return subprocess.run(
            ["asciinema", *arguments],
            capture_output=True,
            timeout=60,
            check=True,
            env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(terminal, termios.TIOCSCTTY, 0),
        ).stdout.decode()
    finally:
        os.close(controller)
        os.close(terminal)


@pytest.mark.asciinema
def test_the_real_player_prints_just_what_the_recording_holds(cast_file):
    _, *events = [json.loads(line) for line in cast_file.read_text(encoding="utf-8").splitlines()]
    assert asciinema("cat", str(cast_file)) == shown(events)


@pytest.mark.asciinema
def test_the_real_player_plays_a_recording_to_its_end_and_waits_for_nothing_long(cast_file):
    begun = time.monotonic()
    played = asciinema("play", "-i", "0.001", "-s", "100", str(cast_file))
    assert "\x1b[31mred\x1b[0m\r\n" in played
    assert "[exit code 1]" in played
    assert time.monotonic() - begun < 30  # of the ninety seconds it took
