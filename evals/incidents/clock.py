"""Simulated seconds and the ways the files write them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=4096)
def _whole_second(second: int) -> str:
    return (EPOCH + timedelta(seconds=second)).strftime("%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True)
class Clock:
    """Where second 0 of a simulation lies. Seconds may be negative: before the window."""

    start_s: int  # seconds since 1970, UTC

    def _parts(self, nanosecond: int) -> tuple[str, int]:
        whole, rest = divmod(self.start_s * 1_000_000_000 + nanosecond, 1_000_000_000)
        return _whole_second(whole), rest

    def iso(self, second: float) -> str:
        """Return it as Kubernetes writes times: 2025-12-15T17:34:49Z."""
        return self._parts(_nanosecond(second))[0].replace(" ", "T") + "Z"

    def iso_nanoseconds(self, second: float) -> str:
        """Return it as Prometheus writes times: 2025-12-15T17:34:49.528434123Z."""
        whole, rest = self._parts(_nanosecond(second))
        return f"{whole.replace(' ', 'T')}.{rest:09d}Z"

    def column(self, second: float) -> str:
        """Return it as ClickHouse writes a DateTime64(9): 2025-12-15 17:34:49.528434123."""
        return self.column_of_nanosecond(_nanosecond(second))

    def column_of_nanosecond(self, nanosecond: int) -> str:
        """Return the same of a time that a float of seconds could not hold exactly."""
        whole, rest = self._parts(nanosecond)
        return f"{whole}.{rest:09d}"

    def column_second(self, second: float) -> str:
        return self._parts(_nanosecond(second))[0]

    def file_name(self, second: float) -> str:
        """Return it as alert files are named: 2025-12-15T17-34-49.528434."""
        whole, rest = self._parts(_nanosecond(second))
        return f"{whole.replace(' ', 'T').replace(':', '-')}.{rest // 1000:06d}"


def _nanosecond(second: float) -> int:
    return int(second * 1_000_000_000)
