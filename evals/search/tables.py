"""Names of the index and of what it indexes."""

from __future__ import annotations

from evals.models import Run, ToolCall, Turn

TABLE = "evals_search"
WORDS = "evals_search_words"  # on SQLite
RUN, TURN, CALL = Run._meta.db_table, Turn._meta.db_table, ToolCall._meta.db_table
# Of each text so much is indexed: what an agent sees of an output is less, but imported runs may hold more.
INDEXED_CHARACTERS = 100_000
