"""The same code on PostgreSQL and Redis: every test of the database, and workers that share a queue."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from evals.management.children import Children

PROJECT = Path(__file__).resolve().parents[2]
# Parts that ask for more of a machine than a database have their tests run once, on SQLite.
DATABASE_ALONE = "not docker and not bubblewrap and not browser and not postgres and not redis"
# Its many requests ask the same questions of a database as the other tests of the API.
FUZZED = "--ignore=tests/leaderboard/api/test_schema.py"
# Of one thread a worker: long enough for the one that is ready later to find work left.
REPEATS = 8
EVALUATED_WITHIN_S = 120
STARTED_WITHIN_S = 60

pytestmark = [pytest.mark.postgres, pytest.mark.redis]


@pytest.fixture
def database_url() -> Iterator[str]:
    """A database of its own on the server of the tests."""
    server = os.environ["ITBENCH_TEST_POSTGRES_URL"]
    name = f"itbench_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
        # The second is pytest's own; a thread that still holds a connection keeps pytest from dropping it.
        for made in (name, f"test_{name}"):
            connection.execute(f"DROP DATABASE IF EXISTS {made} WITH (FORCE)")


@pytest.mark.timeout(900)
def test_every_test_of_the_database_holds_on_postgresql_with_the_queue_on_redis(database_url):
    finished = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "--database-only",
            "-m",
            DATABASE_ALONE,
            "-p",
            "no:cacheprovider",
            FUZZED,
        ],
        cwd=PROJECT,
        env={**os.environ, "DATABASE_URL": database_url, "REDIS_URL": os.environ["ITBENCH_TEST_REDIS_URL"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-5000:]


class Site:
    """A site's command line, on servers of its own."""

    def __init__(self, data: Path, database_url: str) -> None:
        self.environment = {
            "PATH": os.environ["PATH"],
            "ITBENCH_WORKERS": "1",
            "ITBENCH_DATA_DIR": str(data),
            "ITBENCH_SANDBOX": "process",
            "DATABASE_URL": database_url,
            "REDIS_URL": os.environ["ITBENCH_TEST_REDIS_URL"],
        }

    def manage(self, *arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout


def test_two_workers_share_a_queue_and_every_run_is_executed_once(tmp_path, database_url):
    site = Site(tmp_path / "data", database_url)
    site.manage("migrate", "--verbosity", "0")
    site.manage("make_incidents", "--out", str(tmp_path / "incidents"), "--count", "4", "--seed", "7")
    site.manage("import_benchmark", str(tmp_path / "incidents"), "--slug", "shared")
    site.manage("add_model", "loudest", "--litellm", "baseline/loudest")
    with Children(tmp_path / "logs") as children, psycopg.connect(database_url, autocommit=True) as database:
        for name in ("one", "other"):
            worker = [sys.executable, str(PROJECT / "manage.py"), "run_huey"]
            children.start(name, worker, site.environment)
        await_workers(database, children)
        asked = ("--model", "loudest", "--benchmark", "shared", "--repeats", str(REPEATS), "--json")
        planned = json.loads(site.manage("evaluate", *asked))
        state, seen = watch_evaluation(database, children)
        runs = database.execute("SELECT state, attempt FROM evals_run").fetchall()
        graded = database.execute("SELECT count(DISTINCT run_id) FROM evals_grade").fetchone()[0]
    assert state == "ended"
    assert set(runs) == {("ended", 1)}
    assert len(runs) == graded == planned["runs"] == 4 * REPEATS
    assert len(seen) == 2  # both workers had runs in hand


def await_workers(database: psycopg.Connection, children: Children) -> None:
    deadline = time.monotonic() + STARTED_WITHIN_S
    while database.execute("SELECT count(*) FROM evals_worker").fetchone()[0] < 2:
        children.check()
        assert time.monotonic() < deadline, "the workers were not heard of"
        time.sleep(0.2)


def watch_evaluation(database: psycopg.Connection, children: Children) -> tuple[str, set[str]]:
    """Return how the only evaluation ended, and the workers that were seen with runs in hand."""
    seen: set[str] = set()
    deadline = time.monotonic() + EVALUATED_WITHIN_S
    state, reason = "queued", ""
    while state in {"queued", "running"} and time.monotonic() < deadline:
        children.check()
        seen |= {
            row[0] for row in database.execute("SELECT claimed_by FROM evals_run WHERE claimed_by != ''")
        }
        state, reason = database.execute("SELECT state, reason FROM evals_evaluation").fetchone()
        time.sleep(0.05)
    return f"{state} {reason}".strip(), seen
