from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.core.cache import caches

from evals.models import Benchmark, Evaluation, Run, Split, Task
from tests.factories import make_benchmark, make_evaluation, make_model, make_run, make_task, make_turn

SECRET = "sesame-4711"
GROUP = {"id": "flag", "kind": "ConfigMap", "namespace": "shop", "filters": ["flags"], "root_cause": True}
TRUTH = {"groups": [GROUP]}


@pytest.fixture(autouse=True)
def no_memory():
    """Requests of one test are not counted in the next, and no rows are kept for it."""
    for cache in caches.all(initialized_only=True):
        cache.clear()


@dataclass(frozen=True)
class Site:
    """Two models on three tasks, two attempts each; the first model is ahead."""

    benchmark: Benchmark
    tasks: list[Task]
    evaluations: list[Evaluation]
    runs: list[Run]


@pytest.fixture
def site(db) -> Site:
    benchmark = make_benchmark(slug="b", name="B")
    tasks = [
        make_task(benchmark, slug=f"task-{n}", fault_category=category, ground_truth=TRUTH)
        for n, category in enumerate(["network", "network", "memory"], 1)
    ]
    models = [
        make_model(slug="first", name="First", creator="Makers", open_weights=True),
        make_model(slug="second", name="Second"),
    ]
    evaluations = [make_evaluation(benchmark=benchmark, language_model=model) for model in models]
    scores = [[1, 1, 0.5, 1, 1, 1], [0, 0.5, 0, 0, 1, 0]]
    runs = [
        make_run(evaluation, tasks[place // 2], score, cost_usd=0.25 * (place + 1), turns_total=7 + place)
        for evaluation, own in zip(evaluations, scores, strict=True)
        for place, score in enumerate(own)
    ]
    for number in (1, 2, 3):
        make_turn(runs[0], number)
    return Site(benchmark, tasks, evaluations, runs)


@pytest.fixture
def held_out_run(site) -> Run:
    """A run of a held-out task, in the evaluation of the first model."""
    task = make_task(
        site.benchmark,
        slug=f"{SECRET}-slug",
        title=f"{SECRET} title",
        split=Split.HELD_OUT,
        fault_category=f"{SECRET} category",
        ground_truth={"groups": [{**GROUP, "id": f"{SECRET} truth"}]},
        ground_truth_text=f"{SECRET} truth",
        alert_summary=[{"name": f"{SECRET} alert"}],
    )
    run = make_run(site.evaluations[0], task, 0, finish_reason=f"{SECRET} reason")
    make_turn(run, 1, output=f"{SECRET} output", message=f"{SECRET} message")
    return run


def addresses_of(run: Run) -> list[str]:
    """Return every address of the API that shows something, for this run and what it belongs to."""
    evaluation = run.evaluation
    return [
        "/api/v1/",
        "/api/v1/benchmarks/",
        f"/api/v1/benchmarks/{evaluation.benchmark.slug}/",
        f"/api/v1/benchmarks/{evaluation.benchmark.slug}/board/",
        f"/api/v1/benchmarks/{evaluation.benchmark.slug}/matrix/",
        f"/api/v1/compare/?benchmark={evaluation.benchmark.slug}&models=first,second",
        "/api/v1/tasks/",
        f"/api/v1/tasks/{evaluation.benchmark.slug}/{run.task.slug}/",
        "/api/v1/models/",
        f"/api/v1/models/{evaluation.language_model.slug}/",
        "/api/v1/evaluations/",
        f"/api/v1/evaluations/{evaluation.pk}/",
        "/api/v1/runs/",
        f"/api/v1/runs/{run.pk}/",
        f"/api/v1/runs/{run.pk}/turns/",
        f"/api/v1/runs/{run.pk}/turns/?include=outputs",
        f"/api/v1/runs/{run.pk}/turns/1/",
    ]
