"""The real server on a data folder, and visitors that time what it answers."""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

CONTROL = "/one-query/"  # served by benchmarks.one_query
ASK_QUERIES = "X-Tell-Queries"  # a request with this header is answered with the next one
QUERIES = "X-Queries"

PROJECT = Path(__file__).resolve().parents[1]
SERVE = "scripts/serve"
STARTED_WITHIN_S = 120
STOPPED_WITHIN_S = 10
# So many requests a visitor before the other page has its turn: what disturbs the machine meets both.
IN_A_ROW = 5


class SiteError(Exception):
    """The server did not start, or answered what can't be measured."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]  # by their names in lower case
    body: bytes
    seconds: float  # from asking to the last byte


class Visitor:
    """One connection that is kept open."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=STARTED_WITHIN_S)

    def ask(self, path: str, **headers: str) -> Answer:
        start = time.perf_counter()
        self._connection.request("GET", path, headers={"Accept-Encoding": "gzip", **headers})
        response = self._connection.getresponse()
        body = response.read()
        seconds = time.perf_counter() - start
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, body, seconds)

    def ask_often(self, path: str) -> list[float]:
        """Return the seconds of each of a few requests.

        Raises:
            SiteError: an answer was not 200.
        """
        answers = [self.ask(path) for _ in range(IN_A_ROW)]
        for answer in answers:
            if answer.status != 200:
                raise SiteError(f"{path} answered {answer.status}: {answer.body[:200]!r}")
        return [answer.seconds for answer in answers]

    def leave(self) -> None:
        self._connection.close()


@dataclass(frozen=True)
class Site:
    port: int

    @contextmanager
    def visitors(self, number: int) -> Iterator[list[Visitor]]:
        made = [Visitor(self.port) for _ in range(number)]
        try:
            yield made
        finally:
            for visitor in made:
                visitor.leave()


@contextmanager
def serving(data: Path) -> Iterator[Site]:
    """Serve a data folder as `make serve` does, and stop at the end.

    The server has answered the page of one query once: it is started, and has made no other page.

    Raises:
        SiteError: it ended at once, or did not answer in time.
    """
    port = free_port()
    environment = {
        **os.environ,
        "ITBENCH_DATA_DIR": str(data.resolve()),
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        "ITBENCH_API_RATE": "100000/sec",  # All visitors here share one address.
    }
    command = [SERVE, "--port", str(port), "--workers", "1", "--log-level", "warning"]
    with subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(process, port)
            yield Site(port)
        finally:
            stop(process)


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + STARTED_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SiteError(f"the server ended with {process.returncode}")
        visitor = Visitor(port)
        try:
            answer = visitor.ask(CONTROL)
        except (OSError, HTTPException):
            time.sleep(0.1)
            continue
        finally:
            visitor.leave()
        if answer.status != 200:
            raise SiteError(f"{CONTROL} answered {answer.status}: is this a seeded folder?")
        return
    raise SiteError(f"the server did not answer within {STARTED_WITHIN_S} s")


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOPPED_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()


# --- Timing -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Effort:
    """When to stop asking: after so many requests for each of two pages, or so much time."""

    requests: int = 400
    seconds: float = 12.0


@dataclass(frozen=True)
class Target:
    """A page, and the visitors who ask for it at the same time."""

    visitors: Sequence[Visitor]
    path: str


@dataclass
class Timings:
    seconds: list[float] = field(default_factory=list)

    @property
    def median_ms(self) -> float:
        return 1000 * statistics.median(self.seconds)

    @property
    def p95_ms(self) -> float:
        return 1000 * statistics.quantiles(self.seconds, n=20)[-1]


def side_by_side(first: Target, second: Target, effort: Effort) -> tuple[Timings, Timings]:
    """Time two pages in turns, a few requests each; the first request of each visitor does not count.

    Raises:
        SiteError: an answer was not 200.
    """
    timings = Timings(), Timings()
    visitors = max(len(first.visitors), len(second.visitors))
    with ThreadPoolExecutor(visitors) as pool:
        for target in (first, second):
            list(pool.map(lambda visitor, path: visitor.ask(path), *each(target)))
        deadline = time.monotonic() + effort.seconds
        while len(timings[1].seconds) < effort.requests:
            for target, noted in zip((first, second), timings, strict=True):
                for seconds in pool.map(lambda visitor, path: visitor.ask_often(path), *each(target)):
                    noted.seconds += seconds
            if time.monotonic() > deadline:
                break
    return timings


def each(target: Target) -> tuple[Sequence[Visitor], list[str]]:
    return target.visitors, [target.path] * len(target.visitors)
