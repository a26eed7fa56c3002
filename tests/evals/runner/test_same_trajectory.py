"""A run is the same wherever its commands run: nothing of the sandbox shows in a trajectory."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evals import runner
from evals.models import Run
from evals.runner import store
from evals.runner.workers import this_worker
from evals.trajectory import TurnRecord
from tests.evals.runner.conftest import finish, openers, shell, write

pytestmark = [pytest.mark.django_db, pytest.mark.docker, pytest.mark.bubblewrap]

COMMANDS = (
    "ls -A",
    "pwd; whoami; id -u; echo $HOME; hostname",
    "env | cut -d= -f1 | sort",
    "cat alerts/one.json no-such-file",
    "echo x > alerts/one.json",
    "echo x > /etc/passwd",
    "cat ../ground_truth.yaml ground_truth.yaml",
    "seq 20000; seq 20000 >&2",
    r"printf '\x00\xff\x1b[31mred\x1b[0m\n'",
    "python3 -c 'import csv, json; print(json.load(open(\"alerts/one.json\")))'",
    "mkdir notes && echo kept > notes/a",
    "cat notes/a; exit 7",
    'read line; echo "read: $?"',
    "no-such-command",
    "kill -9 $$",
    "sleep 60 & disown; echo background",
    "timeout 0.2 sleep 5",
    "python3 -c 'import urllib.request as u; u.urlopen(\"http://127.0.0.1:9\")' 2>&1 | tail -n 1",
)


def trajectory(benchmark, model, sandbox: str) -> list[TurnRecord]:
    """Run the script in a kind of sandbox and return its turns without what a clock says."""
    request = runner.EvaluationRequest(
        benchmark, model, repeats=1, tasks=("scenario-1",), turn_cap=40, sandbox=sandbox
    )
    evaluation = runner.plan(request)
    script = openers(*(shell(command) for command in COMMANDS), write(), finish())
    assert runner.work(evaluation.pk, this_worker(), script)
    run: Run = evaluation.runs.get()
    assert (run.state, run.error) == ("ended", "")
    return [timeless(turn) for turn in store.load_turns(run)]


def timeless(turn: TurnRecord) -> TurnRecord:
    observations = tuple(replace(seen, duration_s=0.0) for seen in turn.observations)
    return replace(turn, observations=observations, started_at=None)


def test_a_run_in_docker_and_the_same_run_in_bubblewrap_give_the_same_trajectory(benchmark_of_two, baseline):
    in_docker = trajectory(benchmark_of_two, baseline, "docker")
    in_bubblewrap = trajectory(benchmark_of_two, baseline, "bubblewrap")
    assert len(in_docker) == len(COMMANDS) + 2
    for docker, bubblewrap in zip(in_docker, in_bubblewrap, strict=True):
        assert docker == bubblewrap
