"""Grades of stored submissions. Nothing here ever asks a model again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from evals.grading import precision
from evals.grading.ground_truth import GroundTruth, parse_ground_truth
from evals.grading.mistaken import Mistaken, mistakes_in
from evals.grading.precision import GradeResult
from evals.grading.sightings import Sighting, TurnTexts, sightings
from evals.models import Grade, Run

TURNS_AT_ONCE = 20


@dataclass(frozen=True)
class Reading:
    """What is to be stored of a run's answer and of its turns."""

    result: GradeResult
    mistakes: list[Mistaken | None]  # of each verdict
    sightings: list[Sighting]


def grade_run(run: Run) -> Grade:
    """Grade an ended run by its benchmark's grader and store the grade in place of an equal one's.

    Raises:
        GroundTruthFormatError: the task's ground truth can't be read.
    """
    return store_grade(run, read_run(run, None if run.submission is None else bytes(run.submission)))


def read_run(run: Run, submission: bytes | None) -> Reading:
    """Return the grade of a submission and where the root causes came into view. Writes nothing.

    It reads all turns of a run, megabytes of them: no transaction should be open meanwhile.

    Raises:
        GroundTruthFormatError: the task's ground truth can't be read.
    """
    truth = truth_of(run.task.ground_truth_text)
    # Other harnesses ask for answers of other shapes; ours asks for one.
    grade = precision.grade_recorded if run.evaluation.imported else precision.grade
    result = grade(truth, submission)
    return Reading(result, mistakes_in(truth, result), sightings(truth, texts_of(run)))


def texts_of(run: Run) -> Iterator[TurnTexts]:
    columns = ("run_id", "number", "message", "reasoning")
    turns = run.turns.only(*columns).order_by("number").prefetch_related("tool_calls")
    for turn in turns.iterator(chunk_size=TURNS_AT_ONCE):
        calls = sorted(turn.tool_calls.all(), key=lambda call: call.number)
        said = (turn.message, turn.reasoning, *(call.command or call.arguments for call in calls))
        yield TurnTexts(turn.number, said, tuple(call.output or "" for call in calls))


def store_grade(run: Run, reading: Reading) -> Grade:
    result = reading.result
    told = result.to_json()
    grade, _ = Grade.objects.update_or_create(
        run=run,
        grader=result.grader,
        grader_version=result.version,
        defaults={
            "score": result.score,
            "outcome": result.outcome,
            "true_positives": result.true_positives,
            "false_positives": result.false_positives,
            "false_negatives": result.false_negatives,
            "verdicts": verdicts_of(result, reading.mistakes),
            "missed": told["missed"],
            "notes": told["notes"],
            "sightings": [sighting.to_json() for sighting in reading.sightings],
            "ground_truth_sha256": run.task.ground_truth_sha256,
        },
    )
    return grade


def verdicts_of(result: GradeResult, mistakes: Sequence[Mistaken | None]) -> list[dict[str, Any]]:
    """Return the verdicts as they are stored: each with the kind of its mistake."""
    verdicts = result.to_json()["verdicts"]
    return [{**verdict, "mistake": mistake} for verdict, mistake in zip(verdicts, mistakes, strict=True)]


# A benchmark's tasks are graded over and over; a parsed ground truth is small.
@lru_cache(maxsize=256)
def truth_of(text: str) -> GroundTruth:
    return parse_ground_truth(text)
