"""Settings come from the environment; a wrong value stops the start with one sentence."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from itbench_site import env

PROJECT = Path(__file__).resolve().parents[2]


def start(**variables: str) -> subprocess.CompletedProcess[str]:
    """Start the site's command line with nothing in its environment but these."""
    return subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", PRINT_SETTINGS],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


PRINT_SETTINGS = """
from django.conf import settings
huey = settings.HUEY
print(settings.DATABASES["default"]["ENGINE"], huey["huey_class"], huey["immediate"], settings.DEBUG)
"""


def test_with_nothing_set_the_site_runs_on_sqlite_and_its_jobs_wait_for_a_worker(tmp_path):
    started = start(ITBENCH_DATA_DIR=str(tmp_path))
    assert started.stdout.split() == ["django.db.backends.sqlite3", "huey.SqliteHuey", "False", "False"]


def test_two_addresses_move_tables_and_queue_to_their_servers(tmp_path):
    addresses = {"DATABASE_URL": "postgres://u:p@127.0.0.1:1/d", "REDIS_URL": "redis://127.0.0.1:1/0"}
    started = start(ITBENCH_DATA_DIR=str(tmp_path), **addresses)
    assert started.stdout.split()[:2] == ["django.db.backends.postgresql", "huey.RedisHuey"]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("ITBENCH_DEBUG", "maybe", "ITBENCH_DEBUG='maybe': use True or False"),
        ("ITBENCH_WORKERS", "0", "ITBENCH_WORKERS='0': use a whole number, 1 or more"),
        (
            "ITBENCH_SANDBOX",
            "podman",
            "ITBENCH_SANDBOX='podman': use one of auto, docker, bubblewrap, process",
        ),
        ("DATABASE_URL", "mysql://u:secret@h/d", "DATABASE_URL starts with the wrong scheme"),
        ("ITBENCH_SECRET_KEY", "short", "ITBENCH_SECRET_KEY has 5 characters: use 32 or more"),
    ],
)
def test_a_wrong_value_stops_the_start_with_one_sentence(tmp_path, name, value, sentence):
    started = start(**{"ITBENCH_DATA_DIR": str(tmp_path), name: value})
    assert started.returncode != 0
    assert started.stderr.startswith(f"Settings: {sentence}")
    assert len(started.stderr.splitlines()) == 1
    assert "secret" not in started.stderr


def test_a_data_folder_that_is_a_file_is_refused(tmp_path, monkeypatch):
    (tmp_path / "taken").write_text("")
    monkeypatch.setenv("ITBENCH_DATA_DIR", str(tmp_path / "taken"))
    with pytest.raises(ImproperlyConfigured, match="this is a file; name a folder"):
        env.folder("ITBENCH_DATA_DIR", tmp_path)


@pytest.mark.parametrize("text", ["1.5", "-1", "²", "many"])  # "²" is a digit to str.isdigit
def test_a_whole_number_is_nothing_else(monkeypatch, text):
    monkeypatch.setenv("ITBENCH_WORKERS", text)
    with pytest.raises(ImproperlyConfigured, match="whole number"):
        env.whole_number("ITBENCH_WORKERS", 8)


def test_an_empty_variable_counts_as_not_set(monkeypatch):
    monkeypatch.setenv("ITBENCH_WORKERS", "  ")
    assert env.whole_number("ITBENCH_WORKERS", 8) == 8


def test_the_secret_key_is_made_once_and_readable_by_its_owner_only(tmp_path, monkeypatch):
    monkeypatch.delenv("ITBENCH_SECRET_KEY", raising=False)
    file = tmp_path / "data" / "secret-key"
    first = env.secret_key("ITBENCH_SECRET_KEY", file)
    assert env.secret_key("ITBENCH_SECRET_KEY", file) == first
    assert len(first) >= 50
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_tests_keep_their_hands_off_the_data_of_the_site():
    assert settings.ITBENCH_DATA_DIR != PROJECT / "var"
