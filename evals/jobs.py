"""Huey jobs. Each takes ids, and each may run twice, late or not at all without harm."""

from __future__ import annotations

import logging
import threading

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q
from huey import crontab
from huey.contrib.djhuey import HUEY, db_periodic_task, db_task, on_startup

from evals import runner
from evals.models import Evaluation, Run, RunState
from evals.runner.opening import is_left_over
from evals.runner.workers import heart, this_worker
from evals.sandbox import SandboxError, SandboxUnavailable, docker

# No further jobs are offered while so many wait: every sweep would add some for as long as all are busy.
MANY_JOBS = 500

log = logging.getLogger(__name__)


def enqueue(evaluation: Evaluation) -> None:
    """Let the workers begin, as soon as what was planned is safely in the database."""
    transaction.on_commit(lambda: offer(evaluation.pk, evaluation.concurrency))


def offer(evaluation_id: int, slots: int) -> None:
    for _ in range(slots):
        execute_next_run(evaluation_id)


@db_task()
def execute_next_run(evaluation_id: int) -> None:
    """Execute one queued run of an evaluation, then queue itself again for the next one.

    One run a job: evaluations take turns at the workers, and a stopping worker loses one run at most.
    """
    if runner.work(evaluation_id, this_worker()):
        execute_next_run(evaluation_id)


@db_periodic_task(crontab(minute="*"))
def sweep() -> None:
    """Find what a lost worker left behind: runs, containers, evaluations that nobody works on."""
    if released := runner.release_lost():
        log.warning("%s runs of lost workers are queued again", released)
    remove_leftovers()
    offer_open_work()


def offer_open_work() -> None:
    """Queue jobs for every active evaluation with room for more runs than are in hand."""
    waiting = HUEY.pending_count()
    queued = Count("runs", filter=Q(runs__state=RunState.QUEUED))
    running = Count("runs", filter=Q(runs__state=RunState.RUNNING))
    active = Evaluation.objects.filter(state__in=Evaluation.ACTIVE).annotate(queued=queued, running=running)
    for pk, concurrency, to_do, in_hand in active.values_list("pk", "concurrency", "queued", "running"):
        if not to_do and not in_hand:
            runner.end_if_done(pk)
        room = min(to_do, concurrency - in_hand)
        # Jobs that wait may be this evaluation's: a job too many finds nothing to claim and ends.
        if room > 0 and waiting < MANY_JOBS:
            offer(pk, room)


def remove_leftovers() -> None:
    running = set(Run.objects.filter(state=RunState.RUNNING).values_list("pk", flat=True))
    try:
        removed = docker.reap_leftovers(lambda label: not is_left_over(label, running))
    except SandboxUnavailable:
        return  # Without an engine there are no containers.
    except SandboxError as problem:
        log.warning("left-over containers could not be looked for: %s", problem)
        return
    if removed:
        log.warning("removed %s left-over containers", len(removed))


starting = threading.Lock()


@on_startup()
def start_worker() -> None:
    """Begin to beat, take up what a worker killed on this machine left, and load the model client.

    Huey calls this in every thread of a worker; the first does it for all.
    """
    # Imported here: the web server imports this module too, and litellm takes seconds and 170 MB.
    from evals.llm import litellm_client

    with starting:
        if not heart.announced:
            heart.announce(settings.ITBENCH_WORKERS)
            sweep.call_local()
            litellm_client.warm_up()
