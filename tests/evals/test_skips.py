"""No skip goes unseen: each is listed by what it wanted, and is a failure where that is required."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import needs

PROJECT = Path(__file__).resolve().parents[2]
SKIPPING_TESTS = """
import pytest

@pytest.mark.redis
def test_by_its_marker(): pass

def test_by_its_own_word(): pytest.skip("no redis: nothing answers")

@pytest.fixture
def queue(): pytest.skip("no redis: gone")

def test_in_a_fixture(queue): pass

def test_without_data(): pytest.skip("no data here")
"""
SKIPPING_FILE = 'import pytest\npytest.skip("no redis: gone", allow_module_level=True)\n'


@pytest.fixture(scope="module")
def folder_of_skips(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("skips")
    (folder / "test_one_by_one.py").write_text(SKIPPING_TESTS)
    (folder / "test_as_a_whole.py").write_text(SKIPPING_FILE)
    return folder


def run_pytest(folder: Path, require: str, file: str = "", processes: int = 0) -> str:
    """Run a folder's tests, or one file's, with this suite's rules for skips, on a machine without Redis."""
    options = [
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
        "-c",
        "pyproject.toml",
        "--rootdir",
        str(folder),
    ]
    return subprocess.run(
        [sys.executable, "-m", "pytest", f"-n{processes}", *options, str(folder / file)],
        cwd=PROJECT,
        env={**os.environ, "ITBENCH_REQUIRE": require, "ITBENCH_TEST_REDIS_URL": ""},
        capture_output=True,
        text=True,
        check=False,
    ).stdout


@pytest.mark.parametrize("processes", [0, 2])
def test_every_skip_is_listed_once_by_what_it_wanted(folder_of_skips, processes):
    printed = run_pytest(folder_of_skips, require="", processes=processes)
    listed = printed.split("Skipped for want of: redis (4 tests)")[1]
    for name in ("test_as_a_whole.py", "test_by_its_marker", "test_by_its_own_word", "test_in_a_fixture"):
        assert listed.count(name) == 1
    assert "Skipped for want of: no data here (1 test)" in printed
    assert printed.splitlines()[-1].startswith("5 skipped in ")


@pytest.mark.parametrize(
    ("file", "closing"),
    [("test_one_by_one.py", "1 failed, 1 skipped, 2 errors in "), ("test_as_a_whole.py", "1 error in ")],
)
def test_a_skip_for_want_of_what_is_required_is_a_failure(folder_of_skips, file, closing):
    printed = run_pytest(folder_of_skips, "bubblewrap,redis", file)
    assert "ITBENCH_REQUIRE names redis, but this was skipped: no redis: gone" in printed
    assert printed.splitlines()[-1].startswith(closing)


def test_a_name_that_stands_for_nothing_can_not_be_required(monkeypatch):
    monkeypatch.setenv("ITBENCH_REQUIRE", "docker,podman")
    with pytest.raises(needs.UnknownNeed, match="podman is none of docker, bubblewrap"):
        needs.required()
