"""One incident, played step by step."""

from __future__ import annotations

from evals.incidents import conditions as physics, experiments, kubelet, rollout, wear
from evals.incidents.alerts import AlertManager
from evals.incidents.conditions import Conditions
from evals.incidents.meters import Meters
from evals.incidents.plan import Plan
from evals.incidents.traffic import Flow, Surge, Traffic
from evals.incidents.world import DAY, World

STEP_S = 15  # traffic and counters
CONTROL_S = 5  # controllers and kubelets
AUTOSCALE_S = 30


class Simulation:
    """The state of an incident; `advance` moves it one step on. Its size does not grow with the window."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.now = 0.0
        self.world = World(plan.dice.child("world"), plan.clock)
        surges: list[Surge] = [surge for fault in plan.faults for surge in fault.surges]
        self.traffic = Traffic(plan.dice.child("traffic"), plan.users, surges)
        self.meters = Meters(uptime_s=DAY * plan.dice.child("uptime").between(1, 5))
        self.alerts = AlertManager(plan.quirks.alert_names, self.world.installed + 300)
        self.conditions = Conditions({}, {})
        self.flow = Flow()
        self._changes = list(plan.changes)
        self._make_changes(0.0)
        self._settle()

    def _settle(self) -> None:
        """Let traffic and conditions find each other before the window begins."""
        for _ in range(6):
            self.conditions = physics.evaluate(self.world, self.now, self.flow.requests)
            self.flow = self.traffic.flow(self.conditions, self.now, STEP_S)
        rollout.measure(self.world, self.conditions.cpu_m)

    def advance(self) -> None:
        """Play the next `STEP_S` seconds."""
        for _ in range(STEP_S // CONTROL_S):
            self.now += CONTROL_S
            self._make_changes(self.now)
            rollout.advance(self.world, self.now)
            experiments.advance(self.world, self.now)
            kubelet.advance(self.world, self.now)
            wear.advance(self.world, self.now, self.flow.requests, CONTROL_S)
        rollout.measure(self.world, self.conditions.cpu_m)
        if self.now % AUTOSCALE_S == 0:
            rollout.autoscale(self.world, self.now)
        self.conditions = physics.evaluate(self.world, self.now, self.flow.requests)
        self.flow = self.traffic.flow(self.conditions, self.now, STEP_S)
        self.meters.record_spans(self.flow, self.now, STEP_S)
        self.meters.record_pods(self.world, self.conditions, self.now, STEP_S)

    def _make_changes(self, until: float) -> None:
        while self._changes and self._changes[0].second <= until:
            change = self._changes.pop(0)
            change.do(self.world, change.second)
