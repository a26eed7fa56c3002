"""Two runs of one task side by side: how each came out, what each named, what each did."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from django.db.models import F, TextField, Value
from django.db.models.functions import Coalesce, NullIf, Substr
from django.utils.safestring import SafeString

from evals.models import Grade, GradeOutcome, Run, ToolCall
from leaderboard.alignment import Kind, aligned
from leaderboard.mistakes import identity
from leaderboard.strips import Flags, Range, Strip, drawn, strip_of
from leaderboard.terminal import one_line
from leaderboard.units import count, dollars, duration
from leaderboard.verdicts import Sighted, Verdict, outcome_sentence, sighted_of, verdicts_of

COMMAND_CHARACTERS = 240  # shown of a command; its own page has all of it
ROWS_A_PAGE = 150
DID = {
    GradeOutcome.EXACT: "named the root causes and nothing else",
    GradeOutcome.OVER_REPORTED: "named the root causes, and others with them",
    GradeOutcome.MISSED: "missed a root cause",
    GradeOutcome.NO_ANSWER: "gave no answer that counts",
}


@dataclass(frozen=True)
class Side:
    """One of the two runs."""

    run: Run
    name: str  # by which it is told from the other
    grade: Grade | None
    strip: Strip
    sighted: Sequence[Sighted]

    @property
    def outcome(self) -> str:
        return outcome_sentence(self.run, self.grade)

    @property
    def drawn(self) -> SafeString:
        flags = Flags(
            seen={each.seen_turn for each in self.sighted if each.seen_turn},
            named={each.named_turn for each in self.sighted if each.named_turn},
        )
        return drawn(self.strip, Range(1, 0), flags, (), self.run.get_absolute_url())

    @property
    def seen(self) -> int | None:
        """The turn in which the last of its root causes came into view; None: one never did."""
        turns = [each.seen_turn for each in self.sighted]
        return None if None in turns else max((turn for turn in turns if turn), default=None)

    @property
    def named(self) -> int | None:
        turns = [each.named_turn for each in self.sighted]
        return None if None in turns else max((turn for turn in turns if turn), default=None)


@dataclass(frozen=True)
class Figure:
    name: str
    left: str
    right: str
    difference: str  # of the right one to the left one; empty where one is unknown


@dataclass(frozen=True)
class Named:
    """An entity that one of the runs named, or both, or a root cause that one missed."""

    left: Verdict | None
    right: Verdict | None


@dataclass(frozen=True)
class Did:
    turn: int
    text: str
    failed: bool


@dataclass(frozen=True)
class Row:
    kind: Kind
    left: Did | None
    right: Did | None


@dataclass(frozen=True)
class Pair:
    left: Side
    right: Side
    figures: Sequence[Figure]
    named: Sequence[Named]
    rows: Sequence[Row]

    @property
    def headline(self) -> str:
        return headline(self.left, self.right)

    @property
    def shares(self) -> tuple[str, str]:
        """How wide each strip is drawn, for a turn to be as wide in both, in per cent."""
        turns = [len(side.strip.marks) for side in (self.left, self.right)]
        most = max(*turns, 1)
        return f"{100 * turns[0] / most:.2f}", f"{100 * turns[1] / most:.2f}"

    @property
    def counts(self) -> dict[str, int]:
        kinds = [row.kind for row in self.rows]
        return {kind: kinds.count(kind) for kind in ("same", "alike", "left", "right")}


def pair_of(left: Run, right: Run, grades: tuple[Grade | None, Grade | None]) -> Pair:
    """Put two runs beside each other. Six queries, however long they are."""
    names = names_of(left, right)
    one, other = side_of(left, names[0], grades[0]), side_of(right, names[1], grades[1])
    return Pair(one, other, figures_of(one, other), named_by(one, other), rows_of(left, right))


def side_of(run: Run, name: str, grade: Grade | None) -> Side:
    strip = strip_of(run)
    return Side(run, name, grade, strip, sighted_of(grade, strip.last))


def names_of(left: Run, right: Run) -> tuple[str, str]:
    """Return names that tell the two apart: the models, or the repeats of one, or at last the numbers."""
    models = str(left.evaluation.language_model), str(right.evaluation.language_model)
    if models[0] != models[1]:
        return models
    if left.evaluation_id == right.evaluation_id:
        return f"Repeat {left.repeat}", f"Repeat {right.repeat}"
    return f"Run {left.pk}", f"Run {right.pk}"


def headline(left: Side, right: Side) -> str:
    """Say in one or two sentences what tells the runs apart."""
    if left.grade is None or right.grade is None:
        return "Not both are graded: what each did is below."
    outcomes = GradeOutcome(left.grade.outcome), GradeOutcome(right.grade.outcome)
    if outcomes[0] != outcomes[1]:
        sentence = f"{left.name} {DID[outcomes[0]]}; {right.name} {DID[outcomes[1]]}."
    else:
        sentence = f"Both {DID[outcomes[0]]}."
    return f"{sentence} {effort_in_words(left, right)}".strip()


def effort_in_words(left: Side, right: Side) -> str:
    turns = right.run.turns_total - left.run.turns_total
    if not turns:
        return "Both took as many turns."
    longer, shorter = (right, left) if turns > 0 else (left, right)
    sentence = f"{longer.name} took {abs(turns)} more turn{'' if abs(turns) == 1 else 's'}"
    if longer.run.cost_usd is None or shorter.run.cost_usd is None:
        return f"{sentence}."
    more = longer.run.cost_usd - shorter.run.cost_usd
    if abs(more) < 0.005:
        return f"{sentence}."
    return f"{sentence} and cost {dollars(abs(more))} {'more' if more > 0 else 'less'}."


def figures_of(left: Side, right: Side) -> list[Figure]:
    a, b = left.run, right.run
    return [
        figure("Turns", a.turns_total, b.turns_total, count),
        figure("Tokens", tokens_of(a), tokens_of(b), count),
        figure("Tokens cached", tokens_of(a, "cache_read_tokens"), tokens_of(b, "cache_read_tokens"), count),
        figure("Tokens written", tokens_of(a, "output_tokens"), tokens_of(b, "output_tokens"), count),
        figure("Cost", a.cost_usd, b.cost_usd, dollars),
        figure("Time", a.duration_s, b.duration_s, duration),
        figure("Root causes all seen by turn", left.seen, right.seen, count),
        figure("Root causes all named by turn", left.named, right.named, count),
    ]


def tokens_of(run: Run, kind: str = "tokens_total") -> int | None:
    return getattr(run, kind) if run.tokens_known else None


def figure(
    name: str, left: float | None, right: float | None, shown: Callable[[float | None], str]
) -> Figure:
    if left is None or right is None:
        return Figure(name, shown(left), shown(right), "")
    more = right - left
    sign = "+" if more > 0 else "\N{MINUS SIGN}" if more < 0 else "±"
    return Figure(name, shown(left), shown(right), f"{sign}{shown(abs(more))}")


def named_by(left: Side, right: Side) -> list[Named]:
    """Return what was named or missed, what both have first."""
    sides = [{key_of(verdict): verdict for verdict in verdicts_of(side.grade)} for side in (left, right)]
    keys = list(dict.fromkeys([*sides[0], *sides[1]]))
    rows = [Named(sides[0].get(key), sides[1].get(key)) for key in keys]
    return sorted(rows, key=lambda row: (row.left is None or row.right is None, row.left is None))


def key_of(verdict: Verdict) -> Hashable:
    return ("missed", verdict.name) if verdict.kind == "missed" else identity(verdict.name)


def rows_of(left: Run, right: Run) -> list[Row]:
    commands = commands_of(left), commands_of(right)
    pairings = aligned(*([each.text for each in side] for side in commands))
    return [
        Row(
            pairing.kind,
            None if pairing.left is None else commands[0][pairing.left],
            None if pairing.right is None else commands[1][pairing.right],
        )
        for pairing in pairings
    ]


def commands_of(run: Run) -> list[Did]:
    asked = Coalesce(NullIf("command", Value("", TextField())), "arguments")
    calls = (
        ToolCall.objects.filter(turn__run=run)
        .annotate(shown=Substr(asked, 1, COMMAND_CHARACTERS), turn_number=F("turn__number"))
        .order_by("turn__number", "number")
        .values_list("turn_number", "shown", "exit_code", "timed_out")
    )
    return [
        Did(turn, one_line(text).strip(), failed=bool(exit_code) or timed_out)
        for turn, text, exit_code, timed_out in calls
    ]
