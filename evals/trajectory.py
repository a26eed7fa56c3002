"""One attempt at one task, in plain dataclasses.

Everything that plays, stores, shows or exchanges a run speaks in these words. Durations are in
seconds, money in US dollars, sizes in bytes; None always means "unknown", never zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class StopReason(StrEnum):
    """Why a run came to its end. Every one of these is the agent's doing, never ours."""

    SUBMITTED = "submitted"  # the finish tool handed in an answer file
    GAVE_UP = "gave_up"  # the finish tool was called without an answer file
    TURN_CAP = "turn_cap"
    COST_LIMIT = "cost_limit"  # of this run; an evaluation's own limit pauses it instead
    TIME_LIMIT = "time_limit"
    CONTEXT_FULL = "context_full"  # the conversation no longer fits, even summarised


@dataclass(frozen=True)
class Usage:
    """The tokens of one model call, each kind counted once: `total` is their plain sum."""

    input_tokens: int = 0  # read at full price: neither read from nor written to a cache
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0  # reasoning included
    reasoning_tokens: int = 0  # the part of output_tokens that was reasoning, where told

    @property
    def prompt_tokens(self) -> int:
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens

    @property
    def total(self) -> int:
        return self.prompt_tokens + self.output_tokens


@dataclass(frozen=True)
class ToolCall:
    """A model's wish to use a tool, as it came: the arguments may be no valid JSON."""

    id: str
    name: str
    arguments: str  # JSON text, kept byte for byte


@dataclass(frozen=True)
class Reply:
    """What a model answered to one call."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    reasoning: str = ""
    usage: Usage | None = None  # None: the provider did not tell
    cost_usd: float | None = None  # None: no price is known for this model
    duration_s: float = 0.0  # with retries
    finish_reason: str = ""  # "stop", "tool_calls", "length" ... as the provider tells it
    # What a provider wants to see again in the next request (signed thinking blocks); JSON-ready.
    provider_fields: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Observation:
    """What one tool call gave back."""

    call_id: str
    output: str  # exactly as the model sees it, after truncation
    command: str = ""  # of a shell call; empty for other tools and for malformed arguments
    exit_code: int | None = None  # None: not a shell call, or the command was killed
    timed_out: bool = False
    bytes_before_cut: int = 0  # of both streams together
    duration_s: float = 0.0


class TurnKind(StrEnum):
    REPLY = "reply"  # counts against the turn cap
    SUMMARY = "summary"  # the conversation so far, put into fewer words; costs money, not turns


@dataclass(frozen=True)
class TurnRecord:
    """One reply of the model with what its tool calls gave back."""

    number: int  # 1, 2, 3 ... without gaps within a run
    reply: Reply
    observations: tuple[Observation, ...] = ()  # one for each tool call, in order; fewer: unfinished
    kind: TurnKind = TurnKind.REPLY
    started_at: datetime | None = None


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended."""

    stop_reason: StopReason
    submission: bytes | None = None  # the answer handed in, byte for byte
    unsubmitted: bytes | None = None  # an answer file that lay there but was never handed in
    finish_reason: str = ""  # the agent's own words, from the finish tool
