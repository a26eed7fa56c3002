"""The worker's side: what it does when a server misbehaves, and how it takes a container's stream apart."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from evals.sandbox import SandboxError
from evals.sandbox.docker import StreamParts
from evals.sandbox.local import LocalServer, SocketStream
from evals.sandbox.shell_client import ShellClient, server_command
from evals.sandbox.shell_server import pack


class FarEnd(SocketStream):
    """The worker's end of a socket pair; `peer` is the server's."""

    def __init__(self) -> None:
        ours, self.peer = socket.socketpair()
        super().__init__(ours)

    def last_words(self) -> str:
        return ""


@pytest.fixture
def stream() -> Iterator[FarEnd]:
    end = FarEnd()
    yield end
    end.close()
    end.peer.close()


def test_an_answer_may_come_in_any_pieces(stream: FarEnd):
    frame = pack({"found": True}, b"content")

    def dribble() -> None:
        for byte in frame:
            stream.peer.sendall(bytes([byte]))
            time.sleep(0.001)

    threading.Thread(target=dribble).start()
    assert ShellClient(stream, "sandbox").ask({"op": "read"}) == ({"found": True}, b"content")


def test_a_silent_server_is_an_error_and_is_not_asked_again(stream: FarEnd):
    client = ShellClient(stream, "docker sandbox of run 7", patience_s=0.2)
    for _ in range(2):
        with pytest.raises(SandboxError, match="the docker sandbox of run 7 did not answer within 1 s"):
            client.ask({"op": "run"}, timeout_s=0.5)
    stream.peer.sendall(pack({"late": True}))
    with pytest.raises(SandboxError, match="did not answer"):
        client.ask({"op": "run"})


def test_a_server_that_ends_is_an_error(stream: FarEnd):
    stream.peer.sendall(pack({"found": True}, b"content")[:-1])
    stream.peer.close()
    with pytest.raises(SandboxError, match="ended by itself: "):
        ShellClient(stream, "sandbox").ask({"op": "read"})


def test_what_a_server_that_can_not_start_said_is_told():
    server = LocalServer(["/bin/sh", "-c", "echo no such luck >&2; exit 1"], {})
    try:
        with pytest.raises(SandboxError, match="ended by itself: no such luck"):
            ShellClient(server, "sandbox").ask({"op": "run"})
    finally:
        server.stop()


def test_a_program_that_does_not_exist_is_told():
    with pytest.raises(SandboxError, match="/no/such/program: No such file or directory"):
        LocalServer(["/no/such/program"], {})


def test_a_server_that_does_not_end_is_killed():
    server = LocalServer(["/bin/sh", "-c", "trap '' TERM; sleep 600"], {})
    started = time.monotonic()
    server.stop()
    assert time.monotonic() - started < 10


def test_the_server_needs_nothing_but_its_source_and_a_bare_python():
    command = server_command("python3")
    assert command[:4] == ["python3", "-I", "-S", "-c"]
    assert len(command[4]) < 120  # agents see it in `ps`


@pytest.mark.parametrize("step", [1, 2, 5, 9, 1000])
def test_a_containers_stream_is_parted_into_stdout_and_stderr(step: int):
    parts = [(1, b"frame"), (2, b"Traceback"), (1, b""), (1, b"\x01\x00\x00"), (2, b": error")]
    stream = b"".join(struct.pack(">BxxxL", number, len(text)) + text for number, text in parts)
    taken_apart = StreamParts()
    chunks = (stream[start : start + step] for start in range(0, len(stream), step))
    assert b"".join(map(taken_apart.stdout, chunks)) == b"frame\x01\x00\x00"
    assert bytes(taken_apart.stderr) == b"Traceback: error"
