"""Rows for tests: each function makes one row with sensible values and takes what a test cares about."""

from __future__ import annotations

import hashlib
from itertools import count
from typing import Any

from django.utils import timezone

from evals.models import (
    Benchmark,
    Evaluation,
    EvaluationState,
    Grade,
    GradeOutcome,
    LanguageModel,
    Run,
    RunState,
    SandboxKind,
    Task,
    ToolCall,
    Turn,
)

numbers = count(1)

GROUND_TRUTH = """\
groups:
  - id: flag
    kind: ConfigMap
    namespace: otel-demo
    filter: [flagd-config]
    root_cause: true
  - id: ad-service
    kind: Service
    namespace: otel-demo
    filter: ['ad\\b']
aliases: []
propagations:
  - {source: flag, target: ad-service, condition: flag on, effect: ad fails}
"""

RIGHT_ANSWER = b'{"contributing_factors": [{"name": "otel-demo/ConfigMap/flagd-config"}]}'
WRONG_ANSWER = b'{"contributing_factors": [{"name": "otel-demo/Service/ad"}]}'


def make_benchmark(**fields: Any) -> Benchmark:
    n = next(numbers)
    return Benchmark.objects.create(**{"slug": f"benchmark-{n}", "name": f"Benchmark {n}", **fields})


def make_task(benchmark: Benchmark | None = None, **fields: Any) -> Task:
    defaults: dict[str, Any] = {
        "slug": f"scenario-{next(numbers)}",
        "ground_truth_text": GROUND_TRUTH,
        "ground_truth_sha256": hashlib.sha256(GROUND_TRUTH.encode()).hexdigest(),
    }
    return Task.objects.create(benchmark=benchmark or make_benchmark(), **{**defaults, **fields})


def make_model(**fields: Any) -> LanguageModel:
    n = next(numbers)
    defaults = {"slug": f"model-{n}", "name": f"Model {n}", "litellm_model": f"hosted_vllm/model-{n}"}
    return LanguageModel.objects.create(**{**defaults, **fields})


def make_evaluation(**fields: Any) -> Evaluation:
    defaults: dict[str, Any] = {
        "repeats": 3,
        "turn_cap": 100,
        "sandbox": SandboxKind.PROCESS,
        "prompt_name": "default",
        "prompt_text": "Find the cause.",
        "prompt_sha256": hashlib.sha256(b"Find the cause.").hexdigest(),
        "state": EvaluationState.ENDED,
        "started_at": timezone.now(),
        "ended_at": timezone.now(),
    }
    fields.setdefault("benchmark", None)
    fields["benchmark"] = fields["benchmark"] or make_benchmark()
    fields["language_model"] = fields.get("language_model") or make_model()
    return Evaluation.objects.create(**{**defaults, **fields})


def make_run(
    evaluation: Evaluation | None = None,
    task: Task | None = None,
    score: float | None = 1.0,
    outcome: str | None = None,
    **fields: Any,
) -> Run:
    """An ended run with its grade; a score of None makes one that errored and has no grade."""
    evaluation = evaluation or make_evaluation()
    task = task or make_task(evaluation.benchmark)
    defaults: dict[str, Any] = {
        "repeat": Run.objects.filter(evaluation=evaluation, task=task).count() + 1,
        "state": RunState.ENDED,
        "stop_reason": "submitted",
        "started_at": timezone.now(),
        "ended_at": timezone.now(),
        "turns_total": 10,
        "input_tokens": 1000,
        "output_tokens": 100,
        "cost_usd": 0.5,
        "duration_s": 30.0,
        "submission": RIGHT_ANSWER if score == 1 else WRONG_ANSWER,
    }
    if score is None:
        defaults |= {"state": RunState.ERRORED, "stop_reason": "", "error": "SandboxError: gone"}
    run = Run.objects.create(evaluation=evaluation, task=task, **{**defaults, **fields})
    if score is not None:
        make_grade(run, score, outcome)
    return run


def make_grade(run: Run, score: float, outcome: str | None = None, **fields: Any) -> Grade:
    by_score = {0: GradeOutcome.MISSED, 1: GradeOutcome.EXACT}
    outcome = outcome or by_score.get(score, GradeOutcome.OVER_REPORTED)
    defaults: dict[str, Any] = {
        "grader": "aa-precision",
        "grader_version": 1,
        "true_positives": 1 if score else 0,
        "false_positives": round(1 / score) - 1 if score else 1,
        "false_negatives": 0 if score else 1,
    }
    return Grade.objects.create(run=run, score=score, outcome=outcome, **{**defaults, **fields})


def make_turn(run: Run, number: int, command: str = "ls", output: str = "alerts\n", **fields: Any) -> Turn:
    turn = Turn.objects.create(run=run, number=number, **{"message": "Looking.", "model_s": 1.0, **fields})
    ToolCall.objects.create(
        turn=turn,
        number=1,
        call_id=f"call-{number}",
        tool="run_shell",
        arguments=f'{{"cmd": "{command}"}}',
        command=command,
        output=f"<shell_result>\n<exit_code>0</exit_code>\n<stdout>\n{output}</stdout>\n"
        "<stderr>\n</stderr>\n</shell_result>",
        output_bytes=len(output),
        exit_code=0,
        duration_s=0.1,
    )
    return turn
