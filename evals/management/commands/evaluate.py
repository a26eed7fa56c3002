"""Evaluate a language model on a benchmark."""

from __future__ import annotations

import json
import threading
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from evals import jobs, runner
from evals.management.results import result_json, result_table
from evals.models import Benchmark, Evaluation, EvaluationState, LanguageModel, Run, RunState
from evals.runner.workers import this_worker

LOOK_AGAIN_S = 0.2


class Command(BaseCommand):
    help = (
        "Evaluate a language model on a benchmark. Without --wait the runs are queued for the worker; with"
        " it they are executed here. Ctrl-C pauses: --resume goes on without paying for anything twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--model", metavar="SLUG", help="language model")
        parser.add_argument("--benchmark", metavar="SLUG")
        parser.add_argument("--repeats", type=int, metavar="N", help="default: the benchmark's own")
        parser.add_argument("--tasks", default="", metavar="A,B", help="task slugs; default: all")
        parser.add_argument("--turn-cap", type=int, metavar="N", help="default: the benchmark's own")
        parser.add_argument("--cost-limit", type=float, metavar="USD", help="of the whole evaluation")
        parser.add_argument("--concurrency", type=int, default=4, metavar="N", help="runs at a time")
        parser.add_argument("--sandbox", default="auto", help="auto, docker, bubblewrap or process")
        parser.add_argument("--prompt", type=Path, metavar="FILE", help="a system prompt of your own")
        parser.add_argument("--resume", type=int, metavar="ID", help="go on with a paused evaluation")
        parser.add_argument("--wait", action="store_true", help="execute here and print the result")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        evaluation = self.resumed(options) if options["resume"] else self.planned(options)
        if not options["wait"]:
            jobs.enqueue(evaluation)
            self.tell_queued(evaluation, options["json"])
            return
        self.execute_here(evaluation)
        evaluation.refresh_from_db()
        self.stdout.write(
            json.dumps(result_json(evaluation)) if options["json"] else result_table(evaluation)
        )
        if evaluation.state != EvaluationState.ENDED:
            raise CommandError(f"Evaluation {evaluation.pk} is {evaluation.state}: {evaluation.reason}")
        if errored := evaluation.runs.filter(state=RunState.ERRORED).count():
            raise CommandError(f"{errored} runs errored, the last with: {last_error(evaluation)}")

    def planned(self, options: dict[str, Any]) -> Evaluation:
        if not options["model"] or not options["benchmark"]:
            raise CommandError("--model and --benchmark are needed, each with a slug", returncode=2)
        request = runner.EvaluationRequest(
            benchmark=named(Benchmark, options["benchmark"], "benchmark"),
            language_model=named(LanguageModel, options["model"], "language model"),
            repeats=options["repeats"],
            tasks=tuple(slug.strip() for slug in options["tasks"].split(",") if slug.strip()),
            turn_cap=options["turn_cap"],
            cost_limit_usd=options["cost_limit"],
            concurrency=options["concurrency"],
            sandbox=options["sandbox"],
            prompt_file=options["prompt"],
        )
        try:
            return runner.plan(request)
        except runner.PlanError as problem:
            raise CommandError(str(problem), returncode=2) from problem

    def resumed(self, options: dict[str, Any]) -> Evaluation:
        evaluation = Evaluation.objects.filter(pk=options["resume"]).first()
        if evaluation is None:
            raise CommandError(f"There is no evaluation {options['resume']}", returncode=2)
        runner.release_lost()
        retried = runner.retry_errored(evaluation)
        if not (runner.resume(evaluation) or retried or evaluation.active):
            raise CommandError(f"Evaluation {evaluation.pk} is {evaluation.state} already", returncode=2)
        return evaluation

    def tell_queued(self, evaluation: Evaluation, as_json: bool) -> None:  # noqa: FBT001
        workers = runner.live_workers()
        if as_json:
            told = {"evaluation": evaluation.pk, "runs": evaluation.runs.count(), "workers": len(workers)}
            self.stdout.write(json.dumps(told))
            return
        self.stdout.write(f"Evaluation {evaluation.pk} is queued with {evaluation.runs.count()} runs.")
        if not workers:
            self.stdout.write("No worker is alive: start one with `make worker` or `manage.py run_huey`.")

    def execute_here(self, evaluation: Evaluation) -> None:
        threads = [
            threading.Thread(target=work_until_done, args=(evaluation.pk,), daemon=True)
            for _ in range(evaluation.concurrency)
        ]
        for thread in threads:
            thread.start()
        try:
            show_progress(evaluation, threads)
        except KeyboardInterrupt:
            runner.pause(evaluation, "Interrupted from the keyboard")
            self.stderr.write("Pausing after the current turns; Ctrl-C again leaves them unfinished.")
            for thread in threads:
                thread.join()


def named(model: type[Benchmark] | type[LanguageModel], slug: str, what: str) -> Any:
    row = model.objects.filter(slug=slug).first()
    if row is None:
        known = ", ".join(model.objects.values_list("slug", flat=True)[:40]) or "none yet"
        raise CommandError(f"There is no {what} {slug!r}: there are {known}", returncode=2)
    return row


def work_until_done(evaluation_id: int) -> None:
    """Execute runs of an evaluation until it is no longer active; workers elsewhere may help."""
    try:
        while Evaluation.objects.filter(pk=evaluation_id, state__in=Evaluation.ACTIVE).exists():
            if not runner.work(evaluation_id, this_worker()):
                runner.end_if_done(evaluation_id)
                time.sleep(LOOK_AGAIN_S)
    finally:
        connection.close()


def show_progress(evaluation: Evaluation, threads: list[threading.Thread]) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    runs = Run.objects.filter(evaluation=evaluation)
    with Progress(*columns, TextColumn("{task.fields[note]}"), console=Console(stderr=True)) as progress:
        bar = progress.add_task(str(evaluation.language_model), total=runs.count(), note="")
        while True:
            states = list(runs.values_list("state", flat=True))
            done = sum(state not in {RunState.QUEUED, RunState.RUNNING} for state in states)
            errored = states.count(RunState.ERRORED)
            progress.update(bar, completed=done, note=f"{errored} errored" if errored else "")
            if not any(thread.is_alive() for thread in threads):
                return
            time.sleep(LOOK_AGAIN_S)


def last_error(evaluation: Evaluation) -> str:
    run = evaluation.runs.filter(state=RunState.ERRORED).order_by("-ended_at").first()
    return run.error if run else ""
