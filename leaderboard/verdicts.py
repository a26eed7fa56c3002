"""What a grade says of each submitted entity, in the words of a page."""

from __future__ import annotations

from dataclasses import dataclass

from evals.models import Grade, GradeOutcome, Run, RunState
from leaderboard.terminal import readable
from leaderboard.wording import MISTAKE_WORDS, entity_in_words

SIGNS = {
    "true_positive": ("✓", "root cause"),
    "false_positive": ("✗", "false positive"),
    "duplicate": ("=", "duplicate"),
    "missed": ("○", "missed"),
}


@dataclass(frozen=True)
class Verdict:
    """One submitted entity, or a root cause that nobody named."""

    kind: str  # a key of SIGNS
    name: str
    reason: str
    mistake: str = ""  # of a false positive: a key of MISTAKE_WORDS; empty: not told

    @property
    def mistake_words(self) -> str:
        return MISTAKE_WORDS.get(self.mistake, "")

    @property
    def sign(self) -> str:
        return SIGNS[self.kind][0]

    @property
    def words(self) -> str:
        return SIGNS[self.kind][1]


def verdicts_of(grade: Grade | None) -> list[Verdict]:
    """Return the verdicts in the order of the answer, then what was missed."""
    if grade is None:
        return []
    submitted = [
        Verdict(
            verdict["verdict"],
            readable(verdict["name"]),
            readable(verdict["reason"]),
            verdict.get("mistake") or "",
        )
        for verdict in grade.verdicts
    ]
    missed = [
        Verdict("missed", entity_in_words(root["description"]), "not in the answer") for root in grade.missed
    ]
    return submitted + missed


@dataclass(frozen=True)
class Sighted:
    """Where a root cause came into view. None: nowhere."""

    name: str
    seen_turn: int | None  # in an output
    named_turn: int | None  # in the model's own words
    turns_after: int | None  # it was seen, to the end of the run


def sighted_of(grade: Grade | None, last_turn: int) -> list[Sighted]:
    """Return where each root cause was first seen and first named, in the order of the ground truth."""
    return [
        Sighted(
            name=entity_in_words(root["description"]),
            seen_turn=root["seen_turn"],
            named_turn=root["named_turn"],
            turns_after=None if root["seen_turn"] is None else last_turn - root["seen_turn"],
        )
        for root in (grade.sightings if grade else ())
    ]


STOP_WORDS = {
    "submitted": "its answer could not be read",
    "gave_up": "it finished without an answer file",
    "turn_cap": "it used up its turns",
    "cost_limit": "it reached its cost limit",
    "time_limit": "it reached its time limit",
    "context_full": "the conversation no longer fitted",
}


def outcome_sentence(run: Run, grade: Grade | None) -> str:
    """Say in one sentence how the run came out, and who failed if somebody did."""
    if run.state == RunState.ERRORED:
        return "Errored: this site failed, not the agent. The run has no score."
    if run.state != RunState.ENDED:
        return {
            RunState.QUEUED: "Queued: it has not begun.",
            RunState.RUNNING: "Running: the turns so far are below.",
            RunState.CANCELLED: "Cancelled before it came to an end.",
        }[RunState(run.state)]
    return graded_sentence(run, grade) if grade else "Ended, and not graded yet."


def graded_sentence(run: Run, grade: Grade) -> str:
    roots = grade.true_positives + grade.false_negatives
    if grade.outcome == GradeOutcome.EXACT:
        return f"Exact: it found {causes(roots)} and blamed nothing else."
    if grade.outcome == GradeOutcome.OVER_REPORTED:
        return (
            f"Over-reported: it found {causes(roots)}, but also blamed {bystanders(grade.false_positives)}."
        )
    if grade.outcome == GradeOutcome.NO_ANSWER:
        return f"No answer: {STOP_WORDS[run.stop_reason]}."
    if roots == 1:
        return "Missed: it did not find the root cause."
    return f"Missed: it found {grade.true_positives} of {roots} root causes."


def causes(roots: int) -> str:
    return "the root cause" if roots == 1 else f"all {roots} root causes"


def bystanders(false_positives: int) -> str:
    return "a bystander" if false_positives == 1 else f"{false_positives} bystanders"
