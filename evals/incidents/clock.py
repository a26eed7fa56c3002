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

    def _parts(self, second: float) -> tuple[str, int]:
        nanoseconds = self.start_s * 1_000_000_000 + int(second * 1_000_000_000)
        return _whole_second(nanoseconds // 1_000_000_000), nanoseconds % 1_000_000_000

    def iso(self, second: float) -> str:
        """Return it as Kubernetes writes times: 2025-12-15T17:34:49Z."""
        return self._parts(second)[0].replace(" ", "T") + "Z"

    def iso_nanoseconds(self, second: float) -> str:
        """Return it as Prometheus writes times: 2025-12-15T17:34:49.528434123Z."""
        whole, rest = self._parts(second)
        return f"{whole.replace(' ', 'T')}.{rest:09d}Z"

    def column(self, second: float) -> str:
        """Return it as ClickHouse writes a DateTime64(9): 2025-12-15 17:34:49.528434123."""
        whole, rest = self._parts(second)
        return f"{whole}.{rest:09d}"

    def column_second(self, second: float) -> str:
        return self._parts(second)[0]

    def file_name(self, second: float) -> str:
        """Return it as alert files are named: 2025-12-15T17-34-49.528434."""
        whole, rest = self._parts(second)
        return f"{whole.replace(' ', 'T').replace(':', '-')}.{rest // 1000:06d}"
