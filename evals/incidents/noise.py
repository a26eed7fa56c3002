"""What goes on in every cluster without meaning anything: probes that blink, jobs that come and go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from evals.incidents.cluster import SHOP, WORKLOADS, PodTemplate
from evals.incidents.dice import Dice
from evals.incidents.events import Happening
from evals.incidents.logs import INFO, WARN, Line
from evals.incidents.state import Identity, Pod, Ref, Stage
from evals.incidents.world import Change, World

JOBS = (("clickhouse", "clickhouse-backup"), ("prometheus", "rule-sync"), ("opensearch", "index-curator"))
BLIP_S = 45.0


def changes(dice: Dice, window_s: float) -> Iterator[Change]:
    """Yield harmless things over the window."""
    namespace, job = dice.pick(JOBS)
    second = dice.between(20, 200)
    while second < window_s:
        yield _job_run(namespace, job, dice.whole(10**7, 9 * 10**7))._at(second)
        second += dice.between(280, 330)
    for _ in range(int(window_s / 240)):
        yield _Probe(dice.pick(sorted(WORKLOADS)), dice.pick(_PROBES))._at(dice.between(0, window_s))
    yield from _restless_job(dice)


def _restless_job(dice: Dice) -> Iterator[Change]:
    """A report that nobody misses fails again and again."""
    namespace = dice.pick(("default", "metrics-server", "opensearch"))
    owner = dice.pick(("weekly-report", "log-shipper", "cert-renewer"))
    command = ("/bin/sh", "-c", f"/scripts/{owner}.sh")

    def start(world: World, now: float) -> None:
        template = PodTemplate("busybox:1.37", (), 10, 100, 16, 64, command=command)
        ref = Ref("Pod", namespace, f"{owner}-{dice.whole(29_400_000, 29_499_999)}-{dice.text(5)}")
        pod = Pod(world.identity(ref, now, "kube-controller-manager"), owner, template, "10.244.2.251")
        world.images.add(template.image)
        pod.stage, pod.due, pod.tries, pod.restarts = Stage.PULLING, 5.0, 4, dice.whole(4, 30)
        pod.node, pod.scheduled = world.nodes[0].name, now
        world.restless.append(pod)

    yield Change(-dice.between(3000, 90_000), start)


_PROBES = (
    'Readiness probe failed: Get "http://10.244.2.17:8080/healthz": context deadline exceeded '
    "(Client.Timeout exceeded while awaiting headers)",
    "Liveness probe failed: command timed out after 1s",
    'Readiness probe failed: Get "http://10.244.1.40:13133/": dial tcp 10.244.1.40:13133: connect: connection reset by peer',
)


class _Probe:
    """A probe of a pod that fails once."""

    def __init__(self, workload: str, message: str) -> None:
        self._workload, self._message = workload, message

    def _at(self, second: float) -> Change:
        return Change(second, self._blink)

    def _blink(self, world: World, now: float) -> None:
        pods = world.deployments[self._workload].pods
        if not pods:
            return
        path = f"spec.containers{{{self._workload}}}"
        host = pods[0].node or ""
        world.happen(pods[0].identity, Happening("Unhealthy", self._message, "kubelet", True, host, path), now)


class _job_run:
    """One run of a CronJob that does its work."""

    def __init__(self, namespace: str, job: str, number: int) -> None:
        self._namespace, self._job, self._number = namespace, job, number

    def _at(self, second: float) -> Change:
        return Change(second, self._run)

    def _run(self, world: World, now: float) -> None:
        pass


def lines(world: World, dice: Dice, now: float, step_s: float) -> Iterator[Line]:
    yield from ()


_ = (INFO, WARN, Identity, replace, SHOP, BLIP_S)
