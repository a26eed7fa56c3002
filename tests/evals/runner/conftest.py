"""An evaluation of one task that really runs: a snapshot on disk, a scripted model, a process sandbox."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evals.llm.scripted import ScriptedModel
from evals.models import Evaluation, Run
from evals.runner import EvaluationRequest, Openers, plan
from evals.trajectory import Reply, ToolCall, Usage
from tests.factories import RIGHT_ANSWER, make_benchmark, make_model, make_task


def shell(command: str, cost_usd: float | None = 0.25) -> Reply:
    call = ToolCall("call", "run_shell", json.dumps({"cmd": command}))
    return Reply("Looking.", (call,), usage=Usage(100, 20, 5, 10, 3), cost_usd=cost_usd, duration_s=1.5)


def finish() -> Reply:
    arguments = json.dumps({"reason": "found it", "paths": ["agent_output.json"]})
    return Reply("Done.", (ToolCall("end", "finish", arguments),), usage=Usage(100, 0, 0, 10), cost_usd=0.25)


def write(answer: bytes = RIGHT_ANSWER) -> Reply:
    return shell(f"echo '{answer.decode()}' > agent_output.json")


def openers(*script: Reply | Exception) -> Openers:
    """Openers that give every run a fresh model with this script."""
    return Openers(model=lambda _: ScriptedModel(script))


@pytest.fixture
def baseline(db):
    return make_model(slug="scripted", litellm_model="baseline/detective")


@pytest.fixture
def benchmark_of_two(db, tmp_path: Path):
    benchmark = make_benchmark(slug="two", repeats=2, turn_cap=10)
    for name in ("scenario-1", "scenario-2"):
        folder = tmp_path / name
        (folder / "alerts").mkdir(parents=True)
        (folder / "alerts" / "one.json").write_text("[]")
        (folder / "ground_truth.yaml").write_text("secret")
        make_task(benchmark, slug=name, snapshot_path=str(folder))
    return benchmark


@pytest.fixture
def evaluation(benchmark_of_two, baseline) -> Evaluation:
    return plan(EvaluationRequest(benchmark_of_two, baseline, repeats=1, sandbox="process", concurrency=2))


@pytest.fixture
def run(evaluation) -> Run:
    return evaluation.runs.order_by("pk").first()
