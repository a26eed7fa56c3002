"""What a test may need of the machine, and whether it is here. Each thing is looked for once."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import psycopg
import redis

from evals.sandbox import catalogue

REQUIRE = "ITBENCH_REQUIRE"
HARBOR_PYTHON = Path(__file__).resolve().parents[1] / ".harbor" / "bin" / "python"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class UnknownNeed(ValueError):
    """A name in ITBENCH_REQUIRE that stands for nothing."""


def sandbox_missing(kind: str) -> str | None:
    check = catalogue.check(kind)
    return None if check.ready else check.detail


def browser_path() -> str | None:
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def browser_missing() -> str | None:
    return None if browser_path() else f"none of {', '.join(BROWSERS)} is on the PATH"


def postgres_missing() -> str | None:
    address = os.environ.get("ITBENCH_TEST_POSTGRES_URL", "")
    if not address:
        return "ITBENCH_TEST_POSTGRES_URL is not set"
    try:
        psycopg.connect(address, connect_timeout=5).close()
    except psycopg.Error as problem:
        return f"ITBENCH_TEST_POSTGRES_URL does not answer: {problem}"
    return None


def redis_missing() -> str | None:
    address = os.environ.get("ITBENCH_TEST_REDIS_URL", "")
    if not address:
        return "ITBENCH_TEST_REDIS_URL is not set"
    try:
        redis.Redis.from_url(address, socket_connect_timeout=5).ping()
    except (redis.RedisError, ValueError) as problem:
        return f"ITBENCH_TEST_REDIS_URL does not answer: {problem}"
    return None


def asciinema_missing() -> str | None:
    return None if shutil.which("asciinema") else "asciinema is not on the PATH"


def harbor_missing() -> str | None:
    """Harbor needs a newer Python than we do, so that its models have an environment of their own."""
    asked = [str(HARBOR_PYTHON), "-c", "import harbor.models.trajectories"]
    if HARBOR_PYTHON.exists() and subprocess.run(asked, capture_output=True, check=False).returncode == 0:
        return None
    return "its models are not in .harbor; scripts/harbor-env installs them where there is Python 3.12"


# Name, as a marker and in ITBENCH_REQUIRE -> why it is missing, or None when it is here.
NEEDS: dict[str, Callable[[], str | None]] = {
    "docker": lambda: sandbox_missing("docker"),
    "bubblewrap": lambda: sandbox_missing("bubblewrap"),
    "browser": browser_missing,
    "postgres": postgres_missing,
    "redis": redis_missing,
    "asciinema": asciinema_missing,
    "harbor": harbor_missing,
}


@cache
def missing(need: str) -> str | None:
    """Return why `need` is not to be had on this machine, or None when it is."""
    return NEEDS[need]()


def required() -> frozenset[str]:
    """Return the needs that ITBENCH_REQUIRE names: a test skipped for one of these has failed.

    Raises:
        UnknownNeed: a name there is none of ours.
    """
    given = os.environ.get(REQUIRE, "")
    wanted = frozenset(name.strip() for name in given.split(",") if name.strip())
    if unknown := wanted - NEEDS.keys():
        raise UnknownNeed(f"{REQUIRE}={given!r}: {', '.join(sorted(unknown))} is none of {', '.join(NEEDS)}")
    return wanted


def need_of_skip(reason: str, markers: Iterable[str]) -> str | None:
    """Return what a skipped test wanted: "no docker: ..." says it, else the test's own marker does."""
    for need in NEEDS:
        if reason.startswith(f"no {need}"):
            return need
    return next((marker for marker in markers if marker in NEEDS), None)
