"""Real worker processes on a data folder of their own, one of them killed."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.evals.openai_server import finish, serving, shell
from tests.factories import RIGHT_ANSWER

PROJECT = Path(__file__).resolve().parents[2]
TURNS_OF_A_RUN = 8


class Site:
    """A data folder with its own database and queue, driven by its commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "ITBENCH_DATA_DIR": str(folder), "STUB_KEY": "none"}
        self.environment.pop("DJANGO_SETTINGS_MODULE", None)
        self.processes: list[subprocess.Popen[bytes]] = []
        self.mark = sha256(f"django.db.backends.sqlite3|||{folder}/site.sqlite3".encode()).hexdigest()[:8]

    def manage(self, arguments: str) -> str:
        command = [sys.executable, "manage.py", *shlex.split(arguments)]
        done = subprocess.run(
            command, cwd=PROJECT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start_worker(self) -> subprocess.Popen[bytes]:
        with (self.folder / "worker.log").open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "manage.py", "run_huey"],
                cwd=PROJECT, env=self.environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.processes.append(worker)
        return worker

    def query(self, sql: str) -> list[tuple]:
        with sqlite3.connect(
            f"file:{self.folder / 'site.sqlite3'}?mode=ro", uri=True, timeout=30
        ) as connection:
            return connection.execute(sql).fetchall()

    def containers(self) -> list[str]:
        """Name the containers on this machine that belong to runs of this site."""
        if not shutil.which("docker"):
            return []
        listed = subprocess.run(
            ["docker", "ps", "--all", "--format", '{{.Label "itbench.run"}}'],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return [label for label in listed.stdout.split() if label.startswith(self.mark)]

    def log(self) -> str:
        return (self.folder / "worker.log").read_text()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path / "data")
    made.folder.mkdir()
    yield made
    for process in made.processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(what: Callable[[], bool], site: Site, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, site.log()
        time.sleep(0.02)


@pytest.mark.parametrize(
    "sandbox",
    [
        pytest.param("docker", marks=pytest.mark.docker),
        pytest.param("bubblewrap", marks=pytest.mark.bubblewrap),
    ],
)
def test_after_a_killed_worker_the_next_one_ends_the_evaluation_and_pays_for_no_turn_twice(site, sandbox):
    incidents = site.folder / "incidents"
    site.manage("migrate -v0")
    site.manage(f"make_incidents --out {incidents} --count 2 --seed 5")
    site.manage(f"import_benchmark {incidents} --slug two")
    with serving_by_position() as server:
        site.manage(
            f"add_model stub --litellm hosted_vllm/stub --api-base {server.api_base} --key-variable STUB_KEY"
        )
        evaluate = (
            f"evaluate --model stub --benchmark two --repeats 2 --concurrency 4 --sandbox {sandbox} --json"
        )
        planned = json.loads(site.manage(evaluate))
        first = site.start_worker()
        wait_for(lambda: commands_under_way(site) == 4 and turns(site) >= 8, site)
        first.kill()
        first.wait()
        left = {run for (run,) in site.query("SELECT id FROM evals_run WHERE state = 'running'")}
        assert len(left) == 4
        site.start_worker()
        wait_for(lambda: state(site, planned["evaluation"]) == "ended", site)
    assert (
        site.query("SELECT state, attempt, turns_total FROM evals_run") == [("ended", 2, TURNS_OF_A_RUN)] * 4
    )
    asked = Counter(sum(m["role"] == "assistant" for m in request["messages"]) for request in server.requests)
    assert asked == dict.fromkeys(range(TURNS_OF_A_RUN), 4)
    assert site.containers() == []


def commands_under_way(site: Site) -> int:
    return site.query("SELECT count(*) FROM evals_toolcall WHERE output IS NULL")[0][0]


def turns(site: Site) -> int:
    return site.query("SELECT count(*) FROM evals_turn")[0][0]


def state(site: Site, evaluation: int) -> str:
    return site.query(f"SELECT state FROM evals_evaluation WHERE id = {evaluation}")[0][0]


def serving_by_position():
    """Serve each conversation the reply that belongs to its length, whichever run asks."""
    script = [shell("sleep 0.4; echo done >> log")] * (TURNS_OF_A_RUN - 2)
    script += [shell(f"echo '{RIGHT_ANSWER.decode()}' > agent_output.json"), finish()]
    return serving(by_position=script)
