"""Which sandboxes can be had, and what stands in the way of the others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from evals.sandbox import DEFAULT_IMAGE, SandboxError, SandboxSpec, SandboxUnavailable
from evals.sandbox.bubblewrap import Mount, refuse_shown_by_accident
from evals.sandbox.catalogue import KINDS, best_available, check, open_sandbox
from evals.sandbox.docker import OWNER_LABEL, RUN_LABEL, connect, image_digest, reap_leftovers
from tests.evals.sandbox.conftest import EVERY_KIND, containers_of

PROJECT = Path(__file__).parents[3]


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")


@pytest.fixture
def no_bubblewrap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_what_is_ready_says_so_in_plain_words(kind: str):
    found = check(kind)
    assert (found.kind, found.ready, found.remedy) == (kind, True, "")
    assert found.detail


@pytest.mark.usefixtures("no_engine", "no_bubblewrap")
class TestNothingInstalled:
    def test_what_is_missing_is_told_with_the_way_to_get_it(self):
        assert check("docker").detail == "no container engine answers"
        assert "start Docker" in check("docker").remedy
        assert check("bubblewrap").detail == "bubblewrap is not installed"
        assert check("bubblewrap").remedy == "`apt-get install bubblewrap`"

    def test_opening_one_all_the_same_raises_with_the_way_to_get_it(self, spec: SandboxSpec):
        with pytest.raises(SandboxUnavailable, match="no container engine answers; install"):
            open_sandbox("docker", spec).__enter__()
        with pytest.raises(SandboxUnavailable, match="bubblewrap is not installed; `apt-get"):
            open_sandbox("bubblewrap", spec).__enter__()

    def test_only_the_plain_process_is_left(self):
        assert best_available(isolated_only=False) == "process"

    def test_without_isolation_there_is_no_sandbox_for_a_language_model(self):
        with pytest.raises(SandboxUnavailable, match=r"docker: no container.*bubblewrap: bubblewrap is not"):
            best_available(isolated_only=True)


@pytest.mark.docker
def test_docker_is_the_best_where_its_image_is_there():
    assert best_available(isolated_only=True) == "docker"


@pytest.mark.docker
@pytest.mark.bubblewrap
def test_an_engine_without_the_image_is_not_ready_and_bubblewrap_takes_its_place():
    found = check("docker", "no-such-image:1")
    assert (found.ready, found.detail) == (False, "the engine has no image no-such-image:1")
    assert found.remedy == "sandbox/build.sh makes it"
    assert best_available(isolated_only=True, image="no-such-image:1") == "bubblewrap"


@pytest.mark.docker
def test_a_missing_image_is_told_when_a_sandbox_is_opened(spec: SandboxSpec):
    with pytest.raises(SandboxUnavailable, match=r"there is no image no-such-image:1; sandbox/build\.sh"):
        open_sandbox("docker", spec, "no-such-image:1").__enter__()


def test_a_kind_that_does_not_exist_is_refused(spec: SandboxSpec):
    with pytest.raises(SandboxUnavailable, match="'podman' is no sandbox; use docker, bubblewrap, process"):
        open_sandbox("podman", spec)
    assert not check("podman").ready


def test_only_the_plain_process_is_not_isolated(spec: SandboxSpec):
    isolated = {kind: open_sandbox(kind, spec).isolated for kind in KINDS}
    assert isolated == {"docker": True, "bubblewrap": True, "process": False}


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_a_snapshot_that_can_not_be_shown_is_refused(kind: str, spec: SandboxSpec, snapshot: Path):
    (snapshot / "metrics").symlink_to(snapshot / "ground_truth.yaml")
    with pytest.raises(SandboxError, match="metrics: a link out of the snapshot"):
        open_sandbox(kind, spec).__enter__()


def test_a_snapshot_among_the_programs_that_agents_see_is_refused(tmp_path: Path):
    mounts = [Mount(tmp_path / "lib", "/usr/lib"), Mount(tmp_path / "bin", "/usr/bin")]
    refuse_shown_by_accident([tmp_path, tmp_path / "library"], mounts)
    with pytest.raises(SandboxError, match=r"library/tasks lies in .*/library, which agents can read"):
        refuse_shown_by_accident(
            [tmp_path / "library" / "tasks"], [*mounts, Mount(tmp_path / "library", "/usr/library")]
        )


def test_whoever_does_not_use_docker_does_not_wait_for_its_sdk():
    program = "import sys, evals.sandbox.catalogue; print('docker' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, check=True)
    assert answer.stdout == b"False\n"


@pytest.mark.docker
def test_the_digest_names_an_image_and_is_none_for_a_missing_one():
    digest = image_digest(DEFAULT_IMAGE)
    assert digest is not None
    assert digest.startswith("sha256:")
    assert image_digest("no-such-image:1") is None


@pytest.fixture
def never_started(marker: str) -> Iterator[str]:
    """The run id of a container as a worker leaves it that is killed before it can start it."""
    run_id = f"test-{marker}"
    with closing(connect()) as engine:
        created = engine.api.create_container(
            DEFAULT_IMAGE, "true", labels={RUN_LABEL: run_id, OWNER_LABEL: "nobody:0"}
        )
        yield run_id
        if containers_of(run_id):
            engine.api.remove_container(created["Id"])


@pytest.mark.docker
def test_containers_of_runs_that_are_over_are_reaped(never_started: str):
    assert reap_leftovers(is_live=lambda run_id: run_id != never_started) == [never_started]
    assert containers_of(never_started) == []


@pytest.mark.docker
def test_containers_of_live_runs_are_left_alone(never_started: str, spec: SandboxSpec):
    with open_sandbox("docker", replace(spec, run_id="test-live")) as sandbox:
        assert reap_leftovers(is_live=lambda run_id: run_id != never_started) == [never_started]
        assert sandbox.run("echo alive").stdout == b"alive\n"
        assert reap_leftovers(is_live=lambda run_id: True) == []
