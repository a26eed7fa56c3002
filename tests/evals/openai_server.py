"""A real HTTP server that speaks OpenAI's chat completions and misbehaves by script."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any


@dataclass(frozen=True)
class Act:
    """What the server does with one request."""

    status: int = 200
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False  # close the connection without a word
    cut: bool = False  # promise the whole body, send half of it, close


def says(text: str | None, *calls: tuple[str, str], usage: dict[str, Any] | None = None) -> Act:
    """A completion with a text and tool calls, each a name and its argument text."""
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if calls:
        message["tool_calls"] = [
            {"id": f"call_{n}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for n, (name, arguments) in enumerate(calls)
        ]
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_780_000_000,
        "model": "stub",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}],
        "usage": usage or {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }
    return Act(body=body)


def refuses(status: int, message: str, code: str | None = None, **headers: str) -> Act:
    return Act(status, {"error": {"message": message, "type": "error", "code": code}}, headers)


def shell(*commands: str) -> Act:
    return says(None, *(("run_shell", json.dumps({"cmd": command})) for command in commands))


def finish() -> Act:
    return says("Done.", ("finish", '{"reason": "found it", "paths": ["/home/user/agent_output.json"]}'))


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, acts: Sequence[Act], by_position: Sequence[Act] = ()) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.acts = list(acts)  # one after the other, whoever asks
        self.by_position = by_position  # the n-th for every conversation that holds n replies
        self.requests: list[dict[str, Any]] = []
        self.lock = Lock()

    @property
    def api_base(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def next_act(self, request: dict[str, Any]) -> Act:
        with self.lock:
            self.requests.append(request)
            position = sum(message["role"] == "assistant" for message in request["messages"])
            if position < len(self.by_position):
                return self.by_position[position]
            return self.acts.pop(0) if self.acts else refuses(400, "the script is over")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        act = self.server.next_act(request)
        if act.drop:
            self.close_connection = True
            return
        body = json.dumps(act.body).encode()
        self.send_response(act.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in act.headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if act.cut else body)
        self.close_connection = act.cut

    def log_message(self, *args: object) -> None:
        """Say nothing: pytest's output is for results."""


@contextmanager
def serving(*acts: Act, by_position: Sequence[Act] = ()) -> Iterator[Server]:
    server = Server(acts, by_position)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
