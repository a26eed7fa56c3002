"""What a server process does before its first visitor comes."""

from __future__ import annotations

import logging
from threading import Thread

from django.db import DatabaseError, connection

from evals.models import Benchmark
from leaderboard.charts import board_charts
from leaderboard.rows import board_rows

log = logging.getLogger(__name__)


LONGEST_S = 20.0  # A database that does not answer must not keep the process from saying so.


def start() -> None:
    """Warm up before the first request, which would otherwise wait for it."""
    warming = Thread(target=warm_up, name="warming", daemon=True)
    warming.start()
    warming.join(LONGEST_S)


def warm_up() -> None:
    """Make every board once: it loads Plotly, draws the bootstrap's weights, works out intervals, ties."""
    try:
        for benchmark in Benchmark.objects.order_by("pk"):
            board_charts([row for row in board_rows(benchmark) if row.mean is not None])
    except DatabaseError as problem:
        log.warning("not warmed up: %s", problem)
    finally:
        connection.close()
