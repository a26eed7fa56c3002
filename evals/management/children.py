"""Server and worker as child processes of one command: none outlives it, and none dies unseen."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

PR_SET_PDEATHSIG = 1
STOP_WITHIN_S = 10
TAIL_LINES = 20


class ChildDied(RuntimeError):
    """A child process ended by itself; the message holds the end of its log."""


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent ends, even by `kill -9` (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Children:
    """A context manager: whatever was started in it is ended with it, each with its own children."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, name: str, command: Sequence[str], environment: dict[str, str]) -> None:
        with self.log(name).open("wb") as log:
            self._started[name] = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A group of its own: Ctrl-C reaches this command alone, which then ends the groups in order.
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - no thread runs yet that could hold a lock
            )

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def check(self) -> None:
        """Raise ChildDied when a child has ended."""
        for name, child in self._started.items():
            if (code := child.poll()) is not None:
                lines = self.log(name).read_text(errors="replace").splitlines()[-TAIL_LINES:]
                tail = "\n".join(f"  {line}" for line in lines)
                raise ChildDied(f"The {name} ended by itself with code {code}. Its log ends with:\n{tail}")

    def stop(self) -> None:
        """End all children and what they started; returns when they are gone."""
        for child in self._started.values():
            signal_group(child, signal.SIGTERM)
        deadline = time.monotonic() + STOP_WITHIN_S
        for child in self._started.values():
            with suppress(subprocess.TimeoutExpired):
                child.wait(max(0, deadline - time.monotonic()))
            # Also where the child has ended: a process of its group may not have.
            signal_group(child, signal.SIGKILL)
            child.wait()
        self._started.clear()


def signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return
