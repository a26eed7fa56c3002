"""What the simulated cluster is made of at one moment. Times are seconds since the window began."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from evals.incidents.cluster import Labels, PodTemplate, Workload

FOREVER = 1e12


@dataclass(frozen=True)
class Ref:
    """Names one object."""

    kind: str
    namespace: str | None  # None: the kind belongs to no namespace
    name: str


@dataclass
class Identity:
    """The part of an object's metadata that changes as the object does."""

    ref: Ref
    created: float
    uid: str
    version: int
    generation: int = 1
    # Who changed the specification, and when; the first entry made it.
    managers: list[tuple[str, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Blip:
    """A service that fails some requests for a moment, for no reason worth knowing."""

    service: str
    until: float
    error: float


class Stage(StrEnum):
    UNSCHEDULED = "unscheduled"
    PULLING = "pulling"
    PULL_FAILED = "pull failed"
    STARTING = "starting"
    RUNNING = "running"
    CRASHED = "crashed"  # waiting to be started again


@dataclass(frozen=True)
class Exit:
    """How a container ended."""

    reason: str  # Error, OOMKilled, StartError
    code: int
    started: float
    finished: float
    message: str = ""


@dataclass
class Pod:
    identity: Identity
    workload: str
    template: PodTemplate
    address: str
    stage: Stage = Stage.UNSCHEDULED
    due: float = 0.0  # when the stage is looked at again
    node: str | None = None
    ready: bool = False
    ready_changed: float = 0.0
    scheduled: float = 0.0
    started: float = 0.0  # of the container that runs
    restarts: int = 0
    tries: int = 0  # of whatever fails, for the back-off
    waiting: str = ""  # reason, while the container does not run
    waiting_message: str = ""
    last_exit: Exit | None = None
    leaked_mi: float = 0.0  # memory the container has not given back


@dataclass
class ReplicaSet:
    identity: Identity
    template: PodTemplate
    template_hash: str
    revision: int
    desired: int
    pods: list[Pod] = field(default_factory=list)
    create_error: str = ""
    create_due: float = 0.0
    create_tries: int = 0


@dataclass
class Deployment:
    identity: Identity
    workload: Workload
    replicas: int
    template: PodTemplate
    replica_sets: list[ReplicaSet] = field(default_factory=list)  # the newest last
    available_changed: float = 0.0
    available: bool = True

    @property
    def pods(self) -> list[Pod]:
        return [pod for replica_set in self.replica_sets for pod in replica_set.pods]

    @property
    def current(self) -> ReplicaSet:
        return self.replica_sets[-1]

    @property
    def rolls(self) -> bool:
        """Tell whether an update replaces pod by pod; a lone pod is recreated instead."""
        return self.workload.replicas > 1

    @property
    def ready(self) -> int:
        return sum(pod.ready for pod in self.pods)


@dataclass
class ConfigMap:
    identity: Identity
    data: dict[str, str]


@dataclass
class Policy:
    """A NetworkPolicy for incoming traffic. `allow` None lets everybody in, empty nobody."""

    identity: Identity
    selects: Labels  # empty: every pod of the namespace
    allow: tuple[Labels, ...] | None


@dataclass
class Quota:
    identity: Identity
    hard: dict[str, int]  # "limits.memory" in MiB, "pods" as a count


@dataclass
class Autoscaler:
    identity: Identity
    workload: str
    least: int
    most: int
    cpu_percent: int = 0  # of the request, as last measured
    last_scaled: float = -3600.0
    limited: bool = False


@dataclass
class Service:
    identity: Identity
    workload: str
    port: int
    address: str


@dataclass(frozen=True)
class Injection:
    """What a chaos experiment does: kind NetworkChaos with action delay or partition, or StressChaos."""

    kind: str
    action: str  # delay, partition, cpu, memory
    selects: str  # the workload whose pods it takes
    target: str | None = None  # the other side of a partition
    latency_ms: int = 0
    jitter_ms: int = 0
    workers: int = 0
    load_percent: int = 0
    size_mi: int = 0
    duration_s: int = 0


@dataclass
class Schedule:
    identity: Identity
    injection: Injection
    paused: bool = False
    spawn_at: float = FOREVER
    active: list[str] = field(default_factory=list)  # names of experiments


@dataclass
class Experiment:
    identity: Identity
    injection: Injection
    schedule: str | None
    started: float
    ends: float
    injected: bool = False
    pods: list[str] = field(default_factory=list)  # selected when it began, kept after it ended

    def active(self, now: float) -> bool:
        return self.injected and self.started <= now < self.ends
