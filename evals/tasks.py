"""Where Huey looks for jobs: it imports modules of this name only."""

from evals.jobs import execute_next_run, sweep

__all__ = ["execute_next_run", "sweep"]
