"""What scheduler and kubelet do with a pod: place it, pull its image, start it, start it again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from evals.incidents import addresses
from evals.incidents.events import Happening
from evals.incidents.journeys import QUEUE
from evals.incidents.state import FOREVER, Exit, Pod, Stage
from evals.incidents.world import World

BACK_OFF_S = (10.0, 20.0, 40.0, 80.0, 160.0, 300.0)
PULL_PAUSES_S = (12.0, 25.0, 45.0, 90.0, 170.0, 300.0)
PLACE_PAUSES_S = (30.0, 60.0, 120.0, 300.0)
STARTUP_S = {"java": 14.0, "dotnet": 7.0, "python": 6.0, "ruby": 6.0}
NEEDS_QUEUE = {"accounting", "checkout", "fraud-detection"}  # and end when they do not find it


@dataclass(frozen=True)
class StartProblem:
    """Why a container does not stay up."""

    reason: str  # as the container's state says it
    code: int
    after_s: float  # how long it lives
    message: str = ""


def advance(world: World, now: float) -> None:
    """Bring every pod to where it is at `now`."""
    for pod in [*world.shop_pods(), *world.restless]:
        while pod.due <= now:
            _STEPS[pod.stage](world, pod, pod.due)


def wait(pod: Pod, stage: Stage, now: float, pauses: tuple[float, ...] = BACK_OFF_S) -> None:
    """Look at the pod again after a pause that grows with every try."""
    pod.stage, pod.due = stage, now + pauses[min(pod.tries, len(pauses) - 1)]
    pod.tries += 1


def crash(world: World, pod: Pod, exit_: Exit) -> None:
    """End the pod's container and let it wait for its next start."""
    pod.last_exit, pod.leaked_mi = exit_, 0.0
    if pod.ready:
        pod.ready, pod.ready_changed = False, exit_.finished
    world.touch(pod.identity)
    pod.waiting = "CrashLoopBackOff"
    pause = int(BACK_OFF_S[min(pod.tries, len(BACK_OFF_S) - 1)])
    pod.waiting_message = (
        f"back-off {pause}s restarting failed container={pod.workload} "
        f"pod={pod.identity.ref.name}_{pod.identity.ref.namespace}({pod.identity.uid})"
    )
    wait(pod, Stage.CRASHED, exit_.finished)
    message = f"Back-off restarting failed container {pod.workload} in pod {pod.identity.ref.name}_"
    message += f"{pod.identity.ref.namespace}({pod.identity.uid})"
    _tell(world, pod, Happening("BackOff", message, "kubelet", warning=True), exit_.finished + 1)


def deaf(pod: Pod) -> bool:
    """Tell whether the container runs something else than the service."""
    return bool(pod.template.command) and pod.template.command[-1].startswith("sleep")


def start_problem(world: World, pod: Pod) -> StartProblem | None:
    """Return why the pod's container will not stay up, or None when it will."""
    command = pod.template.command
    if command and command[0] != "/bin/sh":
        detail = (
            "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc "
            f'create failed: unable to start container process: exec: "{command[0]}": stat {command[0]}: '
            "no such file or directory: unknown"
        )
        return StartProblem("StartError", 128, 0.0, detail)
    if command and command[-1].startswith("/"):
        return StartProblem("Error", 127, 0.4)
    if pod.workload in NEEDS_QUEUE and addresses.problem(world, pod.template, pod.workload, QUEUE):
        return StartProblem("Error", 1, 8.0)
    return None


def _tell(world: World, pod: Pod, happening: Happening, now: float) -> None:
    world.happen(pod.identity, happening, now)


def _container(pod: Pod, reason: str, message: str) -> Happening:
    path = f"spec.containers{{{pod.workload}}}"
    return Happening(reason, message, "kubelet", host=pod.node or "", field_path=path)


def _failed(pod: Pod, message: str) -> Happening:
    return replace(_container(pod, "Failed", message), warning=True)


def _place(world: World, pod: Pod, now: float) -> None:
    wanted = set(pod.template.node_selector)
    fitting = [node for node in world.nodes if wanted <= set(node.labels)]
    if not fitting:
        count = len(world.nodes)
        message = (
            f"0/{count} nodes are available: {count} node(s) didn't match Pod's node affinity/selector. "
            f"preemption: 0/{count} nodes are available: {count} Preemption is not helpful for scheduling."
        )
        pod.waiting_message = message
        _tell(world, pod, Happening("FailedScheduling", message, "default-scheduler", warning=True), now)
        wait(pod, Stage.UNSCHEDULED, now, PLACE_PAUSES_S)
        return
    pod.node, pod.scheduled, pod.tries, pod.waiting_message = world.dice.pick(fitting).name, now, 0, ""
    name = f"{pod.identity.ref.namespace}/{pod.identity.ref.name}"
    text = f"Successfully assigned {name} to {pod.node}"
    _tell(world, pod, Happening("Scheduled", text, "default-scheduler"), now)
    pod.waiting = "ContainerCreating"
    pod.stage, pod.due = Stage.PULLING, now + world.dice.between(1, 3)
    world.touch(pod.identity)


def _pull(world: World, pod: Pod, now: float) -> None:
    image = pod.template.image
    if image in world.images:
        present = f'Container image "{image}" already present on machine'
        _tell(world, pod, _container(pod, "Pulled", present), now)
        _start(world, pod, now)
        return
    problem = (
        f'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": '
        f'failed to resolve reference "{image}": {image}: not found'
    )
    _tell(world, pod, _container(pod, "Pulling", f'Pulling image "{image}"'), now)
    _tell(world, pod, _failed(pod, f'Failed to pull image "{image}": {problem}'), now + 1.1)
    _tell(world, pod, _failed(pod, "Error: ErrImagePull"), now + 1.1)
    pod.waiting, pod.waiting_message = "ErrImagePull", problem
    if pod.tries:
        pod.waiting, pod.waiting_message = "ImagePullBackOff", f'Back-off pulling image "{image}"'
    wait(pod, Stage.PULL_FAILED, now + 1.2, PULL_PAUSES_S)
    world.touch(pod.identity)


def _pull_again(world: World, pod: Pod, now: float) -> None:
    backing_off = f'Back-off pulling image "{pod.template.image}"'
    _tell(world, pod, _container(pod, "BackOff", backing_off), now - 10)
    _tell(world, pod, _failed(pod, "Error: ImagePullBackOff"), now - 10)
    _pull(world, pod, now)


def _start(world: World, pod: Pod, now: float) -> None:
    problem = start_problem(world, pod)
    _tell(world, pod, _container(pod, "Created", f"Created container: {pod.workload}"), now + 0.3)
    pod.waiting, pod.waiting_message, pod.started = "", "", now + 0.6
    if problem is not None and problem.reason == "StartError":
        _tell(world, pod, _failed(pod, f"Error: {problem.message}"), now + 0.5)
        crash(world, pod, Exit("StartError", problem.code, now + 0.5, now + 0.5, problem.message))
        return
    _tell(world, pod, _container(pod, "Started", f"Started container {pod.workload}"), now + 0.6)
    pod.stage = Stage.STARTING
    workload = world.deployments.get(pod.workload)
    usual = STARTUP_S.get(workload.workload.language, 3.0) if workload else 1.0
    pod.due = now + 0.6 + (problem.after_s if problem else usual * world.dice.between(0.8, 1.4))
    world.touch(pod.identity)


def _finish_start(world: World, pod: Pod, now: float) -> None:
    problem = start_problem(world, pod)
    if problem is not None:
        crash(world, pod, Exit(problem.reason, problem.code, pod.started, now, problem.message))
        return
    pod.stage, pod.due = Stage.RUNNING, FOREVER
    pod.ready, pod.ready_changed = True, now
    world.touch(pod.identity)


def _start_again(world: World, pod: Pod, now: float) -> None:
    pod.restarts += 1
    present = f'Container image "{pod.template.image}" already present on machine'
    _tell(world, pod, _container(pod, "Pulled", present), now)
    _start(world, pod, now)


_STEPS = {
    Stage.UNSCHEDULED: _place,
    Stage.PULLING: _pull,
    Stage.PULL_FAILED: _pull_again,
    Stage.STARTING: _finish_start,
    Stage.CRASHED: _start_again,
}
