"""A board as a visitor asked for it: which rows, which columns, and what else could be chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.choices import FACETS, Choice, FacetKind, chosen_rows
from leaderboard.columns import SORTABLE, Column, shown_columns, sorted_rows
from leaderboard.rows import Row


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    count: int  # rows that it would leave, with all other choices as they are
    chosen: bool


@dataclass(frozen=True)
class Facet:
    key: str
    title: str
    options: tuple[Option, ...]

    @property
    def in_use(self) -> bool:
        return any(option.chosen for option in self.options)


@dataclass(frozen=True)
class Board:
    rows: tuple[Row, ...]  # as shown: chosen and sorted
    of: int  # rows before anything was chosen
    columns: tuple[Column, ...]
    facets: tuple[Facet, ...]
    sort: str  # key of the column it is sorted by
    descending: bool
    problems: tuple[str, ...]


def board_of(rows: Sequence[Row], choice: Choice) -> Board:
    """Return the board of ranked rows. Ranks are those among all rows, whatever is chosen."""
    chosen = chosen_rows(rows, choice)
    column = SORTABLE.get(choice.sort)
    ordered = sorted_rows(chosen, column, descending=choice.descending) if column else chosen
    return Board(
        rows=tuple(ordered),
        of=len(rows),
        columns=tuple(shown_columns(rows, choice.columns)),
        facets=tuple(facet for kind in FACETS if (facet := facet_of(kind, rows, choice))),
        sort=column.key if column else "score",
        descending=choice.descending if column else True,
        problems=(*choice.problems, *unknown_choices(rows, choice)),
    )


def facet_of(kind: FacetKind, rows: Sequence[Row], choice: Choice) -> Facet | None:
    """Return the facet, or None where all rows are alike and there is nothing to choose."""
    all_values = Counter(kind.value(row) for row in rows)
    chosen = choice.of_facet(kind.key)
    if len(all_values) < 2 and not chosen:
        return None
    left = Counter(kind.value(row) for row in chosen_rows(rows, choice, but_for=kind.key))
    options = [
        Option(value, kind.labels.get(value, value), left[value], value in chosen)
        for value in sorted(all_values, key=lambda value: (-all_values[value], value))
    ]
    return Facet(kind.key, kind.title, tuple(options))


def unknown_choices(rows: Sequence[Row], choice: Choice) -> list[str]:
    """Say which models and values of facets no row has."""
    slugs = {row.model.slug for row in rows}
    missing = [slug for slug in choice.models if slug not in slugs]
    problems = []
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        problems.append(f"No model “{missing[0][:40]}”{more} on this board.")
    for kind in FACETS:
        values = {kind.value(row) for row in rows}
        problems += [
            f"No model here has {kind.title.lower()} “{value[:40]}”."
            for value in choice.of_facet(kind.key)
            if value not in values
        ][:1]
    return problems
