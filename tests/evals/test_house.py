"""The house is in order: settings are documented, locks fit what they lock, no skip goes unseen."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands
from packaging.requirements import Requirement

from tests import needs

PROJECT = Path(__file__).resolve().parents[2]
LOCKS = ["base", "dev", "node"]


def read(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


def variables_read() -> set[str]:
    settings = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', read("itbench_site/settings.py")))
    return settings | set(re.findall(r'"(ITBENCH_[A-Z_]+)"', read("tests/needs.py")))


def test_every_variable_is_documented_and_every_documented_one_is_read():
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", read("docs/settings.md"), re.MULTILINE))
    assert documented == variables_read()


def test_the_example_of_an_environment_names_every_variable():
    named = set(re.findall(r"^# ([A-Z_]+)=", read(".env.example"), re.MULTILINE))
    assert variables_read() == {name for name in named if not name.endswith("_API_KEY")}


def pins(lock: str) -> dict[str, list[str]]:
    """Return the locked versions of each package; there are several where they depend on Python's version."""
    found: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([a-z0-9.-]+)(?:\[.*\])?==(\S+)", read(lock), re.MULTILINE):
        found.setdefault(name, []).append(version)
    return found


def wanted(source: str) -> list[Requirement]:
    lines = [line.split("#")[0].strip() for line in read(source).splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_what_its_source_asks_for(name):
    locked = pins(f"requirements/{name}.txt")
    for requirement in wanted(f"requirements/{name}.in"):
        versions = locked[re.sub(r"[-_.]+", "-", requirement.name.lower())]
        assert all(requirement.specifier.contains(version) for version in versions), requirement


def test_checks_and_tests_run_on_the_versions_that_the_site_runs_on():
    base, dev = pins("requirements/base.txt"), pins("requirements/dev.txt")
    assert {name: dev[name] for name in base.keys() & dev} == {name: base[name] for name in base.keys() & dev}


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_its_hash_and_no_address(name):
    text = read(f"requirements/{name}.txt")
    packages = re.split(r"^(?=\S+==)", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in package for package in packages)
    assert "://" not in text


def test_the_lock_of_the_browser_libraries_fits_and_names_no_registry():
    lock = json.loads(read("package-lock.json"))
    asked = json.loads(read("package.json"))
    for group in ("dependencies", "devDependencies"):
        assert lock["packages"][""].get(group) == asked.get(group)
    libraries = {path: package for path, package in lock["packages"].items() if path}
    assert all("integrity" in package and "resolved" not in package for package in libraries.values())


DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    *(str(path.relative_to(PROJECT)) for path in PROJECT.glob("docs/*.md")),
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents_name_commands_targets_and_files_that_exist(document):
    text = read(document)
    targets = re.search(r"^\.PHONY: (.*)$", read("Makefile"), re.MULTILINE).group(1).split()
    assert set(re.findall(r"`make ([a-z-]+)|^make ([a-z-]+)", text, re.MULTILINE)) <= {
        *((target, "") for target in targets),
        *(("", target) for target in targets),
    }
    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= set(get_commands())
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert [link for link in links if not (PROJECT / document).parent.joinpath(link).exists()] == []


def test_make_alone_lists_every_target():
    listed = subprocess.run(["make"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    targets = re.search(r"^\.PHONY: (.*)$", read("Makefile"), re.MULTILINE).group(1).split()
    assert re.findall(r"^  make (\S+)", listed, re.MULTILINE) == targets


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
