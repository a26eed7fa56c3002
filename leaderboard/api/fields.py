"""Fields of the answers: addresses, texts that may be unknown, figures no finer than a visitor may see."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from leaderboard.rows import Share

Coarsen = Callable[[float], float]


@extend_schema_field(OpenApiTypes.URI)
class ApiAddress(serializers.Field):
    """The address of an object in the API; `parts`: those of its route, and where they are read."""

    def __init__(self, route: str, source: str = "*", **parts: str) -> None:
        super().__init__(source=source, read_only=True, allow_null=source != "*")
        self.route = route
        self.parts = {name: attrgetter(path) for name, path in parts.items()}

    def to_representation(self, found: Any) -> str:
        address = reverse(self.route, kwargs={name: part(found) for name, part in self.parts.items()})
        return str(self.context["request"].build_absolute_uri(address))


@extend_schema_field(OpenApiTypes.URI)
class PageAddress(serializers.Field):
    """The address of an object's page for people."""

    def __init__(self, source: str = "*") -> None:
        super().__init__(source=source, read_only=True, allow_null=source != "*")

    def to_representation(self, found: Any) -> str:
        return str(self.context["request"].build_absolute_uri(found.get_absolute_url()))


class Known(serializers.CharField):
    """A text that is empty in the table where nobody knows it, and null in the answer."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, allow_null=True, **options)

    def to_representation(self, text: str) -> str | None:
        return text or None


def hundredths(share: float) -> float:
    return round(share, 2)


def tenths(mean: float) -> float:
    return round(mean, 1)


def cents(dollars: float) -> float:
    return round(dollars, 2 if dollars >= 0.01 else 6)


def three_digits(value: float) -> float:
    return float(f"{value:.3g}")


class Figure(serializers.FloatField):
    """A mean over all tasks of a benchmark.

    Where a benchmark has held-out tasks, the public gets it as fine as the pages write it: all the digits of
    a mean tell by how many it was divided.
    """

    def __init__(self, coarsen: Coarsen, **options: Any) -> None:
        super().__init__(read_only=True, allow_null=True, **options)
        self.coarsen = coarsen

    def to_representation(self, value: float) -> float | None:
        if math.isnan(value):
            return None
        return as_fine_as_allowed(value, self.coarsen, self.context)


def as_fine_as_allowed(value: float, coarsen: Coarsen, context: Mapping[str, Any]) -> float:
    return float(value) if context["counts_visible"] else coarsen(value)


class Count(serializers.IntegerField):
    """A number of runs or tasks; null for the public where it would tell how many tasks are held out."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, allow_null=True, **options)

    def to_representation(self, value: int) -> int | None:
        return int(value) if self.context["counts_visible"] else None


class OutcomeShare(serializers.FloatField):
    """The share of runs with one outcome; null where no run came to any."""

    def __init__(self, outcome: str, help_text: str) -> None:
        super().__init__(source="outcomes", read_only=True, allow_null=True, help_text=help_text)
        self.outcome = outcome

    def to_representation(self, shares: Sequence[Share]) -> float | None:
        if not shares:
            return None
        width = next((share.width for share in shares if share.outcome == self.outcome), 0.0)
        return as_fine_as_allowed(width, hundredths, self.context)
