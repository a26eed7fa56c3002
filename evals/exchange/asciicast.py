"""A run as a terminal recording: asciicast version 2, made from its stored turns.

https://docs.asciinema.org/manual/asciicast/v2/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from evals.exchange.stored_turns import StoredTurn, stored_turns
from evals.models import Run, ToolCall

WIDTH, HEIGHT = 120, 32
IDLE_LIMIT_S = 2.0  # a player waits no longer than this; the times in the recording stay real
TYPING_S = 0.03  # a character
KEYSTROKES = 40  # at most, a command: agents write long ones, and each stroke is a line of the recording
# Of one stream: a terminal shows the end of what comes at once, and a screen of text goes by unread.
OUTPUT_CHARACTERS = 10_000

PROMPT = "\x1b[1;34m$\x1b[0m "
CONTINUED = "\x1b[2m>\x1b[0m "
FAILED = "\x1b[31m[{}]\x1b[0m\r\n"
SPEECH = "\x1b[2m# {}\x1b[0m\r\n"
LEFT_OUT = "\n\x1b[0;2m[... {:,} characters left out ...]\x1b[0m\n"

# A recording is played in people's own terminals. What an output may do there: colours, and moving about.
# Not: titles, links, the clipboard, questions that a terminal answers by typing, other character sets.
ESCAPE = re.compile(
    r"(?P<kept>\x1b\[[0-9;:]*[A-HJKfm])"
    r"|\x1b\[[0-?]*[ -/]*[@-~]?"  # other control sequences
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC, DCS and the like
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x07\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
RESET = "\x1b[0m"

# What an agent's shell tool writes around the raw streams: only the outermost tags can be trusted.
OPENING, CLOSING = "<shell_result>\n", "</stderr>\n</shell_result>"
STDOUT_OPENS, STDERR_OPENS = "\n<stdout>\n", "</stdout>\n<stderr>\n"


@dataclass(frozen=True)
class Streams:
    """What a command printed."""

    stdout: str
    stderr: str


def shell_streams(output: str) -> Streams:
    """Return both streams of a stored tool result; text of another shape is all stdout."""
    text = output.strip()
    if not (text.startswith(OPENING) and text.endswith(CLOSING) and STDOUT_OPENS in text):
        return Streams(output, "")
    streams = text.removesuffix(CLOSING).partition(STDOUT_OPENS)[2]
    # From the right: an agent that prints these tags itself does so on stdout most often.
    stdout, _, stderr = streams.rpartition(STDERR_OPENS)
    return Streams(stdout, stderr)


def cast_lines(run: Run, title: str) -> Iterator[str]:
    """Yield the recording line by line, reading the turns in small batches."""
    header = {
        "version": 2,
        "width": WIDTH,
        "height": HEIGHT,
        "timestamp": int(run.started_at.timestamp()) if run.started_at else 0,
        "idle_time_limit": IDLE_LIMIT_S,
        "title": title,
        "env": {"SHELL": "/bin/bash", "TERM": "xterm-256color"},
    }
    yield json.dumps(header) + "\n"
    clock = 0.0
    for turn in stored_turns(run):
        yield event(clock, "m", f"Turn {turn.row.number}")
        for time_s, text in turn_events(turn, clock):
            clock = time_s
            yield event(time_s, "o", text)


def turn_events(turn: StoredTurn, start_s: float) -> Iterator[tuple[float, str]]:
    """Yield what the terminal shows of a turn, each with its time."""
    clock = start_s + turn.row.model_s
    if said := first_line(turn.row.message):
        yield clock, SPEECH.format(said)
    for call in turn.calls:
        for time_s, text in call_events(call, clock):
            clock = time_s
            yield time_s, text


def call_events(call: ToolCall, start_s: float) -> Iterator[tuple[float, str]]:
    command = call.command or f"{call.tool} {call.arguments}".strip()
    yield start_s, PROMPT
    clock = start_s
    stroke = max(1, -(-len(command) // KEYSTROKES))
    for start in range(0, len(command), stroke):
        clock += TYPING_S
        yield clock, typed(command[start : start + stroke])
    yield clock, "\r\n"
    clock += call.duration_s
    streams = shell_streams(call.output or "")
    for text in (streams.stdout, streams.stderr):
        if text:
            yield clock, terminal_lines(playable(text))
    if ending := ending_of(call):
        yield clock, FAILED.format(ending)


def typed(command: str) -> str:
    """Return a piece of a command as a terminal echoes it: an escape in it is shown, not obeyed."""
    shown = "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in command)
    return shown.replace("\n", f"\r\n{CONTINUED}")


def playable(text: str) -> str:
    """Return an output with its colours and without what a stranger must not do to a terminal.

    A long one keeps its beginning and its end.
    """
    if (more := len(text) - OUTPUT_CHARACTERS) > 0:
        half = OUTPUT_CHARACTERS // 2
        text = f"{text[:half]}{LEFT_OUT.format(more)}{text[-half:]}"
    shown = ESCAPE.sub(lambda found: found["kept"] or "", text)
    # What a colour ran on for ends with its output.
    return f"{shown}{RESET}" if "\x1b" in shown else shown


def ending_of(call: ToolCall) -> str:
    """Return how the command failed, or nothing when it did not."""
    if call.output is None:
        return "not finished"
    if call.timed_out:
        return "timed out"
    return f"exit code {call.exit_code}" if call.exit_code else ""


def first_line(message: str) -> str:
    """Return the first line that says something, cut to the terminal's width and free of escapes."""
    line = next((line.strip() for line in message.splitlines() if line.strip()), "")
    shown = "".join(character for character in line if character.isprintable())
    return shown if len(shown) <= WIDTH - 2 else f"{shown[: WIDTH - 5]}..."


def terminal_lines(text: str) -> str:
    """A terminal goes down at a line feed, and back to the left only at a carriage return."""
    ended = text if text.removesuffix(RESET).endswith("\n") else text + "\n"
    return re.sub(r"\r?\n", "\r\n", ended)


def event(time_s: float, kind: str, text: str) -> str:
    return json.dumps([round(time_s, 3), kind, text]) + "\n"
