"""A board in formats of others: CSV for spreadsheets, entries for `.eval_results` of the Hugging Face Hub."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import yaml
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer

from leaderboard.api.figures import BoardRow
from leaderboard.exports import csv_cell

HUB_DATASET = re.compile(r"https://huggingface\.co/datasets/([\w.-]+/[\w.-]+)")
SITE = "ITBench leaderboard"

Record = Mapping[str, Any]


class CsvRenderer(BaseRenderer):
    """The rows of a board, one a line, under their names in JSON; unknown is an empty cell."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> str:
        columns = list(BoardRow().fields)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(columns)
        writer.writerows([csv_cell(row[column]) for column in columns] for row in data["rows"])
        return text.getvalue()


class Dataset(serializers.Serializer):
    id = serializers.CharField(help_text="On the Hub, or the benchmark's slug where it is from elsewhere")
    task_id = serializers.CharField(help_text="The benchmark's slug")


class Origin(serializers.Serializer):
    url = serializers.URLField(help_text="Page of the evaluation")
    name = serializers.CharField()


class EvalResult(serializers.Serializer):
    """The score of one model, in the form of `.eval_results/`."""

    dataset = Dataset()
    value = serializers.FloatField(min_value=0, max_value=100, help_text="In percent")
    date = serializers.DateField(required=False, help_text="When the evaluation ended")
    source = Origin()
    notes = serializers.CharField(help_text="The model, how it was measured, the 95 % interval")


class EvalResultsRenderer(BaseRenderer):
    """One entry for each scored row, to be put into `.eval_results/` of that model's repository.

    The form is that of https://huggingface.co/docs/hub/eval-results; there `value` is in percent.
    """

    media_type = "application/yaml"
    format = "eval-results"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> str:
        benchmark = renderer_context["view"].benchmark
        scored = [row for row in data["rows"] if row["score"] is not None]
        head = f"# {data['benchmark']}: one entry for each model, for .eval_results/ of its own repository.\n"
        entries = [f"# {row['model']}\n{as_yaml([entry(row, benchmark)])}" for row in scored]
        return head + ("".join(entries) or "[]\n")


def as_yaml(entries: list[Record]) -> str:
    return str(yaml.safe_dump(entries, sort_keys=False, allow_unicode=True, width=1000))


def entry(row: Record, benchmark: Any) -> dict[str, Any]:
    day = row["evaluated_at"][:10] if row["evaluated_at"] else None
    return {
        "dataset": {"id": dataset_id(benchmark), "task_id": benchmark.slug},
        "value": round(100 * row["score"], 2),
        **({"date": date.fromisoformat(day).isoformat()} if day else {}),
        "source": {"url": row["evaluation_page"] or row["page"], "name": SITE},
        "notes": notes(row, benchmark),
    }


def dataset_id(benchmark: Any) -> str:
    """Return the id of the benchmark's dataset on the Hub, or its slug when it is from elsewhere."""
    found = HUB_DATASET.match(benchmark.source_url)
    return found[1] if found else str(benchmark.slug)


def notes(row: Record, benchmark: Any) -> str:
    parts = [str(row["name"]), f"percent by {benchmark.grader}", f"{benchmark.repeats} repeats a task"]
    if row["score_low"] is not None:
        parts.append(f"95 % interval {100 * row['score_low']:.1f} to {100 * row['score_high']:.1f}")
    if not row["complete"]:
        parts.append("not every run has a score")
    return "; ".join(parts)
