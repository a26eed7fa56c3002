"""doctor tells what is ready and how to get what is not, and never the value of a key."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from evals.models import Worker
from evals.runner.workers import this_worker
from tests.factories import make_benchmark, make_model, make_task

PROJECT = Path(__file__).resolve().parents[2]


def doctor(capsys, *options: str) -> tuple[int, str]:
    """Return the exit code and what was printed."""
    try:
        call_command("doctor", *options)
    except SystemExit as end:
        return int(end.code), capsys.readouterr().out
    return 0, capsys.readouterr().out


def line_about(name: str, printed: str) -> str:
    return next(line for line in printed.splitlines() if line[9:].startswith(f"{name} "))


@pytest.fixture
def evaluable(db, tmp_path) -> None:
    """A site on which an evaluation could run."""
    make_task(make_benchmark(slug="samples"), snapshot_path=str(tmp_path))
    make_model(slug="loudest", litellm_model="baseline/loudest")


def test_an_empty_site_is_told_what_keeps_it_from_evaluating(db, capsys):
    code, printed = doctor(capsys)
    assert code == 1
    assert printed.splitlines()[-1] == (
        "No evaluation can run yet, for want of: benchmarks, language models."
    )
    assert "manage.py import_benchmark FOLDER" in printed


def test_a_site_that_could_evaluate_is_told_how(evaluable, capsys):
    code, printed = doctor(capsys)
    assert code == 0
    assert line_about("benchmarks", printed).endswith("samples (1 task)")
    assert printed.splitlines()[-1].startswith("An evaluation can run: manage.py evaluate")


def test_a_benchmark_whose_files_are_gone_does_not_count(evaluable, tmp_path, capsys):
    tmp_path.rmdir()
    code, printed = doctor(capsys)
    assert code == 1
    assert line_about("benchmarks", printed).startswith("missing")


def test_what_is_missing_comes_with_a_remedy(db, capsys):
    _, printed = doctor(capsys, "--json")
    lacking = [check for check in json.loads(printed)["checks"] if not check["ready"]]
    assert lacking
    assert all(check["remedy"] for check in lacking)


def test_keys_are_told_by_name_and_never_by_value(evaluable, capsys, monkeypatch):
    make_model(slug="ours", api_base="http://localhost:1/v1", api_key_variable="OUR_OWN_KEY")
    monkeypatch.setenv("OUR_OWN_KEY", "sk-1111")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-2222")
    for options in ([], ["--json"]):
        _, printed = doctor(capsys, *options)
        assert "OUR_OWN_KEY" in printed
        assert "OPENAI_API_KEY" in printed
        assert "sk-" not in printed


def test_a_model_that_lacks_its_key_is_named(evaluable, capsys, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    make_model(slug="hosted", litellm_model="openai/gpt-5.5")
    _, printed = doctor(capsys)
    assert line_about("language models", printed).endswith("loudest; without a key: hosted")


def test_a_worker_is_alive_while_its_heart_beats(db, capsys):
    assert line_about("worker", doctor(capsys)[1]).startswith("missing")
    worker = Worker.objects.create(name=this_worker(), seen_at=timezone.now(), threads=8)
    assert "1 alive with 8 threads" in line_about("worker", doctor(capsys)[1])
    worker.seen_at -= timedelta(hours=1)
    worker.save()
    assert line_about("worker", doctor(capsys)[1]).startswith("missing")


def test_every_sandbox_is_looked_at(db, capsys):
    _, printed = doctor(capsys)
    for kind in ("docker", "bubblewrap", "process"):
        assert line_about(f"sandbox {kind}", printed)


@pytest.mark.parametrize(
    ("database", "remedy"),
    [
        ({}, "-> manage.py migrate"),
        (
            {"DATABASE_URL": "postgres://site:hidden@127.0.0.1:1/d"},
            "-> Start the server that DATABASE_URL names",
        ),
    ],
)
def test_a_database_that_is_not_there_yet_is_no_traceback(tmp_path, database, remedy):
    finished = subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "ITBENCH_DATA_DIR": str(tmp_path), **database},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 1
    assert remedy in finished.stdout
    assert "hidden" not in finished.stdout
    assert finished.stderr == ""
