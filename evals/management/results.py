"""The result of an evaluation for a terminal and for programs: the numbers of its page."""

from __future__ import annotations

from io import StringIO

from rich.console import Console
from rich.table import Table

from evals.models import Evaluation, GradeOutcome
from evals.queries import Summary, evaluation_summary

UNKNOWN = "-"


def result_json(evaluation: Evaluation) -> dict[str, object]:
    summary = evaluation_summary(evaluation)
    interval = summary.interval
    return {
        "evaluation": evaluation.pk,
        "benchmark": evaluation.benchmark.slug,
        "model": evaluation.language_model.slug,
        "state": evaluation.state,
        "sandbox": evaluation.sandbox,
        "mean": summary.mean,
        "interval": None if interval is None else [interval.low, interval.high],
        "standard_error": summary.standard_error,
        "runs": {
            "planned": summary.planned,
            "scored": summary.scored,
            "unscored": summary.unscored,
            "errored": summary.errored,
            "active": summary.active,
            "cancelled": summary.cancelled,
        },
        "outcomes": dict(summary.outcomes),
        "cost_per_task_usd": summary.cost_per_task_usd,
        "cost_total_usd": summary.cost_total_usd,
        "turns_per_task": summary.turns_per_task,
        "tokens_per_task": summary.tokens_per_task,
        "seconds_per_task": summary.seconds_per_task,
    }


def result_table(evaluation: Evaluation) -> str:
    summary = evaluation_summary(evaluation)
    table = Table(title=f"{evaluation.language_model} on {evaluation.benchmark}", title_justify="left")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in result_rows(summary):
        table.add_row(name, value)
    text = StringIO()
    Console(file=text, width=78, color_system=None).print(table)
    return text.getvalue()


def result_rows(summary: Summary) -> list[tuple[str, str]]:
    interval = summary.interval
    outcomes = [
        (GradeOutcome(name).label, str(summary.outcomes.get(name, 0))) for name in GradeOutcome.values
    ]
    return [
        ("score, mean of task means", number(summary.mean, "{:.1%}")),
        ("95 % interval", UNKNOWN if interval is None else f"{interval.low:.1%} to {interval.high:.1%}"),
        ("runs scored, of planned", f"{summary.scored} of {summary.planned}"),
        *outcomes,
        ("errored (no score)", str(summary.errored)),
        ("cost a task", number(summary.cost_per_task_usd, "${:.4f}")),
        ("cost in all", number(summary.cost_total_usd, "${:.2f}")),
        ("turns a task", number(summary.turns_per_task, "{:.1f}")),
        ("tokens a task", number(summary.tokens_per_task, "{:,.0f}")),
        ("seconds a task", number(summary.seconds_per_task, "{:.1f}")),
    ]


def number(value: float | None, form: str) -> str:
    return UNKNOWN if value is None else form.format(value)
