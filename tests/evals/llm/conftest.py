"""A provider on loopback that speaks OpenAI's chat completions, and one that breaks off."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import sleep as pause
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from evals.llm.litellm_client import Clock, LiteLLMModel
from evals.llm.settings import ModelSettings

PATH = "/v1/chat/completions"
QUESTION = [{"role": "user", "content": "What broke?"}]
SHELL = {
    "type": "function",
    "function": {
        "name": "run_shell",
        "description": "Run a command.",
        "parameters": {"type": "object", "properties": {"cmd": {"type": "string"}}, "required": ["cmd"]},
    },
}


def completion(message: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """Return a chat completion as a provider sends it."""
    message = {"role": "assistant", "content": "It was DNS."} if message is None else message
    choice = {"index": 0, "message": message, "finish_reason": fields.pop("finish_reason", "stop")}
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    told = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    return {**told, "usage": usage, **fields}


def called(*calls: tuple[str, str], **message: Any) -> dict[str, Any]:
    """Return an assistant's message that calls run_shell with the given (id, arguments)."""
    tool_calls = [
        {"id": id_, "type": "function", "function": {"name": "run_shell", "arguments": arguments}}
        for id_, arguments in calls
    ]
    return {"role": "assistant", "content": None, "tool_calls": tool_calls, **message}


def error_body(message: str, **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "x", "param": None, "code": None, **fields}}


@dataclass
class FakeTime:
    """A clock that stands still but for the sleeps, which it remembers."""

    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: self.seconds, sleep=self.sleep)


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture(params=["openai", "hosted_vllm"])
def route(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def settings(route: str, httpserver: HTTPServer) -> ModelSettings:
    return ModelSettings(f"{route}/local-model", api_base=httpserver.url_for("/v1"), timeout_s=20)


@pytest.fixture
def model(settings: ModelSettings, time: FakeTime) -> LiteLLMModel:
    return LiteLLMModel(settings, time.clock)


def sent(httpserver: HTTPServer, place: int = -1) -> dict[str, Any]:
    """Return the body of a request the provider got."""
    body: dict[str, Any] = json.loads(httpserver.log[place][0].get_data())
    return body


class BreakingOff(socketserver.BaseRequestHandler):
    """Answers each connection with the next bytes of the script, whatever was asked, and hangs up."""

    def handle(self) -> None:
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += self.request.recv(65536)
        head, _, body = asked.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:"))
        while len(body) < length:
            body += self.request.recv(65536)
        script: list[bytes] = self.server.script  # type: ignore[attr-defined]
        self.request.sendall(script.pop(0))


@pytest.fixture
def breaking_off() -> Iterator[Any]:
    """A server with a `script` of raw answers and a `url`."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), BreakingOff) as server:
        server.daemon_threads = True
        server.script = []  # type: ignore[attr-defined]
        server.url = f"http://127.0.0.1:{server.server_address[1]}/v1"  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


class KeepingOpen(socketserver.BaseRequestHandler):
    """Begins an answer and then sends a blank now and then, for longer than anybody should wait."""

    def handle(self) -> None:
        self.request.recv(65536)
        self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        with suppress(OSError):  # The caller hung up.
            for _ in range(50):
                self.request.sendall(b" ")
                pause(0.1)


@pytest.fixture
def keeping_open() -> Iterator[str]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), KeepingOpen) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        server.shutdown()


class KeepingAlive(BaseHTTPRequestHandler):
    """Answers every request on the connection it came on, as real servers do."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.callers.append(self.client_address)  # type: ignore[attr-defined]
        body = json.dumps(completion()).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def keeping_alive() -> Iterator[Any]:
    """A server with a `url`, and the address of every request's connection in `callers`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), KeepingAlive) as server:
        server.daemon_threads = True
        server.callers = []  # type: ignore[attr-defined]
        server.url = f"http://127.0.0.1:{server.server_port}/v1"  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def raw_answer(told: dict[str, Any], cut_after: int | None = None) -> bytes:
    body = json.dumps(told).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\nConnection: close\r\n\r\n" + body[:cut_after]
