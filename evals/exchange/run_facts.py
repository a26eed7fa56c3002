"""What is known of a run beside its turns: the same facts in every format that goes out.

Only what its page tells: no name of a worker or of whoever asked for it, no address of a model's server.
"""

from __future__ import annotations

from typing import Any

from evals.exchange.json_text import bytes_json
from evals.models import (
    NEWEST_GRADE_FIRST,
    Benchmark,
    Evaluation,
    Grade,
    LanguageModel,
    Run,
    RunSource,
    RunState,
    Task,
)

TOKEN_KINDS = (
    "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens",
)  # fmt: skip


def exported_runs() -> Any:
    """Return all runs with what `run_facts` reads of them, in one query."""
    related = ("evaluation__benchmark", "evaluation__language_model", "task", "source")
    return Run.objects.select_related(*related).defer(
        "task__ground_truth", "task__ground_truth_text", "task__manifest", "task__alert_summary"
    )


def newest_grade(run: Run) -> Grade | None:
    """Return the grade a run's page shows: of an ended run, the newest by its benchmark's grader."""
    if run.state != RunState.ENDED:
        return None
    grades = run.grades.filter(grader=run.evaluation.benchmark.grader)
    return grades.order_by(*NEWEST_GRADE_FIRST).first()


def run_facts(run: Run) -> dict[str, Any]:
    """Return the facts as JSON-ready values; unknown is None. Asks for the grade in one query."""
    return {
        "run": run_values(run),
        "task": task_values(run.task),
        "benchmark": benchmark_values(run.evaluation.benchmark),
        "model": model_values(run.evaluation.language_model),
        "evaluation": evaluation_values(run.evaluation),
        "grade": grade_values(newest_grade(run)),
        "source": source_values(run),
    }


def run_values(run: Run) -> dict[str, Any]:
    return {
        "id": run.pk,
        "state": run.state,
        "stop_reason": run.stop_reason or None,
        "finish_reason": run.finish_reason or None,
        "error": run.error or None,
        "note": run.note or None,
        "repeat": run.repeat,
        "started_at": run.started_at and run.started_at.isoformat(),
        "ended_at": run.ended_at and run.ended_at.isoformat(),
        "turns": run.turns_total,
        **{kind: getattr(run, kind) if run.tokens_known else None for kind in TOKEN_KINDS},
        "cost_usd": run.cost_usd,
        "duration_s": run.duration_s,
        "submission": bytes_json(run.submission),
        "unsubmitted": bytes_json(run.unsubmitted),
    }


def task_values(task: Task) -> dict[str, Any]:
    return {
        "slug": task.slug,
        "title": task.title or None,
        "split": task.split,
        "fault_category": task.fault_category or None,
    }


def benchmark_values(benchmark: Benchmark) -> dict[str, Any]:
    return {
        "slug": benchmark.slug,
        "name": benchmark.name,
        "version": benchmark.version or None,
        "domain": benchmark.domain,
        "synthetic": benchmark.synthetic,
    }


def model_values(model: LanguageModel) -> dict[str, Any]:
    return {
        "slug": model.slug,
        "name": model.name,
        "setting": model.setting or None,
        "creator": model.creator or None,
    }


def evaluation_values(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "id": evaluation.pk,
        "turn_cap": evaluation.turn_cap,
        "sandbox": evaluation.sandbox or None,
        "prompt_name": evaluation.prompt_name or None,
        "prompt_sha256": evaluation.prompt_sha256 or None,
        "harness": evaluation.harness or None,
        "harness_version": evaluation.harness_version or None,
    }


def grade_values(grade: Grade | None) -> dict[str, Any] | None:
    if grade is None:
        return None
    return {
        "grader": grade.grader,
        "grader_version": grade.grader_version,
        "score": grade.score,
        "outcome": grade.outcome,
        "true_positives": grade.true_positives,
        "false_positives": grade.false_positives,
        "false_negatives": grade.false_negatives,
        "verdicts": grade.verdicts,
        "missed": grade.missed,
        "notes": grade.notes,
        "sightings": grade.sightings,
    }


def source_of(run: Run) -> RunSource | None:
    """Return where an imported run came from; None for a run that was played here."""
    return getattr(run, "source", None)


def source_values(run: Run) -> dict[str, Any] | None:
    source = source_of(run)
    if source is None:
        return None
    return {"format": source.format, "name": source.name, "sha256": source.sha256}
