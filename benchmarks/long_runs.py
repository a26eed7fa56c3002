"""Two long runs, of 100 and of 1,000 turns with 20 KB of output each: what their pages are measured on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from django.db import transaction

from evals.grading.ground_truth import parse_ground_truth
from evals.models import (
    Benchmark,
    Evaluation,
    EvaluationState,
    LanguageModel,
    Run,
    RunState,
    SandboxKind,
    Task,
    ToolCall,
    Turn,
)
from evals.runner.grades import grade_run
from evals.trajectory import StopReason

OUTPUT_CHARACTERS = 20_000
TRUTH = """\
groups:
  - {id: policy, kind: NetworkPolicy, namespace: otel-demo, filter: [deny-all], root_cause: true}
  - {id: frontend, kind: Service, namespace: otel-demo, filter: [frontend]}
"""
ANSWER = b'{"contributing_factors": [{"name": "otel-demo/NetworkPolicy/deny-all"}]}'
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
FILES = ("k8s_events_raw.tsv", "k8s_objects_raw.tsv", "otel_logs_raw.tsv", "otel_traces_raw.tsv")
WORDS = (
    "frontend", "checkout", "cart", "payment", "shipping", "quote", "otel-demo", "Warning", "BackOff",
    "Unhealthy", "Scheduled", "Pulled", "timeout", "refused", "503", "connection", "upstream", "reset",
    "latency", "replicas", "memory", "cpu", "limit", "request", "container",
)  # fmt: skip


@transaction.atomic
def seed_long_runs(lengths: Sequence[int]) -> list[int]:
    """Store an ended, graded run of each length and return their ids."""
    parse_ground_truth(TRUTH)
    benchmark = Benchmark.objects.create(slug="long", name="Long runs")
    model = LanguageModel.objects.create(slug="model-001", name="Model 1", context_window=400_000)
    evaluation = Evaluation.objects.create(
        benchmark=benchmark, language_model=model, repeats=1, turn_cap=max(lengths), prompt_name="bench",
        sandbox=SandboxKind.PROCESS, state=EvaluationState.ENDED, started_at=BEGAN, ended_at=BEGAN,
    )  # fmt: skip
    return [seed_long_run(evaluation, length) for length in lengths]


def seed_long_run(evaluation: Evaluation, length: int) -> int:
    task = Task.objects.create(
        benchmark=evaluation.benchmark, slug=f"turns-{length}", ground_truth_text=TRUTH,
        ground_truth_sha256=hashlib.sha256(TRUTH.encode()).hexdigest(),
    )  # fmt: skip
    run = Run.objects.create(
        evaluation=evaluation, task=task, repeat=1, state=RunState.ENDED, stop_reason=StopReason.SUBMITTED,
        started_at=BEGAN, ended_at=BEGAN + timedelta(hours=1), turns_total=length, submission=ANSWER,
    )  # fmt: skip
    random = Random(length)
    turns = Turn.objects.bulk_create(turn_of(run, number, random) for number in range(1, length + 1))
    ToolCall.objects.bulk_create((call_of(turn, random) for turn in turns), batch_size=100)
    grade_run(run)
    return run.pk


def turn_of(run: Run, number: int, random: Random) -> Turn:
    return Turn(
        run=run, number=number, message=words(random, 300), reasoning=words(random, 1500), model_s=4.0,
        input_tokens=2000 + 350 * number, cache_read_tokens=0, cache_write_tokens=0, output_tokens=400,
        cost_usd=0.01, started_at=BEGAN + timedelta(seconds=5 * number),
    )  # fmt: skip


def call_of(turn: Turn, random: Random) -> ToolCall:
    output = words(random, OUTPUT_CHARACTERS)
    return ToolCall(
        turn=turn, number=1, call_id=f"call-{turn.number}", tool="run_shell", arguments="{}", exit_code=0,
        command=f"grep -n '{random.choice(WORDS)}' {random.choice(FILES)} | head -{random.randint(5, 500)}",
        output=f"<shell_result>\n<exit_code>0</exit_code>\n<stdout>\n{output}\n</stdout>\n<stderr>\n</stderr>\n"
        "</shell_result>",
        output_bytes=len(output), duration_s=0.2,
    )  # fmt: skip


def words(random: Random, characters: int) -> str:
    """Return text that looks like a log: words, numbers no two of which are alike, and lines."""
    parts: list[str] = []
    length = 0
    while length < characters:
        part = f"{random.choice(WORDS)} {random.getrandbits(40):x} "
        parts.append(part if random.random() < 0.9 else f"{part}\n")
        length += len(parts[-1])
    return "".join(parts)[:characters]
