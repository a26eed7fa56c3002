"""The index on PostgreSQL: a table of tsvectors, and its triggers."""

# ruff: noqa: S608 - every name in these statements is ours

from __future__ import annotations

from collections.abc import Iterator

from evals.search.tables import CALL, INDEXED_CHARACTERS, RUN, TABLE, TURN


def make() -> Iterator[str]:
    yield (
        f"CREATE TABLE {TABLE} (run_id bigint NOT NULL, turn integer NOT NULL, call integer NOT NULL,"
        " command tsvector, output tsvector, message tsvector, reasoning tsvector, answer tsvector,"
        " PRIMARY KEY (run_id, turn, call))"
    )
    for column in ("command", "output", "message", "reasoning", "answer"):
        yield f"CREATE INDEX {TABLE}_{column} ON {TABLE} USING gin ({column})"


def empty() -> Iterator[str]:
    yield f"TRUNCATE {TABLE}"


def fill() -> Iterator[str]:
    yield from functions()
    yield (
        f"INSERT INTO {TABLE} (run_id, turn, call, message, reasoning) SELECT run_id, number, 0,"
        f" search_words(message), search_words(reasoning) FROM {TURN}"
    )
    yield (
        f"INSERT INTO {TABLE} (run_id, turn, call, command, output)"
        " SELECT turn.run_id, turn.number, call.number,"
        " search_words(CASE call.command WHEN '' THEN call.arguments ELSE call.command END),"
        f" search_words(call.output) FROM {CALL} AS call JOIN {TURN} AS turn ON turn.id = call.turn_id"
        " WHERE call.output IS NOT NULL"
    )
    yield (
        f"INSERT INTO {TABLE} (run_id, turn, call, answer)"
        " SELECT id, 0, 0, search_words(search_text(submission))"
        f" FROM {RUN} WHERE submission IS NOT NULL"
    )
    yield f"ANALYZE {TABLE}"


def functions() -> Iterator[str]:
    # Words are letters and digits, whatever the text search's own parser takes for a host or a file name.
    yield (
        "CREATE OR REPLACE FUNCTION search_words(text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE"
        " AS"
        " $$ SELECT to_tsvector('simple', regexp_replace(lower(left($1, "
        f"{INDEXED_CHARACTERS})), '[^[:alnum:]]+', ' ', 'g')) $$"
    )
    yield (
        "CREATE OR REPLACE FUNCTION search_text(bytea) RETURNS text LANGUAGE plpgsql IMMUTABLE AS"
        " $$ BEGIN RETURN convert_from($1, 'UTF8');"
        " EXCEPTION WHEN OTHERS THEN RETURN encode($1, 'escape'); END $$"
    )


def triggers() -> Iterator[str]:
    yield from functions()
    for table, (columns, gone, came) in reactions().items():
        name = f"search_{table}"
        yield (
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF TG_OP <> 'INSERT' THEN {gone}; END IF;"
            f" IF TG_OP <> 'DELETE' THEN {came}; END IF; RETURN NULL; END $$"
        )
        yield f"DROP TRIGGER IF EXISTS {name} ON {table}"
        yield (
            f"CREATE TRIGGER {name} AFTER INSERT OR UPDATE OF {columns} OR DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {name}()"
        )
    yield (
        "CREATE OR REPLACE FUNCTION search_emptied() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN TRUNCATE {TABLE}; RETURN NULL; END $$"
    )
    yield f"DROP TRIGGER IF EXISTS search_emptied ON {TURN}"
    yield (
        f"CREATE TRIGGER search_emptied AFTER TRUNCATE ON {TURN}"
        " FOR EACH STATEMENT EXECUTE FUNCTION search_emptied()"
    )


def reactions() -> dict[str, tuple[str, str, str]]:
    """Return, by table: the columns that matter, what is done with an old row, and with a new one."""
    asked = "CASE NEW.command WHEN '' THEN NEW.arguments ELSE NEW.command END"
    return {
        TURN: (
            "message, reasoning",
            f"DELETE FROM {TABLE} WHERE run_id = OLD.run_id AND turn = OLD.number AND call = 0",
            (
                f"INSERT INTO {TABLE} (run_id, turn, call, message, reasoning)"
                " SELECT NEW.run_id, NEW.number, 0,"
                " search_words(NEW.message), search_words(NEW.reasoning) ON CONFLICT DO NOTHING"
            ),
        ),
        CALL: (
            "command, arguments, output",
            (
                f"DELETE FROM {TABLE} AS gone USING {TURN} AS turn WHERE turn.id = OLD.turn_id"
                " AND gone.run_id = turn.run_id AND gone.turn = turn.number AND gone.call = OLD.number"
            ),
            (
                f"INSERT INTO {TABLE} (run_id, turn, call, command, output)"
                " SELECT turn.run_id, turn.number, NEW.number,"
                f" search_words({asked}), search_words(NEW.output)"
                f" FROM {TURN} AS turn WHERE turn.id = NEW.turn_id AND NEW.output IS NOT NULL"
                " ON CONFLICT DO NOTHING"
            ),
        ),
        RUN: (
            "submission",
            f"DELETE FROM {TABLE} WHERE run_id = OLD.id AND turn = 0",
            (
                f"INSERT INTO {TABLE} (run_id, turn, call, answer) SELECT NEW.id, 0, 0,"
                " search_words(search_text(NEW.submission)) WHERE NEW.submission IS NOT NULL"
                " ON CONFLICT DO NOTHING"
            ),
        ),
    }
