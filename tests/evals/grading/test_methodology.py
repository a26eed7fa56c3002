"""docs/methodology.md is executed: what it shows is what the grader does."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from evals.grading.answers import MAX_ANSWER_BYTES, MAX_ENTITIES
from evals.grading.ground_truth import parse_ground_truth
from evals.grading.precision import GRADER, VERSION, GradeOutcome
from tests.evals.grading.incidents import graded

PAGE = (Path(__file__).resolve().parents[3] / "docs/methodology.md").read_text()


def block(language: str) -> str:
    """Return the page's only block in that language."""
    (text,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return text


def rows() -> list[tuple[str, str, str]]:
    return re.findall(r"^\| (`.+`) \| ([\d.]+) \| (\w+) \|$", PAGE, re.MULTILINE)


def test_the_worked_example_prints_what_the_page_shows(tmp_path):
    (tmp_path / "truth.yaml").write_text(block("yaml"))
    (tmp_path / "answer.json").write_text(block("json"))
    printed = StringIO()
    call_command(
        "grade",
        "--ground-truth",
        str(tmp_path / "truth.yaml"),
        "--answer",
        str(tmp_path / "answer.json"),
        stdout=printed,
    )
    assert printed.getvalue() == block("text")


def test_the_page_has_answers_of_several_outcomes():
    assert {outcome for _, _, outcome in rows()} == {"exact", "over_reported", "missed"}


@pytest.mark.parametrize(("names", "score", "outcome"), rows())
def test_each_answer_in_the_table_scores_what_the_page_says(names, score, outcome):
    result = graded(parse_ground_truth(block("yaml")), *re.findall("`(.+?)`", names))
    assert f"{result.score:.3f}" == f"{float(score):.3f}"
    assert result.outcome == outcome


def test_the_page_names_the_grader_its_outcomes_and_its_limits():
    assert f"`{GRADER}`, version {VERSION}" in PAGE
    assert f"than {MAX_ENTITIES} entities or more than {MAX_ANSWER_BYTES:,} bytes" in PAGE
    for outcome in GradeOutcome:
        assert f"| {outcome.replace('_', ' ').replace('over ', 'over-')} |" in PAGE
