"""Who executes which run: claims, heart-beats, and what becomes of runs whose worker was lost."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.db import close_old_connections, connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from evals.models import Evaluation, EvaluationState, Run, RunState, Worker

BEAT_EVERY_S = 5


@lru_cache(maxsize=1)
def this_place() -> str:
    """Name the set of processes that this process can see: its boot and its process namespace."""
    marks = [socket.gethostname()]
    try:
        marks.append(Path("/proc/sys/kernel/random/boot_id").read_text())
        marks.append(str(Path("/proc/self/ns/pid").readlink()))
    except OSError:
        pass  # Not Linux: the host's name must do.
    return f"{socket.gethostname()[:60]}/{hashlib.sha256(''.join(marks).encode()).hexdigest()[:8]}"


def process_mark(pid: int) -> str | None:
    """Tell a process from a later one with the same id, or return None when there is none."""
    try:
        # Field 22 is the start time; the name before it may hold spaces and brackets.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def this_worker() -> str:
    """Name this process, so that another on the same machine can tell whether it still lives."""
    return f"{this_place()}:{os.getpid()}:{process_mark(os.getpid())}"


def surely_dead(worker: str) -> bool:
    """Tell whether a worker's process is known to be gone; False when it can't be seen from here."""
    place, pid, mark = worker.rsplit(":", 2)
    return place == this_place() and mark != "None" and process_mark(int(pid)) != mark


@dataclass(frozen=True)
class Claim:
    """A run in the hands of one worker. Every write to the run asks whether the claim still holds."""

    run_id: int
    worker: str
    attempt: int


class LostClaim(Exception):
    """Another worker has the run, for this one was silent for too long. Nothing more may be written."""


def claim_next(evaluation_id: int, worker: str) -> Claim | None:
    """Claim the next queued run of an evaluation, or return None when nothing may be started.

    Repeats go breadth first: every task is tried once before any is tried again, so that a board
    says something about all tasks as early as possible.
    """
    with transaction.atomic():
        # The lock makes "fewer than `concurrency` are running" true until the claim is written.
        evaluation = Evaluation.objects.select_for_update().filter(pk=evaluation_id).first()
        if evaluation is None or not evaluation.active:
            return None
        if evaluation.runs.filter(state=RunState.RUNNING).count() >= evaluation.concurrency:
            return None
        run = evaluation.runs.filter(state=RunState.QUEUED).order_by("repeat", "task_id").first()
        if run is None:
            return None
        now = timezone.now()
        claimed = Run.objects.filter(pk=run.pk, state=RunState.QUEUED).update(
            state=RunState.RUNNING,
            attempt=F("attempt") + 1,
            claimed_by=worker,
            heartbeat=now,
            started_at=run.started_at or now,
            error="",
        )
        if not claimed:
            return None
        if evaluation.state == EvaluationState.QUEUED:
            evaluation.state = EvaluationState.RUNNING
            evaluation.started_at = evaluation.started_at or now
            evaluation.save(update_fields=["state", "started_at"])
    return Claim(run.pk, worker, run.attempt + 1)


def held(claim: Claim) -> QuerySet[Run]:
    """Return the run as long as the claim holds, to be updated; nothing once it does not."""
    return Run.objects.filter(
        pk=claim.run_id, state=RunState.RUNNING, claimed_by=claim.worker, attempt=claim.attempt
    )


def release_lost(now: datetime | None = None) -> int:
    """Put the runs of lost workers back into the queue and return how many there were.

    A worker is lost when its heart stopped `ITBENCH_LOST_AFTER_S` ago, or at once when its process
    is seen to be gone on this machine.
    """
    now = now or timezone.now()
    silent_since = now - timedelta(seconds=settings.ITBENCH_LOST_AFTER_S)
    Worker.objects.filter(seen_at__lt=silent_since).delete()
    for worker in Worker.objects.all():
        if surely_dead(worker.name):
            worker.delete()
    released = 0
    for run in Run.objects.filter(state=RunState.RUNNING).only("pk", "claimed_by", "heartbeat", "evaluation"):
        silent = run.heartbeat is None or run.heartbeat < silent_since
        if silent or surely_dead(run.claimed_by):
            still_lost = Run.objects.filter(pk=run.pk, claimed_by=run.claimed_by, heartbeat=run.heartbeat)
            released += still_lost.filter(state=RunState.RUNNING).update(**after_release(run.evaluation))
    return released


def after_release(evaluation: Evaluation) -> dict[str, object]:
    """Return what a run that was not brought to its end becomes."""
    if evaluation.state == EvaluationState.CANCELLED:
        return {"state": RunState.CANCELLED, "claimed_by": "", "ended_at": timezone.now()}
    return {"state": RunState.QUEUED, "claimed_by": ""}


def live_workers() -> list[Worker]:
    """Return the workers that wait for jobs, as far as their hearts tell."""
    since = timezone.now() - timedelta(seconds=settings.ITBENCH_LOST_AFTER_S)
    return [worker for worker in Worker.objects.filter(seen_at__gte=since) if not surely_dead(worker.name)]


class Heart:
    """One thread that beats for all runs this process has in hand, and for the process itself."""

    def __init__(self) -> None:
        self._claims: set[Claim] = set()
        self._threads = 0  # announced as a worker when above 0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def announced(self) -> bool:
        return self._threads > 0

    def announce(self, threads: int) -> None:
        """Tell the world that this process waits for jobs with so many threads."""
        self._threads = threads
        beat_worker(threads)
        self._start()

    @contextmanager
    def beating_for(self, claim: Claim) -> Iterator[None]:
        with self._lock:
            self._claims.add(claim)
        self._start()
        try:
            yield
        finally:
            with self._lock:
                self._claims.discard(claim)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._beat_on, name="heart", daemon=True)
                self._thread.start()

    def _beat_on(self) -> None:
        pause = threading.Event()
        while not pause.wait(BEAT_EVERY_S):
            try:
                close_old_connections()
                self._beat()
            except Exception:
                connection.close()

    def _beat(self) -> None:
        with self._lock:
            claims = list(self._claims)
        for claim in claims:
            held(claim).update(heartbeat=timezone.now())
        if self._threads:
            beat_worker(self._threads)


def beat_worker(threads: int) -> None:
    Worker.objects.update_or_create(
        name=this_worker(), defaults={"seen_at": timezone.now(), "threads": threads}
    )


heart = Heart()
