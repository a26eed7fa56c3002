"""What chaos-mesh does: schedules spawn experiments, experiments are injected and recover."""

from __future__ import annotations

from evals.incidents.cluster import CHAOS, SHOP
from evals.incidents.events import Happening
from evals.incidents.state import FOREVER, Experiment, Injection, Ref, Schedule
from evals.incidents.world import World

_INITED = Happening("FinalizerInited", "Finalizer has been inited", "initFinalizers")
_STARTED = Happening("Started", "Experiment has started", "desiredphase")
_TIME_UP = Happening("TimeUp", "Time up according to the duration", "desiredphase")


def advance(world: World, now: float) -> None:
    for schedule in world.schedules.values():
        if schedule.spawn_at <= now and not schedule.paused:
            _spawn(world, schedule, now)
    for experiment in world.experiments.values():
        if experiment.injected and experiment.ends <= now:
            _recover(world, experiment, now)


def put_schedule(world: World, name: str, injection: Injection, now: float) -> Schedule:
    """Apply a Schedule; its first experiment follows within seconds."""
    identity = world.identity(Ref("Schedule", CHAOS, name), now, "kubectl-client-side-apply")
    schedule = Schedule(identity, injection, spawn_at=now + world.dice.between(1, 4))
    world.schedules[name] = schedule
    return schedule


def put_past(world: World, name: str, injection: Injection, started: float) -> Experiment:
    """Put an experiment of a Schedule that ran before the window began, with the Schedule paused since."""
    schedule = put_schedule(world, name, injection, started)
    schedule.paused, schedule.spawn_at = True, FOREVER
    experiment = _experiment(world, schedule, started + 2)
    experiment.pods = [pod.identity.ref.name for pod in world.deployments[injection.selects].pods]
    return experiment


def active(world: World, now: float) -> list[Experiment]:
    return [experiment for experiment in world.experiments.values() if experiment.active(now)]


def _experiment(world: World, schedule: Schedule, now: float) -> Experiment:
    injection = schedule.injection
    ref = Ref(injection.kind, CHAOS, f"{schedule.identity.ref.name}-{world.dice.text(5)}")
    identity = world.identity(ref, now, "chaos-controller-manager")
    ends = now + injection.duration_s
    experiment = Experiment(identity, injection, schedule.identity.ref.name, now, ends)
    world.experiments[ref.name] = experiment
    schedule.active = [ref.name]
    return experiment


def _spawn(world: World, schedule: Schedule, now: float) -> None:
    experiment = _experiment(world, schedule, now)
    schedule.spawn_at = FOREVER  # the window ends before the next one is due
    world.touch(schedule.identity)
    name = experiment.identity.ref.name
    world.happen(schedule.identity, Happening("Spawned", f"Create new object: {name}", "schedule-cron"), now)
    world.happen(experiment.identity, _INITED, now + 0.2)
    world.happen(experiment.identity, _STARTED, now + 0.4)
    experiment.pods = [pod.identity.ref.name for pod in world.deployments[schedule.injection.selects].pods]
    for pod in experiment.pods:
        message = f"Successfully apply chaos for {SHOP}/{pod}"
        world.happen(experiment.identity, Happening("Applied", message, "records"), now + 0.9)
    experiment.injected = bool(experiment.pods)


def _recover(world: World, experiment: Experiment, now: float) -> None:
    experiment.injected = False
    world.touch(experiment.identity)
    world.happen(experiment.identity, _TIME_UP, now)
    for pod in experiment.pods:
        message = f"Successfully recover chaos for {SHOP}/{pod}"
        world.happen(experiment.identity, Happening("Recovered", message, "records"), now + 0.6)
