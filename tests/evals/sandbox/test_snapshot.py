"""Which parts of a task's folder may be shown, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from evals.sandbox import SNAPSHOT_ALLOW_LIST, SandboxError
from evals.sandbox.snapshot import refuse_unreadable, shown_entries


def test_only_what_stands_on_the_allow_list_is_shown(snapshot: Path):
    for name in SNAPSHOT_ALLOW_LIST:
        if not (snapshot / name).exists():
            (snapshot / name).touch()
    assert sorted(entry.name for entry in shown_entries(snapshot)) == sorted(SNAPSHOT_ALLOW_LIST)


def test_a_sandbox_without_a_snapshot_shows_nothing():
    assert shown_entries(None) == []


def test_a_folder_reached_by_a_link_is_shown_as_itself(snapshot: Path, tmp_path: Path):
    (tmp_path / "link").symlink_to(snapshot)
    assert shown_entries(tmp_path / "link") == shown_entries(snapshot)


def test_a_folder_that_is_no_snapshot_is_refused(tmp_path: Path):
    with pytest.raises(SandboxError, match=r"nowhere: not a snapshot, for it has none of alerts, "):
        shown_entries(tmp_path / "nowhere")


@pytest.mark.parametrize("place", ["metrics", "alerts/link", "topology.json"])
@pytest.mark.parametrize("target", ["ground_truth.yaml", ".", "..", "/etc/passwd", "missing"])
def test_a_link_out_of_its_entry_is_refused(snapshot: Path, place: str, target: str):
    (snapshot / place).symlink_to(target if target.startswith("/") else snapshot / target)
    with pytest.raises(SandboxError, match=rf"{place}: a link out of the snapshot's \w+"):
        shown_entries(snapshot)


def test_a_link_within_its_entry_is_no_harm(snapshot: Path):
    (snapshot / "alerts" / "latest.json").symlink_to("first.json")
    assert snapshot / "alerts" in shown_entries(snapshot)


def test_what_is_no_plain_file_is_refused(snapshot: Path):
    os.mkfifo(snapshot / "alerts" / "pipe")
    with pytest.raises(SandboxError, match="pipe: neither a file nor a folder"):
        shown_entries(snapshot)


@pytest.mark.parametrize(("place", "mode"), [("alerts/first.json", 0o640), ("alerts", 0o754)])
def test_what_the_agent_could_not_read_is_refused_with_the_way_out(snapshot: Path, place: str, mode: int):
    refuse_unreadable(shown_entries(snapshot))
    (snapshot / place).chmod(mode)
    with pytest.raises(SandboxError, match=rf"{place}: the agent could not read it; `chmod -R o\+rX "):
        refuse_unreadable(shown_entries(snapshot))
