"""Answers made of board rows: the same rows as the pages show."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from evals.models import GradeOutcome
from leaderboard.api.fields import (
    ApiAddress,
    Count,
    Figure,
    Known,
    OutcomeShare,
    PageAddress,
    cents,
    hundredths,
    tenths,
    three_digits,
)
from leaderboard.rows import ERRORED


class Figures(serializers.Serializer):
    """What the runs of one evaluation come to; made of a `leaderboard.rows.Row`."""

    score = Figure(
        hundredths, source="mean", help_text="Mean of the task means, 0 to 1; null without a score"
    )
    score_low = Figure(hundredths, source="interval.low", help_text="Where the 95 % interval begins")
    score_high = Figure(hundredths, source="interval.high", help_text="Where the 95 % interval ends")
    cost_per_task_usd = Figure(cents, help_text="Mean of one attempt; null when the cost of any is unknown")
    turns_per_task = Figure(tenths)
    tokens_per_task = Figure(three_digits, help_text="Read and written, cached ones too")
    duration_per_task_s = Figure(three_digits, source="seconds_per_task", help_text="Model and commands")
    exact_share = OutcomeShare(GradeOutcome.EXACT, "Of the runs that ended or errored: scored 1")
    over_reported_share = OutcomeShare(GradeOutcome.OVER_REPORTED, "Named all causes, and others too")
    missed_share = OutcomeShare(GradeOutcome.MISSED, "Answered, and missed a cause")
    no_answer_share = OutcomeShare(GradeOutcome.NO_ANSWER, "Ended without a valid answer")
    errored_share = OutcomeShare(ERRORED, "The site failed, not the agent: no score")
    runs_planned = Count(source="planned")
    runs_scored = Count(source="scored", help_text="Runs behind the score")
    runs_unscored = Count(source="unscored", help_text="Ended, and not graded: never counted as 0")
    runs_errored = Count(source="errored")
    runs_active = Count(source="active", help_text="Queued and running")
    progress = Figure(hundredths, help_text="Share of the planned runs with a score, 0 to 1")
    complete = serializers.BooleanField(read_only=True, help_text="Whether every planned run has a score")


class BoardRow(Figures):
    """One language model on a board."""

    url = ApiAddress("api:model", source="model", slug="slug")
    page = PageAddress(source="model")
    model = serializers.CharField(source="model.slug", read_only=True)
    name = serializers.CharField(read_only=True, help_text="With its setting")
    creator = Known(source="model.creator")
    open_weights = serializers.BooleanField(source="model.open_weights", read_only=True, allow_null=True)
    rank_best = serializers.IntegerField(source="rank.best", read_only=True, allow_null=True)
    rank_worst = serializers.IntegerField(
        source="rank.worst", read_only=True, allow_null=True, help_text="Above rank_best where ties allow it"
    )
    tied_with_leader = serializers.BooleanField(read_only=True)
    evaluation = serializers.IntegerField(source="evaluation.pk", read_only=True, allow_null=True)
    evaluation_url = ApiAddress("api:evaluation", source="evaluation", pk="pk")
    evaluation_page = PageAddress(source="evaluation")
    evaluated_at = serializers.DateTimeField(source="evaluation.ended_at", read_only=True, allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        """Return the fields with what names the row first: the order of a CSV."""
        fields: dict[str, Any] = super().get_fields()
        leading = [name for name in BoardRow._declared_fields if name not in Figures._declared_fields]
        return {name: fields[name] for name in (*leading, *Figures._declared_fields)}


class Board(serializers.Serializer):
    url = serializers.URLField()
    page = serializers.URLField()
    benchmark = serializers.CharField(help_text="Slug")
    headline = serializers.CharField(help_text="What the board shows, in a sentence")
    rows = BoardRow(many=True, help_text="The best first")


class Matrix(serializers.Serializer):
    url = serializers.URLField()
    page = serializers.URLField()
    benchmark = serializers.CharField(help_text="Slug")
    tasks = serializers.ListField(child=serializers.CharField(), help_text="Slugs: the lines")
    models = serializers.ListField(child=serializers.CharField(), help_text="Slugs, best first: the columns")
    scores = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(min_value=0, max_value=1, allow_null=True)),
        help_text="A line for each task: the mean of each model's repeats, null without a score",
    )


class PairDifference(serializers.Serializer):
    """How far the first model lies above the second, on the tasks that both have a score for."""

    first = serializers.CharField(help_text="Slug")
    second = serializers.CharField(help_text="Slug")
    difference = Figure(hundredths, source="found.mean", help_text="Of the scores; below 0: second is ahead")
    difference_low = Figure(
        hundredths, source="found.interval.low", help_text="Where its 95 % interval begins"
    )
    difference_high = Figure(
        hundredths, source="found.interval.high", help_text="Where its 95 % interval ends"
    )
    tied = serializers.BooleanField(
        source="found.is_a_tie", read_only=True, help_text="The interval holds 0: no surely better one"
    )
    common_tasks = Count(source="found.tasks", help_text="With a score of both")


class TaskScores(serializers.Serializer):
    url = serializers.URLField()
    page = serializers.URLField()
    task = serializers.CharField(help_text="Slug")
    scores = serializers.DictField(
        child=serializers.FloatField(min_value=0, max_value=1, allow_null=True),
        help_text="By model slug: the mean of its repeats, null without a score",
    )


class Comparison(serializers.Serializer):
    url = serializers.URLField()
    page = serializers.URLField()
    benchmark = serializers.CharField(help_text="Slug")
    models = BoardRow(many=True, help_text="Their rows of the board, in the order asked for")
    differences = PairDifference(many=True, help_text="One for each pair")
    tasks = TaskScores(many=True, help_text="Public tasks only, but for staff")
