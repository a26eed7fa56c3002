"""Where a clause is met: the runs, and the places in one run."""

# ruff: noqa: S608 - every name in these statements is ours

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import connection

from evals.search.language import FIELDS, Clause, Term
from evals.search.on_sqlite import CALL_BITS, MOST_CALLS, RUN_BITS
from evals.search.tables import TABLE

# Of a word that is nearly everywhere only the newest places are looked at; what they tell is a beginning.
MOST_PLACES = {"sqlite": 300_000, "postgresql": 40_000}


@dataclass(frozen=True)
class Runs:
    """The runs in which a clause is met. Where not `complete`, older ones may be as well."""

    ids: frozenset[int]
    complete: bool


@dataclass(frozen=True, order=True)
class Place:
    """0 as turn: the answer. 0 as call: the turn's own words."""

    run: int
    turn: int
    call: int


def runs_with(clause: Clause) -> Runs:
    """Return the runs in which the clause's terms stand in one place; its being negative is not looked at."""
    most = MOST_PLACES[connection.vendor]
    if connection.vendor == "postgresql":
        condition, parameters = tsqueries(clause)
        places = f"SELECT run_id FROM {TABLE} WHERE {condition} ORDER BY run_id DESC LIMIT %s"
    else:
        parameters = [match_of(clause)]
        places = (
            f"SELECT rowid >> {RUN_BITS} AS run_id FROM {TABLE} WHERE {TABLE} MATCH %s"
            " ORDER BY rowid DESC LIMIT %s"
        )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT run_id, count(*) FROM ({places}) AS place GROUP BY run_id", [*parameters, most]
        )
        found = cursor.fetchall()
    return Runs(frozenset(run for run, _ in found), complete=sum(count for _, count in found) < most)


def places_in(run: int, clause: Clause, most: int) -> list[Place]:
    """Return the first places of one run in which the clause is met."""
    if connection.vendor == "postgresql":
        condition, parameters = tsqueries(clause)
        sql = (
            f"SELECT run_id, turn, call FROM {TABLE} WHERE run_id = %s AND ({condition})"
            " ORDER BY turn, call LIMIT %s"
        )
        read: list[int | str] = [run, *parameters, most]
    else:
        sql = (
            f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH %s AND rowid BETWEEN %s AND %s"
            " ORDER BY rowid LIMIT %s"
        )
        read = [match_of(clause), run << RUN_BITS, ((run + 1) << RUN_BITS) - 1, most]
    with connection.cursor() as cursor:
        cursor.execute(sql, read)
        rows = cursor.fetchall()
    return [Place(*row) if len(row) == 3 else place_of(row[0]) for row in rows]


def place_of(rowid: int) -> Place:
    run, rest = divmod(rowid, 2**RUN_BITS)
    return Place(run, rest >> CALL_BITS, rest & MOST_CALLS)


# --- The two databases' languages ------------------------------------------------------------------------


def match_of(clause: Clause) -> str:
    """Return the clause in the language of FTS5. Words are letters and digits: nothing needs a guard."""
    terms = " AND ".join(f'"{" ".join(term.words)}"{"*" if term.prefix else ""}' for term in clause.terms)
    return f"{{{clause.field}}} : ({terms})" if clause.field else terms


def tsqueries(clause: Clause) -> tuple[str, list[str]]:
    """Return the condition and its parameters: each term in one of the columns, all in one row."""
    columns: Sequence[str] = (clause.field,) if clause.field else FIELDS
    conditions, parameters = [], []
    for term in clause.terms:
        query = tsquery(term)
        conditions.append(" OR ".join(f"{column} @@ to_tsquery('simple', %s)" for column in columns))
        parameters += [query] * len(columns)
    return " AND ".join(f"({condition})" for condition in conditions), parameters


def tsquery(term: Term) -> str:
    return " <-> ".join(lexemes(term))


def lexemes(term: Term) -> Iterator[str]:
    for place, word in enumerate(term.words, start=1):
        yield f"'{word}'" + (":*" if term.prefix and place == len(term.words) else "")
