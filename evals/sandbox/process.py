"""The plain sandbox: a process and a folder of its own, and no isolation at all.

Commands run as the worker's own user, see its files and its network, and have no limits but time and
output. It is there for the built-in baselines, whose commands are ours, on machines without anything better.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from evals.sandbox import HOME, SandboxSpec, SandboxUnavailable
from evals.sandbox.local import LocalServer
from evals.sandbox.shell_client import ServerSettings, ShellSandbox, server_command
from evals.sandbox.snapshot import shown_entries

# The shell outlives the server and removes the home even when this process was killed.
SERVE_AND_SWEEP = 'trap "" HUP INT TERM; home=$1; shift; "$@"; rm -rf -- "$home"'


class ProcessSandbox(ShellSandbox):
    kind = "process"
    isolated = False

    def __init__(self, spec: SandboxSpec) -> None:
        super().__init__(spec)
        self.home = str(Path(tempfile.gettempdir()).resolve() / f"itbench-{secrets.token_hex(8)}")
        self._server: LocalServer | None = None

    def _launch(self) -> LocalServer:
        if sys.platform != "linux":
            raise SandboxUnavailable("its shell server needs Linux", "use Docker")
        entries = shown_entries(self.spec.snapshot)
        home = Path(self.home)
        home.mkdir(mode=0o700)
        for entry in entries:
            (home / entry.name).symlink_to(entry)
        command = ["/bin/sh", "-c", SERVE_AND_SWEEP, "sh", self.home, *server_command(sys.executable)]
        self._server = LocalServer(command, {"PATH": self._path()})
        return self._server

    def _settings(self) -> ServerSettings:
        return ServerSettings(home=self.home, environment=self._environment(self._path()))

    def _path(self) -> str:
        # The worker's Python first: it has the pandas and numpy that a sandbox promises.
        return f"{Path(sys.executable).parent}:{os.defpath}"

    def _remove(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None
        shutil.rmtree(self.home, ignore_errors=True)

    def exists(self, path: str) -> bool:
        return super().exists(self._at_home(path))

    def read(self, path: str, limit_bytes: int) -> bytes | None:
        return super().read(self._at_home(path), limit_bytes)

    def _at_home(self, path: str) -> str:
        """Map what an answer file is called in every sandbox to where it lies in this one."""
        if path == HOME or path.startswith(f"{HOME}/"):
            return self.home + path[len(HOME) :]
        return path
