"""Writes an incident as ITBench-AA lays its snapshots out, while it is being played.

Everything is written as it happens; nothing that grows with the window is kept in memory.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from evals.incidents import events, logs, manifests, noise, traces
from evals.incidents.alerts import Alert, alert_document
from evals.incidents.cluster import SHOP
from evals.incidents.dice import Dice
from evals.incidents.journeys import JOURNEYS, Journey
from evals.incidents.plan import Plan
from evals.incidents.scales import STEADY_KINDS, Scale
from evals.incidents.series import Series
from evals.incidents.simulation import STEP_S, Simulation
from evals.incidents.tables import EVENT_NAME_COLUMN, LOG_COLUMNS, TRACE_COLUMNS, Table
from evals.incidents.truth import ground_truth
from evals.incidents.visits import Walker

ALERTS_S = 60
CHATTER_SHARE = 0.25  # of the steps in which the infrastructure says something
SCOPE = "otelcol/k8sobjectsreceiver"
NESTED_KINDS = {"configmaps", "namespaces"}


def write_snapshot(plan: Plan, folder: Path) -> str:
    """Play the plan, write all files into the folder, and return the ground truth's YAML."""
    (folder / "alerts").mkdir(parents=True)
    (folder / "metrics").mkdir()
    with ExitStack() as files:
        recorder = Recorder(plan, folder, files)
        for _ in range(plan.scale.window_s // STEP_S):
            recorder.step()
        recorder.close()
    truth = ground_truth(plan, recorder.simulation.alerts.fired)
    (folder / "ground_truth.yaml").write_text(truth, encoding="utf-8")
    _write_records(plan, folder, recorder)
    return truth


class Recorder:
    """Plays an incident and writes what each source shows of every step."""

    def __init__(self, plan: Plan, folder: Path, files: ExitStack) -> None:
        self.simulation = Simulation(plan)
        self._plan = plan
        self._folder = folder
        columns = (*LOG_COLUMNS, *([EVENT_NAME_COLUMN] if plan.quirks.event_name_column else []))
        self._events = files.enter_context(Table(folder / "k8s_events_raw.tsv", columns))
        self._objects = files.enter_context(Table(folder / "k8s_objects_raw.tsv", columns))
        self._logs = files.enter_context(Table(folder / "otel_logs_raw.tsv", columns))
        self._traces = files.enter_context(Table(folder / "otel_traces_raw.tsv", TRACE_COLUMNS))
        self._series = Series(folder / "metrics", plan.clock, plan.scale, files)
        self._requests = _RequestSource(plan.dice.child("requests"), plan.scale)
        self._chance = plan.dice.child("recorder")
        self._lag_s = self._chance.between(0.1, 0.9)  # of every alert query behind the full minute
        self._dumped: dict[str, str] = {}  # uid -> version last dumped
        self._dump_objects()

    def step(self) -> None:
        simulation, scale = self.simulation, self._plan.scale
        # Under the conditions before the step: no request shows a cause's effect before the cause.
        self._record_requests()
        simulation.advance()
        now = simulation.now
        self._record_events()
        if now % scale.calls_s == 0:
            self._series.sample_services(simulation.meters, simulation.traffic, now)
        if now % scale.pod_metrics_s == 0:
            self._series.sample_pods(simulation.world, simulation.meters, now)
        if now % ALERTS_S == 0:
            self._record_alerts()
        if now % scale.objects_s == 0 and now < scale.window_s:
            self._dump_objects()

    def close(self) -> None:
        """Write what is written once, at the end of the window."""
        if self._plan.quirks.closing_alert_file:
            stamp = self._plan.clock.file_name(self.simulation.now + self._lag_s + 1)
            day, time = stamp.split("T")
            name = f"alerts_in_alerting_state_{day}T{time.replace('-', '')}Z"
            self._write_alerts(name, [alert for alert in self._alerts() if alert.firing])

    # -- requests ---------------------------------------------------------------------------------

    def _record_requests(self) -> None:
        simulation, scale = self.simulation, self._plan.scale
        chance = self._requests.dice
        walker = Walker(simulation.world, simulation.conditions, chance)
        for second in self._requests.moments(simulation.now):
            journey = self._requests.next_journey()
            spans = walker.visit(journey, int(second * 1e9))
            stories = [spans, *walker.orders(spans, simulation.traffic)]
            traced = self._requests.is_traced(journey)
            for story in stories:
                if traced:
                    self._traces.add_all(traces.row(span, self._plan.clock, scale) for span in story)
                for line in logs.lines(story, self._plan.clock, chance, scale.success_lines):
                    self._log(line)
        if self._chance.happens(CHATTER_SHARE):
            for line in noise.lines(simulation.world, self._chance, simulation.now):
                self._log(line)

    def _log(self, line: logs.Line) -> None:
        row = logs.row(line, self._plan.clock, self._plan.scale)
        self._logs.add((*row, line.attributes.get("event.name", "")) if self._named else row)

    @property
    def _named(self) -> bool:
        return self._plan.quirks.event_name_column

    # -- Kubernetes -------------------------------------------------------------------------------

    def _record_events(self) -> None:
        clock = self._plan.clock
        shape = events.grouped_event if self._plan.quirks.grouped_events else events.core_event
        for event, count, last in self.simulation.world.event_log.drain(self.simulation.now):
            body = {"object": shape(event, count, last, clock), "type": "ADDED" if count == 1 else "MODIFIED"}
            namespace = event.about.namespace or "default"
            about = {"event.domain": "k8s", "event.name": event.name, "k8s.resource.name": "events"}
            self._events.add(self._kubernetes_row(last + 0.3, body, namespace, about))

    def _dump_objects(self) -> None:
        """Dump the objects; those that hardly change only when they did, or when it is their turn."""
        world, clock, now = self.simulation.world, self._plan.clock, self.simulation.now
        steady = now % self._plan.scale.steady_objects_s == 0
        for offset, (kind, make) in enumerate(manifests.KINDS.items()):
            second = now + 0.05 * offset + self._chance.between(0.01, 0.04)
            for manifest in make(world, clock, now):
                metadata = manifest["metadata"]
                rare = kind in STEADY_KINDS or metadata.get("namespace", SHOP) != SHOP
                if rare and not steady and self._dumped.get(metadata["uid"]) == metadata["resourceVersion"]:
                    continue
                self._dumped[metadata["uid"]] = metadata["resourceVersion"]
                body = json.dumps(manifest, separators=(",", ":")) if self._nested(kind) else manifest
                about = {"k8s.resource.name": kind}
                self._objects.add(self._kubernetes_row(second, body, metadata.get("namespace", ""), about))

    def _nested(self, kind: str) -> bool:
        return self._plan.quirks.nested_json and kind in NESTED_KINDS

    def _kubernetes_row(
        self, second: float, body: Any, namespace: str, about: dict[str, str]
    ) -> tuple[Any, ...]:
        when = self._plan.clock.column(second)
        resource = {"k8s.namespace.name": namespace} if namespace else {}
        text = json.dumps(body, separators=(",", ":"))
        row: tuple[Any, ...] = (
            *(when, when[:19], "", "", 0, "", 0, "", text),
            *("", resource, "", SCOPE, "", {}, about),
        )
        return (*row, about.get("event.name", "")) if self._named else row

    # -- alerts -----------------------------------------------------------------------------------

    def _alerts(self) -> list[Alert]:
        simulation = self.simulation
        return simulation.alerts.evaluate(
            simulation.world, simulation.meters, simulation.traffic, simulation.now
        )

    def _record_alerts(self) -> None:
        asked = self._plan.clock.file_name(self.simulation.now + self._lag_s)
        self._write_alerts(f"alerts_at_{asked}", self._alerts())

    def _write_alerts(self, name: str, alerts: list[Alert]) -> None:
        clock = self._plan.clock
        documents = [alert_document(alert, clock) for alert in alerts]
        asked = clock.iso_nanoseconds(self.simulation.now + self._lag_s)
        shapes: dict[str, Any] = {
            "list": documents,
            "success": {"status": "success", "data": {"alerts": documents}},
            "timestamp": {"timestamp": asked, "alerts": documents},
        }
        text = json.dumps(shapes[self._plan.quirks.alert_shape], separators=(",", ":"))
        (self._folder / "alerts" / f"{name}.json").write_text(text, encoding="utf-8")


class _RequestSource:
    """Chooses which requests are walked: a fair deck of journeys, so that rare ones show up too."""

    def __init__(self, dice: Dice, scale: Scale) -> None:
        self.dice = dice
        self._a_step = scale.requests_a_step
        self._owed = 0.0  # of a request
        self._traced_share = scale.traced_share
        self._traces_owed = {(each.method, each.route): dice.fraction() for each in JOURNEYS}
        self._deck: list[Journey] = []

    def moments(self, now: float) -> list[float]:
        """Return when in the step that begins at `now` requests begin, in order."""
        self._owed += self._a_step
        count, self._owed = int(self._owed), self._owed % 1
        return sorted(now + STEP_S * self.dice.fraction() for _ in range(count))

    def next_journey(self) -> Journey:
        if not self._deck:
            copies = [(journey, max(1, round(journey.share * 25))) for journey in JOURNEYS]
            self._deck = self.dice.shuffled([journey for journey, many in copies for _ in range(many)])
        return self._deck.pop()

    def is_traced(self, journey: Journey) -> bool:
        """Tell whether the next request of the journey leaves spans: an even share of each journey does."""
        key = (journey.method, journey.route)
        owed = self._traces_owed[key] + self._traced_share
        self._traces_owed[key] = owed % 1
        return owed >= 1


def _write_records(plan: Plan, folder: Path, recorder: Recorder) -> None:
    """Write the recording side's own notes, which no agent is shown."""
    clock, window = plan.clock, plan.scale.window_s
    status = {"scenario": plan.slug, "state": "recorded", "started": clock.iso(0), "ended": clock.iso(window)}
    assertion = {
        "scenario": plan.slug,
        "difficulty": plan.difficulty,
        "alerts_fired": sorted({name for name, _ in recorder.simulation.alerts.fired}),
        "faults": [
            {"kind": fault.kind, "victim": fault.victim, "at": clock.iso(fault.second)}
            for fault in plan.faults
        ],
    }
    (folder / "status.json").write_text(json.dumps(status, indent=2) + "\n", encoding="utf-8")
    (folder / "assertion.json").write_text(json.dumps(assertion, indent=2) + "\n", encoding="utf-8")
