"""Database triggers that count every change of what a benchmark's pages show.

A cached page is kept under the number its benchmark has at that moment (`BoardVersion`). The database
counts by itself: no command, admin page or statement by hand can change a grade and leave a page behind.
Turns are not counted: no cached page shows them, and they are by far the most writes.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connections
from django.db.models import Model

from evals.models import (
    Benchmark,
    BoardVersion,
    Evaluation,
    Grade,
    LanguageModel,
    PublishedResult,
    Remark,
    Run,
    Task,
)

VERSION = BoardVersion._meta.db_table
OF_EVALUATION = f"(SELECT benchmark_id FROM {Evaluation._meta.db_table} WHERE id = row.evaluation_id)"  # noqa: S608
OF_RUN = (
    f"(SELECT evaluation.benchmark_id FROM {Run._meta.db_table} AS run"  # noqa: S608
    f" JOIN {Evaluation._meta.db_table} AS evaluation ON evaluation.id = run.evaluation_id"
    " WHERE run.id = row.run_id)"
)
ADD_VERSION = f"INSERT INTO {VERSION} (benchmark_id, number) VALUES (row.id, 0)"  # noqa: S608


@dataclass(frozen=True)
class Trigger:
    table: str
    event: str
    statement: str  # in which `row` stands for the row that came, changed or went

    @property
    def name(self) -> str:
        return f"board_version_{self.table}_{self.event.split()[0].lower()}"


def counting(benchmarks: str) -> str:
    return f"UPDATE {VERSION} SET number = number + 1 WHERE {benchmarks}"  # noqa: S608 - all names are ours


def triggers() -> list[Trigger]:
    """Return all triggers. What a page of one benchmark can't tell apart counts for all of them."""
    watched: dict[type[Model], str] = {
        Grade: counting(f"benchmark_id = {OF_RUN}"),
        Run: counting(f"benchmark_id = {OF_EVALUATION}"),
        Remark: counting(f"benchmark_id = {OF_RUN}"),
        Evaluation: counting("benchmark_id = row.benchmark_id"),
        Task: counting("benchmark_id = row.benchmark_id"),
        PublishedResult: counting("benchmark_id = row.benchmark_id"),
        LanguageModel: counting("1 = 1"),
        Benchmark: counting("1 = 1"),
    }
    # A run's totals grow with every turn; pages show them once it has ended.
    updates: dict[type[Model], str] = {Run: "UPDATE OF state, ended_at"}
    made = [
        Trigger(table._meta.db_table, event, statement)
        for table, statement in watched.items()
        for event in ("INSERT", updates.get(table, "UPDATE"), "DELETE")
    ]
    benchmarks = Benchmark._meta.db_table
    return [
        Trigger(benchmarks, "INSERT", f"{ADD_VERSION}; {counting('1 = 1')}")
        if (each.table, each.event) == (benchmarks, "INSERT")
        else each
        for each in made
    ]


def install(using: str) -> None:
    """Put the triggers into the database, in place of those that are there.

    Called after every `migrate`: SQLite drops the triggers of a table that a migration makes anew.
    """
    connection = connections[using]
    if VERSION not in connection.introspection.table_names():
        return  # not migrated so far
    write = _on_postgresql if connection.vendor == "postgresql" else _on_sqlite
    with connection.cursor() as cursor:
        for trigger in triggers():
            for statement in write(trigger):
                cursor.execute(statement)
        cursor.execute(
            f"INSERT INTO {VERSION} (benchmark_id, number) SELECT id, 0 FROM {Benchmark._meta.db_table}"  # noqa: S608
            f" WHERE id NOT IN (SELECT benchmark_id FROM {VERSION})"
        )
        cursor.execute(counting("1 = 1"))


def _on_sqlite(trigger: Trigger) -> list[str]:
    row = "OLD." if trigger.event == "DELETE" else "NEW."
    body = f"BEGIN {trigger.statement.replace('row.', row)}; END"
    return [
        f"DROP TRIGGER IF EXISTS {trigger.name}",
        f"CREATE TRIGGER {trigger.name} AFTER {trigger.event} ON {trigger.table} {body}",
    ]


def _on_postgresql(trigger: Trigger) -> list[str]:
    row = "OLD." if trigger.event == "DELETE" else "NEW."
    body = f"$$ BEGIN {trigger.statement.replace('row.', row)}; RETURN NULL; END $$"
    when = f"AFTER {trigger.event} ON {trigger.table} FOR EACH ROW"
    return [
        f"CREATE OR REPLACE FUNCTION {trigger.name}() RETURNS trigger LANGUAGE plpgsql AS {body}",
        f"DROP TRIGGER IF EXISTS {trigger.name} ON {trigger.table}",
        f"CREATE TRIGGER {trigger.name} {when} EXECUTE FUNCTION {trigger.name}()",
    ]
