"""What happens to an evaluation and its runs: plan, claim, execute, resume, grade."""

from evals.runner.control import cancel, end_if_done, pause, resume, retry_errored
from evals.runner.execution import Openers, execute, work
from evals.runner.grades import grade_run
from evals.runner.planning import Check, EvaluationRequest, PlanError, plan, preflight
from evals.runner.workers import claim_next, live_workers, release_lost

__all__ = [
    "Check",
    "EvaluationRequest",
    "Openers",
    "PlanError",
    "cancel",
    "claim_next",
    "end_if_done",
    "execute",
    "grade_run",
    "live_workers",
    "pause",
    "plan",
    "preflight",
    "release_lost",
    "resume",
    "retry_errored",
    "work",
]
