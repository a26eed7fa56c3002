"""The house is in order: settings are documented, locks fit what they lock, documents name what exists."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands
from packaging.requirements import Requirement

PROJECT = Path(__file__).resolve().parents[2]
LOCKS = ["base", "dev", "node", "harbor"]


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
