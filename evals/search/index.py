"""The full-text index, and the database triggers that keep it in step: no writer can forget to tell.

A document is a turn's own words, a tool call with its output, or an answer. On SQLite the index is an FTS5
table that holds no text; its row numbers are made of run, turn and call, so that a hit tells where it stands
without a join and rows come in the order of runs. On PostgreSQL it is a table of tsvectors. See
docs/decisions/0008.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType

from django.db import connections
from django.db.backends.utils import CursorWrapper

from evals.search import on_postgresql, on_sqlite
from evals.search.tables import CALL, TABLE


def install(using: str) -> None:
    """Make the index where there is none, fill it with what is stored, and put the triggers in place.

    Called after every `migrate`. Filling reads every text once: a minute for a million short turns.
    """
    connection = connections[using]
    tables = connection.introspection.table_names()
    if CALL not in tables:
        return  # not migrated so far
    database = statements_of(connection.vendor)
    with connection.cursor() as cursor:
        if TABLE not in tables:
            execute_all(cursor, database.make())
            execute_all(cursor, database.fill())
        execute_all(cursor, database.triggers())


def reindex(using: str) -> None:
    """Empty the index and fill it anew."""
    connection = connections[using]
    database = statements_of(connection.vendor)
    with connection.cursor() as cursor:
        execute_all(cursor, database.empty())
        execute_all(cursor, database.fill())


def statements_of(vendor: str) -> ModuleType:
    return on_postgresql if vendor == "postgresql" else on_sqlite


def execute_all(cursor: CursorWrapper, statements: Iterable[str]) -> None:
    for statement in statements:
        cursor.execute(statement)
