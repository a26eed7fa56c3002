"""Times are written as the tools behind the real files write them."""

from __future__ import annotations

from datetime import UTC, datetime

from evals.incidents.clock import Clock

START = datetime(2025, 12, 15, 17, 34, 49, tzinfo=UTC)
CLOCK = Clock(int(START.timestamp()))


def test_each_file_has_its_own_way_to_write_a_time():
    assert CLOCK.iso(0.5) == "2025-12-15T17:34:49Z"
    assert CLOCK.iso_nanoseconds(0.5) == "2025-12-15T17:34:49.500000000Z"
    assert CLOCK.column(11) == "2025-12-15 17:35:00.000000000"
    assert CLOCK.column_second(11.9) == "2025-12-15 17:35:00"
    assert CLOCK.file_name(0.25) == "2025-12-15T17-34-49.250000"


def test_seconds_before_the_window_are_written_too():
    assert CLOCK.iso(-50) == "2025-12-15T17:33:59Z"


def test_a_nanosecond_is_kept_where_a_float_would_lose_it():
    assert CLOCK.column_of_nanosecond(1_799_123_456_789) == "2025-12-15 18:04:48.123456789"
