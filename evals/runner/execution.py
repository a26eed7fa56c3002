"""One claimed run, from its first turn (or the one after its last saved turn) to its grade."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from evals.agent.context import Brief
from evals.agent.limits import Limits
from evals.agent.loop import Agent, replay, unfinished
from evals.agent.prompts import Prompt
from evals.llm import ChatModel, ModelError
from evals.models import Evaluation, LanguageModel, Run, RunState
from evals.runner import store
from evals.runner.control import end_if_done, pause, pause_when_nothing_works
from evals.runner.grades import read_run, store_grade
from evals.runner.opening import open_model, open_sandbox
from evals.runner.workers import Claim, LostClaim, after_release, claim_next, heart, held
from evals.sandbox import Sandbox, SandboxError
from evals.trajectory import Outcome, TurnRecord

log = logging.getLogger(__name__)


class Stopped(Exception):
    """The evaluation was paused or cancelled: the run is left where it is."""


@dataclass(frozen=True)
class Openers:
    """How a run gets its model and its sandbox."""

    model: Callable[[LanguageModel], ChatModel] = open_model
    sandbox: Callable[[Run], Sandbox] = open_sandbox


DEFAULT_OPENERS = Openers()


def work(evaluation_id: int, worker: str, openers: Openers = DEFAULT_OPENERS) -> bool:
    """Claim one run of an evaluation and execute it; return whether there was one."""
    claim = claim_next(evaluation_id, worker)
    if claim is None:
        return False
    with heart.beating_for(claim):
        execute(claim, openers)
    end_if_done(evaluation_id)
    return True


def execute(claim: Claim, openers: Openers = DEFAULT_OPENERS) -> None:
    """Bring a claimed run to its end, whatever happens on the way."""
    run = Run.objects.select_related("evaluation__language_model", "evaluation__benchmark", "task").get(
        pk=claim.run_id
    )
    try:
        end(claim, play(claim, run, openers))
    except LostClaim as lost:
        log.warning("%s; left to its new worker", lost)
    except Stopped:
        release(claim, run.evaluation_id)
    except Exception as problem:
        fail(claim, run, problem)


def play(claim: Claim, run: Run, openers: Openers) -> Outcome:
    evaluation = run.evaluation
    history = store.load_turns(run)
    model = openers.model(evaluation.language_model)
    with openers.sandbox(run) as sandbox:
        resume_in(sandbox, run, history)
        agent = Agent(
            model=model,
            sandbox=sandbox,
            brief=brief_of(evaluation),
            limits=Limits(turns=evaluation.turn_cap, seconds=evaluation.run_time_limit_s),
            recorder=DatabaseRecorder(claim, evaluation),
        )
        return agent.play(history)


def brief_of(evaluation: Evaluation) -> Brief:
    prompt = Prompt(evaluation.prompt_name, evaluation.prompt_text)
    return Brief(prompt.filled(evaluation.turn_cap), evaluation.turn_cap)


def resume_in(sandbox: Sandbox, run: Run, history: Sequence[TurnRecord]) -> None:
    """Bring a fresh sandbox to where a lost run's was, and note what came out differently."""
    if not history:
        return
    divergences = replay(history, sandbox)
    finished = [turn for turn in history if not unfinished(turn)]
    note = f"Taken up after turn {len(finished)}."
    if divergences:
        turns = ", ".join(dict.fromkeys(str(each.turn) for each in divergences))
        note += f" Run again, commands of turn {turns} gave another output than recorded."
    Run.objects.filter(pk=run.pk).update(note=f"{run.note}\n{note}".strip())


class DatabaseRecorder:
    """Saves each turn at once, and stops the run when its evaluation is to go no further."""

    def __init__(self, claim: Claim, evaluation: Evaluation) -> None:
        self._claim = claim
        self._evaluation_id = evaluation.pk

    def reply_came(self, turn: TurnRecord) -> None:
        store.save_reply(self._claim, turn)

    def turn_ended(self, turn: TurnRecord) -> None:
        store.save_observations(self._claim, turn)
        self._stop_where_told()

    def _stop_where_told(self) -> None:
        states = Evaluation.objects.filter(pk=self._evaluation_id).values_list("state", "cost_limit_usd")
        state, limit_usd = states.get()
        if state not in Evaluation.ACTIVE:
            raise Stopped
        if limit_usd is not None and (spent := spent_usd(self._evaluation_id)) >= limit_usd:
            evaluation = Evaluation.objects.get(pk=self._evaluation_id)
            pause(evaluation, f"The cost limit is reached: ${spent:.2f} of ${limit_usd:.2f}")
            raise Stopped


def spent_usd(evaluation_id: int) -> float:
    """Return what all runs of an evaluation have cost so far, as far as it is known."""
    runs = Run.objects.filter(evaluation_id=evaluation_id)
    return runs.aggregate(total=Sum("cost_usd"))["total"] or 0.0


def end(claim: Claim, outcome: Outcome) -> None:
    """Store the outcome and its grade together: an ended run always has one."""
    run = Run.objects.select_related("task", "evaluation__benchmark").get(pk=claim.run_id)
    # Before the transaction, which would hold SQLite's only write lock while megabytes are read.
    reading = read_run(run, outcome.submission)
    with transaction.atomic():
        ended = held(claim).update(
            state=RunState.ENDED,
            stop_reason=outcome.stop_reason,
            finish_reason=outcome.finish_reason,
            submission=outcome.submission,
            unsubmitted=outcome.unsubmitted,
            ended_at=timezone.now(),
            claimed_by="",
        )
        if ended:
            store_grade(run, reading)


def release(claim: Claim, evaluation_id: int) -> None:
    held(claim).update(**after_release(Evaluation.objects.get(pk=evaluation_id)))


def fail(claim: Claim, run: Run, problem: Exception) -> None:
    """Record that we, not the agent, failed. The turns so far are kept: a retry goes on from them."""
    expected = isinstance(problem, ModelError | SandboxError)
    log.error("run %s errored: %s", run.pk, problem, exc_info=not expected)
    held(claim).update(
        state=RunState.ERRORED,
        error=f"{type(problem).__name__}: {problem}"[:4000],
        ended_at=timezone.now(),
        claimed_by="",
    )
    pause_when_nothing_works(run.evaluation_id)
