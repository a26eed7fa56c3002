"""The columns of a board: what each is called, sorted by, and exported as."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from leaderboard.rows import Row

Value = Callable[[Row], Any]


@dataclass(frozen=True)
class Column:
    """One column. Its first field is what the board is sorted by; a None there is unknown."""

    key: str
    label: str
    title: str
    fields: Mapping[str, Value]  # what an export carries, by name
    unit: str = ""
    falls_first: bool = False  # a first click shows the largest
    usual: bool = True  # shown unless the visitor chose otherwise
    numeric: bool = True
    can_sort: bool = True

    def sort_value(self, row: Row) -> Any:
        return next(iter(self.fields.values()))(row)

    def empty_for(self, rows: Sequence[Row]) -> bool:
        return all(self.sort_value(row) is None for row in rows)


def outcome_share(outcome: str) -> Value:
    def share(row: Row) -> float | None:
        if not row.outcomes:
            return None
        return next((part.width for part in row.outcomes if part.outcome == outcome), 0.0)

    return share


COLUMNS = (
    Column(
        "model", "Model", "The language model and its setting",
        {"model": lambda row: row.model.name, "setting": lambda row: row.model.setting or None,
         "slug": lambda row: row.model.slug, "open_weights": lambda row: row.model.open_weights,
         "baseline": lambda row: row.model.is_baseline},
        numeric=False,
    ),
    Column(
        "creator", "Creator", "Who made the language model",
        {"creator": lambda row: row.model.creator or None}, numeric=False,
    ),
    Column(
        "score", "Score", "Mean over tasks of the mean over repeats",
        {"score": lambda row: row.mean,
         "score_low": lambda row: row.interval.low if row.interval else None,
         "score_high": lambda row: row.interval.high if row.interval else None},
        unit="95 % interval", falls_first=True, numeric=False,
    ),
    Column(
        "cost", "Cost", "Mean cost of one attempt at a task, in US dollars",
        {"cost_per_task_usd": lambda row: row.cost_per_task_usd}, unit="$ / task",
    ),
    Column(
        "exact_cost", "Cost of an exact one",
        "What it costs, on average, until one attempt names the root causes and nothing else",
        {"cost_per_exact_usd": lambda row: row.cost_per_exact_usd}, unit="$ / exact run", usual=False,
    ),
    Column(
        "turns", "Turns", "Mean number of turns of one attempt: a turn is one reply of the model",
        {"turns_per_task": lambda row: row.turns_per_task}, unit="/ task",
    ),
    Column(
        "tokens", "Tokens", "Mean tokens of one attempt, read and written, cached ones too",
        {"tokens_per_task": lambda row: row.tokens_per_task}, unit="/ task",
    ),
    Column(
        "time", "Time", "Mean time of one attempt, model and commands together",
        {"seconds_per_task": lambda row: row.seconds_per_task}, unit="/ task",
    ),
    Column(
        "released", "Released", "When the language model came out",
        {"released": lambda row: row.model.released}, falls_first=True, usual=False,
    ),
    Column(
        "context", "Context", "How many tokens the model can read at once",
        {"context_window": lambda row: row.model.context_window},
        unit="tokens", falls_first=True, usual=False,
    ),
    Column(
        "exact", "Exact", "Share of the runs that named the root causes and nothing else",
        {"exact": lambda row: row.exact_share}, unit="of runs", falls_first=True, usual=False,
    ),
    Column(
        "outcomes", "Outcomes", "How the runs came out",
        {"exact_share": outcome_share("exact"), "over_reported_share": outcome_share("over_reported"),
         "missed_share": outcome_share("missed"), "no_answer_share": outcome_share("no_answer"),
         "errored_share": outcome_share("errored")},
        unit="share of runs", numeric=False, can_sort=False,
    ),
    Column(
        "runs", "Runs", "The evaluation behind the row",
        {"scored": lambda row: row.scored if row.evaluation else None},
        unit="scored", can_sort=False,
    ),
)  # fmt: skip
BY_KEY = {column.key: column for column in COLUMNS}
SORTABLE = {column.key: column for column in COLUMNS if column.can_sort}


def shown_columns(rows: Sequence[Row], chosen: Sequence[str]) -> list[Column]:
    """Return the columns to show: the chosen ones or the usual, less those that are empty for every row."""
    wanted = chosen or [column.key for column in COLUMNS if column.usual]
    keys = {"model", "score", *wanted}
    return [column for column in COLUMNS if column.key in keys and not column.empty_for(rows)]


def sorted_rows(rows: Sequence[Row], column: Column, *, descending: bool) -> list[Row]:
    """Return the rows in that order; what is unknown comes last either way."""
    known = [row for row in rows if column.sort_value(row) is not None]
    unknown = [row for row in rows if column.sort_value(row) is None]
    return sorted(known, key=lambda row: fold(column.sort_value(row)), reverse=descending) + unknown


def fold(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


@dataclass(frozen=True)
class Table:
    """What is shown, as an export carries it."""

    names: list[str]
    records: list[list[Any]] = field(default_factory=list)


def exported(rows: Sequence[Row], columns: Sequence[Column], *, counts_visible: bool) -> Table:
    """Return exactly what is shown, unrounded. Numbers of runs go out only where the page shows them."""
    fields = {
        name: value
        for column in columns
        for name, value in column.fields.items()
        if counts_visible or column.key != "runs"
    }
    names = ["rank", "rank_low", *fields]
    records = [
        [row.rank.best if row.rank else None, row.rank.worst if row.rank else None]
        + [value(row) for value in fields.values()]
        for row in rows
    ]
    return Table(names, records)
