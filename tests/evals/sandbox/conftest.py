"""One sandbox of every kind this machine has, and ways to look at it from outside."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evals.sandbox import Sandbox, SandboxSpec
from evals.sandbox.catalogue import open_sandbox

EVERY_KIND = [
    pytest.param("docker", marks=pytest.mark.docker),
    pytest.param("bubblewrap", marks=pytest.mark.bubblewrap),
    "process",
]
ISOLATED_KINDS = EVERY_KIND[:2]


def wait_until(true: Callable[[], bool], seconds: float = 30) -> bool:
    """Tell whether it came true in that time."""
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return true()


def processes_with(marker: str) -> list[int]:
    """Return the ids, as this machine counts them, of processes with the marker on their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if marker.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


def containers_of(run_id: str) -> list[str]:
    from evals.sandbox.docker import RUN_LABEL, connect

    with contextlib.closing(connect()) as engine:
        found = engine.api.containers(all=True, filters={"label": f"{RUN_LABEL}={run_id}"})
        return [container["Id"] for container in found]


@pytest.fixture
def marker() -> str:
    """A number of seconds nobody else sleeps, so that `sleep <marker>` is found by its command line."""
    return f"7{secrets.randbelow(10**9):09d}"


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    folder = tmp_path / "Scenario-1"
    (folder / "alerts").mkdir(parents=True)
    (folder / "alerts" / "first.json").write_text('{"alert": "RequestErrorRate"}')
    (folder / "k8s_events_raw.tsv").write_text("Timestamp\tBody\n")
    (folder / "ground_truth.yaml").write_text("groups: []\n")
    (folder / "status.json").write_text("{}")
    for path in folder.rglob("*"):  # whoever relied on permissions would find the inputs changed
        path.chmod(0o777 if path.is_dir() else 0o666)
    return folder


@pytest.fixture
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which this test's sandboxes put what they need for a while."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))  # for processes that the test starts
    return folder


@pytest.fixture
def spec(snapshot: Path, marker: str) -> SandboxSpec:
    return SandboxSpec(snapshot=snapshot, run_id=f"test-{marker}")


@pytest.fixture
def sandbox(kind: str, spec: SandboxSpec) -> Iterator[Sandbox]:
    with open_sandbox(kind, spec) as opened:
        yield opened


@pytest.fixture
def open_with(kind: str, spec: SandboxSpec) -> Iterator[Callable[..., Sandbox]]:
    """A function that opens a sandbox whose spec differs in what it is given."""
    with contextlib.ExitStack() as stack:
        yield lambda **changes: stack.enter_context(open_sandbox(kind, replace(spec, **changes)))
