"""What an investigation has gathered so far, and what follows from it at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from evals.llm.baselines.callgraph import CallGraph

NOT_COMPLAINTS = ("Watchdog", "InfoInhibitor", "CPUSpend", "MemorySpend")  # Always on, or about money.
JUST_BEFORE_S = 1800  # How long before the first alert its cause is looked for.
DUMP_SLACK_S = 420  # Objects are dumped some minutes apart, so that a change shows up late.
CLOCK_SLACK_S = 120
HOT_SHARE = 0.2  # of all the errors that started anywhere

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Facts:
    """The toolkit's rows by command; a command not yet run has none."""

    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)

    def of(self, command: str) -> Sequence[Row]:
        return self.rows.get(command, ())

    @cached_property
    def complaints(self) -> list[Row]:
        """The alerts that came up while the cluster was watched; if none did, all that stood."""
        alerts = [row for row in self.of("alerts") if row.get("alert") and row["alert"] not in NOT_COMPLAINTS]
        return [row for row in alerts if not row.get("from_the_start")] or alerts

    @cached_property
    def onset(self) -> float | None:
        """When the first of them began, or None when no alert has a time."""
        times = [time for row in self.complaints if (time := moment(row.get("since"))) is not None]
        return min(times, default=None)

    @cached_property
    def alerting(self) -> set[str]:
        return {row["target"] for row in self.complaints if row.get("target")}

    @cached_property
    def graph(self) -> CallGraph:
        calls = [(row["caller"], row["callee"]) for row in self.of("traces") if "caller" in row]
        calls += [(row["name"], callee) for row in self.of("dependencies") for callee in row.get("calls", ())]
        return CallGraph(calls)

    @cached_property
    def hot(self) -> dict[str, int]:
        """How many more errors started in each service after the onset, and in calls it left unanswered."""
        growth: dict[str, int] = {}
        for row in self.of("traces"):
            if "service" in row:
                before, after = row.get("deepest_errors", (0, 0))
                growth[row["service"]] = growth.get(row["service"], 0) + after - before
            elif row.get("peer") in self.graph.names:
                growth[row["peer"]] = growth.get(row["peer"], 0) + row.get("after", 0) - row.get("before", 0)
        enough = HOT_SHARE * sum(more for more in growth.values() if more > 0)
        return {name: more for name, more in growth.items() if more > max(enough, 3)}

    @cached_property
    def failing(self) -> set[str]:
        """The workloads whose own objects say that something is wrong with them."""
        return {row["name"] for row in self.of("problems") if row.get("kind") != "HorizontalPodAutoscaler"}

    @cached_property
    def workloads(self) -> dict[tuple[str, str], str]:
        """The kind of each workload by namespace and name, where it is known."""
        return {
            (row["namespace"], row["name"]): row["kind"] for row in self.of("dependencies") if "kind" in row
        }

    def kind_of(self, namespace: str, name: str) -> str:
        return self.workloads.get((namespace, name), "Deployment")

    def symptomatic(self) -> set[str]:
        return self.alerting | self.hot.keys() | self.failing

    def problems_of(self, namespace: str, name: str) -> Iterator[Row]:
        for row in self.of("problems"):
            if row.get("namespace", "") == namespace and row.get("name") == name:
                yield row

    def timing(self, start: float | None, slack_s: float = CLOCK_SLACK_S) -> float:
        """Return how well a beginning fits as the cause of the first alert, 0 to 1."""
        if start is None or self.onset is None:
            return 0.85
        if start > self.onset + slack_s:
            return 0.4  # Rather a consequence.
        return 1.0 if start >= self.onset - JUST_BEFORE_S else 0.5

    def coverage(self, touched: set[str]) -> float:
        """Return the share of the complaints that trouble in the touched workloads would explain."""
        named = [row for row in self.complaints if row.get("target")]
        if not named or not touched:
            return 0.5
        return sum(self.graph.explains(touched, row) for row in named) / len(named)


def moment(text: object) -> float | None:
    """Return an ISO time as seconds since 1970."""
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return None
