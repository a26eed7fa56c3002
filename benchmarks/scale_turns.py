"""Turns and their tool calls, made inside the database: a million rows never pass through Python.

One SQL for SQLite and PostgreSQL. What a turn holds is arithmetic on its number, its run's length and
repeat, and the seed; a run's totals are then summed up from its turns.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise

from django.db import connection, transaction

from evals.agent.tools import shell_result_text
from evals.models import Evaluation, LanguageModel, Run, ToolCall, Turn
from evals.sandbox import CommandResult

TURN_S = 9  # between the starts of two turns; none takes longer
# So many runs a transaction: SQLite's write-ahead log stays small beside the database.
RUNS_AT_ONCE = 500

COMMANDS = {
    "ls -la": "alerts  k8s_events_raw.tsv  k8s_objects_raw.tsv  otel_logs_raw.tsv  otel_traces_raw.tsv",
    "ls alerts | wc -l": "42",
    "head -c 300 alerts/alerts_at_2026-01-01T10-00-00.json": "[]",
    "grep -c Warning k8s_events_raw.tsv": "128",
    "cut -f 2 otel_logs_raw.tsv | sort | uniq -c | sort -rn | head -3": "9120 cart\n 8841 ad\n 311 email",
    "grep OOMKilled k8s_events_raw.tsv | head -1": "",
    "wc -l otel_traces_raw.tsv": "250113 otel_traces_raw.tsv",
    "grep -m 1 NetworkPolicy k8s_objects_raw.tsv": "shop NetworkPolicy allow-cart",
    "ls metrics | head -3": "pod_ad.tsv\npod_cart.tsv\npod_checkout.tsv",
    "tail -n 1 metrics/pod_cart.tsv": "2026-01-01T10:20:00Z container_memory_usage_bytes 1048576",
    "jq length topology.json": "61",
}

PLUS_SECONDS = {
    "sqlite": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', {time}, '+' || ({seconds}) || ' seconds')",
    "postgresql": "{time} + ({seconds}) * interval '1 second'",
}

# Written twice rather than joined: PostgreSQL joins tables badly that were filled a moment ago.
CALL_S = "0.05 + (turn.number %% 10) / 100.0"

FRAGMENTS = {
    "run": Run._meta.db_table,
    "evaluation": Evaluation._meta.db_table,
    "model": LanguageModel._meta.db_table,
    "turn": Turn._meta.db_table,
    "call": ToolCall._meta.db_table,
    "call_s": CALL_S,
}

# CROSS JOIN keeps SQLite to that order: runs one by one, each turn at the end of table and indexes.
TURNS = """
INSERT INTO {turn} (run_id, number, kind, message, reasoning, finish_reason, provider_fields, given, unmapped,
    input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens,
    cost_usd, model_s, started_at)
WITH RECURSIVE numbers (number) AS (
    SELECT 1 UNION ALL
    SELECT number + 1 FROM numbers WHERE number < (SELECT max(turns_total) FROM {run})
), drawn AS (
    SELECT run.id, run.started_at, number, price_input, price_output, price_cache_read, price_cache_write,
        (run.turns_total * 7919 + run.repeat * 1303 + number * 10007 + %s) %% 1000 AS draw,
        CASE WHEN run.tokens_known THEN 1 END AS known
    FROM {run} AS run
    CROSS JOIN {evaluation} AS evaluation CROSS JOIN {model} AS model CROSS JOIN numbers
    WHERE run.id BETWEEN %s AND %s AND evaluation.id = run.evaluation_id
        AND model.id = evaluation.language_model_id AND number <= run.turns_total
), counted AS (
    SELECT drawn.*,
        known * (200 + draw %% 400) AS input_tokens,
        known * 300 * (number - 1) AS cache_read_tokens,
        known * (100 + draw %% 100) AS cache_write_tokens,
        known * (40 + draw %% 160) AS output_tokens,
        known * (draw %% 40) AS reasoning_tokens
    FROM drawn
)
SELECT id, number, 'reply', 'Turn ' || number || ': the evidence so far points elsewhere, I look on.', '',
    'tool_calls', '{{}}', '[]', '{{}}',
    input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens,
    (input_tokens * price_input + cache_read_tokens * price_cache_read
        + cache_write_tokens * price_cache_write + output_tokens * price_output) / 1000000.0,
    1 + (draw %% 70) / 10.0, {started_at}
FROM counted
"""

CALLS = """
INSERT INTO {call} (turn_id, number, call_id, tool, arguments, command, output, output_bytes, exit_code,
    timed_out, duration_s)
WITH commands (place, command, arguments, output, output_bytes) AS (VALUES {rows})
SELECT turn.id, 1, 'call-' || turn.number, 'run_shell', arguments, command, output, output_bytes, 0,
    FALSE, {call_s}
FROM {turn} AS turn CROSS JOIN commands
WHERE turn.run_id BETWEEN %s AND %s
    AND place = (turn.number * 7 + CAST(turn.model_s * 10 AS integer)) %% {kinds}
"""

TOTALS = """
UPDATE {run} SET input_tokens = total.input_tokens, cache_read_tokens = total.cache_read_tokens,
    cache_write_tokens = total.cache_write_tokens, output_tokens = total.output_tokens,
    reasoning_tokens = total.reasoning_tokens, cost_usd = total.cost_usd, duration_s = total.duration_s
FROM (
    SELECT run_id,
        COALESCE(sum(input_tokens), 0) AS input_tokens,
        COALESCE(sum(cache_read_tokens), 0) AS cache_read_tokens,
        COALESCE(sum(cache_write_tokens), 0) AS cache_write_tokens,
        COALESCE(sum(output_tokens), 0) AS output_tokens,
        COALESCE(sum(reasoning_tokens), 0) AS reasoning_tokens,
        sum(cost_usd) AS cost_usd,
        sum(model_s + {call_s}) AS duration_s
    FROM {turn} AS turn
    WHERE run_id BETWEEN %s AND %s
    GROUP BY run_id
) AS total
WHERE {run}.id = total.run_id
"""


def make_turns(runs: Sequence[int], seed: int) -> None:
    """Give each of these runs as many turns as it says, one tool call a turn, and their totals."""
    bounds = [*range(min(runs), max(runs) + 1, RUNS_AT_ONCE), max(runs) + 1]
    for first, after in pairwise(bounds):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(turns_sql(), [seed, first, after - 1])
            cursor.execute(calls_sql(), [*command_values(), first, after - 1])
            cursor.execute(TOTALS.format(**FRAGMENTS), [first, after - 1])


def turns_sql() -> str:
    plus = PLUS_SECONDS[connection.vendor]
    return TURNS.format(
        **FRAGMENTS, started_at=plus.format(time="started_at", seconds=f"{TURN_S} * (number - 1)")
    )


def calls_sql() -> str:
    rows = ", ".join(["(%s, %s, %s, %s, %s)"] * len(COMMANDS))
    return CALLS.format(**FRAGMENTS, rows=rows, kinds=len(COMMANDS))


def command_values() -> list[str | int]:
    return [value for place, text in enumerate(COMMANDS) for value in (place, *call_values(text))]


def call_values(command: str) -> tuple[str, str, str, int]:
    """Return command, arguments, output and its bytes of a call of this command."""
    stdout = COMMANDS[command].encode()
    result = CommandResult(stdout, b"", len(stdout), 0, exit_code=0, timed_out=False, duration_s=0)
    return command, json.dumps({"cmd": command}), shell_result_text(result), len(stdout)
