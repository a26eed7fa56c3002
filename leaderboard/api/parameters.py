"""The query string, taken at its word: what is unknown, empty or given twice is refused, never ignored."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from leaderboard.api.errors import quoted, wrong

# What a byte becomes that is no UTF-8.
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def refuse_odd_parameters(given: QueryDict, known: AbstractSet[str]) -> None:
    """Raise a ValidationError that names the first parameter nobody reads, or that has no single value."""
    for name, values in given.lists():
        if name not in known:
            raise ValidationError(f"There is no parameter {quoted(name)} here: {listed(known)}.")
        if len(values) > 1:
            raise wrong(name, "give it once.")
        refuse_odd_text(name, values[0])


def refuse_odd_text(name: str, value: str) -> None:
    if not value.strip():
        raise wrong(name, "it is empty; give a value or leave it out.")
    if REPLACEMENT in value or "\0" in value:
        raise wrong(name, "this is no readable text; use UTF-8.")


def listed(known: AbstractSet[str]) -> str:
    return f"use {', '.join(sorted(known))}" if known else "it takes none"


def whole_number(name: str, text: str, most: int) -> int:
    """Return the number written, 1 to `most`, or raise a ValidationError."""
    if not text.isascii() or not text.isdigit() or len(text) > len(str(most)) or not 1 <= int(text) <= most:
        raise wrong(name, f"use a whole number, 1 to {most}.")
    return int(text)
