"""The worker's side of the shell server, and what all sandboxes share."""

from __future__ import annotations

import json
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol, Self

from evals.sandbox import HOME, CommandResult, SandboxError, SandboxSpec, shell_server

START_S = 60  # an engine under load takes seconds to start a container
# Beyond a command's own time limit, before the server counts as lost: it competes for processor and
# memory with all that the agent started.
PATIENCE_S = 60.0


class ServerStream(Protocol):
    """A connection to the stdin and stdout of a shell server. Deadlines are monotonic times."""

    def send(self, data: bytes, deadline: float) -> None:
        """Send it all; raise TimeoutError, or another OSError when the server is gone."""

    def receive(self, deadline: float) -> bytes:
        """Return what comes next, b"" at the end; raise TimeoutError."""

    def last_words(self) -> str:
        """Return what the server, or what was to start it, wrote on stderr; may be empty."""


@dataclass(frozen=True)
class ServerSettings:
    """What the shell server needs to know. None: no limit, or one that holds without its doing."""

    home: str
    environment: dict[str, str]  # all of it, for every command
    processes: int | None = None  # threads included
    limit_processes: bool = False  # whether the server itself has to make `processes` hold
    memory_bytes: int | None = None  # of processes and files together; exceeded, all processes are killed
    cpus: list[int] | None = None


def memory_for_commands(memory_bytes: int) -> int:
    """Return what the server lets commands have of the sandbox's memory.

    The rest is for the kernel (page tables, pipes) and for the pages of programs. Without it a cgroup
    that is full of small processes kills one at a time and re-reads its programs from the disk
    meanwhile: the sandbox, and the machine with it, crawls.
    """
    return memory_bytes - max(memory_bytes // 8, 64 * 1024**2)


@cache
def server_source() -> bytes:
    return Path(shell_server.__file__).read_bytes()


def server_command(python: str) -> list[str]:
    """Return a command that reads the server's source from its stdin and becomes the server."""
    read = f"sys.stdin.buffer.read({len(server_source())})"
    # -I -S: nothing of the environment or of site-packages runs in the server.
    return [python, "-I", "-S", "-c", f"import sys; exec(compile({read}, 'shell_server', 'exec'))"]


class ShellClient:
    """Asks a shell server, one request at a time. Once it failed, it is not asked again."""

    def __init__(self, stream: ServerStream, name: str, patience_s: float = PATIENCE_S) -> None:
        self._stream = stream
        self._name = name  # of the sandbox, for messages
        self._patience_s = patience_s
        self._received = bytearray()
        self._failure: str | None = None
        self._lock = threading.Lock()

    def start(self, settings: ServerSettings) -> None:
        self._exchange(server_source() + shell_server.pack(asdict(settings)), START_S)

    def ask(self, request: dict[str, Any], timeout_s: float = 0) -> tuple[dict[str, Any], bytes]:
        """Return the answer's header and raw bytes; raise SandboxError when none comes."""
        return self._exchange(shell_server.pack(request), timeout_s + self._patience_s)

    def _exchange(self, frame: bytes, timeout_s: float) -> tuple[dict[str, Any], bytes]:
        deadline = time.monotonic() + timeout_s
        with self._lock:
            if self._failure is not None:
                raise SandboxError(self._failure)
            # Set before, cleared after: an interrupted exchange leaves half a frame behind.
            self._failure = f"the {self._name} was left in the middle of a request"
            try:
                self._stream.send(frame, deadline)
                answer = self._receive_frame(deadline)
            except TimeoutError:
                self._failure = f"the {self._name} did not answer within {timeout_s:.0f} s"
                raise SandboxError(self._failure) from None
            except OSError as error:
                reason = self._stream.last_words() or str(error)
                self._failure = f"the {self._name} ended by itself: {reason}"
                raise SandboxError(self._failure) from error
            self._failure = None
            return answer

    def _receive_frame(self, deadline: float) -> tuple[dict[str, Any], bytes]:
        prefix = self._take(shell_server.PREFIX.size, deadline)
        header_size, body_size = shell_server.PREFIX.unpack(prefix)
        header = json.loads(self._take(header_size, deadline))
        return header, self._take(body_size, deadline)

    def _take(self, size: int, deadline: float) -> bytes:
        while len(self._received) < size:
            chunk = self._stream.receive(deadline)
            if not chunk:
                raise ConnectionResetError("its shell server closed the connection")
            self._received += chunk
        taken = bytes(self._received[:size])
        del self._received[:size]
        return taken


class ShellSandbox(ABC):
    """A sandbox with a shell server in it. What differs is how the server is started and removed."""

    kind: str
    isolated: bool
    home: str = HOME

    def __init__(self, spec: SandboxSpec) -> None:
        self.spec = spec
        self._shell: ShellClient | None = None

    @abstractmethod
    def _launch(self) -> ServerStream:
        """Start the server; raise SandboxError, with nothing to remove or enough known to remove it."""

    @abstractmethod
    def _remove(self) -> None:
        """Remove all there is, started or half started; may be called twice. Raises nothing."""

    @abstractmethod
    def _settings(self) -> ServerSettings: ...

    def __enter__(self) -> Self:
        try:
            self._shell = ShellClient(self._launch(), f"{self.kind} sandbox of run {self.spec.run_id}")
            self._shell.start(self._settings())
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._shell = None
        self._remove()

    def run(self, command: str, timeout_s: float = 300, limit_bytes: int = 1_000_000) -> CommandResult:
        request = {"op": "run", "command": command, "timeout_s": timeout_s, "limit_bytes": limit_bytes}
        header, streams = self._ask(request, timeout_s)
        kept = header.pop("stdout_kept")
        return CommandResult(stdout=streams[:kept], stderr=streams[kept:], **header)

    def exists(self, path: str) -> bool:
        header, _ = self._ask({"op": "exists", "path": path})
        return bool(header["exists"])

    def read(self, path: str, limit_bytes: int) -> bytes | None:
        header, content = self._ask({"op": "read", "path": path, "limit_bytes": limit_bytes})
        return content if header["found"] else None

    def _ask(self, request: dict[str, Any], timeout_s: float = 0) -> tuple[dict[str, Any], bytes]:
        if self._shell is None:
            raise SandboxError(f"the {self.kind} sandbox of run {self.spec.run_id} is not open")
        return self._shell.ask(request, timeout_s)

    def _environment(self, path: str) -> dict[str, str]:
        """Return the whole environment of the agent's commands."""
        own = {"HOME": self.home, "PATH": path, "LANG": "C.UTF-8", "USER": "user"}
        return own | self.spec.environment
