"""The index on SQLite: an FTS5 table that holds no text, and its triggers."""

# ruff: noqa: S608 - every name in these statements is ours

from __future__ import annotations

from collections.abc import Iterator

from evals.search.tables import CALL, INDEXED_CHARACTERS, RUN, TABLE, TURN, WORDS

# A row's number: the run, then the turn, then the call.
CALL_BITS, RUN_BITS = 12, 32
MOST_CALLS, MOST_TURNS = 2**CALL_BITS - 1, 2 ** (RUN_BITS - CALL_BITS) - 1


def cut(text: str) -> str:
    return f"substr({text}, 1, {INDEXED_CHARACTERS})"


COLUMNS_OF_CALL: tuple[str, ...] = ("command", "output")
COLUMNS_OF_TURN: tuple[str, ...] = ("message", "reasoning")
OF_RUN: tuple[str, ...] = ("answer",)


def make() -> Iterator[str]:
    yield (
        f"CREATE VIRTUAL TABLE {TABLE} USING fts5(command, output, message, reasoning, answer, content='',"
        ' columnsize=0, tokenize="unicode61 remove_diacritics 0")'
    )

    # The words themselves: a prefix is looked up here, for FTS5 puts its answer together anew for each run.
    yield f"CREATE VIRTUAL TABLE {WORDS} USING fts5vocab({TABLE}, 'row')"


def empty() -> Iterator[str]:
    yield f"INSERT INTO {TABLE} ({TABLE}) VALUES ('delete-all')"


def rowid(run: str, turn: str, call: str) -> str:
    return f"(({run} << {RUN_BITS}) | ({turn} << {CALL_BITS}) | {call})"


def turn(row: str) -> tuple[str, str]:
    """Return the row number and the texts of a turn, in the order of its columns."""
    return rowid(f"{row}run_id", f"{row}number", "0"), f"{cut(row + 'message')}, {cut(row + 'reasoning')}"


def call(row: str, turn: str) -> tuple[str, str]:
    asked = f"CASE {row}command WHEN '' THEN {row}arguments ELSE {row}command END"
    number = rowid(f"{turn}run_id", f"{turn}number", f"{row}number")
    return number, f"{cut(asked)}, {cut(row + 'output')}"


def answer(row: str) -> tuple[str, str]:
    return rowid(f"{row}id", "0", "0"), cut(f"CAST({row}submission AS TEXT)")


def fill() -> Iterator[str]:
    number, texts = turn("turn.")
    in_bounds = f"turn.number <= {MOST_TURNS}"
    yield (
        f"INSERT INTO {TABLE} (rowid, message, reasoning)"
        f" SELECT {number}, {texts} FROM {TURN} AS turn WHERE {in_bounds}"
    )
    number, texts = call("call.", "turn.")
    yield (
        f"INSERT INTO {TABLE} (rowid, command, output) SELECT {number}, {texts} FROM {CALL} AS call"
        f" JOIN {TURN} AS turn ON turn.id = call.turn_id"
        f" WHERE call.output IS NOT NULL AND call.number <= {MOST_CALLS} AND {in_bounds}"
    )
    number, texts = answer("run.")
    yield (
        f"INSERT INTO {TABLE} (rowid, answer) SELECT {number}, {texts} FROM {RUN} AS run"
        " WHERE run.submission IS NOT NULL"
    )


def triggers() -> Iterator[str]:
    for table, (columns, gone, came) in reactions().items():
        for event, what in (("INSERT", came), (f"UPDATE OF {columns}", f"{gone}; {came}"), ("DELETE", gone)):
            name = f"search_{table}_{event.split()[0].lower()}"
            yield f"DROP TRIGGER IF EXISTS {name}"
            yield f"CREATE TRIGGER {name} AFTER {event} ON {table} BEGIN {what}; END"


def reactions() -> dict[str, tuple[str, str, str]]:
    """Return, by table: the columns that matter, what is done with an old row, and with a new one.

    A turn keeps its number and its run for good: nothing here moves one.
    """
    return {
        TURN: (
            "message, reasoning",
            change("OLD.", COLUMNS_OF_TURN, *turn("OLD."), f"WHERE OLD.number <= {MOST_TURNS}"),
            change("NEW.", COLUMNS_OF_TURN, *turn("NEW."), f"WHERE NEW.number <= {MOST_TURNS}"),
        ),
        CALL: (
            "command, arguments, output",
            change("OLD.", COLUMNS_OF_CALL, *call("OLD.", "turn."), of_call("OLD.")),
            change("NEW.", COLUMNS_OF_CALL, *call("NEW.", "turn."), of_call("NEW.")),
        ),
        RUN: (
            "submission",
            change("OLD.", OF_RUN, *answer("OLD."), "WHERE OLD.submission IS NOT NULL"),
            change("NEW.", OF_RUN, *answer("NEW."), "WHERE NEW.submission IS NOT NULL"),
        ),
    }


def of_call(row: str) -> str:
    """Return the rest of a statement about a call: its turn, and that it has ended."""
    in_bounds = f"turn.number <= {MOST_TURNS} AND {row}number <= {MOST_CALLS}"
    return f"FROM {TURN} AS turn WHERE turn.id = {row}turn_id AND {row}output IS NOT NULL AND {in_bounds}"


def change(row: str, columns: tuple[str, ...], number: str, texts: str, source: str) -> str:
    names = ", ".join(columns)
    if row == "NEW.":
        return f"INSERT INTO {TABLE} (rowid, {names}) SELECT {number}, {texts} {source}"
    # An index without text is told what it held.
    return f"INSERT INTO {TABLE} ({TABLE}, rowid, {names}) SELECT 'delete', {number}, {texts} {source}"
