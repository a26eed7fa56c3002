"""Settings from the environment. A wrong value stops the start with one sentence."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str) -> str:
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool) -> bool:
    value = text(name, str(default))
    if value.lower() not in {"true", "false", "1", "0"}:
        raise ImproperlyConfigured(f"{name}={value!r}: use True or False")
    return value.lower() in {"true", "1"}


def whole_number(name: str, default: int, least: int = 1) -> int:
    value = text(name, str(default))
    if not value.isascii() or not value.isdigit() or int(value) < least:
        raise ImproperlyConfigured(f"{name}={value!r}: use a whole number, {least} or more")
    return int(value)


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = text(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name}={value!r}: use one of {', '.join(allowed)}")
    return value


def rate(name: str, default: str) -> str:
    value = text(name, default)
    if not re.fullmatch(r"[1-9][0-9]{0,8}/(sec|min|hour|day)", value):
        raise ImproperlyConfigured(f"{name}={value!r}: use a number a sec, min, hour or day, such as 600/min")
    return value


def names(name: str, default: str) -> list[str]:
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def folder(name: str, default: Path) -> Path:
    path = Path(text(name, str(default))).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise ImproperlyConfigured(f"{name}={str(path)!r}: this is a file; name a folder")
    return path


def url(name: str, schemes: tuple[str, ...]) -> str | None:
    """Return the address, or None when the variable is empty."""
    value = text(name, "")
    if not value:
        return None
    # The value is not repeated: it may hold a password.
    if urlsplit(value).scheme not in schemes:
        raise ImproperlyConfigured(f"{name} starts with the wrong scheme: use {' or '.join(schemes)}://...")
    return value


T = TypeVar("T")


def parsed(name: str, parse: Callable[[], T]) -> T:
    try:
        return parse()
    except Exception as problem:
        raise ImproperlyConfigured(f"{name} can't be understood: {problem}") from problem


def secret_key(name: str, file: Path) -> str:
    """Return the variable's value, else the key kept in `file`.

    The file is made on first use, readable by its owner only.
    """
    if given := text(name, ""):
        if len(given) < 32:
            raise ImproperlyConfigured(f"{name} has {len(given)} characters: use 32 or more")
        return given
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    with os.fdopen(descriptor, "w") as stream:
        stream.write(key := secrets.token_urlsafe(50))
    return key
