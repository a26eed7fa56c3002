"""The server inside every sandbox: takes requests on stdin, runs them, answers on stdout.

One file and the standard library only: its text is sent to a bare `python3 -I -S` from outside, so that
a sandbox needs neither a mount nor an image made for it. docs/decisions/0002 tells why it is PID 1.

A frame, either way: two big-endian 32-bit sizes, a JSON object of the first size, raw bytes of the
second. The first request holds the settings. The client speaks only when the last request was answered,
so whatever arrives while a command runs is its end.
"""
# pathlib would add a fifth to the time the server takes to start.
# ruff: noqa: PTH110, PTH123, PTH208

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import signal
import stat
import struct
import sys
import time
from contextlib import suppress
from typing import Any

PREFIX = struct.Struct(">II")
CHUNK_BYTES = 65536
# Linux refuses a single argument of 128 KiB and more; longer commands travel as a file.
ARGUMENT_BYTES = 100_000
# For the output of helpers that a shell does not wait for, as in `tee >(gzip)`.
GRACE_S = 0.1
WATCH_S = 0.1  # between two looks at the memory in use
PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36
# Python ignores SIGPIPE, and whoever started the worker may have ignored more; commands do not inherit it.
DEFAULT_SIGNALS = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
CROWDED_NOTE = b"sandbox: no room for another process, so all background processes were killed\n"
MEMORY_NOTE = b"sandbox: the memory limit was reached, so all processes were killed\n"


def pack(header: dict[str, Any], body: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return PREFIX.pack(len(text), len(body)) + text + body


def receive() -> dict[str, Any]:
    """Return the next request, which has no raw bytes; raise EOFError when the client is gone."""
    prefix = sys.stdin.buffer.read(PREFIX.size)
    if len(prefix) < PREFIX.size:
        raise EOFError
    request: dict[str, Any] = json.loads(sys.stdin.buffer.read(PREFIX.unpack(prefix)[0]))
    return request


class BoundedOutput:
    """Counts a stream of any length, and keeps its start and its end: half of the limit each."""

    def __init__(self, limit_bytes: int) -> None:
        self.total = 0
        self._head, self._tail = bytearray(), bytearray()
        self._tail_limit = limit_bytes // 2
        self._head_limit = limit_bytes - self._tail_limit

    def add(self, chunk: bytes) -> None:
        self.total += len(chunk)
        room = self._head_limit - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[room:]
        # Trimmed seldom, so that a byte is moved about once however long the stream is.
        if len(self._tail) > 2 * self._tail_limit + CHUNK_BYTES:
            del self._tail[: len(self._tail) - self._tail_limit]

    def kept(self) -> bytes:
        surplus = max(0, len(self._tail) - self._tail_limit)
        return bytes(self._head + self._tail[surplus:])


class Command:
    """A started `bash -c`: its process, its two streams, how it went."""

    def __init__(self, stdout: int, stderr: int, limit_bytes: int) -> None:
        self.pid = 0  # until it is started
        self.outputs = {stdout: BoundedOutput(limit_bytes), stderr: BoundedOutput(limit_bytes)}
        self.open_fds = {stdout, stderr}
        self.started = time.monotonic()
        self.ended = self.timed_out = False
        self.exit_code: int | None = None
        self.note = b""  # what the sandbox itself has to say, put at the end of stderr

    def read(self, fd: int) -> None:
        chunk = os.read(fd, CHUNK_BYTES)
        self.outputs[fd].add(chunk)
        if not chunk:
            self.open_fds.discard(fd)

    def answer(self) -> bytes:
        """Close the streams and return the frame that tells how the command went."""
        stdout, stderr = self.outputs.values()
        for fd in self.outputs:
            os.close(fd)
        stderr.add(self.note)
        kept_stdout = stdout.kept()
        header = {
            "stdout_kept": len(kept_stdout),
            "stdout_bytes": stdout.total,
            "stderr_bytes": stderr.total,
            "exit_code": self.exit_code,
            "timed_out": self.timed_out,
            "duration_s": time.monotonic() - self.started,
        }
        return pack(header, kept_stdout + stderr.kept())


def start_bash(text: str, limit_bytes: int, environment: dict[str, str]) -> Command:
    """Start `bash -c` in its own session, with an empty stdin; raise OSError when there is no room."""
    # An argument can't hold a NUL; bash skips those of a script, too. Lone surrogates are just bytes.
    argument = text.replace("\0", "").encode("utf-8", "surrogatepass")
    (stdout, stdout_end), (stderr, stderr_end) = os.pipe(), os.pipe()
    wiring: list[Any] = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, stdout_end, 1),
        (os.POSIX_SPAWN_DUP2, stderr_end, 2),
    ]
    parent_ends = [stdout_end, stderr_end]
    if len(argument) > ARGUMENT_BYTES:
        script = os.memfd_create("command")
        os.pwrite(script, argument, 0)
        parent_ends.append(script)
        wiring.append((os.POSIX_SPAWN_DUP2, script, 3))
        argument = b"source /dev/fd/3"
    command = Command(stdout, stderr, limit_bytes)
    try:
        command.pid = os.posix_spawn(
            "/bin/bash",
            (b"bash", b"-c", argument),
            environment,
            file_actions=wiring,
            setsid=True,
            setsigmask=(),
            setsigdef=DEFAULT_SIGNALS,
        )
    except OSError:
        parent_ends += [stdout, stderr]
        raise
    finally:
        for fd in parent_ends:
            os.close(fd)
    return command


def process_ids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def descendants() -> list[int]:
    """Return all processes that this one started, and those they started, and so on."""
    children: dict[int, list[int]] = {}
    for pid in process_ids():
        with suppress(OSError), open(f"/proc/{pid}/stat", "rb") as file:
            # The name stands in parentheses and may itself hold spaces and parentheses.
            parent = int(file.read().rpartition(b")")[2].split()[1])
            children.setdefault(parent, []).append(pid)
    found = list(children.get(os.getpid(), ()))
    for pid in found:
        found += children.get(pid, ())
    return found


def kill_everything() -> None:
    """Kill all processes of the sandbox but this one, and return when they are gone.

    For PID 1 one call reaches them all in the same moment, so that not even a fork bomb outruns it.
    """
    with suppress(ChildProcessError):
        while True:
            for pid in (-1,) if os.getpid() == 1 else descendants():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            os.waitpid(-1, 0)


def memory_bytes_at_most() -> int:
    """Return what all processes hold, at most: with pages of files, and shared pages once for each."""
    pages = 0
    for pid in process_ids():
        with suppress(OSError), open(f"/proc/{pid}/statm", "rb") as file:
            pages += int(file.read().split()[1])
    return pages * resource.getpagesize()


def memory_bytes_exactly() -> int:
    """Return what all processes hold and the kernel can't take back; slow."""
    total = 0
    for pid in process_ids():
        with suppress(OSError), open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            held = [line.split()[1] for line in file if line.startswith((b"Pss_Anon:", b"Pss_Shmem:"))]
            total += sum(map(int, held)) * 1024
    return total


def memory_bytes_of_files(home: str) -> int:
    """Return the size of all files that the agent made: they are in memory, too."""
    places = [os.statvfs(place) for place in (home, "/tmp", "/dev/shm")]  # noqa: S108
    return sum((place.f_blocks - place.f_bfree) * place.f_frsize for place in places)


def exists(request: dict[str, Any]) -> bytes:
    return pack({"exists": os.path.exists(request["path"])})


def read(request: dict[str, Any]) -> bytes:
    """Answer with the start of a regular file; "found" is false for anything else."""
    with suppress(OSError, ValueError):
        # Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
        fd = os.open(request["path"], os.O_RDONLY | os.O_NONBLOCK)
        if stat.S_ISREG(os.fstat(fd).st_mode):
            with open(fd, "rb") as file:
                return pack({"found": True}, file.read(request["limit_bytes"]))
        os.close(fd)
    return pack({"found": False})


class Server:
    """Answers requests, reaps what ends, and keeps what runs within its limits."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._home: str = settings["home"]
        self._environment: dict[str, str] = settings["environment"]
        # Half of them in the background is a fork bomb: it leaves no room for a command's own processes.
        self._crowd = settings["processes"] // 2 if settings["processes"] else sys.maxsize
        self._memory_bytes: int | None = settings["memory_bytes"]
        self._command: Command | None = None
        self._children_left = False
        self._next_look = 0.0
        self._wakeup = readable_at_each_ended_child()
        # Opened before PR_SET_DUMPABLE, which hands this process' files in /proc over to root.
        self._oom_score = os.open("/proc/self/oom_score_adj", os.O_RDWR)
        self._own_oom_score = os.read(self._oom_score, 16)
        # Commands run as the same user: this keeps them from our memory and from /proc/1/fd.
        prctl(PR_SET_DUMPABLE, 0)

    def serve(self) -> None:
        """Answer requests; raise EOFError or BrokenPipeError when the client is gone."""
        operations = {"run": self._run, "exists": exists, "read": read}
        answer = pack({"ready": True})
        while True:
            sys.stdout.buffer.write(answer)
            sys.stdout.buffer.flush()
            while 0 not in self._wait({0}, None):
                pass
            request = receive()
            answer = operations[request["op"]](request)

    def _run(self, request: dict[str, Any]) -> bytes:
        command = self._command = self._start(request["command"], request["limit_bytes"])
        deadline = command.started + request["timeout_s"]
        while not command.ended:
            self._read_until(command, deadline)
            if not command.ended and time.monotonic() >= deadline:
                self._kill_everything()
                command.ended = command.timed_out = True
        # Background processes may hold the streams open: take what is there and do not wait for them.
        drain_end = time.monotonic() + GRACE_S
        while command.open_fds and time.monotonic() < drain_end:
            self._read_until(command, drain_end)
        self._command = None
        return command.answer()

    def _start(self, text: str, limit_bytes: int) -> Command:
        """Start a command; where earlier ones left no room for its processes, kill those first."""
        earlier = descendants() if self._children_left else []
        crowded = len(earlier) > self._crowd
        if crowded:
            self._kill_everything()
        # Out of memory, the kernel is to kill commands, however small, before this server. So a command
        # inherits a score that this server has only for the moment; what is older gets a higher one first.
        for pid in earlier:
            with suppress(OSError), open(f"/proc/{pid}/oom_score_adj", "wb") as file:
                file.write(b"1000")
        os.write(self._oom_score, b"500")
        try:
            command = start_bash(text, limit_bytes, self._environment)
        except OSError:
            crowded = True
            self._kill_everything()
            command = start_bash(text, limit_bytes, self._environment)
        finally:
            os.write(self._oom_score, self._own_oom_score)
        self._children_left = True
        command.note = CROWDED_NOTE if crowded else b""
        return command

    def _read_until(self, command: Command, until: float) -> None:
        """Read what there is; return after the next event, or at `until` at the latest."""
        ready = self._wait({0, *command.open_fds}, until)
        for fd in ready & command.open_fds:
            command.read(fd)
        if 0 in ready:
            raise EOFError

    def _wait(self, fds: set[int], until: float | None) -> set[int]:
        """Wait for one of the fds, an ended child, the next look at the memory, or `until`."""
        poller = select.poll()
        for fd in (self._wakeup, *fds):
            poller.register(fd, select.POLLIN)
        ends = [] if until is None else [until]
        if self._memory_bytes is not None and self._children_left:
            ends.append(self._next_look)
        wait_ms = max(0.0, min(ends) - time.monotonic()) * 1000 if ends else None
        ready = {fd for fd, _ in poller.poll(wait_ms)}
        if self._wakeup in ready:
            os.read(self._wakeup, CHUNK_BYTES)
            self._reap()
        self._watch_memory()
        return ready

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self._children_left = False
                return
            if pid == 0:
                return
            if self._command is not None and pid == self._command.pid:
                code = os.waitstatus_to_exitcode(status)
                self._command.exit_code = code if code >= 0 else 128 - code
                self._command.ended = True

    def _watch_memory(self) -> None:
        limit = self._memory_bytes
        if limit is None or not self._children_left or time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + WATCH_S
        room = limit - memory_bytes_of_files(self._home)
        # The exact figure is slow to get, so it is asked for only when the rough one is too high.
        if memory_bytes_at_most() <= room or memory_bytes_exactly() <= room:
            return
        self._kill_everything()
        if self._command is not None and not self._command.ended:
            self._command.ended = True
            self._command.exit_code = 128 + signal.SIGKILL
            self._command.note = MEMORY_NOTE

    def _kill_everything(self) -> None:
        kill_everything()
        self._children_left = False


def readable_at_each_ended_child() -> int:
    """Return a file descriptor that has something to read when a child ended."""
    wakeup, write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    return wakeup


def prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(f"prctl({option}, {value}) was refused")


def settle(settings: dict[str, Any]) -> None:
    """Take the place and the limits that the client chose: shell_client.ServerSettings."""
    os.chdir(settings["home"])
    os.umask(0o022)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if settings["memory_bytes"] is not None:
        # For each process: a single hog is refused memory, which it may survive, before the watch kills.
        resource.setrlimit(resource.RLIMIT_DATA, (settings["memory_bytes"],) * 2)
    if settings["limit_processes"]:
        resource.setrlimit(resource.RLIMIT_NPROC, (settings["processes"],) * 2)
    if settings["cpus"] is not None:
        os.sched_setaffinity(0, settings["cpus"])
    if os.getpid() != 1:
        prctl(PR_SET_CHILD_SUBREAPER, 1)


def main() -> None:
    """Serve one client until it is gone, then leave no process behind."""
    # Its end is the end of stdin, never a signal that a command may have sent.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    try:
        settings = receive()
        settle(settings)
        Server(settings).serve()
    except (EOFError, BrokenPipeError):
        pass  # the client closed the sandbox, or died
    finally:
        kill_everything()


if __name__ == "__main__":
    main()
