"""Answers made of runs and their turns."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from evals.models import GradeOutcome, Run, ToolCall, Turn
from evals.trajectory import TurnKind
from leaderboard.api.fields import ApiAddress, Known, PageAddress
from leaderboard.verdicts import SIGNS, outcome_sentence
from leaderboard.wording import MISTAKE_WORDS

# Characters of one text in a list of turns; the turn alone has it whole.
TEXT_CHARACTERS = 4_000
OUTPUT_CHARACTERS = 20_000
# The page of a run cuts there too.
ANSWER_CHARACTERS = 20_000
ERROR_CHARACTERS = 1_000
MISTAKES = list(MISTAKE_WORDS)
VERDICT_KINDS = [(kind, words) for kind, (_, words) in SIGNS.items()]

TURN_KINDS = [(kind.value, kind.value) for kind in TurnKind]


class RunRecord(serializers.ModelSerializer):
    url = ApiAddress("api:run", pk="pk")
    page = PageAddress()
    turns_url = ApiAddress("api:turns", run="pk")
    atif_url = ApiAddress("run-atif", pk="pk")
    json_url = ApiAddress("run-json", pk="pk")
    benchmark = serializers.CharField(source="evaluation.benchmark.slug", read_only=True, help_text="Slug")
    task = serializers.CharField(source="task.slug", read_only=True, help_text="Slug")
    task_url = ApiAddress("api:task", benchmark="evaluation.benchmark.slug", slug="task.slug")
    model = serializers.CharField(source="evaluation.language_model.slug", read_only=True, help_text="Slug")
    model_url = ApiAddress("api:model", slug="evaluation.language_model.slug")
    evaluation = serializers.IntegerField(source="evaluation_id", read_only=True, help_text="Id")
    evaluation_url = ApiAddress("api:evaluation", pk="evaluation_id")
    stop_reason = Known(help_text="What ended it; null before")
    score = serializers.FloatField(read_only=True, allow_null=True, help_text="0 to 1; null without a grade")
    outcome = serializers.ChoiceField(GradeOutcome.choices, read_only=True, allow_null=True)
    grader = serializers.CharField(source="evaluation.benchmark.grader", read_only=True)
    grader_version = serializers.IntegerField(read_only=True, allow_null=True)
    turns = serializers.IntegerField(source="turns_total", read_only=True)
    tags = serializers.SerializerMethodField(
        help_text="Failure tags that staff set, on the run or a turn of it"
    )

    class Meta:
        model = Run
        fields: tuple[str, ...] = (
            "url", "page", "turns_url", "atif_url", "json_url", "id", "benchmark", "task", "task_url",
            "model", "model_url", "evaluation", "evaluation_url", "repeat", "state", "stop_reason", "score",
            "outcome", "grader", "grader_version", "tags", "turns", "input_tokens", "cache_read_tokens",
            "cache_write_tokens", "output_tokens", "reasoning_tokens", "tokens_known", "cost_usd",
            "duration_s", "started_at", "ended_at",
        )  # fmt: skip

    def get_tags(self, run: Run) -> list[str]:
        return sorted({remark.tag for remark in run.remarks.all() if remark.tag})


class VerdictRecord(serializers.Serializer):
    """One submitted entity, or a root cause that nobody named."""

    kind = serializers.ChoiceField(VERDICT_KINDS)
    name = serializers.CharField(help_text="As submitted: namespace/Kind/name")
    reason = serializers.CharField()
    mistake = serializers.SerializerMethodField(help_text="What kind of false positive it is; null: none")

    @extend_schema_field({"type": "string", "enum": MISTAKES, "nullable": True})
    def get_mistake(self, verdict: Any) -> str | None:
        return verdict.mistake or None


class SightingRecord(serializers.Serializer):
    """Where a root cause came into view."""

    name = serializers.CharField()
    seen_turn = serializers.IntegerField(allow_null=True, help_text="Where it first stood in an output")
    named_turn = serializers.IntegerField(
        allow_null=True, help_text="Where it first stood in the model's own words"
    )
    turns_after = serializers.IntegerField(allow_null=True, help_text="From seeing it to the end")


class RunDetail(RunRecord):
    sentence = serializers.SerializerMethodField(help_text="How it came out, in a sentence")
    finish_reason = Known(help_text="The agent's own words")
    error = serializers.SerializerMethodField(help_text="Of an errored run: what failed on our side")
    note = Known(help_text="What a reader should know: a divergence on resuming")
    verdicts = VerdictRecord(many=True, read_only=True, help_text="On each entity of the answer")
    sightings = SightingRecord(many=True, read_only=True, help_text="Of each root cause")
    answer = serializers.SerializerMethodField(
        help_text=f"The answer file as text, at most {ANSWER_CHARACTERS} characters; null without one"
    )
    answer_bytes = serializers.SerializerMethodField(help_text="Of the whole answer file; null without one")
    answer_handed_in = serializers.SerializerMethodField(help_text="Whether it was; else it was left behind")

    class Meta(RunRecord.Meta):
        fields = (
            *RunRecord.Meta.fields, "sentence", "finish_reason", "error", "note", "verdicts", "sightings",
            "answer", "answer_bytes", "answer_handed_in",
        )  # fmt: skip

    def get_sentence(self, run: Any) -> str:
        return outcome_sentence(run, run.grade)

    def get_error(self, run: Run) -> str | None:
        return run.error[:ERROR_CHARACTERS] or None

    def get_answer(self, run: Run) -> str | None:
        raw = answer_file(run)
        return None if raw is None else raw.decode("utf-8", errors="replace")[:ANSWER_CHARACTERS]

    def get_answer_bytes(self, run: Run) -> int | None:
        raw = answer_file(run)
        return None if raw is None else len(raw)

    def get_answer_handed_in(self, run: Run) -> bool:
        return run.submission is not None


def answer_file(run: Run) -> bytes | None:
    raw = run.submission if run.submission is not None else run.unsubmitted
    return None if raw is None else bytes(raw)


class Cut(serializers.CharField):
    """A text of which a list gives the beginning."""

    def __init__(self, most: int = TEXT_CHARACTERS, **options: Any) -> None:
        super().__init__(read_only=True, **options)
        self.most = most

    def to_representation(self, text: str) -> str:
        return text if self.context["whole"] else text[: self.most]


class ToolCallRecord(serializers.ModelSerializer):
    command = Cut(help_text="Of a shell call; empty for other tools")
    ended = serializers.BooleanField(read_only=True, help_text="False while the tool is at work")
    output = Cut(
        OUTPUT_CHARACTERS,
        source="shown",
        allow_null=True,
        help_text="As the model saw it; null unless asked for",
    )

    class Meta:
        model = ToolCall
        fields: tuple[str, ...] = (
            "number", "tool", "command", "ended", "exit_code", "timed_out", "duration_s", "output_bytes",
            "output",
        )  # fmt: skip
        extra_kwargs = {"output_bytes": {"help_text": "Of what the tool printed, before anything was cut"}}


class TurnRecord(serializers.ModelSerializer):
    """A turn in a list: texts of the model are cut to their beginning, outputs are there when asked for."""

    url = ApiAddress("api:turn", run="run_id", number="number")
    page = serializers.SerializerMethodField()
    cut = serializers.SerializerMethodField(
        help_text="Whether a text here is only a beginning; `url` has it whole"
    )
    run_url = ApiAddress("api:run", pk="run_id")
    message = Cut()
    reasoning = Cut()
    finish_reason = Known()
    model_duration_s = serializers.FloatField(source="model_s", read_only=True)
    tool_calls = ToolCallRecord(many=True, read_only=True)

    class Meta:
        model = Turn
        fields = (
            "url", "page", "run_url", "number", "kind", "cut", "message", "reasoning", "finish_reason",
            "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens",
            "cost_usd", "model_duration_s", "started_at", "tool_calls",
        )  # fmt: skip

    @extend_schema_field(OpenApiTypes.URI)
    def get_page(self, turn: Turn) -> str:
        address = f"{reverse('run', args=[turn.run_id])}?turn={turn.number}#turn-{turn.number}"
        return str(self.context["request"].build_absolute_uri(address))

    def get_cut(self, turn: Turn) -> bool:
        calls: Any = turn.tool_calls.all()
        texts = [turn.message, turn.reasoning, *(call.command for call in calls)]
        outputs = [call.shown or "" for call in calls]
        return not self.context["whole"] and (
            any(len(text) > TEXT_CHARACTERS for text in texts)
            or any(len(text) > OUTPUT_CHARACTERS for text in outputs)
        )


class WholeToolCall(ToolCallRecord):
    class Meta(ToolCallRecord.Meta):
        fields = (*ToolCallRecord.Meta.fields, "arguments")


class TurnDetail(TurnRecord):
    """A turn alone: every text whole."""

    tool_calls = WholeToolCall(many=True, read_only=True)
