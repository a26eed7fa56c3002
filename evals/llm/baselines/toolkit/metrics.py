"""Metrics, before and after a moment: counters as rates, gauges as means."""

from __future__ import annotations

import re
from pathlib import Path

from .rows import Row, seconds_of, table

COUNTER = re.compile(r"(_total|_count|_sum|_bucket)$")
FILE_NAME = re.compile(r"^(service|pod)_(.+?)_raw\.tsv$")


class Series:
    """One time series, read in the order of its file."""

    def __init__(self) -> None:
        self.growth, self.span, self.total, self.samples = [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0, 0]
        self.last: tuple[float, float] | None = None

    def add(self, time: float, value: float, when: int) -> None:
        if self.last is not None and time > self.last[0]:
            # A counter that falls was reset and starts again from nothing.
            self.growth[when] += value - self.last[1] if value >= self.last[1] else value
            self.span[when] += time - self.last[0]
        self.last = (time, value)
        self.total[when] += value
        self.samples[when] += 1

    def level(self, when: int, *, counter: bool) -> float | None:
        """Return the rate per minute of a counter, the mean of a gauge, or None for too few samples."""
        if counter:
            return 60 * self.growth[when] / self.span[when] if self.span[when] else None
        return self.total[when] / self.samples[when] if self.samples[when] else None


def metric_files() -> list[Path]:
    return sorted(path for path in Path("metrics").glob("*.tsv") if FILE_NAME.match(path.name))


def metrics(since: float, name: str | None = None, least_ratio: float = 2.0) -> list[Row]:
    """Return the metrics whose level changed by `least_ratio` or more, the biggest change first."""
    rows: list[Row] = []
    for path in metric_files():
        found = FILE_NAME.match(path.name)
        if found and name in (None, found[2]):
            rows += [{found[1]: found[2], **row} for row in file_metrics(path, since)]
    changed = [row for row in rows if row["ratio"] >= least_ratio or row["ratio"] <= 1 / least_ratio]
    return sorted(changed, key=lambda row: -max(row["ratio"], 1 / max(row["ratio"], 1e-3)))


def file_metrics(path: Path, since: float) -> list[Row]:
    series: dict[tuple[str, str, str], Series] = {}
    for row in table(path):
        metric, time = row.get("metric_name", ""), seconds_of(row.get("timestamp"))
        value = number_of(row.get("value", ""))
        if time is None or value is None or metric.endswith("_bucket"):
            continue
        status = row.get("status_code", "")
        one = series.setdefault((metric, status, row.get("tags", "")), Series())
        one.add(time, value, int(time >= since))
    levels: dict[tuple[str, str], list[float | None]] = {}
    for (metric, status, _), one in series.items():
        total = levels.setdefault((metric, status), [None, None])
        for when in (0, 1):
            level = one.level(when, counter=COUNTER.search(metric) is not None)
            if level is not None:
                total[when] = (total[when] or 0.0) + level
    return [metric_row(key, before, after) for key, (before, after) in sorted(levels.items())]


def metric_row(key: tuple[str, str], before: float | None, after: float | None) -> Row:
    ratio = 1.0
    if before is not None and after is not None:
        # What was next to nothing before counts as a thousandth, so that a ratio stays a number.
        ratio = (after + 1e-3) / (before + 1e-3)
    return {
        "metric": key[0],
        "status": key[1],
        "before": rounded(before),
        "after": rounded(after),
        "ratio": round(max(ratio, 0.0), 3),
    }


def number_of(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e300 else None


def rounded(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.4g}")
