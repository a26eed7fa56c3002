"""Grade stored submissions again."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from evals import runner
from evals.grading.ground_truth import GroundTruthFormatError
from evals.models import Benchmark, Evaluation, Run, RunState


class Command(BaseCommand):
    help = (
        "Grade the stored submissions of ended runs again. No model is asked; the answers stay as they are."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--benchmark", metavar="SLUG", help="only runs on this benchmark")
        parser.add_argument("--evaluation", type=int, metavar="ID", help="only runs of this evaluation")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        runs = chosen_runs(options["benchmark"], options["evaluation"])
        graded, changed, refused = 0, [], []
        for run in runs.iterator(chunk_size=200):
            before = list(run.grades.order_by("-grader_version").values_list("score", flat=True)[:1])
            try:
                score = runner.grade_run(run).score
            except GroundTruthFormatError as problem:
                refused.append({"run": run.pk, "task": run.task.slug, "reason": str(problem)})
                continue
            graded += 1
            if before != [score]:
                changed.append({"run": run.pk, "before": before[0] if before else None, "after": score})
        self.tell({"graded": graded, "changed": changed, "refused": refused}, options["json"])
        if refused:
            raise CommandError(f"{len(refused)} runs could not be graded")

    def tell(self, report: dict[str, Any], as_json: bool) -> None:  # noqa: FBT001
        if as_json:
            self.stdout.write(json.dumps(report))
            return
        self.stdout.write(f"{report['graded']} runs graded, {len(report['changed'])} scores changed.")
        for change in report["changed"]:
            before = "none" if change["before"] is None else f"{change['before']:.3f}"
            self.stdout.write(f"  run {change['run']}: {before} -> {change['after']:.3f}")
        for refusal in report["refused"]:
            self.stdout.write(f"  run {refusal['run']} on {refusal['task']} refused: {refusal['reason']}")


def chosen_runs(benchmark: str | None, evaluation: int | None) -> Any:
    if benchmark and not Benchmark.objects.filter(slug=benchmark).exists():
        raise CommandError(f"There is no benchmark {benchmark!r}", returncode=2)
    if evaluation and not Evaluation.objects.filter(pk=evaluation).exists():
        raise CommandError(f"There is no evaluation {evaluation}", returncode=2)
    runs = Run.objects.filter(state=RunState.ENDED).select_related("task", "evaluation__benchmark")
    if benchmark:
        runs = runs.filter(evaluation__benchmark__slug=benchmark)
    if evaluation:
        runs = runs.filter(evaluation=evaluation)
    return runs.order_by("pk")
