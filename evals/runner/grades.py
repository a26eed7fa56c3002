"""Grades of stored submissions. Nothing here ever asks a model again."""

from __future__ import annotations

from functools import lru_cache

from evals.grading import precision
from evals.grading.ground_truth import GroundTruth, parse_ground_truth
from evals.models import Grade, Run


def grade_run(run: Run) -> Grade:
    """Grade an ended run by its benchmark's grader and store the grade in place of an equal one's.

    Raises:
        GroundTruthFormatError: the task's ground truth can't be read.
    """
    submission = None if run.submission is None else bytes(run.submission)
    result = precision.grade(truth_of(run.task.ground_truth_text), submission)
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
            "verdicts": result.to_json()["verdicts"],
            "missed": result.to_json()["missed"],
            "notes": result.to_json()["notes"],
            "ground_truth_sha256": run.task.ground_truth_sha256,
        },
    )
    return grade


# A benchmark's tasks are graded over and over; a parsed ground truth is small.
@lru_cache(maxsize=256)
def truth_of(text: str) -> GroundTruth:
    return parse_ground_truth(text)
