"""Where a clause is met: the runs, and the places in one run."""

# ruff: noqa: S608 - every name in these statements is ours

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from evals.search.language import FIELDS, Clause, Term
from evals.search.on_sqlite import CALL_BITS, MOST_CALLS, RUN_BITS
from evals.search.tables import TABLE, WORDS

# Of a word that is nearly everywhere only the newest places are looked at; what they tell is a beginning.
MOST_ON_SQLITE = 300_000
# PostgreSQL's index knows no order: past so many places it is faster to walk the newest rows one by one.
MOST_BY_INDEX, MOST_BY_WALK = 25_000, 8_000
MOST_BEGINNINGS = 100  # words that a prefix may stand for; of more FTS5 makes its own, slower way


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
    if connection.vendor == "postgresql":
        return runs_on_postgresql(clause)
    return runs_on_sqlite(match_of(clause))


def runs_on_sqlite(match: str) -> Runs:
    places = f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH %s"
    with connection.cursor() as cursor:
        newest = f"{places} ORDER BY rowid DESC LIMIT {MOST_ON_SQLITE}"
        cursor.execute(f"SELECT DISTINCT rowid >> {RUN_BITS} FROM ({newest})", [match])
        runs = frozenset(run for (run,) in cursor.fetchall())
        # Whether there is an older one is a matter of looking once, where counting them all is as much again.
        cursor.execute(f"{places} AND rowid < %s LIMIT 1", [match, min(runs, default=0) << RUN_BITS])
        return Runs(runs, complete=cursor.fetchone() is None)


def runs_on_postgresql(clause: Clause) -> Runs:
    condition, parameters = tsqueries(clause)
    places = f"SELECT run_id FROM {TABLE} WHERE {condition}"
    if estimated(places, parameters) < MOST_BY_INDEX:
        return counted(f"{places} LIMIT %s", parameters, 10 * MOST_BY_INDEX)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute("SET LOCAL enable_seqscan = off")
        return counted(f"{places} ORDER BY run_id DESC LIMIT %s", parameters, MOST_BY_WALK)


def estimated(sql: str, parameters: list[str]) -> int:
    """Return how many rows the planner expects: it keeps the commonest words of each column."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
        (plan,) = cursor.fetchone()
    return int((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]["Plan Rows"])


def counted(places: str, parameters: list[str], most: int) -> Runs:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT run_id, count(*) FROM ({places}) AS place GROUP BY run_id", [*parameters, most]
        )
        found = cursor.fetchall()
    return Runs(frozenset(run for run, _ in found), complete=sum(count for _, count in found) < most)


def places_in(runs: Sequence[int], clause: Clause, most: int) -> list[Place]:
    """Return the first places of each run in which the clause is met, at most so many of each."""
    order = "turn, call" if connection.vendor == "postgresql" else "rowid"
    if connection.vendor == "postgresql":
        condition, parameters = tsqueries(clause)
        sql = f"SELECT run_id, turn, call FROM {TABLE} WHERE ({condition}) AND run_id = %s"
        ranges: list[list[int]] = [[run] for run in runs]
    else:
        sql = f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH %s AND rowid BETWEEN %s AND %s"
        parameters = [match_of(clause)]
        ranges = [[run << RUN_BITS, ((run + 1) << RUN_BITS) - 1] for run in runs]
    found: list[Place] = []
    with connection.cursor() as cursor:
        for bounds in ranges:
            cursor.execute(f"{sql} ORDER BY {order} LIMIT %s", [*parameters, *bounds, most])
            found += [Place(*row) if len(row) == 3 else place_of(row[0]) for row in cursor.fetchall()]
    return found


def place_of(rowid: int) -> Place:
    run, rest = divmod(rowid, 2**RUN_BITS)
    return Place(run, rest >> CALL_BITS, rest & MOST_CALLS)


# --- The two databases' languages ------------------------------------------------------------------------


def match_of(clause: Clause) -> str:
    """Return the clause in the language of FTS5. Words are letters and digits: nothing needs a guard."""
    terms = " AND ".join(match_of_term(term) for term in clause.terms)
    return f"{{{clause.field}}} : ({terms})" if clause.field else terms


def match_of_term(term: Term) -> str:
    text = " ".join(term.words)
    if not term.prefix or len(term.words) > 1:
        return f'"{text}"{"*" if term.prefix else ""}'
    words = beginning_with(text)
    if len(words) > MOST_BEGINNINGS:
        return f'"{text}"*'
    either = " OR ".join(f'"{word}"' for word in words or [text])
    return f"({either})"


def beginning_with(text: str) -> Sequence[str]:
    """Return the words of the index that begin so, at most one more than are of use."""
    after = text[:-1] + chr(ord(text[-1]) + 1)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT term FROM {WORDS} WHERE term >= %s AND term < %s LIMIT %s",
            [text, after, MOST_BEGINNINGS + 1],
        )
        return [term for (term,) in cursor.fetchall()]


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
