"""Who published numbers on a benchmark: each source at each date is a board of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.text import slugify

from evals.models import Benchmark, PublishedResult


@dataclass(frozen=True)
class Source:
    """Numbers that somebody published at one date: a board of its own."""

    key: str
    name: str
    url: str
    as_of: str
    results: tuple[PublishedResult, ...]


def published_sources(chosen: Benchmark) -> list[Source]:
    groups: dict[str, list[PublishedResult]] = {}
    results = chosen.published_results.select_related("language_model").order_by(
        "-as_of", "source_name", "pk"
    )
    for result in results:
        key = slugify(" ".join([result.source_name, result.agent, result.as_of]))
        groups.setdefault(key, []).append(result)
    return [
        Source(key, group[0].source_name, group[0].source_url, group[0].as_of, tuple(group))
        for key, group in groups.items()
    ]


def chosen_source(key: str, sources: Sequence[Source], *, fall_back: bool) -> Source | None:
    """Return the source asked for; without runs made here the newest, rather than an empty board."""
    asked = next((source for source in sources if source.key == key), None)
    return asked or (sources[0] if fall_back and sources else None)
