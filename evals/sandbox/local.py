"""A shell server that is a process of this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence

from evals.sandbox import SandboxError

# A server needs milliseconds to kill what runs and to end; past this it is killed itself.
FAREWELL_S = 2.0
LAST_WORDS_BYTES = 2000


class SocketStream:
    """Sends and receives on a socket, until a deadline each time."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    def send(self, data: bytes, deadline: float) -> None:
        self._wait_until(deadline)
        self._socket.sendall(data)

    def receive(self, deadline: float) -> bytes:
        self._wait_until(deadline)
        return self._socket.recv(65536)

    def close(self) -> None:
        self._socket.close()

    def _wait_until(self, deadline: float) -> None:
        remaining_s = deadline - time.monotonic()
        if remaining_s <= 0:
            raise TimeoutError
        self._socket.settimeout(remaining_s)


class LocalServer(SocketStream):
    """A started command that talks on its stdin and stdout.

    Both are one end of a socket pair. When this process dies, however it dies, the kernel closes the
    other end. That is the server's signal to end, and why no parent-death signal is set: that one would
    strike as well when merely the thread that started the server ends.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        ours, theirs = socket.socketpair()
        super().__init__(ours)
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115, as long-lived as the server
        try:
            # A session of its own: Ctrl-C in a terminal must not reach it before this process decides.
            self._process = subprocess.Popen(
                command,
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=self._stderr,
                env=environment,
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            self.close()
            self._stderr.close()
            raise SandboxError(f"{command[0]}: {error.strerror}") from error
        finally:
            theirs.close()

    def last_words(self) -> str:
        """Return the end of what was written on stderr."""
        size = os.fstat(self._stderr.fileno()).st_size
        start = max(0, size - LAST_WORDS_BYTES)
        return os.pread(self._stderr.fileno(), LAST_WORDS_BYTES, start).decode(errors="replace").strip()

    def stop(self) -> None:
        """End the server and all it started, and wait until they are gone."""
        self.close()
        try:
            self._process.wait(FAREWELL_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._stderr.close()
