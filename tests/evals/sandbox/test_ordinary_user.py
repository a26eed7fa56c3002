"""bubblewrap starts in another way for root than for other users; what comes of it is the same."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
# A Python that every user can run: root's own may lie in root's home.
PYTHON = sys.executable if os.geteuid() != 0 else "/usr/bin/python3"
SOMEBODY = 23456  # a user id that needs no entry in /etc/passwd

COMMANDS = [
    "id; pwd; stat -c '%U %G %a %F' . alerts; cat alerts/*",
    "grep -E '^(Cap|NoNewPrivs)' /proc/self/status; unshare --user true",
    "touch /x /etc/x /usr/bin/x alerts/x; touch x /tmp/x; ls . /tmp",
    "echo > /dev/tcp/127.0.0.1/80; tail -n +3 /proc/net/dev | wc -l",
    "bomb() { bomb | bomb & }; bomb 2> /dev/null; true",
    "sleep 1",
    "ls | wc -l; ulimit -u",
    "setsid sleep 1000 & kill -9 -1; kill -9 1; kill -9 $PPID; echo survived",
]

PROGRAM = """
import json, sys
from pathlib import Path
from evals.sandbox import SandboxSpec
from evals.sandbox.bubblewrap import BubblewrapSandbox
snapshot, commands = Path(sys.argv[1]), json.loads(sys.argv[2])
with BubblewrapSandbox(SandboxSpec(snapshot=snapshot, run_id="somebody", processes=64)) as sandbox:
    results = [sandbox.run(command, timeout_s=20) for command in commands]
print(json.dumps([[r.stdout.decode(), r.stderr.decode(), r.exit_code] for r in results]))
"""


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user can read, with our code and a snapshot in it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        shutil.copytree(PROJECT / "evals" / "sandbox", folder / "evals" / "sandbox")
        (folder / "evals" / "__init__.py").touch()
        (folder / "snapshot" / "alerts").mkdir(parents=True)
        (folder / "snapshot" / "alerts" / "first.json").write_text("{}\n")
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        yield folder


@pytest.mark.bubblewrap
def test_root_and_an_ordinary_user_get_the_same_sandbox(public_folder: Path):
    if not Path(PYTHON).exists():
        pytest.skip(f"no Python that every user can run: {PYTHON} is missing")

    def results_for(user: int) -> list[list[object]]:
        command = [PYTHON, "-c", PROGRAM, str(public_folder / "snapshot"), json.dumps(COMMANDS)]
        identity = {"user": user, "group": user, "extra_groups": []} if os.geteuid() == 0 else {}
        answer = subprocess.run(command, cwd=public_folder, capture_output=True, check=False, **identity)
        assert answer.returncode == 0, answer.stderr.decode()
        return json.loads(answer.stdout)

    results = results_for(SOMEBODY)
    assert results == results_for(os.geteuid())
    assert [exit_code for _, _, exit_code in results] == [0, 1, 0, 0, 0, 0, 0, 0]
    assert results[-2][0] == "2\n64\n"
    assert results[-1][0] == "survived\n"
