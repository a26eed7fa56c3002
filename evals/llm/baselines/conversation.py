"""From a conversation to the next move of a baseline.

A policy is a generator: it yields a `Look`, gets back what the shell said, and at last returns the
answer. It is run from its start at every call, fed with what the conversation already holds, so that
a baseline is a pure function of the messages and a run taken up again goes on exactly.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ANSWER_FILE = "agent_output.json"
TURNS_TO_HAND_IN = 3  # writing, handing in, and one to spare
TURNS_LEFT = re.compile(r"\b(\d+) turns? (?:is|are) left\b")


@dataclass(frozen=True)
class Look:
    """A shell command, and what the investigator says as it runs it."""

    command: str
    says: str
    thinks: str = ""


@dataclass(frozen=True)
class Seen:
    """What a command gave back."""

    exit_code: int | None
    stdout: str
    turns_left: int | None = None  # None: no cap is near

    @property
    def hurried(self) -> bool:
        """Whether it is time to hand in what there is."""
        return self.turns_left is not None and self.turns_left <= TURNS_TO_HAND_IN

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The JSON objects among the lines."""
        return [row for line in self.stdout.splitlines() if isinstance(row := json_or_none(line), dict)]


@dataclass(frozen=True)
class Factor:
    """One contributing factor of the answer."""

    name: str  # namespace/Kind/name
    reasoning: str
    evidence: str


@dataclass(frozen=True)
class Answer:
    factors: tuple[Factor, ...]
    says: str

    @property
    def text(self) -> str:
        factors = [
            {"name": factor.name, "reasoning": factor.reasoning, "evidence": factor.evidence}
            for factor in self.factors
        ]
        return json.dumps({"contributing_factors": factors}, indent=2)


@dataclass(frozen=True)
class Move:
    """What the baseline does next: one tool call with some words."""

    tool: str
    arguments: Mapping[str, object]
    says: str
    thinks: str = field(default="")


Policy = Callable[[], Generator[Look, Seen, Answer]]


def next_move(policy: Policy, messages: Sequence[Mapping[str, Any]]) -> Move:
    """Return the move that follows what the conversation holds."""
    seen = results(messages)
    looks = investigation(policy)
    try:
        look = next(looks)
        for result in seen:
            look = looks.send(result)
    except StopIteration:
        return Move("finish", {"reason": "The answer is written.", "paths": [ANSWER_FILE]}, "I hand this in.")
    return Move("run_shell", {"cmd": look.command}, look.says, look.thinks)


def investigation(policy: Policy) -> Generator[Look, Seen, None]:
    """Run the policy, then write its answer down."""
    answer = yield from policy()
    # Quoted, so that the shell leaves the text alone; JSON has no line that is only ANSWER.
    yield Look(f"cat > {ANSWER_FILE} <<'ANSWER'\n{answer.text}\nANSWER", answer.says)


def results(messages: Sequence[Mapping[str, Any]]) -> list[Seen]:
    """Return what the tool messages say, in order, each with the turns left as told after it."""
    found: list[Seen] = []
    for message in messages:
        text = message_text(message.get("content"))
        if message.get("role") == "tool":
            found.append(Seen(exit_code_in(text), stdout_in(text)))
        elif message.get("role") == "user" and found and (told := TURNS_LEFT.search(text)):
            found[-1] = Seen(found[-1].exit_code, found[-1].stdout, int(told[1]))
    return found


def message_text(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))


def exit_code_in(text: str) -> int | None:
    found = re.search(r"<exit_code>(-?\d+)</exit_code>", text)
    return int(found[1]) if found else None


def stdout_in(text: str) -> str:
    """Return the first stream of a shell result; a text without one has no output."""
    start, end = text.find("<stdout>"), text.rfind("</stdout>")
    return text[start + len("<stdout>") : end].strip("\n") if 0 <= start < end else ""


def json_or_none(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None
