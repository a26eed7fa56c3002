"""What an evaluation was made with, kept so that it can be understood and repeated later."""

from __future__ import annotations

import platform
import subprocess
import tomllib
from dataclasses import asdict
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

from django.conf import settings

from evals.llm.prices import prices_of
from evals.models import LanguageModel, SandboxKind
from evals.runner.opening import model_settings
from evals.sandbox.docker import image_digest

PACKAGES = ("django", "docker", "huey", "litellm", "pandas")


def manifest_of(model: LanguageModel, sandbox: str) -> dict[str, object]:
    prices = prices_of(model_settings(model))
    return {
        "version": our_version(),
        "commit": our_commit(),
        "python": platform.python_version(),
        "packages": {name: package_version(name) for name in PACKAGES},
        "sandbox_image": (
            image_digest(settings.ITBENCH_SANDBOX_IMAGE) if sandbox == SandboxKind.DOCKER else None
        ),
        "litellm_model": model.litellm_model,
        "parameters": {
            "reasoning_effort": model.reasoning_effort,
            "temperature": model.temperature,
            "max_tokens": model.max_tokens,
            **model.extra_parameters,
        },
        "prices_per_million_tokens_usd": None if prices is None else asdict(prices),
    }


@lru_cache(maxsize=1)
def our_version() -> str:
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())
    return str(project["project"]["version"])


@lru_cache(maxsize=1)
def our_commit() -> str | None:
    """Return the commit this code was taken from, or None outside a git checkout."""
    if not (settings.BASE_DIR / ".git").exists():
        return None
    try:
        told = subprocess.run(
            ["git", "-C", str(settings.BASE_DIR), "rev-parse", "HEAD"],
            capture_output=True, text=True, timeout=5, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return told.stdout.strip()


def package_version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
