"""What a run's page shows of its turns: one window of them at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evals.exchange.asciicast import shell_streams
from evals.models import Run, ToolCall, Turn
from leaderboard.strips import Mark, Range, Strip, share_of
from leaderboard.terminal import Folded, folded, readable

WINDOW = 20


@dataclass(frozen=True)
class Window(Range):
    """The turns a page shows, and the windows beside it."""

    total: int

    @property
    def before(self) -> int | None:
        return max(1, self.first - WINDOW) if self.first > 1 else None

    @property
    def after(self) -> int | None:
        return self.last + 1 if self.last < self.total else None

    @property
    def is_last(self) -> bool:
        return self.last >= self.total


@dataclass(frozen=True)
class CallView:
    number: int
    tool: str
    command: Folded  # of a shell call; else the arguments
    is_shell: bool
    stdout: Folded
    stderr: Folded
    exit_code: int | None
    timed_out: bool
    pending: bool  # the tool has not ended yet
    output_bytes: int
    duration_s: float

    @property
    def whole(self) -> bool:
        """Tell whether the page holds all that it printed."""
        return self.stdout.whole and self.stderr.whole

    @property
    def lines(self) -> int:
        return self.stdout.lines + self.stderr.lines

    @property
    def failed(self) -> bool:
        return self.timed_out or bool(self.exit_code)


@dataclass(frozen=True)
class GivenView:
    """What the model was told before a reply, beside what its tools gave back. Of imported runs."""

    number: int
    source: str
    text: Folded


@dataclass(frozen=True)
class TurnView:
    mark: Mark
    given: tuple[GivenView, ...]
    message: Folded
    reasoning: Folded
    calls: tuple[CallView, ...]
    prompt_tokens: int | None
    output_tokens: int | None
    context_share: float | None  # of the context window that the conversation filled; None: not known
    started_at: datetime | None

    @property
    def number(self) -> int:
        return self.mark.number

    @property
    def pending(self) -> bool:
        return any(call.pending for call in self.calls)


def window_of(total: int, wanted: int) -> Window:
    """Return the window of twenty turns that holds the wanted one; one out of range gives the nearest."""
    wanted = min(max(wanted, 1), max(total, 1))
    first = (wanted - 1) // WINDOW * WINDOW + 1
    return Window(first, min(first + WINDOW - 1, total), total)


def window_turns(run: Run, strip: Strip, window: Range) -> list[TurnView]:
    """Return the turns of the window with their tool calls, in two queries."""
    turns = run.turns.filter(number__gte=window.first, number__lte=window.last).defer(
        "provider_fields", "unmapped"
    )
    return [turn_view(turn, strip) for turn in turns.order_by("number").prefetch_related("tool_calls")]


def turn_view(turn: Turn, strip: Strip) -> TurnView:
    mark = strip.by_number[turn.number]
    return TurnView(
        mark=mark,
        given=given_views(turn.given),
        message=folded(turn.message),
        reasoning=folded(turn.reasoning),
        calls=tuple(call_view(call) for call in turn.tool_calls.all()),
        prompt_tokens=mark.prompt_tokens,
        output_tokens=turn.output_tokens,
        context_share=share_of(mark.prompt_tokens, strip.context_window),
        started_at=turn.started_at,
    )


def given_views(given: Sequence[dict[str, Any]]) -> tuple[GivenView, ...]:
    return tuple(
        GivenView(number, readable(str(told["source"])), folded(str(told["text"])))
        for number, told in enumerate(given, start=1)
    )


def call_view(call: ToolCall) -> CallView:
    streams = shell_streams(call.output or "")
    return CallView(
        number=call.number,
        tool=readable(call.tool),
        command=folded(call.command or call.arguments),
        is_shell=bool(call.command),
        stdout=folded(streams.stdout),
        stderr=folded(streams.stderr),
        exit_code=call.exit_code,
        timed_out=call.timed_out,
        pending=call.output is None,
        output_bytes=call.output_bytes,
        duration_s=call.duration_s,
    )
