"""Fields of a JSON object from outside, taken out one by one: what is left in the end, nobody knew."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from evals.agent.tools import storable
from evals.exchange.incoming import TrajectoryFormatError

LARGEST_COUNT = 2**63 - 1  # of the tables' whole numbers


class Fields:
    """One object of a file. Every method takes a field out; null is the same as nothing.

    Raises TrajectoryFormatError where a field is of another kind.
    """

    def __init__(self, value: Any, name: str, place: str) -> None:
        self.name, self.place = name, place
        if not isinstance(value, dict):
            raise self.problem("", "an object expected")
        self.left: dict[str, Any] = dict(value)

    @property
    def rest(self) -> dict[str, Any]:
        """What is left, without the fields that say nothing."""
        return {key: value for key, value in self.left.items() if value is not None}

    def problem(self, field: str, expected: str) -> TrajectoryFormatError:
        place = f"{self.place}.{field}" if self.place and field else self.place or field
        return TrajectoryFormatError(self.name, place, expected)

    def text(self, field: str) -> str:
        """Return a text as the tables can hold it; empty where there is none."""
        value = self.left.pop(field, None)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.problem(field, "a text expected")
        return storable(value)

    def one_of(self, field: str, known: tuple[str, ...]) -> str:
        value = self.text(field)
        if value not in known:
            raise self.problem(field, f"{value[:40]!r}; one of {', '.join(known)} expected")
        return value

    def objects(self, field: str) -> list[Fields]:
        value = self.left.pop(field, None) or []
        if not isinstance(value, list):
            raise self.problem(field, "a list expected")
        place = f"{self.place}.{field}" if self.place else field
        return [Fields(each, self.name, f"{place}[{number}]") for number, each in enumerate(value)]

    def copies(self, field: str) -> list[Fields]:
        """Return the objects of a list that stays where it is."""
        return Fields({field: self.left.get(field)}, self.name, self.place).objects(field)

    def object(self, field: str) -> Fields:
        """Return an object to take fields out of; an empty one where there is none."""
        value = self.left.pop(field, None)
        place = f"{self.place}.{field}" if self.place else field
        return Fields({} if value is None else value, self.name, place)

    def flag(self, field: str) -> bool:
        value = self.left.pop(field, None)
        if value is not None and not isinstance(value, bool):
            raise self.problem(field, "true or false expected")
        return bool(value)

    def count(self, field: str) -> int | None:
        value = self.left.pop(field, None)
        if value is None:
            return None
        # Some write whole numbers with a point.
        if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
            raise self.problem(field, "a whole number expected")
        if not 0 <= value <= LARGEST_COUNT:
            raise self.problem(field, f"{value}; a number from 0 to {LARGEST_COUNT} expected")
        return int(value)

    def whole_number(self, field: str) -> int | None:
        """Return a number that may be below 0, such as an exit code."""
        value = self.left.pop(field, None)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise self.problem(field, "a whole number expected")
        if value is not None and abs(value) > 2**31 - 1:
            raise self.problem(field, f"{value}; a number of usual size expected")
        return value

    def amount(self, field: str) -> float | None:
        """Return dollars or seconds."""
        value = self.left.pop(field, None)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.problem(field, "a number expected")
        try:
            amount = float(value)
        except OverflowError:
            amount = math.inf
        if not (math.isfinite(amount) and amount >= 0):
            raise self.problem(field, f"{str(value)[:40]}; a number not below 0 expected")
        return amount

    def moment(self, field: str) -> datetime | None:
        """Return a time; None, and the field left as it is, where it is none or tells no zone."""
        value = self.left.get(field)
        moment = moment_of(value) if isinstance(value, str) else None
        if moment is not None:
            del self.left[field]
        return moment


def moment_of(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def clean(value: Any) -> Any:
    """Return JSON as every database takes it: without NUL and without halves of surrogate pairs."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(key): clean(inner) for key, inner in value.items()}
    return [clean(inner) for inner in value] if isinstance(value, list) else value
