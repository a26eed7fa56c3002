"""The strip of a run: a mark for every turn, with what was spent up to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode

from django.db.models import Count, Q, Sum
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from evals.models import Run, RunState, ToolCall
from evals.trajectory import TurnKind
from leaderboard.units import count

FINISH = "finish"
LEAST_HEIGHT = 0.06  # share of the tallest: a turn of few tokens can still be hit with a pointer

KIND_WORDS = {
    "tool": "command",
    "think": "words only",
    "answer": "answer",
    "error": "failed command",
    "summary": "summing-up",
}

# A drawing gives each turn 10 units of width; its bars stand between two bands for flags.
STEP, BAR = 10, 8
STEP_PIXELS = 28  # where there is room for all
BARS_TOP, BARS_BOTTOM = 12, 88
HEIGHT = 100


# Named tuples: a run of a thousand turns needs three thousand, and frozen dataclasses take thrice as long.
class Spent(NamedTuple):
    """Tokens, dollars and seconds; None: unknown for at least one turn in it."""

    tokens: int | None = 0
    cost_usd: float | None = 0.0
    seconds: float = 0.0

    def plus(self, other: Spent) -> Spent:
        return Spent(
            None if self.tokens is None or other.tokens is None else self.tokens + other.tokens,
            None if self.cost_usd is None or other.cost_usd is None else self.cost_usd + other.cost_usd,
            self.seconds + other.seconds,
        )


class Mark(NamedTuple):
    """One turn in the strip."""

    number: int
    kind: str  # a key of KIND_WORDS
    spent: Spent  # by this turn
    so_far: Spent  # by all turns up to this one
    prompt_tokens: int | None  # how full the conversation was when the model was asked

    @property
    def words(self) -> str:
        return KIND_WORDS[self.kind]

    @property
    def title(self) -> str:
        tokens = "" if self.spent.tokens is None else f", {count(self.spent.tokens)} tokens"
        return f"Turn {self.number}: {self.words}{tokens}"


@dataclass(frozen=True)
class Flags:
    """What a strip points at, by number of turn."""

    hits: Collection[int] = ()  # turns in which what was searched for stands
    seen: Collection[int] = ()  # where a root cause first stood in an output
    named: Collection[int] = ()  # where one first stood in the model's own words
    remarked: Collection[int] = ()


class Calls(NamedTuple):
    """What is told of the tool calls of one turn."""

    calls: int = 0
    finishes: int = 0
    failed: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Strip:
    marks: Sequence[Mark]
    context_window: int | None = None
    by_number: Mapping[int, Mark] = field(default_factory=dict)

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """Each kind that occurs, and in words how many turns are of it."""
        kinds = Counter(mark.kind for mark in self.marks)
        return [(kind, counted(words, kinds[kind])) for kind, words in KIND_WORDS.items() if kinds[kind]]

    @property
    def last(self) -> int:
        return self.marks[-1].number if self.marks else 0

    @property
    def fullest(self) -> int | None:
        """The most tokens that the conversation held; None: never told."""
        return max(
            (mark.prompt_tokens for mark in self.marks if mark.prompt_tokens is not None), default=None
        )

    @property
    def fullest_share(self) -> float | None:
        return share_of(self.fullest, self.context_window)


def counted(words: str, number: int) -> str:
    return f"{number} {words}{'' if number == 1 or words.endswith('only') else 's'}"


def share_of(tokens: int | None, context_window: int | None) -> float | None:
    return None if tokens is None or not context_window else tokens / context_window


TOKEN_COLUMNS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")


# The strips of runs that have ended, for their turns are what they are: who reads a run asks for it again and
# again, a window at a time. A strip of a thousand turns takes half a megabyte.
kept_strips: dict[tuple[int, datetime | None, int, int | None], Strip] = {}
MOST_KEPT = 32


def strip_of(run: Run) -> Strip:
    """Return a mark for every turn of the run."""
    if run.state != RunState.ENDED:
        return read_strip(run)
    key = (run.pk, run.ended_at, run.turns_total, run.evaluation.language_model.context_window)
    strip = kept_strips.get(key)
    if strip is None:
        strip = read_strip(run)
        for oldest in list(kept_strips)[: max(len(kept_strips) - MOST_KEPT + 1, 0)]:
            kept_strips.pop(oldest, None)
        kept_strips[key] = strip
    return strip


def read_strip(run: Run) -> Strip:
    """Read the marks in two queries that read no text."""
    calls = calls_of(run)
    columns = ("pk", "number", "kind", "cost_usd", "model_s", *TOKEN_COLUMNS)
    marks: list[Mark] = []
    so_far = Spent()
    for pk, number, kind, cost_usd, model_s, *tokens in run.turns.order_by("number").values_list(*columns):
        of_turn = calls.get(pk, Calls())
        spent = Spent(total_tokens(*tokens), cost_usd, model_s + of_turn.seconds)
        so_far = so_far.plus(spent)
        marks.append(Mark(number, kind_of(kind, of_turn), spent, so_far, total_tokens(*tokens[:3])))
    window = run.evaluation.language_model.context_window
    return Strip(marks, window, {mark.number: mark for mark in marks})


def calls_of(run: Run) -> dict[int, Calls]:
    failed = Q(timed_out=True) | Q(exit_code__gt=0) | Q(exit_code__lt=0)
    rows = (
        ToolCall.objects.filter(turn__run=run)
        .order_by()
        .values_list("turn_id")
        .annotate(
            calls=Count("pk"),
            finishes=Count("pk", filter=Q(tool=FINISH)),
            failed=Count("pk", filter=failed),
            seconds=Sum("duration_s"),
        )
    )
    return {turn: Calls(*told) for turn, *told in rows}


def kind_of(kind: str, calls: Calls) -> str:
    if kind == TurnKind.SUMMARY:
        return "summary"
    if calls.finishes:
        return "answer"
    if calls.failed:
        return "error"
    return "tool" if calls.calls else "think"


def total_tokens(*kinds: int | None) -> int | None:
    known = [tokens for tokens in kinds if tokens is not None]
    return sum(known) if known else None


@dataclass(frozen=True)
class Range:
    """The turns that are on the page: `first` to `last`, both included."""

    first: int
    last: int

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and self.first <= number <= self.last


def drawn(
    strip: Strip, on_page: Range, flags: Flags, query: Sequence[tuple[str, str]], address: str = ""
) -> SafeString:
    """Return the strip as SVG: a link a turn, one path for the bars of a kind.

    Put together here and not by a template, which takes forty milliseconds for a thousand turns. `query` is
    what links to turns that are not on the page keep of the page's address; `address` is that of its page
    where it is drawn on another.
    """
    tallest = max((mark.spent.tokens or 0 for mark in strip.marks), default=0) or 1
    bars: dict[str, list[str]] = {}
    for place, mark in enumerate(strip.marks):
        tall = (BARS_BOTTOM - BARS_TOP) * max((mark.spent.tokens or 0) / tallest, LEAST_HEIGHT)
        bars.setdefault(mark.kind, []).append(f"M{STEP * place + BAR // 2} {BARS_BOTTOM}v-{tall:.3g}")
    width, pixels = STEP * len(strip.marks), STEP_PIXELS * len(strip.marks)
    parts = [
        f'<svg viewBox="0 0 {width} {HEIGHT}" width="{pixels}" preserveAspectRatio="none">',
        on_page_rectangle(strip, on_page),
        f'<path class="floor" d="M0 {BARS_BOTTOM}H{width}"/>',
        *(f'<path class="bars b-{kind}" d="{"".join(path)}"/>' for kind, path in bars.items()),
        *flag_paths(strip, flags),
        *links(strip, on_page, query, address),
        "</svg>",
    ]
    return mark_safe("".join(parts))  # noqa: S308 - numbers and our own words; the query is escaped


def on_page_rectangle(strip: Strip, on_page: Range) -> str:
    here = [place for place, mark in enumerate(strip.marks) if mark.number in on_page]
    if not here:
        return ""
    return f'<rect class="on-page" x="{STEP * here[0] - 1}" width="{STEP * len(here)}" height="{HEIGHT}"/>'


def flag_paths(strip: Strip, flags: Flags) -> list[str]:
    places = {mark.number: place for place, mark in enumerate(strip.marks)}
    bands = (
        ("hit", flags.hits, 4),
        ("remarked", flags.remarked, 9),
        ("seen", flags.seen, 93),
        ("named", flags.named, 98),
    )
    return [
        f'<path class="flag {name}" d="{"".join(path)}"/>'
        for name, turns, y in bands
        if (path := [f"M{STEP * places[turn]} {y}h{BAR}" for turn in sorted(turns) if turn in places])
    ]


def links(strip: Strip, on_page: Range, query: Sequence[tuple[str, str]], address: str) -> list[str]:
    rest = escape(f"&{urlencode(query)}") if query else ""
    return [
        f'<a href="{"" if mark.number in on_page else f"{address}?turn={mark.number}{rest}"}'
        f'#turn-{mark.number}"><title>{mark.title}</title>'
        f'<rect x="{STEP * place - 1}" width="{STEP}" height="{HEIGHT}"/></a>'
        for place, mark in enumerate(strip.marks)
    ]
