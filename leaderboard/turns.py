"""What a run's page shows of its turns: the strip of all, and the turns of one window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from evals.exchange.asciicast import shell_streams
from evals.models import Run, ToolCall, Turn
from evals.trajectory import TurnKind
from leaderboard.terminal import Folded, folded, readable

WINDOW = 20
FINISH = "finish"
MARK_LEAST = 0.06  # share of the strip's height: a turn of few tokens can still be hit with a pointer

KIND_WORDS = {
    "tool": "command",
    "think": "words only",
    "answer": "answer",
    "error": "failed command",
    "summary": "summing-up",
}


@dataclass(frozen=True)
class Mark:
    """One turn in the strip."""

    number: int
    kind: str  # a key of KIND_WORDS
    height: float  # 0 to 1, by tokens
    tokens: int | None

    @property
    def words(self) -> str:
        return KIND_WORDS[self.kind]

    @property
    def left(self) -> int:
        """Where it stands in a drawing that gives each turn 10 units."""
        return 10 * (self.number - 1)

    @property
    def top(self) -> float:
        """Where it begins in a drawing 100 high."""
        return round(100 - self.tall, 1)

    @property
    def tall(self) -> float:
        return round(100 * self.height, 1)


@dataclass(frozen=True)
class Window:
    """The turns a page shows: `first` to `last`, both included."""

    first: int
    last: int
    total: int

    def __contains__(self, number: int) -> bool:
        return self.first <= number <= self.last

    @property
    def before(self) -> int | None:
        return max(1, self.first - WINDOW) if self.first > 1 else None

    @property
    def after(self) -> int | None:
        return self.last + 1 if self.last < self.total else None


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
class TurnView:
    number: int
    kind: str
    message: str
    reasoning: str
    calls: tuple[CallView, ...]
    tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    seconds: float  # of the model and its tools
    started_at: datetime | None

    @property
    def words(self) -> str:
        return KIND_WORDS[self.kind]


def window_of(total: int, wanted: int) -> Window:
    """Return the window of twenty turns that holds the wanted one; one out of range gives the nearest."""
    wanted = min(max(wanted, 1), max(total, 1))
    first = (wanted - 1) // WINDOW * WINDOW + 1
    return Window(first, min(first + WINDOW - 1, total), total)


def strip(run: Run) -> list[Mark]:
    """Return a mark for every turn of the run, in one query that reads no text."""
    turns = list(with_signs(run.turns.all()).order_by("number").values_list(*MARK_FIELDS))
    totals = [total_tokens(*turn[2:6]) for turn in turns]
    most = max((total for total in totals if total), default=1)
    return [
        Mark(
            number=number,
            kind=kind_of(kind, calls, finishes=bool(finishes), failed=bool(failed)),
            height=max((total or 0) / most, MARK_LEAST),
            tokens=total,
        )
        for (number, kind, *_, calls, finishes, failed), total in zip(turns, totals, strict=True)
    ]


MARK_FIELDS = (
    "number", "kind", "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens",
    "calls", "finishes", "failed",
)  # fmt: skip


def kind_counts(marks: Sequence[Mark]) -> list[tuple[str, str]]:
    """Return each kind that occurs, and in words how many turns are of it."""
    kinds = Counter(mark.kind for mark in marks)
    return [(kind, counted(words, kinds[kind])) for kind, words in KIND_WORDS.items() if kinds[kind]]


def counted(words: str, number: int) -> str:
    return f"{number} {words}{'' if number == 1 or words.endswith('only') else 's'}"


def with_signs(turns: QuerySet[Turn]) -> QuerySet[Turn]:
    failed = Q(tool_calls__timed_out=True) | Q(tool_calls__exit_code__gt=0) | Q(tool_calls__exit_code__lt=0)
    return turns.annotate(
        calls=Count("tool_calls"),
        finishes=Count("tool_calls", filter=Q(tool_calls__tool=FINISH)),
        failed=Count("tool_calls", filter=failed),
    )


def kind_of(kind: str, calls: int, *, finishes: bool, failed: bool) -> str:
    if kind == TurnKind.SUMMARY:
        return "summary"
    if finishes:
        return "answer"
    if failed:
        return "error"
    return "tool" if calls else "think"


def total_tokens(*kinds: int | None) -> int | None:
    known = [tokens for tokens in kinds if tokens is not None]
    return sum(known) if known else None


def window_turns(run: Run, window: Window) -> list[TurnView]:
    """Return the turns of the window with their tool calls, in two queries."""
    turns = run.turns.filter(number__gte=window.first, number__lte=window.last)
    return [turn_view(turn) for turn in turns.order_by("number").prefetch_related("tool_calls")]


def turn_view(turn: Turn) -> TurnView:
    calls = tuple(call_view(call) for call in turn.tool_calls.all())
    finishes = any(call.tool == FINISH for call in calls)
    failed = any(call.failed for call in calls)
    return TurnView(
        number=turn.number,
        kind=kind_of(turn.kind, len(calls), finishes=finishes, failed=failed),
        message=readable(turn.message),
        reasoning=readable(turn.reasoning),
        calls=calls,
        tokens=total_tokens(
            turn.input_tokens, turn.cache_read_tokens, turn.cache_write_tokens, turn.output_tokens
        ),
        output_tokens=turn.output_tokens,
        cost_usd=turn.cost_usd,
        seconds=turn.model_s + sum(call.duration_s for call in calls),
        started_at=turn.started_at,
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
