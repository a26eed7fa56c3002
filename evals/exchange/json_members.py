"""The members of a JSON object one by one, out of a file of any size."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Any, BinaryIO

import ijson

from evals.exchange.incoming import TrajectoryFormatError

Opener = Callable[[], BinaryIO]

MOST_NESTED = 100
# Of all members together that are not read item by item: they are held in memory, and kept in one row.
MOST_ASIDE_CHARACTERS = 16_000_000


def members(open_file: Opener, name: str, listed: str) -> Iterator[tuple[str, Any]]:
    """Yield each member of the file's object; of the list called `listed` each item, under the list's name.

    Numbers with a fraction are floats. Only one value is in memory at a time.

    Raises:
        TrajectoryFormatError: it is no JSON, no object, nested too deep, or too large beside the list.
    """
    given = 0
    try:
        for member in read_by(FAST, open_file, Reader(name, listed)):
            yield member
            given += 1
    except NumberTooLarge:
        yield from islice(read_by(EXACT, open_file, Reader(name, listed)), given, None)


class NumberTooLarge(Exception):
    """A number is beyond 64 bits."""


# The fast parser must read numbers as the machine has them: with Python's own, a whole number of five
# thousand digits ends the process (ijson 3.6.0). Where a file has a larger one, the slow parser reads it.
FAST = partial(ijson.get_backend("yajl2_c").basic_parse, use_float=True, buf_size=65_536)
EXACT = partial(ijson.get_backend("python").basic_parse, buf_size=65_536)


def read_by(parse: Callable[[BinaryIO], Any], open_file: Opener, reader: Reader) -> Iterator[tuple[str, Any]]:
    with open_file() as file:
        try:
            for event, value in parse(file):
                yield from reader.took(event, value)
        except ijson.JSONError as problem:
            said = one_line(problem)
            if parse is FAST and "overflow" in said:
                raise NumberTooLarge from problem
            raise TrajectoryFormatError(reader.name, "", f"no valid JSON: {said}") from problem


def one_line(problem: ijson.JSONError) -> str:
    """Return what the parser says in its first line; below it, it draws an arrow."""
    said = problem.args[0] if problem.args else ""
    text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    return text.strip().partition("\n")[0].strip()[:80]


class Reader:
    """Puts a stream of JSON events together into members."""

    def __init__(self, name: str, listed: str) -> None:
        self.name, self._listed = name, listed
        self._depth = 0
        self._key = ""
        self._in_list = False
        self._item = 0
        self._aside = 0
        self._builder: ijson.ObjectBuilder | None = None

    def took(self, event: str, value: Any) -> Iterator[tuple[str, Any]]:
        """Take one event; yield the member that it ends, if it ends one."""
        opens, closes = event in ("start_map", "start_array"), event in ("end_map", "end_array")
        if self._depth == 0:
            if event != "start_map":
                raise TrajectoryFormatError(self.name, "", "a JSON object expected")
            self._depth = 1
            return
        level = 2 if self._in_list else 1
        if self._depth == level and self._takes_structure(event, value, closes=closes):
            return
        self._watch(event, value)
        self._builder = self._builder or ijson.ObjectBuilder()
        self._builder.event(event, float(value) if isinstance(value, Decimal) else value)
        self._depth += opens - closes
        if self._depth == level:
            built, self._builder = self._builder.value, None
            self._item += 1
            yield self._key, built

    def _takes_structure(self, event: str, value: Any, *, closes: bool) -> bool:
        """Tell whether the event is of the object or of the list itself, and not of what is in them."""
        if self._in_list and closes:
            self._in_list, self._depth = False, 1
        elif not self._in_list and event == "map_key":
            self._key, self._item = value, 0
        elif not self._in_list and closes:
            self._depth = 0
        elif not self._in_list and self._key == self._listed:
            if event != "start_array":
                raise TrajectoryFormatError(self.name, self._listed, "a list expected")
            self._in_list, self._depth = True, 2
        else:
            return False
        return True

    def _watch(self, event: str, value: Any) -> None:
        if self._depth > MOST_NESTED:
            raise TrajectoryFormatError(self.name, self.place(), f"nested deeper than {MOST_NESTED} levels")
        if not self._in_list:
            self._aside += len(value) if isinstance(value, str) else 1
            if self._aside > MOST_ASIDE_CHARACTERS:
                expected = f"at most {MOST_ASIDE_CHARACTERS:,} characters expected beside {self._listed}"
                raise TrajectoryFormatError(self.name, self.place(), expected)
        if isinstance(value, Decimal) and not math.isfinite(float(value)):
            raise TrajectoryFormatError(self.name, self.place(), f"{value}; a number of usual size expected")

    def place(self) -> str:
        return f"{self._key}[{self._item}]" if self._in_list else self._key
