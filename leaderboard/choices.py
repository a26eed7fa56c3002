"""What a visitor chose of a board, read from the address. What can't be read is said, and left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.http import QueryDict

from leaderboard.columns import BY_KEY, SORTABLE
from leaderboard.rows import Row

MOST_MODELS = 200
LONGEST_TEXT = 100
YES_NO = {True: "yes", False: "no", None: "unknown"}


@dataclass(frozen=True)
class FacetKind:
    """A property of models that a board can be narrowed by."""

    key: str
    title: str
    value: Callable[[Row], str]
    labels: dict[str, str]  # of its values; a value without one is its own label


FACETS = (
    FacetKind("creator", "Creator", lambda row: row.model.creator, {"": "unknown"}),
    FacetKind(
        "weights",
        "Weights",
        lambda row: YES_NO[row.model.open_weights],
        {"yes": "open", "no": "closed", "unknown": "not known"},
    ),
    FacetKind(
        "reasoning",
        "Reasoning",
        lambda row: YES_NO[row.model.reasoning],
        {"yes": "reasons", "no": "does not", "unknown": "not known"},
    ),
    FacetKind(
        "kind",
        "Kind",
        lambda row: "baseline" if row.model.is_baseline else "model",
        {"model": "language model", "baseline": "baseline"},
    ),
)


@dataclass(frozen=True)
class Choice:
    """All that the address says. Empty tuples and texts choose nothing: everything is shown."""

    source: str = ""  # key of a published source; empty: what was evaluated here
    sort: str = ""  # key of a column; empty: by rank
    descending: bool = True
    text: str = ""  # that a model's name or creator holds
    facets: tuple[tuple[str, tuple[str, ...]], ...] = ()  # key -> values, any of which may hold
    models: tuple[str, ...] = ()  # slugs
    columns: tuple[str, ...] = ()
    as_of: date | None = None
    problems: tuple[str, ...] = ()  # a sentence each

    def of_facet(self, key: str) -> tuple[str, ...]:
        return dict(self.facets).get(key, ())

    @property
    def narrowed(self) -> bool:
        return bool(self.text or self.models or any(values for _, values in self.facets))


def read_choice(query: QueryDict) -> Choice:
    """Return what the query chooses; each part that can't be read becomes a sentence."""
    problems: list[str] = []
    sort, descending = read_sort(query.get("sort", "") or "", problems)
    return Choice(
        source=query.get("results", "") or "",
        sort=sort,
        descending=descending,
        text=(query.get("q", "") or "").strip()[:LONGEST_TEXT],
        facets=tuple((kind.key, tuple(dict.fromkeys(query.getlist(kind.key)))) for kind in FACETS),
        models=read_models(query, problems),
        columns=read_columns(query, problems),
        as_of=read_date(query.get("as_of", "") or "", problems),
        problems=tuple(problems),
    )


def read_sort(text: str, problems: list[str]) -> tuple[str, bool]:
    key = text.removeprefix("-")
    if key in SORTABLE:
        return key, text.startswith("-")
    if text:
        problems.append(f"There is no column “{short(key)}” to sort by: it can be {either(SORTABLE)}.")
    return "", True


def read_models(query: QueryDict, problems: list[str]) -> tuple[str, ...]:
    slugs = listed(query.getlist("models"))
    if len(slugs) > MOST_MODELS:
        problems.append(f"At most {MOST_MODELS} models can be chosen; the first {MOST_MODELS} are.")
    return slugs[:MOST_MODELS]


def read_columns(query: QueryDict, problems: list[str]) -> tuple[str, ...]:
    keys = listed(query.getlist("columns"))
    unknown = [key for key in keys if key not in BY_KEY]
    if unknown:
        problems.append(f"There is no column “{short(unknown[0])}”: there are {either(BY_KEY)}.")
    return tuple(key for key in keys if key in BY_KEY)


def read_date(text: str, problems: list[str]) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        problems.append(f"“{short(text)}” is no day: write it like 2026-05-27.")
        return None


def listed(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the words of comma-separated and repeated values, each once."""
    words = (word.strip() for text in texts for word in text.split(","))
    return tuple(dict.fromkeys(word for word in words if word))


def either(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}"


def short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"


def chosen_rows(rows: Sequence[Row], choice: Choice, *, but_for: str = "") -> list[Row]:
    """Return the rows that the choice leaves, in their order; `but_for` names a facet to leave open."""
    return [row for row in rows if is_chosen(row, choice, but_for)]


def is_chosen(row: Row, choice: Choice, but_for: str) -> bool:
    if choice.models and row.model.slug not in choice.models:
        return False
    if choice.text and choice.text.lower() not in f"{row.name} {row.model.creator}".lower():
        return False
    return all(
        kind.key == but_for or not (values := choice.of_facet(kind.key)) or kind.value(row) in values
        for kind in FACETS
    )
