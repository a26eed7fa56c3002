"""Who calls whom, and so whose trouble can be explained by whose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

EVERYTHING = "*"
QUIET_ALERTS = ("norequest", "nodatabase", "inactive")  # They name who is no longer called.

Row = Mapping[str, Any]


class CallGraph:
    """The calls between workloads, from traces and from the addresses in their environment."""

    def __init__(self, calls: Iterable[tuple[str, str]]) -> None:
        self._callers: dict[str, set[str]] = {}
        self._callees: dict[str, set[str]] = {}
        for caller, callee in calls:
            self._callers.setdefault(callee, set()).add(caller)
            self._callees.setdefault(caller, set()).add(callee)

    @property
    def names(self) -> set[str]:
        return self._callers.keys() | self._callees.keys()

    def upward(self, names: Iterable[str]) -> set[str]:
        """Return the names and all that call them, directly or not: a failure rises to its callers."""
        return reach(self._callers, names)

    def downward(self, names: Iterable[str]) -> set[str]:
        """Return the names and all they call: who is cut off goes quiet, who is flooded is overrun."""
        return reach(self._callees, names)

    def explains(self, touched: Iterable[str], alert: Row) -> bool:
        """Tell whether trouble in the touched workloads can be why this alert fired."""
        touched, target = set(touched), alert.get("target", "")
        if EVERYTHING in touched or target in self.upward(touched):
            return True
        quiet = str(alert.get("alert", "")).lower().startswith(QUIET_ALERTS)
        sources = {name for name in touched if not self._callers.get(name)}
        return target in self.downward(touched if quiet else sources)


def reach(steps: Mapping[str, set[str]], names: Iterable[str]) -> set[str]:
    found = set(names)
    waiting = list(found)
    while waiting:
        for step in steps.get(waiting.pop(), ()):
            if step not in found:
                found.add(step)
                waiting.append(step)
    return found
