"""Pause, resume, cancel, retry: what a person does to an evaluation, and what ends it."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from evals.models import Evaluation, EvaluationState, Run, RunState

# So many runs in a row that errored, and none that ended: the next ones would only error too.
ERRORS_THAT_PAUSE = 5


def pause(evaluation: Evaluation, reason: str) -> bool:
    """Start no further run; runs in hand stop after their current turn and keep what they have."""
    paused = Evaluation.objects.filter(pk=evaluation.pk, state__in=Evaluation.ACTIVE).update(
        state=EvaluationState.PAUSED, reason=reason
    )
    evaluation.refresh_from_db(fields=["state", "reason"])
    return bool(paused)


def resume(evaluation: Evaluation) -> bool:
    resumed = Evaluation.objects.filter(pk=evaluation.pk, state=EvaluationState.PAUSED).update(
        state=EvaluationState.QUEUED, reason=""
    )
    evaluation.refresh_from_db(fields=["state", "reason"])
    return bool(resumed)


@transaction.atomic
def cancel(evaluation: Evaluation, reason: str) -> bool:
    """End an evaluation for good. Runs in hand stop after their current turn."""
    may_cancel = (*Evaluation.ACTIVE, EvaluationState.PAUSED)
    now = timezone.now()
    cancelled = Evaluation.objects.filter(pk=evaluation.pk, state__in=may_cancel).update(
        state=EvaluationState.CANCELLED, reason=reason, ended_at=now
    )
    if cancelled:
        queued = Run.objects.filter(evaluation=evaluation, state=RunState.QUEUED)
        queued.update(state=RunState.CANCELLED, ended_at=now)
    evaluation.refresh_from_db(fields=["state", "reason", "ended_at"])
    return bool(cancelled)


@transaction.atomic
def retry_errored(evaluation: Evaluation) -> int:
    """Queue the errored runs again, each to go on from its last saved turn; return how many."""
    if evaluation.state == EvaluationState.CANCELLED:
        return 0
    errored = Run.objects.filter(evaluation=evaluation, state=RunState.ERRORED)
    count = errored.update(state=RunState.QUEUED, ended_at=None)
    if count:
        Evaluation.objects.filter(pk=evaluation.pk).update(
            state=EvaluationState.QUEUED, reason="", ended_at=None
        )
        evaluation.refresh_from_db(fields=["state", "reason", "ended_at"])
    return count


def end_if_done(evaluation_id: int) -> bool:
    """End an evaluation none of whose runs is left to do."""
    open_runs = Run.objects.filter(evaluation_id=evaluation_id, state__in=[RunState.QUEUED, RunState.RUNNING])
    if open_runs.exists():
        return False
    ended = Evaluation.objects.filter(pk=evaluation_id, state__in=Evaluation.ACTIVE).update(
        state=EvaluationState.ENDED, ended_at=timezone.now()
    )
    return bool(ended)


def pause_when_nothing_works(evaluation_id: int) -> None:
    """Pause an evaluation whose every run so far errored: a wrong key, a dead server, no disk."""
    runs = Run.objects.filter(evaluation_id=evaluation_id)
    errored = runs.filter(state=RunState.ERRORED)
    if errored.count() < ERRORS_THAT_PAUSE or runs.filter(state=RunState.ENDED).exists():
        return
    last = errored.order_by("-ended_at").first()
    if last is not None and runs.filter(state=RunState.QUEUED).exists():
        reason = f"The first {errored.count()} runs all errored, the last with {last.error}"
        pause(Evaluation.objects.get(pk=evaluation_id), reason[:1000])
