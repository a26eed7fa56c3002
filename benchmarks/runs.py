"""How fast runs are executed and stored: `make bench`.

Everything is real but the model: LiteLLM over HTTP to a local server that answers at once, Docker
sandboxes, a database on disk. The bounds are those of docs/architecture.md; exit code 1 when one is missed.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.core.management import call_command
from django.db import connection

from benchmarks.scratch import FOLDER
from evals import jobs, runner
from evals.models import Benchmark, Evaluation, LanguageModel, Run, SandboxKind
from evals.runner import store
from evals.runner.opening import open_sandbox
from evals.runner.workers import claim_next, this_worker
from evals.trajectory import Observation, Reply, ToolCall as Call, TurnRecord, Usage

TURNS = 50
ROUTES = ("hosted_vllm", "openai")


@dataclass(frozen=True)
class Measured:
    what: str
    value: float
    unit: str
    bound: float
    at_least: bool = False

    @property
    def holds(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound


@contextmanager
def model_server(turns: int) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.openai_server", str(turns)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        try:
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.kill()


def prepare() -> Benchmark:
    call_command("migrate", verbosity=0)
    call_command("make_incidents", out=str(FOLDER / "incidents"), count=1, seed=1, stdout=sys.stderr)
    call_command("import_benchmark", str(FOLDER / "incidents"), slug="bench", stdout=sys.stderr)
    return Benchmark.objects.get(slug="bench")


def model_for(route: str, address: str) -> LanguageModel:
    model, _ = LanguageModel.objects.get_or_create(
        slug=f"bench-{route}".replace("_", "-"),
        defaults={"name": route, "price_input": 1.0, "price_output": 2.0},
    )
    model.litellm_model, model.api_base = f"{route}/bench", address
    model.save()
    os.environ.setdefault("OPENAI_API_KEY", "none")
    return model


def planned(benchmark: Benchmark, model: LanguageModel, runs: int, sandbox: str) -> Evaluation:
    return runner.plan(
        runner.EvaluationRequest(benchmark, model, repeats=runs, concurrency=runs, sandbox=sandbox)
    )


def one_run(benchmark: Benchmark, route: str, address: str, sandbox: str) -> tuple[float, float]:
    """Return the milliseconds of a turn, and of what we add to model client and command."""
    evaluation = planned(benchmark, model_for(route, address), 1, sandbox)
    spans: dict[str, float] = {}

    def timed_sandbox(run: Run):  # type: ignore[no-untyped-def]
        return Timed(open_sandbox(run), spans)

    runner.work(evaluation.pk, this_worker(), runner.Openers(sandbox=timed_sandbox))
    run = evaluation.runs.get()
    assert (run.state, run.turns_total) == ("ended", TURNS), (run.state, run.error, run.turns_total)
    wall = spans["left"] - spans["entered"]
    return 1000 * wall / run.turns_total, 1000 * (wall - run.duration_s) / run.turns_total


class Timed:
    """A sandbox that notes when it was ready and when it was no longer needed."""

    def __init__(self, sandbox, spans: dict[str, float]) -> None:  # type: ignore[no-untyped-def]
        self._sandbox, self._spans = sandbox, spans

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        return getattr(self._sandbox, name)

    def __enter__(self):  # type: ignore[no-untyped-def]
        self._sandbox.__enter__()
        self._spans["entered"] = time.perf_counter()
        return self

    def __exit__(self, *exc: object) -> None:
        self._spans["left"] = time.perf_counter()
        self._sandbox.__exit__(*exc)
        self._spans["gone"] = time.perf_counter()


@contextmanager
def worker() -> Iterator[subprocess.Popen[bytes]]:
    """A real worker on the bench's own data, ready and warm."""
    with subprocess.Popen([sys.executable, "manage.py", "run_huey"]) as process:
        try:
            while not runner.live_workers():
                time.sleep(0.1)
            time.sleep(8)  # It announces itself first and loads the model client then.
            yield process
        finally:
            process.terminate()


def eight_runs(benchmark: Benchmark, route: str, address: str, sandbox: str) -> float:
    """Return turns a second of eight runs in the worker, from the first claim to the last grade."""
    evaluation = planned(benchmark, model_for(route, address), 8, sandbox)
    jobs.enqueue(evaluation)
    while evaluation.active:
        time.sleep(0.2)
        evaluation.refresh_from_db()
    assert set(evaluation.runs.values_list("state", flat=True)) == {"ended"}
    assert evaluation.started_at is not None
    assert evaluation.ended_at is not None
    turns = sum(evaluation.runs.values_list("turns_total", flat=True))
    return turns / (evaluation.ended_at - evaluation.started_at).total_seconds()


def peak_memory_mb(process: subprocess.Popen[bytes]) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(kilobytes) / 1024


def saving(benchmark: Benchmark, model: LanguageModel, sandbox: str) -> float:
    """Return how many times longer saving turn 400 takes than saving turn 10."""
    evaluation = planned(benchmark, model, 20, sandbox)
    times: dict[int, list[float]] = {10: [], 400: []}
    for _ in range(20):
        claim = claim_next(evaluation.pk, this_worker())
        assert claim is not None
        for number in range(1, 401):
            call = Call(f"call-{number}", "run_shell", '{"cmd": "ls"}')
            turn = TurnRecord(number, Reply("Looking.", (call,), usage=Usage(1000, 0, 0, 50), cost_usd=0.01))
            seen = (Observation(call.id, "x" * 5000, "ls", 0, bytes_before_cut=5000, duration_s=0.01),)
            start = time.perf_counter()
            store.save_reply(claim, turn)
            store.save_observations(claim, TurnRecord(number, turn.reply, seen))
            if number in times:
                times[number].append(time.perf_counter() - start)
    return statistics.median(times[400]) / statistics.median(times[10])


def container_gone(benchmark: Benchmark, model: LanguageModel, sandbox: str) -> float:
    """Return the seconds from the end of a run to its sandbox being gone (the median of ten)."""
    evaluation = planned(benchmark, model, 10, sandbox)
    seconds = []
    for run in evaluation.runs.select_related("task", "evaluation"):
        spans: dict[str, float] = {}
        with Timed(open_sandbox(run), spans) as opened:
            opened.run("sleep 1000 & true")
        seconds.append(spans["gone"] - spans["left"])
    return statistics.median(seconds)


def measure(sandbox: str) -> list[Measured]:
    benchmark = prepare()
    benchmark.turn_cap = TURNS + 10
    benchmark.save()
    rows = []
    per_turn = {"hosted_vllm": 25.0, "openai": 60.0}
    with model_server(TURNS) as address:
        for route in ROUTES:
            one_run(benchmark, route, address, sandbox)  # The first call of a process loads and connects.
            turns, ours = zip(*(one_run(benchmark, route, address, sandbox) for _ in range(3)), strict=True)
            rows.append(Measured(f"a turn by {route}/", statistics.median(turns), "ms", per_turn[route]))
            rows.append(
                Measured(f"the same less model and command, {route}/", statistics.median(ours), "ms", 10)
            )
        rows += in_the_worker(benchmark, address, sandbox)
    model = LanguageModel.objects.first()
    assert model is not None
    rows.append(Measured("saving turn 400 against turn 10", saving(benchmark, model, sandbox), "times", 1.15))
    rows.append(Measured("sandbox gone after a run", container_gone(benchmark, model, sandbox), "s", 0.2))
    return rows


def in_the_worker(benchmark: Benchmark, address: str, sandbox: str) -> list[Measured]:
    rows = []
    with worker() as process:
        for route, bound in {"hosted_vllm": 40.0, "openai": 30.0}.items():
            rate = eight_runs(benchmark, route, address, sandbox)
            rows.append(Measured(f"eight runs at once by {route}/", rate, "turns/s", bound, at_least=True))
        rows.append(Measured("memory of that worker", peak_memory_mb(process), "MB", 300))
    return rows


def main() -> int:
    sandbox = sys.argv[1] if len(sys.argv) > 1 else SandboxKind.DOCKER.value
    try:
        rows = measure(sandbox)
    finally:
        connection.close()
    print(f"\nRuns of {TURNS} turns in {sandbox}, every turn saved\n")
    for row in rows:
        sign = ">=" if row.at_least else "<="
        verdict = "holds" if row.holds else "MISSED"
        print(f"{row.what:45} {row.value:8.2f} {row.unit:8} {sign} {row.bound:<6g} {verdict}")
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
