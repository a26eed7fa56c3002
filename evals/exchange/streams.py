"""Large JSON files read piece by piece, with one sentence for whatever is wrong with them."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import ijson

from evals.exchange.fields import clean, moment_of
from evals.exchange.incoming import TrajectoryFormatError

CHUNK_BYTES = 1024 * 1024
# Of one value that is read whole: a message, a step, a header.
MOST_NESTED = 100
STRUCTURE = ("map_key", "start_map", "end_map", "start_array", "end_array")


@dataclass(frozen=True)
class Document:
    """A file that can be opened as often as one likes; `name` is what reports call it."""

    name: str
    open: Callable[[], BinaryIO]

    @classmethod
    def at(cls, path: Path, name: str) -> Document:
        return cls(name, lambda: path.open("rb"))

    def sha256(self) -> str:
        digest = hashlib.sha256()
        with self.open() as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
        return digest.hexdigest()

    def items(self, prefix: str) -> Iterator[Any]:
        """Yield each item of the list at the prefix, as ijson writes them: "messages.item"."""
        with self._read() as file:
            for number, item in enumerate(ijson.items(file, prefix, use_float=True)):
                check_depth(item, self.name, f"{prefix.removesuffix('.item') or 'list'}[{number}]")
                yield item

    def value(self, prefix: str) -> Any:
        """Return the first value at the prefix, or None."""
        return next(islice(self.items(prefix), 1), None)

    def members(self, prefix: str) -> Iterator[tuple[str, Any]]:
        with self._read() as file:
            yield from ijson.kvitems(file, prefix, use_float=True)

    def shape(self, enough: frozenset[str]) -> frozenset[str]:
        """Return the keys of the file's object, read until one of `enough` is among them.

        Of a bare list: the keys of its first item, each with "item." before it. Of all else none.
        """
        keys: set[str] = set()
        with self._read() as file:
            for prefix, event, value in ijson.parse(file, use_float=True):
                if event == "map_key" and prefix in ("", "item"):
                    keys.add(f"{prefix}.{value}" if prefix else value)
                if (
                    keys & enough
                    or (prefix == "item" and event == "end_map")
                    or (not prefix and event not in STRUCTURE)
                ):
                    break
        return frozenset(keys)

    @contextmanager
    def _read(self) -> Iterator[BinaryIO]:
        with self.open() as file:
            try:
                yield file
            except (
                ijson.JSONError,
                UnicodeDecodeError,
                OverflowError,
                zipfile.BadZipFile,
                zlib.error,
            ) as problem:
                raise TrajectoryFormatError(
                    self.name, "", f"no valid JSON: {first_line(problem)}"
                ) from problem


def first_line(problem: Exception) -> str:
    said = problem.args[0] if problem.args else ""
    text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    return text.strip().partition("\n")[0].strip()[:200]


def check_depth(value: Any, name: str, place: str) -> None:
    """Refuse what is nested so deep that nothing of it can be stored."""
    layer, depth = [value], 0
    while layer:
        depth += 1
        if depth > MOST_NESTED:
            raise TrajectoryFormatError(name, place, f"nested deeper than {MOST_NESTED} levels")
        layer = [
            inner
            for each in layer
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]


def moment(value: Any) -> datetime | None:
    """Return a time that is told as text with its zone or as seconds since 1970; None for all else."""
    if isinstance(value, str):
        return moment_of(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            return None
    return None


def kept(**parts: Any) -> dict[str, Any]:
    """Return what there is of these, as every database takes it."""
    return {name: clean(value) for name, value in parts.items() if value not in (None, "", [], {})}
