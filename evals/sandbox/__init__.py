"""Places to run an agent's commands, behind one protocol."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self

HOME = "/home/user"
DEFAULT_IMAGE = "itbench-sandbox:1"  # sandbox/build.sh makes it

# All that an agent may see of a task's folder. Never the folder itself: the ground truth lies in it.
SNAPSHOT_ALLOW_LIST = (
    "alerts",
    "metrics",
    "topology",
    "topology.json",
    "k8s_events_raw.tsv",
    "k8s_objects_raw.tsv",
    "otel_logs_raw.tsv",
    "otel_traces_raw.tsv",
)


class SandboxError(Exception):
    """The sandbox, not the agent, failed: it would not start, or its server went silent."""


class SandboxUnavailable(SandboxError):
    """This kind of sandbox can't be had on this machine; the message says how to get it."""

    def __init__(self, detail: str, remedy: str = "") -> None:
        super().__init__(f"{detail}; {remedy}" if remedy else detail)
        self.detail = detail
        self.remedy = remedy


@dataclass(frozen=True)
class SandboxSpec:
    """What a sandbox is made of and how much it may use."""

    snapshot: Path | None  # the task's folder; only what stands on the allow-list is shown
    run_id: str  # labels what belongs to this run, so that leftovers can be found and removed
    memory_bytes: int = 2 * 1024**3
    processes: int = 256
    cpus: float = 1.0
    home_bytes: int = 512 * 1024**2  # writable space in the agent's home, /tmp apart
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CommandResult:
    stdout: bytes  # at most the output limit: the start and the end, the middle dropped
    stderr: bytes
    stdout_bytes: int  # before anything was dropped
    stderr_bytes: int
    exit_code: int | None  # None: killed by the time limit
    timed_out: bool
    duration_s: float


class Sandbox(Protocol):
    """One isolated place for one run; use it as a context manager.

    Every method raises SandboxError when the sandbox itself fails.
    """

    kind: str  # "docker", "bubblewrap" or "process"
    isolated: bool  # False: only commands of ours may run there, never a language model's
    home: str  # the agent's home as its commands see it

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...

    def run(self, command: str, timeout_s: float = 300, limit_bytes: int = 1_000_000) -> CommandResult:
        """Run a command with `bash -c` in the home folder; `limit_bytes` bounds each stream."""

    def exists(self, path: str) -> bool:
        """Tell whether a file or folder is there. A relative path starts at home."""

    def read(self, path: str, limit_bytes: int) -> bytes | None:
        """Return the first `limit_bytes` of a regular file, or None when there is none."""
