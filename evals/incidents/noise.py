"""What goes on in every cluster without meaning anything: blinking probes, brief errors, jobs, chatter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from evals.incidents.cluster import WORKLOADS, PodTemplate
from evals.incidents.dice import Dice
from evals.incidents.events import Happening
from evals.incidents.logs import INFO, WARN, Line
from evals.incidents.state import Blip, Pod, Ref, Stage
from evals.incidents.world import Change, World

JOBS = (("clickhouse", "clickhouse-backup"), ("prometheus", "rule-sync"), ("opensearch", "index-curator"))
PROBES = (
    'Readiness probe failed: Get "http://10.244.2.17:8080/healthz": context deadline exceeded',
    "Liveness probe failed: command timed out after 1s",
    'Readiness probe failed: Get "http://10.244.1.40:13133/": read: connection reset by peer',
)


def changes(dice: Dice, window_s: float, busy: Sequence[float]) -> list[Change]:
    """Return harmless things that happen over the window, in no order; `busy` is when else something does."""
    restless = [_restless_job(dice.child("restless"))] if dice.happens(0.6) else []
    return [
        *_job_runs(dice.child("jobs"), window_s),
        *_probe_blinks(dice.child("probes"), window_s),
        *_error_blips(dice.child("blips"), window_s, busy),
        *restless,
    ]


def _job_runs(dice: Dice, window_s: float) -> Iterator[Change]:
    namespace, job = dice.pick(JOBS)
    number, second = dice.whole(29_000_000, 29_900_000), dice.between(20, 200)
    while second < window_s:
        yield Change(second, _job_run(namespace, job, f"{job}-{number}"))
        number, second = number + 5, second + dice.between(280, 330)


def _job_run(namespace: str, cron_job: str, job: str) -> Callable[[World, float], None]:
    """Return the change that is one run of a CronJob which does its work."""
    path = f"spec.containers{{{cron_job}}}"
    image = 'Container image "registry.k8s.io/tools/batch:v3" already present on machine'
    texts = (
        ("Pulled", image),
        ("Created", f"Created container: {cron_job}"),
        ("Started", f"Started container {cron_job}"),
    )

    def run(world: World, now: float) -> None:
        job_identity = world.identity(Ref("Job", namespace, job), now)
        pod = world.identity(Ref("Pod", namespace, f"{job}-{world.dice.text(5)}"), now)
        node, name = world.dice.pick(world.nodes).name, pod.ref.name
        world.happen(
            job_identity, Happening("SuccessfulCreate", f"Created pod: {name}", "job-controller"), now
        )
        placed = f"Successfully assigned {namespace}/{name} to {node}"
        world.happen(pod, Happening("Scheduled", placed, "default-scheduler"), now + 0.1)
        for step, (reason, text) in enumerate(texts):
            happening = Happening(reason, text, "kubelet", host=node, field_path=path)
            world.happen(pod, happening, now + 1.2 + 0.2 * step)
        world.happen(job_identity, Happening("Completed", "Job completed", "job-controller"), now + 9)

    return run


def _probe_blinks(dice: Dice, window_s: float) -> Iterator[Change]:
    for _ in range(int(window_s / 240)):
        workload, message = dice.pick(sorted(WORKLOADS)), dice.pick(PROBES)

        def blink(world: World, now: float, workload: str = workload, message: str = message) -> None:
            for pod in world.deployments[workload].pods[:1]:
                path = f"spec.containers{{{workload}}}"
                failed = Happening("Unhealthy", message, "kubelet", host=pod.node or "", field_path=path)
                world.happen(pod.identity, replace(failed, warning=True), now)

        yield Change(dice.between(0, window_s), blink)


def _error_blips(dice: Dice, window_s: float, busy: Sequence[float]) -> Iterator[Change]:
    """Yield errors too brief for an alert to fire.

    They keep their distance from what is busy, or the errors of both together would last long enough.
    """
    for _ in range(max(1, int(window_s / 1200))):
        service = dice.pick(("currency", "image-provider", "product-catalog", "quote"))
        free = [at for at in (dice.between(30, window_s) for _ in range(8)) if _apart(at, busy)]

        def start(world: World, now: float, service: str = service) -> None:
            world.blips.append(Blip(service, now + 40, 0.05))

        yield from (Change(second, start) for second in free[:1])


def _apart(second: float, busy: Sequence[float]) -> bool:
    return all(abs(second - other) > 330 for other in busy)


def _restless_job(dice: Dice) -> Change:
    """Return a report nobody misses, which fails again and again."""
    namespace = dice.pick(("default", "metrics-server", "opensearch"))
    owner = dice.pick(("weekly-report", "log-shipper", "cert-renewer"))
    command = ("/bin/sh", "-c", f"/scripts/{owner}.sh")
    name = f"{owner}-{dice.whole(29_400_000, 29_499_999)}-{dice.text(5)}"

    def start(world: World, now: float) -> None:
        template = PodTemplate("busybox:1.37", (), 10, 100, 16, 64, command=command)
        identity = world.identity(Ref("Pod", namespace, name), now, "kube-controller-manager")
        world.images.add(template.image)
        pod = Pod(identity, owner, template, "10.244.2.251", Stage.PULLING, due=5.0)
        pod.tries, pod.restarts = 3, dice.whole(4, 30)
        pod.node, pod.scheduled = world.nodes[0].name, now
        world.restless.append(pod)

    return Change(-dice.between(3000, 90_000), start)


_CHATTER = (
    ("kafka", INFO, "[GroupCoordinator 1]: Stabilized group {group} generation {number}"),
    ("kafka", INFO, "[LocalLog partition=orders-0] Rolled new log segment at offset {number}"),
    ("flagd", INFO, '{{"level":"info","component":"flagstore","msg":"evaluated flags","count":{number}}}'),
    ("postgresql", INFO, "LOG:  checkpoint complete: wrote {number} buffers (0.1%)"),
    ("valkey-cart", INFO, "* {number} changes in 60 seconds. Saving..."),
    ("load-generator", INFO, "[INFO/locust.runners] {number} requests so far"),
    ("otel-collector", WARN, "Dropping data because sending_queue is full, dropped_items={number}"),
)


def lines(world: World, dice: Dice, now: float) -> Iterator[Line]:
    """Yield a line that some part of the infrastructure happens to write."""
    service, level, text = dice.pick(_CHATTER)
    pods = world.deployments[service].pods if service in world.deployments else []
    if not pods and service in world.deployments:
        return
    group = dice.pick(("accounting", "fraud-detection"))
    body = text.format(number=dice.whole(3, 9000), group=group)
    yield Line(service, pods[0] if pods else None, now, level, body)
