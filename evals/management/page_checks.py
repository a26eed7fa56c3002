"""Asks the running site for every kind of page and compares what it says with the database."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import fmean

from django.contrib import admin
from django.urls import reverse

from evals.management.demonstration import BENCHMARK, Account
from evals.management.results import result_json
from evals.management.visitor import Answer, Visitor
from evals.models import (
    Benchmark,
    Evaluation,
    Grade,
    GradeOutcome,
    LanguageModel,
    PublishedResult,
    Run,
    RunState,
    Task,
    ToolCall,
)

QUEUED_RUN_WITHIN_S = 60


@dataclass(frozen=True)
class Site:
    address: str
    account: Account
    evaluations: list[Evaluation]


@dataclass(frozen=True)
class Finding:
    name: str
    holds: bool
    detail: str = ""  # what was found instead

    def __str__(self) -> str:
        return f"ok    {self.name}" if self.holds else f"FAIL  {self.name}: {self.detail}"


def findings(site: Site, tell: Callable[[str], object]) -> Iterator[Finding]:
    """Yield what each check found, and tell it."""
    for checks in (runs_and_numbers, board, benchmarks, tasks, models, evaluations, runs, other_pages, staff):
        for finding in checks(site):
            tell(str(finding))
            yield finding


def page(answer: Answer, path: str, *expected: str, status: int = 200) -> Finding:
    """Check that a page came and says what is expected."""
    missing = [text for text in expected if " ".join(text.split()) not in answer.text]
    if answer.status != status:
        return Finding(path, holds=False, detail=f"status {answer.status}, expected {status}")
    if missing:
        return Finding(path, holds=False, detail=f"does not say {', '.join(map(repr, missing))}")
    return Finding(path, holds=True)


def claim(name: str, holds: bool, detail: object = "") -> Finding:  # noqa: FBT001 - the claim itself
    return Finding(name, holds, "" if holds else str(detail))


def mean_by_hand(evaluation: Evaluation) -> float:
    """Return the mean over tasks of the mean over repeats, in plain Python from the grades."""
    by_task: dict[int, list[float]] = {}
    for task, score in Grade.objects.filter(run__evaluation=evaluation).values_list("run__task", "score"):
        by_task.setdefault(task, []).append(score)
    return fmean(fmean(scores) for scores in by_task.values())


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def runs_and_numbers(site: Site) -> Iterator[Finding]:
    for evaluation in site.evaluations:
        name = evaluation.language_model.slug
        states = set(evaluation.runs.values_list("state", flat=True))
        planned = evaluation.repeats * evaluation.benchmark.tasks.count()
        yield claim(f"{name}: all runs ended", states == {RunState.ENDED}, sorted(states))
        yield claim(f"{name}: {planned} runs", evaluation.runs.count() == planned, evaluation.runs.count())
        told, by_hand = result_json(evaluation)["mean"], mean_by_hand(evaluation)
        agree = isinstance(told, float) and abs(told - by_hand) < 1e-9
        yield claim(f"{name}: command and grades tell one mean", agree, f"{told} and {by_hand}")
    if "docker" in os.environ.get("ITBENCH_REQUIRE", "").split(","):
        sandboxes = {evaluation.sandbox for evaluation in site.evaluations}
        yield claim("agents worked in Docker", sandboxes == {"docker"}, sorted(sandboxes))


def board(site: Site) -> Iterator[Finding]:
    visitor = Visitor(site.address)
    answer = visitor.get("/")
    yield page(answer, "/", "Sample incidents", "synthetic")
    for evaluation in site.evaluations:
        model = evaluation.language_model
        row = answer.row_about(reverse("model", args=[model.slug]))
        shown = percent(mean_by_hand(evaluation))
        yield claim(f"/ gives {model.slug} its mean, {shown}", shown in row, f"its row says {row!r}")
    files = answer.addresses("/static/")
    yield claim("/ loads its own style sheet and scripts", len(files) >= 2, files)
    for path in files:
        file = visitor.get(path)
        kept = "immutable" in file.headers.get("cache-control", "")
        yield claim(path, file.status == 200 and kept, f"status {file.status}, kept for ever: {kept}")


def benchmarks(site: Site) -> Iterator[Finding]:
    visitor = Visitor(site.address)
    for benchmark in Benchmark.objects.all():
        path = benchmark.get_absolute_url()
        published = PublishedResult.objects.filter(benchmark=benchmark).order_by("-as_of", "-score").first()
        expected = [published.language_model.name, percent(published.score), "Published"] if published else []
        yield page(visitor.get(path), path, benchmark.name, *expected)


def tasks(site: Site) -> Iterator[Finding]:
    visitor = Visitor(site.address)
    rows = list(Task.objects.filter(benchmark__slug=BENCHMARK))
    path = reverse("tasks", args=[BENCHMARK])
    yield page(visitor.get(path), path, *(task.title or task.slug for task in rows))
    for task in rows:
        path = reverse("task", args=[BENCHMARK, task.slug])
        yield page(visitor.get(path), path, task.title or task.slug)


def models(site: Site) -> Iterator[Finding]:
    visitor = Visitor(site.address)
    yield page(visitor.get("/models/"), "/models/", *(e.language_model.name for e in site.evaluations))
    for evaluation in site.evaluations:
        path = evaluation.language_model.get_absolute_url()
        yield page(visitor.get(path), path, evaluation.language_model.name, percent(mean_by_hand(evaluation)))
    published = LanguageModel.objects.filter(published_results__isnull=False).distinct()[:3]
    for model in published:
        yield page(visitor.get(model.get_absolute_url()), model.get_absolute_url(), model.name, "Published")


def evaluations(site: Site) -> Iterator[Finding]:
    visitor = Visitor(site.address)
    yield page(
        visitor.get("/evaluations/"), "/evaluations/", *(e.language_model.name for e in site.evaluations)
    )
    for evaluation in site.evaluations:
        path = evaluation.get_absolute_url()
        yield page(visitor.get(path), path, evaluation.language_model.name, percent(mean_by_hand(evaluation)))


def runs(site: Site) -> Iterator[Finding]:
    visitor = Visitor(site.address)
    for run in runs_of_every_outcome(site):
        grade = run.grades.get()
        path = run.get_absolute_url()
        outcome = GradeOutcome(grade.outcome).label
        named = [verdict["name"] for verdict in grade.verdicts][:5]
        yield page(visitor.get(path), f"{path} ({outcome})", run.evaluation.language_model.name, *named)
        yield recording(visitor.get(f"{path}replay.cast"), f"{path}replay.cast", run)
        for name in ("run.html", "run.md", "run.json", "trajectory.json"):
            yield page(visitor.get(f"{path}{name}"), f"{path}{name}", run.task.slug, *named)


def runs_of_every_outcome(site: Site) -> list[Run]:
    """Return one run of each outcome of each model."""
    ended = Run.objects.filter(evaluation__in=site.evaluations, state=RunState.ENDED)
    first: dict[tuple[int, str], Run] = {}
    for run in ended.order_by("pk").prefetch_related("grades"):
        first.setdefault((run.evaluation_id, run.grades.all()[0].outcome), run)
    return list(first.values())


def recording(answer: Answer, path: str, run: Run) -> Finding:
    """Check that the replay is an asciicast in which the run's first command is typed."""
    try:
        head, *events = map(json.loads, answer.body.splitlines())
    except ValueError as problem:
        return claim(path, holds=False, detail=problem)
    command = (
        ToolCall.objects.filter(turn__run=run).exclude(command="").order_by("turn__number", "number").first()
    )
    shown = "".join(event[2] for event in events if event[1] == "o")
    first_word = command.command.split()[0] if command else ""
    return claim(path, head["version"] in (2, 3) and first_word in shown, f"{head}, {len(events)} events")


def other_pages(site: Site) -> Iterator[Finding]:
    visitor = Visitor(site.address)
    yield page(visitor.get("/methodology/"), "/methodology/", "root cause", "precision")
    yield page(visitor.get("/healthz"), "/healthz", "ok")
    yield page(visitor.get("/readyz"), "/readyz", "ok")
    yield page(visitor.get("/no/such/page/"), "/no/such/page/", "nothing at this address", status=404)
    yield from found_and_paired(site, visitor)
    stranger = visitor.get("/evaluations/new/")
    asked = stranger.url.startswith(f"{site.address}/admin/login/")
    yield claim("/evaluations/new/ sends a stranger to sign in", asked, stranger.url)


def found_and_paired(site: Site, visitor: Visitor) -> Iterator[Finding]:
    """Check that the search finds what was handed in, and that two runs of a task stand side by side."""
    first, *others = Run.objects.filter(evaluation__in=site.evaluations, state=RunState.ENDED).order_by("pk")
    path = "/search/?q=command%3Aagent_output.json"
    yield page(visitor.get(path), path, "runs", "agent_output.json")
    beside = next(
        run for run in others if run.task_id == first.task_id and run.evaluation_id != first.evaluation_id
    )
    path = f"/runs/{first.pk}/vs/{beside.pk}/"
    yield page(visitor.get(path), path, str(first.evaluation.language_model), "the same", "What was named")


def staff(site: Site) -> Iterator[Finding]:
    visitor = Visitor(site.address)
    signed_in = visitor.sign_in(site.account.name, site.account.password or "")
    yield page(signed_in, "/admin/ after signing in", "Language models", "Log out")
    for model in admin.site._registry:
        path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        yield page(visitor.get(path), path, str(model._meta.verbose_name_plural))
    yield page(visitor.get("/evaluations/new/"), "/evaluations/new/", "Sample incidents", "Concurrency")
    yield page(visitor.get("/imports/"), "/imports/", "Import runs", "SWE-agent")
    yield from evaluation_by_form(visitor)


def evaluation_by_form(visitor: Visitor) -> Iterator[Finding]:
    """Ask for an evaluation of one run as staff do, and see the worker execute it."""
    task = Task.objects.filter(benchmark__slug=BENCHMARK).order_by("pk")[0]
    wish = {"model": "loudest", "benchmark": BENCHMARK, "repeats": "1", "tasks": task.slug}
    answer = visitor.post("/evaluations/new/", {**wish, "concurrency": "1", "sandbox": "auto"})
    planned = Evaluation.objects.order_by("-pk")[0]
    landed = answer.url.endswith(planned.get_absolute_url()) and planned.requested_by is not None
    yield claim("the form queues an evaluation", landed, f"{answer.status} at {answer.url}")
    deadline = time.monotonic() + QUEUED_RUN_WITHIN_S
    while planned.active and time.monotonic() < deadline:
        time.sleep(0.2)
        planned.refresh_from_db()
    states = list(planned.runs.values_list("state", flat=True))
    yield claim("the worker executes what the form queued", states == [RunState.ENDED], states)
