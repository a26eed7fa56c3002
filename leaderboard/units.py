"""Numbers as people read them, each with its unit. None is unknown and shows as a dash."""

from __future__ import annotations

UNKNOWN = "\N{EN DASH}"
SPACE = "\N{NO-BREAK SPACE}"

MINUTE, HOUR, DAY = 60, 3600, 86_400


def percent(share: float | None) -> str:
    return UNKNOWN if share is None else f"{100 * share:.0f}{SPACE}%"


def score(value: float | None) -> str:
    """Return the score of one run: 1, 0, or two digits."""
    if value is None:
        return UNKNOWN
    return f"{value:.0f}" if value in (0, 1) else f"{value:.2f}"


def dollars(value: float | None) -> str:
    """Return US dollars to the cent, or to two digits where a cent is too coarse."""
    if value is None:
        return UNKNOWN
    if value == 0 or value >= 0.1:
        return f"${value:,.2f}"
    return "$0.00" if value < 1e-6 else f"${value:.{2 if value >= 0.01 else 6}f}".rstrip("0").ljust(5, "0")


def count(value: float | None) -> str:
    """Return a whole number in short: 950, 12.3 k, 1.2 M."""
    if value is None:
        return UNKNOWN
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size * 0.9995:
            return f"{value / size:.{1 if value < 99.95 * size else 0}f}{SPACE}{letter}"
    return f"{value:.0f}"


def decimal(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,.1f}"


def duration(seconds: float | None) -> str:
    if seconds is None:
        return UNKNOWN
    if seconds < 10:
        return (
            f"{seconds:.1f}{SPACE}s" if seconds >= 0.05 or seconds == 0 else f"{seconds * 1000:.0f}{SPACE}ms"
        )
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole}{SPACE}s"
    if whole < HOUR:
        return f"{whole // MINUTE}{SPACE}min{SPACE}{whole % MINUTE}{SPACE}s"
    return f"{whole // HOUR}{SPACE}h{SPACE}{whole % HOUR // MINUTE}{SPACE}min"


def significant(value: float | None, digits: int) -> float | None:
    """Return the value to so many significant digits."""
    return None if value is None else float(f"{value:.{digits}g}")


def size(number_of_bytes: int | None) -> str:
    if number_of_bytes is None:
        return UNKNOWN
    value = float(number_of_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5 or unit == "GB":
            break
        value /= 1000
    return f"{value:.0f}{SPACE}{unit}" if unit in ("B", "kB") else f"{value:.1f}{SPACE}{unit}"


def ago(seconds: float) -> str:
    """Return how long ago something was, as roughly as people say it."""
    for length, name in (
        (365 * DAY, "year"),
        (30 * DAY, "month"),
        (DAY, "day"),
        (HOUR, "hour"),
        (MINUTE, "minute"),
    ):
        if seconds >= length:
            number = int(seconds // length)
            return f"{number} {name}{'s' if number > 1 else ''} ago"
    return "just now"
